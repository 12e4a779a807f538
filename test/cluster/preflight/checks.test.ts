import { describe, expect, test } from '@jest/globals';
import {
  checkAgents,
  checkDecisions,
  checkDefinitions,
  checkJump,
  checkKernels,
  checkOwner,
  checkPods,
  checkPolicies,
  checkSettings,
  checkVersions,
  inOrder,
  notKnown,
  type Result,
} from '../../../src/cluster/preflight/checks.ts';
import type { Finding } from '../../../src/model/finding.ts';
import type { Release } from '../../../src/model/release.ts';

test.each<[Release | undefined, Release, Result, RegExp]>([
  ['1.19', '1.20', 'pass', /1\.19 → 1\.20/],
  ['1.20', '1.20', 'pass', /stays/],
  ['1.17', '1.20', 'fail', /leaves 2 out/],
  ['1.20', '1.19', 'warn', /rollback over one minor/],
  ['1.20', '1.17', 'fail', /way back over 3 minors/],
  [undefined, '1.20', 'unknown', /does not tell/],
])('from %s to %s: %s', (from, to, result, text) => {
  const row = checkJump(from, to);
  expect(row.result).toBe(result);
  expect(row.text).toMatch(text);
});
test('the steps of a way that is too long are told', () => {
  expect(checkJump('1.17', '1.20').todo).toBe('Upgrade in steps: 1.17 → 1.18 → 1.19 → 1.20.');
});

describe('kernels', () => {
  test.each<[string, Release, Result]>([
    ['5.10.0', '1.20', 'pass'],
    ['6.8.0-49-generic', '1.20', 'pass'],
    ['5.9.16', '1.20', 'fail'],
    ['5.4.0-1', '1.17', 'pass'],
    ['4.19.57', '1.15', 'pass'],
    ['4.19.56', '1.15', 'fail'],
    ['4.9.17', '1.13', 'pass'],
    ['4.18.0-553.el8_10.x86_64', '1.20', 'pass'],
    ['4.18.0-372.9.1.el8.x86_64', '1.20', 'fail'],
    ['4.18.0-372.9.1.el8.x86_64', '1.17', 'pass'],
    ['4.18.0-25-generic', '1.17', 'fail'],
    ['', '1.20', 'unknown'],
    ['gVisor', '1.20', 'unknown'],
  ])('%s for %s: %s', (kernel, to, result) => {
    expect(checkKernels([{ node: 'n', kernel }], to).map((row) => row.result)).toEqual([result]);
  });
  test('nodes with the same one are one row', () => {
    const rows = checkKernels(
      ['a', 'b', 'c'].map((node) => ({ node, kernel: node === 'c' ? '6.1.0' : '5.4.0' })),
      '1.20',
    );
    expect(rows.map(({ object, result, todo }) => [object, result, todo])).toEqual([
      ['2 nodes', 'fail', 'On a, b.'],
      ['c', 'pass', undefined],
    ]);
  });
});

describe('definitions', () => {
  const one = (plural: string, stored: string[], objects?: number) => ({
    plural,
    served: stored,
    stored,
    objects,
  });
  test.each<[string, ReturnType<typeof one>, Release, Result]>([
    ['a kind that goes, with objects', one('ciliumbgppeeringpolicies', ['v2alpha1'], 2), '1.19', 'fail'],
    ['a kind that goes, without', one('ciliumbgppeeringpolicies', ['v2alpha1'], 0), '1.19', 'warn'],
    ['a kind that goes, not counted', one('ciliumbgppeeringpolicies', ['v2alpha1']), '1.19', 'unknown'],
    ['a kind that goes later', one('ciliumbgppeeringpolicies', ['v2alpha1'], 2), '1.18', 'pass'],
    ['a version that goes', one('ciliumnodeconfigs', ['v2alpha1', 'v2']), '1.20', 'fail'],
    ['a version that went and is not stored', one('ciliumnodeconfigs', ['v2']), '1.20', 'pass'],
    ['a version that is deprecated', one('ciliumloadbalancerippools', ['v2alpha1']), '1.20', 'warn'],
    ['a version that is not yet', one('ciliumloadbalancerippools', ['v2alpha1']), '1.18', 'pass'],
    ['a kind of which nothing is known', one('ciliumfuture', ['v1']), '1.20', 'pass'],
  ])('%s', (_, definition, to, result) => {
    expect(checkDefinitions([definition], to).map((row) => row.result)).toEqual([result]);
  });
});

const finding = (severity: Finding['severity'], message: string, file = 'a'): Finding => ({
  severity,
  code: 'x',
  message,
  position: { file, line: 1, column: 1 },
  path: ['data', 'tunnel'],
});

test('settings: errors of values fail, those of what the chart writes anew do not', () => {
  const findings = [finding('error', 'gone'), finding('warning', 'odd')];
  expect(checkSettings('values', findings, 'f', { isWritten: false }).map(({ result }) => result)).toEqual([
    'fail',
    'warn',
  ]);
  expect(
    checkSettings('config', findings, 'f', { isWritten: true }).map(({ result, object }) => [result, object]),
  ).toEqual([
    ['warn', 'tunnel'],
    ['warn', 'tunnel'],
  ]);
  expect(checkSettings('values', [], 'f', { isWritten: false })[0]?.result).toBe('pass');
});

test('policies: only what the present release does not find already', () => {
  const now = [finding('error', 'bad')];
  const then = [finding('error', 'bad'), finding('error', 'bad', 'b'), finding('warning', 'odd')];
  expect(
    checkPolicies(3, now, then, '1.20').map(({ object, result, text }) => [object, result, text]),
  ).toEqual([
    ['b', 'fail', '1.20 refuses it: bad'],
    ['a', 'warn', 'odd'],
  ]);
  expect(checkPolicies(3, then, then, '1.20')[0]?.result).toBe('pass');
});

test('decisions: what is denied then fails, what is allowed then warns, what is open is not known', () => {
  const change = { subject: 'app=a', direction: 'ingress', count: 1, example: 'app=b 80/TCP' };
  const of = (before: string, after: string) =>
    checkDecisions(
      { compared: 1, isPart: false, changes: [{ ...change, before, after }] },
      { from: '1.19', to: '1.20' },
    ).map(({ result }) => result);
  expect(of('allowed', 'denied')).toEqual(['fail']);
  expect(of('denied', 'allowed')).toEqual(['warn']);
  expect(of('allowed', 'unknown')).toEqual(['unknown']);
  const part = checkDecisions({ compared: 9, isPart: true, changes: [] }, { from: '1.19', to: '1.20' });
  expect(part.map(({ result }) => result)).toEqual(['unknown']);
});

test('agents, versions, pods and owners', () => {
  const agent = { node: 'n1', isReady: true };
  expect(checkAgents([agent])[0]?.result).toBe('pass');
  expect(checkAgents([])[0]?.result).toBe('fail');
  expect(
    checkAgents([agent, { node: 'n2', isReady: false }, { node: 'n3', isReady: false, trouble: 'x' }]),
  ).toMatchObject([
    { object: 'n2', result: 'fail', text: 'it is not ready' },
    { object: 'n3', result: 'fail', text: 'x' },
  ]);
  const image = { component: 'cilium-agent', version: 'v1.19.0', pods: 1 };
  expect(checkVersions([image], [image], '1.20.0').result).toBe('fail');
  expect(checkVersions([image], [], '1.19.0').result).toBe('pass');
  expect(checkVersions([], [], undefined).result).toBe('unknown');
  expect(checkPods([]).result).toBe('pass');
  expect(
    checkPods([
      { name: 'a/b', reason: 'r' },
      { name: 'a/c', reason: 'r' },
    ]).text,
  ).toContain('and 1 more');
  expect(
    checkOwner([
      { kind: 'Helm', name: 'cilium' },
      { kind: 'Argo CD', name: 'net' },
    ]).map(({ text }) => text),
  ).toEqual(['Argo CD keeps it (net): upgrade where that reads its values']);
});

test('the worst comes first', () => {
  const rows = [checkPods([]), notKnown('x', 'y'), checkJump('1.17', '1.20')];
  expect(inOrder(rows).map(({ result }) => result)).toEqual(['fail', 'unknown', 'pass']);
});
