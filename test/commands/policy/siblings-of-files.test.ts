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

describe('what each release takes', () => {
  const RELEASES = ['1.9', '1.11', '1.13', '1.14', '1.15', '1.16', '1.17', '1.18', '1.19', '1.20'] as const;
  const ports = (direction: string, port: string, more = '') =>
    `spec: {endpointSelector: {}, ${direction}: [{toPorts: [{ports: [${port}]${more}}]}]}`;
  const https = (names: string) =>
    ports('egress', '{port: "443", protocol: TCP}', `, serverNames: [${names}]`);
  const to = (field: string) => `spec: {endpointSelector: {}, egress: [{${field}}]}`;
  test.each([
    // [policy, the first release that takes it, the last one]
    [https('a.b.example'), '1.13', '1.20'],
    [https('"*.b.example", "**.b.example"'), '1.13', '1.20'],
    [https('"*"'), '1.20', '1.20', ['1.13', '1.14', '1.15', '1.16', '1.17']],
    [https('"api.*-b.example"'), '1.20', '1.20', ['1.13', '1.14', '1.15', '1.16', '1.17']],
    [to('toEntities: [cluster-mesh]'), '1.20', '1.20'],
    ['spec: {endpointSelector: {}, ingressDeny: [{fromEntities: [cluster-mesh]}]}', '1.20', '1.20'],
    ['spec: {endpointSelector: {}, ingress: [{fromEntities: [world-ipv4]}]}', 'none', 'none'],
    [to('toEntities: [kube-apiserver]'), '1.11', '1.20'],
    [ports('ingressDeny', '{protocol: GRE}'), '1.20', '1.20'],
    [ports('egress', '{port: "0", protocol: AH}'), '1.20', '1.20'],
    [ports('egress', '{protocol: IPIP}, {protocol: IPV6}'), '1.20', '1.20'],
    [ports('ingress', '{port: "80", protocol: GRE}'), 'none', 'none'],
    [ports('ingress', '{port: "0", protocol: IGMP}'), '1.19', '1.20'],
    [ports('egress', '{port: "0", protocol: VRRP}'), '1.19', '1.20'],
    [ports('ingress', '{port: "80", protocol: SCTP}'), '1.13', '1.20'],
    [ports('ingress', '{port: "80", endPort: 90}'), '1.16', '1.20'],
    [to('icmps: [{fields: [{type: 8}]}]'), '1.11', '1.20'],
    [to('icmps: [{fields: [{type: EchoRequest, family: IPv6}]}]'), '1.16', '1.20'],
    [to('toNodes: [{matchLabels: {a: b}}]'), '1.16', '1.20'],
    [to('toCIDRSet: [{cidrGroupSelector: {matchLabels: {a: b}}}]'), '1.17', '1.20'],
    ['spec: {endpointSelector: {}, ingress: [{fromRequires: [{}]}]}', '1.9', '1.18'],
    ['spec: {endpointSelector: {}, log: {value: a}, ingress: [{}]}', '1.18', '1.20'],
  ] as const)('%s from %s to %s', async (policy, first, last, also: readonly string[] = []) => {
    const rank = (release: string) => (RELEASES as readonly string[]).indexOf(release);
    for (const target of RELEASES) {
      const inside = first !== 'none' && rank(target) >= rank(first) && rank(target) <= rank(last);
      const { code } = await validate(cnp(policy), '--target', target);
      expect([target, code]).toEqual([target, inside || also.includes(target) ? 0 : 1]);
    }
  });
});

describe('YAML as kubectl reads it', () => {
  const PORT = '{port: "80", protocol: TCP}';
  test.each([
    [
      'a merge below a merge',
      'endpointSelector: {matchLabels: &a {app: w}}, ingress: [{fromEndpoints: [{matchLabels: &b {<<: *a, tier: t}}, {matchLabels: {<<: *b, zone: z}}]}]',
    ],
    [
      'a list of merges',
      'endpointSelector: {matchLabels: &a {app: w}}, ingress: [{fromEndpoints: [{matchLabels: &b {tier: t}}, {matchLabels: {<<: [*a, *b], zone: z}}]}]',
    ],
    [
      'two merges',
      'endpointSelector: {matchLabels: &a {app: w}}, ingress: [{fromEndpoints: [{matchLabels: &b {tier: t}}, {matchLabels: {<<: *a, <<: *b}}]}]',
    ],
    [
      'a merge that is overridden',
      `endpointSelector: {}, ingress: [{toPorts: [{ports: [&p ${PORT}, {<<: *p, port: "443"}]}]}]`,
    ],
    [
      'tags that make strings',
      'endpointSelector: {matchLabels: {a: !!str yes, b: !!str 1_0, c: ! on}}, ingress: [{toPorts: [{ports: [{port: !!str 80, protocol: TCP}]}]}]',
    ],
    ['a word for a boolean', 'endpointSelector: {}, enableDefaultDeny: {ingress: yes}, ingress: [{}]'],
    [
      'numbers in quotes',
      'endpointSelector: {matchLabels: {a: "1_000", b: \'010\', c: "on"}}, ingress: [{}]',
    ],
    ['words that are none', 'endpointSelector: {matchLabels: {a: yES, b: 1.2.3, c: 1_a}}, ingress: [{}]'],
  ])('%s is taken', async (_, spec) => {
    expect(await validate(cnp(`spec: {${spec}}`))).toEqual({ code: 0, findings: [] });
  });

  test.each([
    [
      'a name in quotes is no merge',
      'endpointSelector: {matchLabels: &a {app: w}}, ingress: [{fromEndpoints: [{matchLabels: {"<<": *a}}]}]',
      undefined,
    ],
    [
      'a label',
      'endpointSelector: {matchLabels: {a: off}}, ingress: [{}]',
      'off is false without quotes. Write it in quotes: "off".',
    ],
    [
      'a value of an expression',
      'endpointSelector: {matchExpressions: [{key: a, operator: In, values: [a, 010]}]}, ingress: [{}]',
      '010 is 8 without quotes. Write it in quotes: "010".',
    ],
    [
      'the key of an expression',
      'endpointSelector: {matchExpressions: [{key: on, operator: Exists}]}, ingress: [{}]',
      'on is true without quotes. Write it in quotes: "on".',
    ],
    [
      'a port',
      'endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: 0x50}]}]}]',
      '0x50 is 80 without quotes. Write it in quotes: "0x50".',
    ],
    [
      'a port that is merged',
      `endpointSelector: {}, ingress: [{toPorts: [{ports: [&p ${PORT}, {<<: *p, port: 443}]}]}]`,
      'Write it in quotes: "443".',
    ],
    [
      'an entity',
      'endpointSelector: {}, ingress: [{fromEntities: [no]}]',
      'no is false without quotes. Write it in quotes: "no".',
    ],
    ['a DNS name', 'endpointSelector: {}, egress: [{toCIDR: [1.2]}]', 'Write it in quotes: "1.2".'],
    [
      'a tag that makes a number',
      'endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: !!int "80"}]}]}]',
      'Its tag makes a number of it: write "80" without the tag.',
    ],
  ])('%s is refused, with what to write', async (_, spec, hint) => {
    const { code, findings } = await validate(cnp(`spec: {${spec}}`));
    expect([code, findings.map((each) => each.hint)]).toEqual([1, [hint]]);
  });

  test('a number for a name is one error', async () => {
    const policy = cnp('spec: {endpointSelector: {}, ingress: [{}]}').replace('name: p', 'name: 0x1F');
    const { code, findings } = await validate(policy);
    expect([code, messages(findings, 'error')]).toEqual([1, ['metadata.name must be a string']]);
  });
});
