import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { parse, parseAllDocuments } from 'yaml';
import { asObject } from '../../../src/policy/read/as-object.ts';
import { run } from '../../helpers/run.ts';
import { recordedSets } from '../../policy/worlds.ts';

const folder = mkdtempSync(join(tmpdir(), 'convert-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(content: unknown, name = `${Math.random().toString(36).slice(2)}.json`): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const NS = 'k8s:io.kubernetes.pod.namespace';
const SHOP = { matchLabels: { 'k8s:app': 'web', [NS]: 'shop' } };
const convert = (...argv: string[]) => run(['policy', 'convert', ...argv]);

describe('policy convert of rules', () => {
  test('writes an object of the namespace that the subject names', async () => {
    const rule = {
      endpointSelector: SHOP,
      ingress: [
        {
          fromEndpoints: [
            { matchLabels: { [NS]: 'data', 'k8s:app': 'db' } },
            { matchLabels: { 'reserved:host': '' } },
          ],
        },
      ],
      labels: [{ key: 'team', value: 'red', source: 'k8s' }],
      description: 'web from db',
    };
    const { stdout, stderr, code } = await convert(file([rule]), '--name', 'web');
    expect(parse(stdout)).toEqual({
      apiVersion: 'cilium.io/v2',
      kind: 'CiliumNetworkPolicy',
      metadata: { name: 'web', namespace: 'shop' },
      spec: { ...rule, endpointSelector: { matchLabels: { 'k8s:app': 'web' } } },
    });
    expect([stderr, code]).toEqual(['', 0]);
  });

  test('writes one of the whole cluster else, and says that its peers are pods', async () => {
    const rule = {
      endpointSelector: { matchLabels: { app: 'web' } },
      egress: [{ toEndpoints: [{ matchLabels: { app: 'db' } }] }],
    };
    const { stdout, stderr } = await convert(file([rule]), '-o', 'json');
    const { kind, metadata, spec } = JSON.parse(stdout);
    expect([kind, metadata]).toEqual(['CiliumClusterwideNetworkPolicy', { name: 'policy' }]);
    expect(spec.egress[0].toEndpoints[0].matchExpressions).toEqual([{ key: NS, operator: 'Exists' }]);
    expect(stderr).toBe(
      'Peers that name no namespace are pods of any namespace in an object, and nothing else: policy\n',
    );
  });

  test('takes the name of the object that a rule was made of, and gives each its own', async () => {
    const label = { key: 'io.cilium.k8s.policy.name', value: 'web', source: 'k8s' };
    const rules = [
      { endpointSelector: SHOP, ingress: [{}], labels: [label] },
      { endpointSelector: SHOP, egress: [{}], labels: [label] },
      { endpointSelector: {}, egress: [{}] },
    ];
    const { stdout } = await convert(file(rules));
    const objects = parseAllDocuments(stdout).map((document) => document.toJS());
    expect(objects.map(({ metadata }) => metadata)).toEqual([
      { name: 'web', namespace: 'shop' },
      { name: 'web-2', namespace: 'shop' },
      { name: 'policy' },
    ]);
    // Only what differs from what an agent takes anyhow is said.
    expect(stdout).not.toContain('enableDefaultDeny');
    const quiet = {
      endpointSelector: SHOP,
      egress: [{}],
      enableDefaultDeny: { egress: false, ingress: false },
    };
    expect(parse((await convert(file([quiet]))).stdout).spec.enableDefaultDeny).toEqual({
      egress: false,
      ingress: false,
    });
  });

  test('and back gives the same rules', async () => {
    const rules = [
      {
        endpointSelector: SHOP,
        egress: [{ toCIDRSet: [{ cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] }] }, { toEntities: ['world'] }],
      },
    ];
    const objects = file((await convert(file(rules))).stdout, 'objects.yaml');
    const [{ labels, enableDefaultDeny, ...rest }] = JSON.parse((await convert(objects)).stdout);
    expect([rest, labels.length, enableDefaultDeny]).toEqual([rules[0], 3, { ingress: false, egress: true }]);
  });

  test.each<[string, unknown, string[], string]>([
    ['no rules', [], [], 'there is no rule to convert'],
    [
      'a wrong name',
      [{ endpointSelector: {}, ingress: [{}] }],
      ['--name', 'Web_1'],
      '--name: "Web_1" is no name of an object',
    ],
    ['what is wrong already', [{ endpointSelector: {}, ingres: [{}] }], [], 'unknown field "ingres"'],
  ])('%s is refused', async (_, rules, flags, message) => {
    const { stdout, stderr, code } = await convert(file(rules), ...flags);
    expect([stdout, code]).toEqual(['', 1]);
    expect(stderr).toContain(message);
  });

  test('both forms at once are refused', async () => {
    const object = {
      apiVersion: 'cilium.io/v2',
      kind: 'CiliumNetworkPolicy',
      metadata: { name: 'a' },
      spec: { endpointSelector: {}, ingress: [{}] },
    };
    const { stderr, code } = await convert(file([{ endpointSelector: {}, ingress: [{}] }]), file(object));
    expect(stderr).toContain('some are rules of the agent and some Kubernetes objects');
    expect(code).toBe(1);
  });

  test('an empty list of peers, which the form of the agent cannot say, is refused', async () => {
    const object = {
      apiVersion: 'cilium.io/v2',
      kind: 'CiliumNetworkPolicy',
      metadata: { name: 'a' },
      spec: { endpointSelector: {}, ingress: [{ fromEndpoints: [] }] },
    };
    const { stdout, stderr, code } = await convert(file(object));
    expect([stdout, code]).toEqual(['', 1]);
    expect(stderr).toContain('would allow every peer');
  });
});

test.each([
  ['policy-maps-1.10', '1.10'],
  ['policy-maps-1.17', '1.17'],
  ['policy-maps-1.20-release', '1.20'],
] as const)(
  'the recorded rules of %s are written as objects that are read as the same',
  async (name, release) => {
    const sets = await recordedSets(name, release);
    const rules = sets.flatMap(({ rules: own }) => own).filter(({ rule }) => !rule.order);
    expect(rules.length).toBeGreaterThan(10);
    const lost = [];
    for (const { rule } of rules) if (!(await asObject(rule, 'p', release))) lost.push(JSON.stringify(rule));
    // Agents refuse an object without any direction.
    expect(lost.filter((text) => !text.includes('"ingress":[],"enableDefaultDeny"'))).toEqual([]);
  },
);
