import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startTestLab, type TestLab } from '../../helpers/lab.ts';
import { fixturePath } from '../../helpers/recordings.ts';
import { run } from '../../helpers/run.ts';

const FLOWS = fixturePath('recordings/flows-1.20.jsonl');

let folder: string;
let lab: TestLab;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'traffic-'));
  lab = await startTestLab({ scenario: 'incident' });
});
afterAll(async () => {
  await lab[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** A flow whose names try to be markup, quotes, lines and control characters. */
const HOSTILE = {
  flow: {
    time: '2026-01-01T00:00:00Z',
    verdict: 'DROPPED',
    drop_reason_desc: 'POLICY_DENIED',
    source: { namespace: '</script><script>alert(1)</script>', pod_name: '"]; } evil [label="x' },
    destination: {
      namespace: 'a\u001b[31m\u2028b\n',
      pod_name: `${'long'.repeat(2500)}<img src=x onerror=alert(1)>`,
    },
    l4: { TCP: { source_port: 40_000, destination_port: 80 } },
    Type: 'L3_L4',
  },
};

async function hostileCapture(): Promise<string> {
  const path = join(folder, 'hostile.jsonl');
  await writeFile(path, `${JSON.stringify(HOSTILE)}\n`);
  return path;
}

describe('hubble map', () => {
  test('shows clients with their servers, and why flows were dropped', async () => {
    const { stdout, code } = await run(['hubble', 'map', '--input-file', FLOWS, '--namespace', 'monitoring']);
    expect(code).toBe(0);
    expect(stdout).toBe(
      [
        'CLIENT / SERVER     PORTS     FLOWS  RATE    DROPPED  NOTES',
        'monitoring/prom-0             8      0.25/s  8        pod',
        '└─ default/api-5c6  8080/TCP  8      0.25/s  8        POLICY_DENIED egress 8080/TCP',
        '',
        '8 flows, 8 dropped, 2 ends, 1 connections between them, 2026-11-22T08:04:39Z to 08:05:11Z',
        '',
      ].join('\n'),
    );
  });

  test('asks a server, and cuts lines to the terminal', async () => {
    const { stdout, code } = await run(
      ['hubble', 'map', '--server', `unix://${lab.lab.info.sockets.hubble}`],
      {
        columns: 60,
      },
    );
    expect(code).toBe(0);
    expect(stdout).toContain('orders/web');
    for (const line of stdout.replaceAll(/\u001b\[\d+m/g, '').split('\n'))
      expect([...line].length).toBeLessThanOrEqual(60);
  });

  test('as JSON holds everything', async () => {
    const { stdout } = await run(['hubble', 'map', '--input-file', FLOWS, '-o', 'json']);
    const traffic = JSON.parse(stdout) as { flows: number; edges: { flows: number }[] };
    expect(traffic.edges.reduce((sum, { flows }) => sum + flows, 0)).toBe(traffic.flows);
  });

  test.each(['tree', 'dot', 'mermaid'])('as %s lets no name out of its quotes', async (format) => {
    const { stdout } = await run(['hubble', 'map', '--input-file', await hostileCapture(), '-o', format]);
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u2028]/);
    if (format === 'dot') {
      const quoted = /"(?:[^"\\]|\\.)*"/g;
      expect(stdout.replaceAll(quoted, 'Q')).not.toContain('evil');
    }
    if (format === 'mermaid') expect(stdout).not.toMatch(/<script|<img/);
  });

  test('of a wrong expression or field says where it is wrong', async () => {
    const { stderr, code } = await run([
      'hubble',
      'map',
      '--input-file',
      FLOWS,
      '--where',
      'verdct = DROPPED',
    ]);
    expect(code).toBe(1);
    expect(stderr).toContain('there is no field "verdct"');
  });

  test('a capture cannot be followed', async () => {
    const { stderr, code } = await run(['hubble', 'map', '--input-file', FLOWS, '--follow']);
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('--follow follows a server; a capture has an end'),
    ]);
  });
});

describe('hubble report', () => {
  test.each(['html', 'json', 'svg', 'dot', 'mermaid'])(
    'as %s takes a number of any size in what servers add to a flow',
    async (format) => {
      const path = join(folder, 'large.jsonl');
      const flow = { ...HOSTILE.flow, extensions: { '@type': 'x', n: 'N' } };
      await writeFile(path, `${JSON.stringify({ flow }).replace('"N"', '12345678901234567890')}\n`);
      const { stdout, code } = await run(['hubble', 'report', path, '-o', '-', '--format', format]);
      expect(code).toBe(0);
      if (format === 'html' || format === 'json') expect(stdout).toMatch(/"n": ?12345678901234567890\b/);
    },
  );

  test.each([
    ['report.html', /^<!doctype html>/],
    ['report.svg', /^<svg xmlns=/],
    ['report.dot', /^digraph traffic \{/],
    ['report.mmd', /^flowchart LR/],
    ['report.json', /^\{/],
  ])('writes %s', async (name, begins) => {
    const { stderr, code } = await run(['hubble', 'report', FLOWS, '-o', name], { cwd: folder });
    expect([code, stderr]).toEqual([0, `456 flows of ${FLOWS}: ${name}\n`]);
    expect(await readFile(join(folder, name), 'utf8')).toMatch(begins);
  });

  test('of a name that says no form names those there are', async () => {
    const { stderr, code } = await run(['hubble', 'report', FLOWS, '-o', 'report.pdf'], { cwd: folder });
    expect(code).toBe(1);
    expect(stderr).toContain('the name "report.pdf" does not say which form is meant');
    expect(stderr).toContain('.svg');
  });

  test('where none can be written names the file', async () => {
    const { stderr, code } = await run(['hubble', 'report', FLOWS, '-o', 'no/report.html'], { cwd: folder });
    expect([code, stderr.split('\n')[0]]).toEqual([1, 'write no/report.html: no such file or directory']);
  });

  test('never takes the place of a capture that it is of', async () => {
    const capture = await readFile(FLOWS, 'utf8');
    await writeFile(join(folder, 'capture.json'), capture);
    for (const input of ['capture.json', '.', 'cap*.json']) {
      const { stderr, code } = await run(['hubble', 'report', input, '-o', './capture.json'], {
        cwd: folder,
      });
      expect([code, stderr.split('\n')[0]]).toEqual([
        1,
        '--output: ./capture.json is a capture that the report is of',
      ]);
    }
    expect(await readFile(join(folder, 'capture.json'), 'utf8')).toBe(capture);
    await rm(join(folder, 'capture.json'));
  });

  test('of no flows is none', async () => {
    const { stderr, code } = await run(
      ['hubble', 'report', FLOWS, '--where', 'src.pod = nobody/at-all', '-o', 'none.html'],
      { cwd: folder },
    );
    expect(code).toBe(1);
    expect(stderr).toContain('there is nothing to report');
    await expect(readFile(join(folder, 'none.html'))).rejects.toThrow();
  });

  test('names the policy behind a drop and what would allow it, with the rules of the agent', async () => {
    const { hubble, agent } = lab.lab.info.sockets;
    const { stdout } = await run(
      ['hubble', 'report', '--server', `unix://${hubble}`, '--state', 'agent', '-o', '-', '--format', 'json'],
      { env: { CILIUM_SOCK: agent } },
    );
    const { fixes } = JSON.parse(stdout) as { fixes: { server: string; why: string; yaml: string }[] };
    const dns = fixes.find(({ server }) => server.endsWith('/coredns'));
    expect(dns?.why).toContain('rule orders/web-egress');
    expect(dns?.yaml).toContain('k8s-app: kube-dns');
  });

  test('holds names from the cluster as data alone', async () => {
    const { stdout } = await run(['hubble', 'report', await hostileCapture(), '-o', '-']);
    const scripts = stdout.match(/<script/g) ?? [];
    expect(scripts.length).toBe(2);
    expect(stdout.includes('<img')).toBe(false);
    const { stdout: svg } = await run([
      'hubble',
      'report',
      await hostileCapture(),
      '-o',
      '-',
      '--format',
      'svg',
    ]);
    expect(/<script|<img/.test(svg)).toBe(false);
  });
});

describe('captures counted in groups', () => {
  test.each(['flows-1.14', 'flows-1.20', 'flows-1.20-release', 'flows-random'])(
    'come to the same as flow by flow: %s',
    async (name) => {
      const ask = (...words: string[]) =>
        run([
          'hubble',
          'map',
          '--input-file',
          fixturePath(`recordings/${name}.jsonl`),
          '-o',
          'json',
          ...words,
        ]);
      // An expression is evaluated flow by flow.
      const each = ['--where', 'uuid = a or not uuid = a'];
      for (const words of [
        [],
        ['--verdict', 'DROPPED'],
        ['--since', '2026-11-22T08:04:40Z'],
        ['--not', '--protocol', 'tcp'],
      ])
        expect((await ask(...words)).stdout).toBe((await ask(...words, ...each)).stdout);
    },
  );
});
