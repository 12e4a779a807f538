import { expect, test } from '@jest/globals';
import { runChecks } from '../../../src/node/doctor/checks.ts';
import type { AgentFacts } from '../../../src/node/doctor/facts.ts';
import { kernelFactsOf } from '../../../src/node/doctor/told.ts';
import { fixture } from '../../helpers/recordings.ts';

interface Case {
  argv: string[];
  stdout: string;
}
const printed = (recording: string, words: string) =>
  fixture<{ cases: Case[] }>(`recordings/${recording}.json`).cases.find(
    ({ argv }) => argv.join(' ') === words,
  )?.stdout;

test.each([
  ['bpf-1.10', 'bpf policy get --all -n', undefined],
  ['bpf-1.20', 'bpf policy get --all -n', 'bpf policy list -o json'],
  ['bpf-1.20-release', 'bpf policy get --all -n', 'bpf policy get --all -o json'],
])('tables of %s say of a kernel what its JSON says', (recording, text, json) => {
  const ofText = kernelFactsOf({
    endpoints: printed(recording, 'bpf endpoint list'),
    ipcache: printed(recording, 'bpf ipcache list'),
    policy: printed(recording, text),
  });
  const ofJson = kernelFactsOf({
    endpoints: printed(recording, 'bpf endpoint list -o json'),
    ipcache: printed(recording, 'bpf ipcache list -o json'),
    policy: json && printed(recording, json),
  });
  const sorted = <T>(map: ReadonlyMap<string, T>) => [...map].toSorted(([a], [b]) => (a < b ? -1 : 1));
  expect(sorted(ofText.lxc)).toEqual(sorted(ofJson.lxc));
  expect(sorted(ofText.ipcache)).toEqual(sorted(ofJson.ipcache));
  expect([ofText.lxc.size > 3, ofText.ipcache.size > 10]).toEqual([true, true]);
  if (json === undefined || !printed(recording, text)) return;
  expect(ofText.policyIdentities).toEqual(ofJson.policyIdentities);
  expect(ofText.policyIdentities.size).toBeGreaterThan(2);
});

const AGENT: AgentFacts = {
  endpoints: [
    { id: 7, identity: 900, addresses: ['10.0.0.7'], ifindex: 5, state: 'ready', name: 'a/web' },
    { id: 8, identity: 901, addresses: ['fd00::8'], ifindex: 6, state: 'ready', name: 'a/db' },
  ],
  identities: new Set([900, 901]),
  socketLb: true,
  dryMode: false,
};
const outcome = (kernel: Parameters<typeof kernelFactsOf>[0]) =>
  runChecks(kernelFactsOf(kernel), AGENT).map(
    ({ check, severity, what }) => `${check}: ${severity}: ${what}`,
  );

test('what was printed is compared, and of what was not nothing is said', () => {
  const told = outcome({
    endpoints: '10.0.0.7:0   id=7  ifindex=5\n[fd00::8]:0   id=9  ifindex=6\n',
    ipcache: '{"10.0.0.7/32":["identity=900 x"],"fd00::8/128":["identity=7"]}',
    policy: 'Path: /sys/fs/bpf/tc/globals/cilium_policy_v2_00007\n\nAllow    Ingress     555   ANY\n',
  });
  expect(told.filter((line) => / failure| warning/.test(line))).toEqual([
    'policy maps: failure: endpoint 8 (a/db) is ready and has no policy map',
    'endpoint map: failure: fd00::8 of endpoint 8 (a/db) leads to endpoint 9',
    'endpoint map: warning: cilium_lxc still leads fd00::8 to endpoint 9, which the agent does not know',
    'ipcache: failure: fd00::8/128 of endpoint 8 (a/db) has identity 7 in the ipcache, not 901',
    'policy identities: warning: the policy map of endpoint 7 has 1 identities that the agent does not know',
  ]);
  const nothing = outcome({ endpoints: undefined, ipcache: undefined, policy: undefined });
  expect(nothing.every((line) => line.includes(': skipped: '))).toBe(true);
  expect(nothing).toHaveLength(10);
});
