import { describe, expect, test } from '@jest/globals';
import { reportOfRun } from '../../../src/cluster/connectivity/as-checks.ts';
import { expectationOf, failureOf, trueExit } from '../../../src/cluster/connectivity/expectation.ts';
import { selectionOf } from '../../../src/cluster/connectivity/selection.ts';
import { type FailedPath, suspectOf } from '../../../src/cluster/connectivity/suspect.ts';
import { deploymentTrouble, podTrouble, waitedInVain } from '../../../src/cluster/connectivity/trouble.ts';
import { isInRange } from '../../../src/cluster/connectivity/version-range.ts';
import { renderJunit } from '../../../src/render/reports/junit.ts';

test.each([
  ['>=1.17.0', '1.17.0', true],
  ['<1.18.0', '1.18.0-dev', false],
  ['>1.17.1 || >1.16.7 <1.17.0', '1.16.8', true],
  ['>1.17.1 || >1.16.7 <1.17.0', '1.17.1', false],
  ['!1.16.2 !1.16.3', 'v1.16.3', false],
  ['>=1.17.0 <1.18.0', '1.17.9', true],
])('range %s has %s: %s', (range, version, is) => {
  expect(isInRange(range, version)).toBe(is);
});

describe('an expectation', () => {
  test.each([
    ['OK', 'OK', 0, undefined],
    ['DropCurlTimeout', 'PolicyDenyIngressDrop', 28, 'ingress'],
    ['OK', 'DefaultDenyIngressDrop', 'any', 'ingress'],
    ['DefaultDenyEgressDrop', 'None', 'any', 'egress'],
    ['DropCurlHTTPError', 'None', 22, undefined],
  ])('%s / %s is exit %s', (egress, ingress, exit, drop) => {
    const { exit: own, drop: side } = expectationOf(egress, ingress);
    expect([own, side]).toEqual([exit, drop]);
  });

  test.each([
    [0, { exitCode: 0, stdout: 'x', stderr: '' }, undefined],
    [
      0,
      { exitCode: 7, stdout: '', stderr: 'curl: (7) no\n' },
      'command "curl u" failed: command terminated with exit code 7: curl: (7) no',
    ],
    [
      0,
      { exitCode: 0, stdout: '', stderr: '' },
      'inconclusive results: command "curl u" was successful but without output',
    ],
    [
      28,
      { exitCode: 0, stdout: 'OUT\n', stderr: '' },
      'command "curl u" succeeded while it should have failed: OUT',
    ],
    [28, { exitCode: 0, stdout: '', stderr: 'curl: (28) late\n' }, undefined],
    [
      22,
      { exitCode: 0, stdout: '', stderr: 'curl: (28) late\n' },
      'command "curl u" failed with unexpected exit code (recovered from lost exit status): expected 22, found 28',
    ],
    [
      22,
      { exitCode: 28, stdout: '', stderr: '' },
      'command "curl u" failed with unexpected exit code: command terminated with exit code 28 (expected 22, found 28)',
    ],
  ] as const)('of %s judges %j', (exit, ended, told) => {
    expect(failureOf({ exit }, { argv: ['curl', 'u'], ...ended })).toBe(told);
  });

  test('takes the code that was lost from what curl said', () => {
    expect(trueExit(0, 'curl: (28) late')).toEqual({ code: 28, recovered: true });
    expect(trueExit(7, 'curl: (28) late')).toEqual({ code: 7, recovered: false });
  });
});

test('tests are chosen by expressions, and what is excluded wins', () => {
  const of = (...terms: string[]) =>
    selectionOf(terms, (pattern) => (text) => new RegExp(pattern).test(text));
  expect(of().test('a', ['s'])).toBe(true);
  expect(of('a/s').test('a', ['s', 't'])).toBe(true);
  expect(of('a/s').scenario('a', 't')).toBe(false);
  expect(of('a', '!a/t').scenario('a', 't')).toBe(false);
  expect(of('a', '!a').test('a', ['s'])).toBe(false);
});

describe('a suspect', () => {
  const path: FailedPath = {
    target: { kind: 'pod', name: 'n/b', node: 'n2' },
    node: 'n1',
    expected: 'allowed',
    code: 28,
    policies: [],
    evidence: { flows: [] },
    reach: {},
  };
  const drop = {
    uuid: '',
    time: '',
    node: 'n2',
    from: 'a',
    to: 'b',
    port: '80/TCP',
    verdict: 'DROPPED',
    dropReason: 'POLICY_DENIED',
    direction: 'ingress',
    policies: ['CiliumNetworkPolicy n/deny'],
  };
  const areas: [string, Partial<FailedPath>, string][] = [
    [
      'a pod elsewhere, while those of the own node are reached',
      { reach: { sameNodePod: true } },
      'node-to-node',
    ],
    ['a pod elsewhere, of which nothing else is known', {}, 'unknown'],
    [
      'a pod of the own node',
      { target: { kind: 'pod', name: 'n/b', node: 'n1' }, reach: { otherNodePod: true } },
      'unknown',
    ],
    ['a drop of policy', { reach: { sameNodePod: true }, evidence: { flows: [drop] } }, 'policy'],
    [
      'a service whose pods are reached',
      { target: { kind: 'service', name: 's' }, reach: { backends: true } },
      'service',
    ],
    [
      'a service whose pods are elsewhere and not reached',
      {
        target: { kind: 'service', name: 's' },
        reach: { backends: false, sameNodePod: true, otherNodePod: false },
      },
      'node-to-node',
    ],
    ['a service of whose pods nothing is known', { target: { kind: 'service', name: 's' } }, 'unknown'],
    [
      'a name, while addresses work',
      { target: { kind: 'dns', name: 'x' }, reach: { name: false, sameNodePod: true, serviceIp: true } },
      'dns',
    ],
    [
      'a name, and addresses of services',
      { target: { kind: 'dns', name: 'x' }, reach: { name: false, sameNodePod: true, serviceIp: false } },
      'service',
    ],
    [
      'a name that a pod of the DNS knows',
      { target: { kind: 'dns', name: 'x' }, reach: { name: false, dnsPod: true } },
      'service',
    ],
    [
      'a name, with the DNS on nodes that are not reached',
      {
        target: { kind: 'dns', name: 'x' },
        reach: { name: false, isDnsElsewhere: true, sameNodePod: true, otherNodePod: false },
      },
      'node-to-node',
    ],
    [
      'a name, and nothing else works',
      { target: { kind: 'dns', name: 'x' }, reach: { name: false, sameNodePod: false } },
      'unknown',
    ],
    [
      'a pod that the kubelet reaches, and no pod of its node',
      { reach: { sameNodePod: true, targetLocal: false, probed: true } },
      'policy',
    ],
    [
      'a pod that is not reached from its own node either',
      { reach: { sameNodePod: true, targetLocal: false } },
      'unknown',
    ],
    [
      'a service with such a pod behind it',
      {
        target: { kind: 'service', name: 's' },
        reach: { backends: false, targetLocal: false, probed: true, sameNodePod: true },
      },
      'policy',
    ],
    [
      'a port of a node that is not reached',
      {
        target: { kind: 'nodeport', name: 's', node: 'n2' },
        reach: { backends: true, sameNodePod: true, otherNodePod: false },
      },
      'node-to-node',
    ],
    ['a path that works without the policy', { policies: ['p'], before: { ok: true } }, 'policy'],
    ['a path that a policy should stop', { expected: 'denied', code: 0, policies: ['p'] }, 'policy'],
    ['a path that was stopped in another way', { expected: 'denied', code: 6, policies: ['p'] }, 'unknown'],
    [
      'a path that policy drops before a proxy could refuse it',
      { expected: 'denied', isDropMeant: false, code: 28, policies: ['p'], evidence: { flows: [drop] } },
      'policy',
    ],
    [
      'a drop that ends in another way than it should',
      { expected: 'denied', isDropMeant: true, code: 7, policies: ['p'], evidence: { flows: [drop] } },
      'unknown',
    ],
    [
      'a path that failed before the policies as well',
      {
        policies: ['p'],
        before: { ok: false, suspect: { area: 'service', sentence: 'Service: s.', because: ['old'] } },
      },
      'service',
    ],
    [
      'a node that does not answer, while its pods do',
      { target: { kind: 'host', name: 'n2', node: 'n2' }, reach: { sameNodePod: true, otherNodePod: true } },
      'unknown',
    ],
    ['the world', { target: { kind: 'world', name: 'x' }, reach: { sameNodePod: true } }, 'unknown'],
  ];
  test.each(areas)('of %s', (_, part, area) => {
    expect(suspectOf({ ...path, ...part }).area).toBe(area);
  });

  test('says of flows what is seen now, also where it failed before', () => {
    const suspect = { area: 'dns' as const, sentence: 'DNS: s.', because: ['Hubble shows 9 flows of it'] };
    const { because } = suspectOf({ ...path, policies: ['p'], before: { ok: false, suspect } });
    expect(because).toEqual([
      'the same path failed before the policies of the test were applied',
      'Hubble shows no flow of it',
    ]);
  });

  test.each([
    [{ name: false, dnsPod: false, sameNodePod: true }, 'does not answer either when it is asked itself'],
    [
      { name: false, dnsPod: false, isNameUnknown: true, sameNodePod: true },
      'asked itself, says that the name does not exist',
    ],
  ])('of a name tells silence from a denial', (reach, words) => {
    const { because } = suspectOf({ ...path, target: { kind: 'dns', name: 'x' }, reach });
    expect(because.join()).toContain(words);
  });

  test.each([
    [{}, 'is not known'],
    [{ sameNodePod: false }, 'neither names nor addresses'],
  ])('of a name says what was not tried', (reach, words) => {
    expect(suspectOf({ ...path, target: { kind: 'dns', name: 'x' }, reach }).sentence).toContain(words);
  });

  test('names the policy of a flow', () => {
    expect(suspectOf({ ...path, evidence: { flows: [drop] } }).sentence).toBe(
      'Policy: node n2 drops it at ingress (POLICY_DENIED), by CiliumNetworkPolicy n/deny.',
    );
  });
});

// differs: connectivity-trouble
test('what keeps pods from running is named', () => {
  const waiting = (reason: string, message?: string) => ({
    metadata: { name: 'p' },
    spec: { nodeName: 'n', containers: [{ image: 'i' }] },
    status: {
      phase: 'Pending',
      containerStatuses: [{ state: { waiting: { reason, ...(message && { message }) } } }],
    },
  });
  expect(podTrouble(waiting('ContainerCreating'))).toBeUndefined();
  expect(podTrouble(waiting('ErrImagePull', 'no'))).toBe(
    'pod p: the image i cannot be pulled (ErrImagePull: no)',
  );
  expect(
    podTrouble({
      metadata: { name: 'p' },
      status: {
        conditions: [
          { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/1 nodes' },
        ],
      },
    }),
  ).toBe('pod p cannot be scheduled: 0/1 nodes');
  const failed = (message: string) => ({
    metadata: { name: 'd' },
    status: { conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message }] },
  });
  expect(deploymentTrouble(failed('exceeded quota: q'))).toBe(
    'deployment d makes no pods: a quota forbids it: exceeded quota: q',
  );
  expect(deploymentTrouble(failed('violates PodSecurity "restricted"'))).toContain(
    'the PodSecurity of the namespace forbids it',
  );
  expect(
    deploymentTrouble(failed('error looking up service account n/a: serviceaccount "a" not found')),
  ).toBeUndefined();
  expect(waitedInVain(['a'], [], [], 5)).toBe(
    'no pod was made after 5 s: no controller of this cluster takes up deployments, so pods do not run here',
  );
  expect(
    waitedInVain(
      ['a'],
      [
        {
          metadata: { name: 'a-1', labels: { name: 'a' } },
          spec: { nodeName: 'n' },
          status: { phase: 'Pending' },
        },
      ],
      [],
      5,
    ),
  ).toContain('a: no kubelet of node n has taken up the pod');
});

test('JUnit escapes what XML does not take', () => {
  const report = reportOfRun({
    namespace: 'n',
    startedAt: '2026-01-01T00:00:00.000Z',
    ms: 1500,
    tests: [
      {
        name: 'a<b',
        status: 'failed',
        ms: 5,
        left: [],
        actions: [
          {
            name: 'x',
            path: 'p',
            expected: 'Allow',
            ok: false,
            failure: 'bad "\u001b[31m" & <so>',
            warnings: [],
            ms: 1,
          },
        ],
      },
    ],
  });
  const text = renderJunit(report, { suite: 'connectivity test', package: 'cilium', properties: {} });
  expect(text).toContain(
    '<testcase name="a&lt;b" classname="connectivity test" status="failed" time="0.005">',
  );
  expect(text).toContain(
    '<failure message="x: p: bad &quot;\ufffd[31m&quot; &amp; &lt;so&gt;" type="failure">x: p: bad &quot;\ufffd[31m&quot; &amp; &lt;so&gt;</failure>',
  );
});
