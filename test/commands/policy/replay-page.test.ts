import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { EdgeFate } from '../../../src/model/traffic.ts';
import type { TrafficReport } from '../../../src/model/traffic-report.ts';
import { recordedMessages, serveGrpc } from '../../helpers/grpc.ts';
import { hostileCapture } from '../../helpers/hostile-names.ts';
import { fixturePath } from '../../helpers/recordings.ts';
import { run } from '../../helpers/run.ts';

const FLOWS = fixturePath('recordings/flows-1.20.jsonl');
const API = `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: api, namespace: default}
spec:
  endpointSelector: {matchLabels: {app: api}}
  ingress:
    - fromEndpoints: [{matchLabels: {app: frontend}}]
      toPorts: [{ports: [{port: "8080", protocol: TCP}]}]
`;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'replay-page-'));
  writeFileSync(join(folder, 'api.yaml'), API);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const replay = (...words: string[]) =>
  run(['policy', 'replay', '-f', FLOWS, '-c', 'api.yaml', ...words], { cwd: folder });

/** What a page has in it as data. */
function dataOf(page: string): TrafficReport {
  const [, json = ''] = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(page) ?? [];
  return JSON.parse(json) as TrafficReport;
}

const sumOf = (fates: readonly EdgeFate[], name: 'newlyDenied' | 'newlyAllowed' | 'open') =>
  fates.reduce((sum, fate) => sum + fate[name], 0);

describe('policy replay --html', () => {
  test.each([
    ['the verdicts in the flows', []],
    ['other rules', ['--current', 'none.json']],
  ])('marks each flow of the map once, compared with %s', async (_, words) => {
    writeFileSync(join(folder, 'none.json'), '[]');
    const plain = await replay(...words, '-o', 'json');
    const { stdout, stderr, code } = await replay(...words, '-o', 'json', '--html', 'page.html');
    expect({ stdout, code }).toEqual({ stdout: plain.stdout, code: plain.code });
    expect(stderr).toContain('Page: page.html\n');
    const report = JSON.parse(stdout) as { changes: { change: string; flows: number }[] };
    const flowsOf = (change: string) =>
      report.changes.filter((each) => each.change === change).reduce((sum, { flows }) => sum + flows, 0);
    const { traffic, trial } = dataOf(readFileSync(join(folder, 'page.html'), 'utf8'));
    const fates = traffic.edges.flatMap(({ fate = [] }) => fate);
    expect(fates).toHaveLength(traffic.edges.length);
    for (const { flows, fate } of traffic.edges) {
      const { newlyDenied = 0, newlyAllowed = 0, unchanged = 0, open = 0, silent = 0 } = fate ?? {};
      expect(newlyDenied + newlyAllowed + unchanged + open + silent).toBe(flows);
    }
    expect(flowsOf('newly-denied')).toBeGreaterThan(0);
    expect(sumOf(fates, 'newlyDenied')).toBe(flowsOf('newly-denied'));
    expect(sumOf(fates, 'newlyAllowed')).toBe(flowsOf('newly-allowed'));
    const undecided = trial?.undecided.reduce((sum, { flows }) => sum + flows, 0) ?? 0;
    expect(undecided).toBeGreaterThan(0);
    // A flow without addresses stands on no edge.
    expect(sumOf(fates, 'open')).toBeGreaterThanOrEqual(undecided - traffic.endless);
    const onMap = fates.flatMap(({ changes }) => changes.map(({ change }) => change));
    expect(new Set(onMap)).toEqual(new Set(report.changes.keys()));
  });

  test('prints and fails as it does without a page', async () => {
    const plain = await replay('--fail-on', 'newly-denied');
    const told = await replay('--fail-on', 'newly-denied', '--html', 'failed.html');
    expect([told.code, told.stdout]).toEqual([1, plain.stdout]);
    expect(plain.code).toBe(1);
    const { trial, source } = dataOf(readFileSync(join(folder, 'failed.html'), 'utf8'));
    expect(source).toBe(FLOWS);
    expect(trial?.changes.find(({ change }) => change === 'newly-denied')?.reason).toContain(
      '(api.yaml:4:1)',
    );
  });

  test('shows flows of stdin, and says nothing of it with --quiet', async () => {
    const argv = ['policy', 'replay', '-f', '-', '-c', 'api.yaml', '--html', 'stdin.html', '-q'];
    const { stderr, code } = await run(argv, { cwd: folder, stdin: readFileSync(FLOWS) });
    expect([code, stderr]).toEqual([0, '']);
    const { source, traffic } = dataOf(readFileSync(join(folder, 'stdin.html'), 'utf8'));
    expect([source, traffic.flows]).toEqual(['stdin', 456]);
  });

  test('shows flows of a server', async () => {
    await using server = await serveGrpc({
      '/observer.Observer/GetFlows': { messages: recordedMessages('getflows-300.grpc') },
    });
    const argv = ['policy', 'replay', '--server', server.address, '-c', 'api.yaml', '--html', 'live.html'];
    const { stdout, code } = await run(argv, { cwd: folder });
    expect(code).toBe(0);
    const { source, traffic, trial } = dataOf(readFileSync(join(folder, 'live.html'), 'utf8'));
    expect(source).toBe('Hubble');
    expect(stdout).toContain(`${traffic.flows} flows, ${trial?.connections} connections: `);
    expect(traffic.edges.length).toBeGreaterThan(0);
  });

  test.each([
    ['', 'needs the name of a file'],
    ['-', 'needs the name of a file'],
    ['.', 'is a folder'],
    ['nowhere/page.html', 'no such file or directory'],
  ])('does no work for a page that cannot be written: "%s"', async (file, message) => {
    const { stdout, stderr, code } = await replay('--html', file);
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toContain(message);
  });

  test('lists the changes of most flows where there are very many, and counts the others', async () => {
    const end = (identity: number, app: string) => ({
      ...{ identity, namespace: 'default', pod_name: app },
      labels: [`k8s:app=${app}`, 'k8s:io.kubernetes.pod.namespace=default'],
    });
    const flows = Array.from({ length: 1100 }, (_, i) => ({
      ...{
        time: '2026-01-01T00:00:00Z',
        verdict: 'FORWARDED',
        traffic_direction: 'INGRESS',
        is_reply: false,
      },
      ...{ source: end(70_000 + i, `a${i}`), destination: end(1001, 'api'), event_type: { type: 4 } },
      ...{ IP: { source: `10.1.${i >> 8}.${i & 255}`, destination: '10.0.0.1', ipVersion: 'IPv4' } },
      l4: { TCP: { source_port: 4000, destination_port: 80, flags: { SYN: true } } },
    }));
    writeFileSync(join(folder, 'many.jsonl'), flows.map((flow) => JSON.stringify({ flow })).join('\n'));
    const words = [
      'policy',
      'replay',
      '-f',
      'many.jsonl',
      '-c',
      'api.yaml',
      '-o',
      'json',
      '--html',
      'many.html',
    ];
    const { stdout } = await run(words, { cwd: folder });
    expect((JSON.parse(stdout) as { changes: unknown[] }).changes).toHaveLength(1100);
    const { traffic, trial } = dataOf(readFileSync(join(folder, 'many.html'), 'utf8'));
    expect([trial?.changes.length, trial?.unlisted]).toEqual([1000, 100]);
    const fates = traffic.edges.flatMap(({ fate = [] }) => fate);
    expect(sumOf(fates, 'newlyDenied')).toBe(1100);
    expect(fates.flatMap(({ changes }) => changes)).toHaveLength(1000);
  });

  test('holds names of a cluster as data alone', async () => {
    writeFileSync(join(folder, 'hostile.jsonl'), hostileCapture());
    const argv = ['policy', 'replay', '-f', 'hostile.jsonl', '-c', 'api.yaml', '--html', 'hostile.html'];
    const { code } = await run(argv, { cwd: folder });
    expect(code).toBe(0);
    const page = readFileSync(join(folder, 'hostile.html'), 'utf8');
    expect(page.match(/<script/g)).toHaveLength(2);
    expect(page).not.toMatch(/<img|<svg onload|<\/title><img/);
    expect(page).toContain("default-src 'none'");
    expect(dataOf(page).trial?.changes.length).toBeGreaterThan(0);
  });
});
