import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { run } from '../../helpers/run.ts';

const folder = mkdtempSync(join(tmpdir(), 'unknown-'));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const flow = (verdict: string, source: object, destination: object, more: object = {}) =>
  JSON.stringify({
    flow: {
      verdict,
      IP: { source: '10.8.0.9', destination: '10.8.1.2' },
      l4: { TCP: { source_port: 43_006, destination_port: 80, flags: { SYN: true } } },
      source,
      destination,
      is_reply: false,
      ...more,
    },
  });

const closing = (selector: string) =>
  `{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: deny, namespace: default}, spec: {endpointSelector: ${selector}, ingress: [{}]}}`;
const WEB = { namespace: 'default', pod_name: 'web-0' };
const API = { namespace: 'default', pod_name: 'api-0' };

describe('a gate on flows without labels', () => {
  test.each([
    ['is decided by the namespace', '{}', 'Newly denied: 1 flows', ''],
    [
      'fails on what labels decide',
      '{matchLabels: {app: api}}',
      '1 (100.0 %) not decided',
      'Failed: 1 flows',
    ],
  ])('%s', async (_, selector, out, err) => {
    const flows = file('flows.jsonl', flow('FORWARDED', WEB, API));
    const argv = ['policy', 'replay', '-c', file('deny.yaml', closing(selector)), '-f', flows];
    const gated = await run([...argv, '--fail-on', 'newly-denied']);
    expect(gated.stdout).toContain(out);
    expect(gated.stderr).toContain(err);
    expect(gated.code).toBe(1);
    expect((await run([...argv, '--fail-on', 'newly-allowed'])).code).toBe(0);
  });

  test('lets as many pass as it is told', async () => {
    const flows = file('flows.jsonl', flow('FORWARDED', WEB, API));
    const rules = file('deny.yaml', closing('{matchLabels: {app: api}}'));
    const argv = ['policy', 'replay', '-c', rules, '-f', flows, '--fail-on', 'newly-denied'];
    expect((await run([...argv, '--max-undecided', '1'])).code).toBe(0);
  });
});

test('what the agent dropped at its host is not newly allowed', async () => {
  const host = { ID: 5, identity: 1, labels: ['k8s:role=w', 'reserved:host'] };
  const drop = flow('DROPPED', { identity: 2, labels: ['reserved:world'] }, host, {
    drop_reason_desc: 'POLICY_DENIED',
    traffic_direction: 'INGRESS',
  });
  const argv = ['policy', 'replay', '-f', file('host.jsonl', drop), '-c', file('deny.yaml', closing('{}'))];
  for (const firewall of [[], ['--host-firewall', 'on'], ['--host-firewall', 'off']]) {
    const { stdout } = await run([...argv, ...firewall]);
    expect(stdout).toContain('Newly allowed: none');
    expect(stdout).toContain('1 (100.0 %) not decided');
  }
});
