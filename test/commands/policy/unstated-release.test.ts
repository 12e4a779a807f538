import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { run } from '../../helpers/run.ts';

const folder = mkdtempSync(join(tmpdir(), 'unstated-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(content));
  return path;
}

const SPEC = {
  endpointSelector: { matchLabels: { app: 'web' } },
  ingress: [{ fromEntities: ['all'] }],
  ingressDeny: [{ toPorts: [{ ports: [{ port: '80' }] }] }],
};
const OBJECT = {
  apiVersion: 'cilium.io/v2',
  kind: 'CiliumNetworkPolicy',
  metadata: { name: 'd', namespace: 'default' },
  spec: SPEC,
};
const STATE = {
  identities: [{ id: 1001, labels: ['k8s:app=web', 'k8s:io.kubernetes.pod.namespace=default'] }],
  endpoints: [{ id: 1, identity: 1001 }],
};

test.each([
  ['an object', OBJECT],
  ['a rule of the agent', [SPEC]],
])('a denied port without a protocol, in %s, is decided by the release alone', async (_, rules) => {
  const path = file(`rules-${Array.isArray(rules)}.json`, rules);
  const verdict = async (...flags: string[]) => {
    const argv = [
      'policy',
      'simulate',
      '-r',
      path,
      '--from',
      'app=x',
      '--to',
      'app=web',
      '-p',
      '80',
      ...flags,
    ];
    return /^Verdict: +(\w+)/m.exec((await run(argv)).stdout)?.[1];
  };
  expect(await verdict()).toBe('unknown');
  expect(await verdict('--release', '1.11')).toBe('allowed');
  expect(await verdict('--release', '1.14')).toBe('unknown');
  expect(await verdict('--release', '1.15')).toBe('denied');
  expect(await verdict('--release', '1.20')).toBe('denied');
});

test('a rule that only some releases make useless is not called so, and none is called useful for certain', async () => {
  const other = {
    ...OBJECT,
    metadata: { name: 'tcp', namespace: 'default' },
    spec: { ...SPEC, ingressDeny: [{ toPorts: [{ ports: [{ port: '80', protocol: 'TCP' }] }] }] },
  };
  const argv = ['policy', 'unused', '-r', file('two.json', { kind: 'List', items: [OBJECT, other] })];
  const state = ['-s', file('state.json', STATE), '--cidr-match-mode', 'none', '--host-firewall', 'off'];
  expect((await run([...argv, ...state])).stdout).toBe(
    'None of 2 rules is without effect for certain; not all is known that this rests on.\n',
  );
  expect((await run([...argv, ...state, '--release', '1.20.0'])).stdout).toContain(
    'CiliumNetworkPolicy default/tcp',
  );
});
