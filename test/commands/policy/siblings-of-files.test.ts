import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { run } from '../../helpers/run.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'siblings-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const cnp = (spec: string) =>
  `{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: p, namespace: d}, ${spec}}`;
const ccnp = (spec: string) =>
  `{apiVersion: cilium.io/v2, kind: CiliumClusterwideNetworkPolicy, metadata: {name: p}, ${spec}}`;
const knp = (spec: string) =>
  `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: d}, spec: ${spec}}`;

interface Finding {
  severity: string;
  message: string;
  hint?: string;
}

/** What `policy validate` finds, and its exit code. */
async function validate(policy: string, ...words: string[]): Promise<{ code: number; findings: Finding[] }> {
  writeFileSync(join(folder, 'p.yaml'), policy);
  const argv = ['policy', 'validate', 'p.yaml', '-o', 'json', ...words];
  const { stdout, code } = await run(argv, { cwd: folder });
  return { code, findings: (JSON.parse(stdout) as { findings: Finding[] }).findings };
}

const messages = (findings: readonly Finding[], severity: string) =>
  findings.filter((each) => each.severity === severity).map(({ message }) => message);

describe('a rule without a section that says something', () => {
  const NONE = 'rule must have at least one of Ingress, IngressDeny, Egress, EgressDeny';
  const EMPTY = [
    cnp('spec: {endpointSelector: {}, ingress: []}'),
    cnp('spec: {endpointSelector: {}, ingress: [], egress: []}'),
    cnp('spec: {endpointSelector: {}, egressDeny: []}'),
    cnp('spec: {endpointSelector: {}, ingress: null}'),
    cnp('spec: {endpointSelector: {}, ingress: ~, ingressDeny: []}'),
    cnp('spec: {endpointSelector: {}, enableDefaultDeny: {ingress: true, egress: true}}'),
    cnp('spec: {endpointSelector: {}, enableDefaultDeny: {ingress: false}, egress: []}'),
    cnp('specs: [{endpointSelector: {}, ingress: []}]'),
    cnp('specs: [{endpointSelector: {}, ingress: [{}]}, {endpointSelector: {}, egress: [], egressDeny: []}]'),
    cnp('spec: {endpointSelector: {}, ingress: [{}]}, specs: [{endpointSelector: {}, ingress: []}]'),
    ccnp('spec: {endpointSelector: {}, egress: [], egressDeny: []}'),
    ccnp('spec: {nodeSelector: {}, ingress: []}'),
  ];
  test.each(EMPTY)('is refused by agents from 1.17 on: %s', async (policy) => {
    for (const target of [[], ['--target', '1.17'], ['--target', '1.18'], ['--target', '1.20']]) {
      const { code, findings } = await validate(policy, ...target);
      expect([code, messages(findings, 'error')]).toEqual([1, [NONE]]);
    }
    for (const target of policy.includes('enableDefaultDeny') ? ['1.16'] : ['1.9', '1.16']) {
      const { code, findings } = await validate(policy, '--target', target);
      expect([code, messages(findings, 'warning')]).toEqual([0, [NONE]]);
    }
  });

  test.each(['sarif', 'junit', 'json'])('-o %s fails with it too', async (format) => {
    writeFileSync(join(folder, 'p.yaml'), EMPTY[0] ?? '');
    const { stdout, code } = await run(['policy', 'validate', 'p.yaml', '-o', format], { cwd: folder });
    expect(code).toBe(1);
    expect(stdout).toContain(NONE);
  });

  test.each(['simulate', 'replay', 'import', 'maps', 'unused'])('%s decides nothing by it', async (verb) => {
    writeFileSync(join(folder, 'p.yaml'), EMPTY[0] ?? '');
    writeFileSync(join(folder, 's.json'), '{"identities": [{"id": 1001, "labels": ["k8s:app=a"]}]}');
    writeFileSync(join(folder, 'f.jsonl'), '{"flow": {}}\n');
    const state = ['-r', 'p.yaml', '-s', 's.json'];
    const argv = {
      simulate: [...state, '--from', 'app=x', '--to', 'app=y', '-p', '80'],
      replay: ['-c', 'p.yaml', '-f', 'f.jsonl'],
      import: ['--dry-run', 'p.yaml'],
      maps: state,
      unused: state,
    }[verb];
    const { stdout, stderr, code } = await run(['policy', verb, ...(argv ?? [])], { cwd: folder });
    expect([stdout, code]).toEqual(['', 1]);
    expect(stderr).toContain(NONE);
  });

  test.each([
    [cnp('spec: {endpointSelector: {}, ingress: [], egress: [{}]}'), ['an empty "ingress" has no effect']],
    [cnp('spec: {endpointSelector: {}, ingress: ~, egress: [{}]}'), ['an empty "ingress" has no effect']],
    [
      cnp('spec: {endpointSelector: {}, ingressDeny: [{}], egressDeny: []}'),
      ['an empty "egressDeny" has no effect'],
    ],
    [knp('{podSelector: {}, ingress: []}'), []],
    [knp('{podSelector: {}, policyTypes: [Egress]}'), []],
    [knp('{podSelector: {}, ingress: ~}'), []],
  ])('beside another, or in a NetworkPolicy, it is taken: %s', async (policy, warnings) => {
    const { code, findings } = await validate(policy);
    expect([code, messages(findings, 'warning')]).toEqual([0, warnings]);
  });
});

describe('a field that is null is left out, an item that is null is refused', () => {
  test.each([
    'spec: {endpointSelector: {matchLabels: ~}, ingress: [{}]}',
    'spec: {endpointSelector: {}, ingress: [{fromEndpoints: ~}]}',
    'spec: {endpointSelector: {}, ingress: [{fromCIDR: ~, fromEntities: [all]}]}',
    'spec: {endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: "80", protocol: ~}]}]}]}',
    'specs: [{endpointSelector: {}, nodeSelector: ~, ingress: [{}]}]',
  ])('%s', async (spec) => {
    for (const target of ['1.9', '1.17', '1.18', '1.19', '1.20'])
      expect(await validate(cnp(spec), '--target', target)).toEqual({ code: 0, findings: [] });
  });

  test.each([
    ['spec: {endpointSelector: {matchLabels: {app: ~}}, ingress: [{}]}', 'expected a string, found null'],
    ['spec: {endpointSelector: {}, ingress: [~]}', 'expected an ingress rule, found null'],
    ['spec: {endpointSelector: {}, ingress: [{fromEntities: [~]}]}', 'expected a string, found null'],
  ])('%s: %s', async (spec, message) => {
    for (const target of ['1.9', '1.17', '1.20']) {
      const { code, findings } = await validate(cnp(spec), '--target', target);
      expect([code, messages(findings, 'error')]).toEqual([1, [message]]);
    }
  });

  test('the API server reads it as an empty string in a NetworkPolicy', async () => {
    expect(await validate(knp('{podSelector: {matchLabels: {app: ~}}}'))).toEqual({ code: 0, findings: [] });
  });
});
