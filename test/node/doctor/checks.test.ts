import { describe, expect, test } from '@jest/globals';
import type { BpfMapRow } from '../../../src/model/bpf-map.ts';
import { runChecks } from '../../../src/node/doctor/checks.ts';
import type { AgentFacts, KernelFacts, KnownEndpoint } from '../../../src/node/doctor/facts.ts';

const KERNEL: KernelFacts = {
  maps: [],
  policyIdentities: new Map(),
  ipcache: new Map(),
  lxc: new Map(),
  programs: [],
  links: [],
  usage: { programsOf: new Map(), usedByName: new Map() },
  broken: [],
};
const AGENT: AgentFacts = { endpoints: [], identities: new Set(), socketLb: false, dryMode: false };

const map = (name: string, more: Partial<BpfMapRow> = {}): BpfMapRow => ({
  name,
  type: 'hash',
  keySize: 4,
  valueSize: 4,
  entries: 1,
  maxEntries: 8,
  pressure: 12.5,
  memoryBytes: 0,
  flags: [],
  id: 5,
  feature: '',
  endpoint: undefined,
  programs: [],
  path: `/bpf/${name}`,
  ...more,
});

const endpoint = (id: number, more: Partial<KnownEndpoint> = {}): KnownEndpoint => ({
  id,
  identity: 9000,
  addresses: [`10.0.0.${id}`],
  ifindex: id,
  state: 'ready',
  name: '',
  ...more,
});

/** What one check finds, a line for each finding. */
function found(check: string, kernel: Partial<KernelFacts>, agent?: Partial<AgentFacts>): string[] {
  const all = runChecks({ ...KERNEL, ...kernel }, agent && { ...AGENT, ...agent });
  return all
    .filter((finding) => finding.check === check)
    .map(({ severity, what, evidence }) => `${severity}: ${what}${evidence.map((e) => ` | ${e}`).join('')}`);
}

const AGREE = ['ok: the agent and the kernel agree'];

test('every check is reported once where all is well, and in the same order', () => {
  const all = runChecks({ ...KERNEL, maps: [map('a'), map('b')] }, AGENT);
  expect(all.map(({ check, severity }) => `${check}: ${severity}`)).toEqual([
    'pins: ok',
    'map pressure: ok',
    'stale pins: ok',
    'policy maps: ok',
    'orphaned pins: ok',
    'endpoint map: ok',
    'ipcache: ok',
    'policy identities: ok',
    'programs on endpoints: ok',
    'socket load balancing: ok',
  ]);
  expect(all[0]?.what).toBe('2 pinned maps can be read');
});

test('what needs an agent is skipped without one, what needs programs is skipped where none are loaded', () => {
  const skipped = (agent: AgentFacts | undefined) =>
    runChecks(KERNEL, agent)
      .filter(({ severity }) => severity === 'skipped')
      .map(({ check, what }) => `${check}: ${what}`);
  const away = 'the agent does not answer';
  expect(skipped(undefined)).toEqual([
    `policy maps: ${away}`,
    `orphaned pins: ${away}`,
    `endpoint map: ${away}`,
    `ipcache: ${away}`,
    `policy identities: ${away}`,
    `programs on endpoints: ${away}`,
    `socket load balancing: ${away}`,
  ]);
  const idle = 'the agent loads no programs (dry mode, or a lab)';
  expect(skipped({ ...AGENT, dryMode: true, socketLb: true })).toEqual([
    `stale pins: ${idle}`,
    `programs on endpoints: ${idle}`,
    `socket load balancing: ${idle}`,
  ]);
  expect(skipped(AGENT)).toEqual([]);
});

test('a pin that cannot be opened is a warning', () => {
  expect(found('pins', { broken: [{ path: '/bpf/x', error: 'no' }] })).toEqual([
    'warning: /bpf/x cannot be opened | no',
  ]);
});

test('pressure counts from 80 percent, and fails from 95 where entries are refused', () => {
  const maps = [
    map('a', { pressure: 79.9 }),
    map('b', { pressure: 80 }),
    map('c', { pressure: 95, entries: 7 }),
    map('d', { pressure: 94.94, entries: 7 }),
    map('e', { pressure: 100, type: 'lru_hash', entries: 8 }),
    map('f', { pressure: undefined }),
  ];
  expect(found('map pressure', { maps })).toEqual([
    'warning: e is 100.0 % full | 8 of 8 entries (lru_hash)',
    'failure: c is 95.0 % full | 7 of 8 entries (hash)',
    'warning: d is 94.9 % full | 7 of 8 entries (hash)',
    'warning: b is 80.0 % full | 1 of 8 entries (hash)',
  ]);
});

describe('the policy map of an endpoint', () => {
  const maps = [map('cilium_policy_v2_00007', { feature: 'policy', endpoint: 7 })];

  test('is missed where the endpoint is ready', () => {
    const endpoints = [endpoint(7), endpoint(8, { name: 'ns/pod' }), endpoint(9, { state: 'waiting' })];
    expect(found('policy maps', { maps }, { endpoints })).toEqual([
      'failure: endpoint 8 (ns/pod) is ready and has no policy map | no pin named cilium_policy_*00008',
    ]);
    // Another map of the endpoint is not its policy.
    const calls = [map('cilium_calls_00008', { feature: 'calls', endpoint: 8 })];
    expect(found('policy maps', { maps: calls }, { endpoints: [endpoint(8)] })).toEqual([
      expect.stringMatching(/^failure: endpoint 8 is ready and has no policy map/),
    ]);
    expect(found('policy maps', { maps: [] }, { endpoints })).toEqual(AGREE);
  });

  test('has identities that the agent knows, or reserved ones', () => {
    const policyIdentities = new Map([
      [7, new Set([0, 255, 256, 9000])],
      [8, new Set([5000])],
    ]);
    const agent = { endpoints: [endpoint(7)], identities: new Set([9000]) };
    expect(found('policy identities', { policyIdentities }, agent)).toEqual([
      'warning: the policy map of endpoint 7 has 1 identities that the agent does not know | identity 256',
    ]);
    const known = { ...agent, identities: new Set([256, 9000]) };
    expect(found('policy identities', { policyIdentities }, known)).toEqual(AGREE);
    const many = new Map([[7, new Set(Array.from({ length: 30 }, (_, i) => 1000 + i))]]);
    const [line = ''] = found('policy identities', { policyIdentities: many }, agent);
    expect(line.split(' | ')).toHaveLength(21);
  });
});

test('pins of endpoints that are gone are orphans; those of devices are not', () => {
  const maps = [
    'cilium_policy_v2_00007',
    'cilium_policy_v2_00009',
    'cilium_calls_00009',
    'cilium_calls_netdev_00009',
    'cilium_calls_overlay_2',
    'cilium_lxc',
  ].map((name) => map(name));
  expect(found('orphaned pins', { maps }, { endpoints: [endpoint(7)] })).toEqual([
    'warning: 2 pinned maps belong to endpoints that the agent does not know | /bpf/cilium_policy_v2_00009 | /bpf/cilium_calls_00009',
  ]);
  expect(found('orphaned pins', { maps }, { endpoints: [endpoint(7), endpoint(9)] })).toEqual(AGREE);
});

describe('the endpoint map', () => {
  const maps = [map('cilium_lxc')];

  test('leads every address to its endpoint', () => {
    const lxc = new Map([
      ['10.0.0.7', { id: 7, ifindex: 7 }],
      ['10.0.0.8', { id: 7, ifindex: 7 }],
    ]);
    const endpoints = [
      endpoint(7),
      endpoint(8),
      endpoint(9),
      endpoint(1, { identity: 1 }),
      endpoint(2, { state: 'creating' }),
    ];
    expect(found('endpoint map', { maps, lxc }, { endpoints })).toEqual([
      'failure: 10.0.0.8 of endpoint 8 leads to endpoint 7 | cilium_lxc: 10.0.0.8 → endpoint 7, ifindex 7',
      'failure: 10.0.0.9 of endpoint 9 is not in cilium_lxc | cilium_lxc has no key 10.0.0.9',
    ]);
    expect(found('endpoint map', { lxc }, { endpoints })).toEqual(AGREE);
  });

  test('leads nothing to endpoints that are gone, but for the addresses of the host', () => {
    const lxc = new Map([
      ['10.0.0.1', { id: 0, ifindex: 0 }],
      ['10.0.0.7', { id: 7, ifindex: 7 }],
    ]);
    expect(found('endpoint map', { maps, lxc }, {})).toEqual([
      'warning: cilium_lxc still leads 10.0.0.7 to endpoint 7, which the agent does not know | cilium_lxc: 10.0.0.7 → endpoint 7',
    ]);
    expect(found('endpoint map', { maps, lxc }, { endpoints: [endpoint(7)] })).toEqual(AGREE);
  });
});

test('the ipcache has the identity of every address', () => {
  const maps = [map('cilium_ipcache_v2')];
  const ipcache = new Map([
    ['10.0.0.7/32', 9000],
    ['10.0.0.8/32', 9001],
    ['fd00::7/128', 9000],
  ]);
  const endpoints = [
    endpoint(7, { addresses: ['10.0.0.7', 'fd00::7'] }),
    endpoint(8),
    endpoint(9, { addresses: ['fd00::9'], name: 'ns/pod' }),
    endpoint(3, { identity: 1 }),
    endpoint(4, { identity: undefined }),
    endpoint(5, { state: 'creating' }),
  ];
  expect(found('ipcache', { maps, ipcache }, { endpoints })).toEqual([
    'failure: 10.0.0.8/32 of endpoint 8 has identity 9001 in the ipcache, not 9000 | cilium_ipcache: 10.0.0.8/32 → 9001',
    'failure: fd00::9/128 of endpoint 9 (ns/pod) has identity none in the ipcache, not 9000 | cilium_ipcache has no key fd00::9/128',
  ]);
  expect(found('ipcache', { ipcache }, { endpoints })).toEqual(AGREE);
});

describe('programs', () => {
  const programs = [
    { id: 1, name: 'cil_from_contai' },
    { id: 2, name: 'other' },
    { id: 3, name: 'cil_sock4_conne' },
  ];
  const lxc = new Map([7, 8, 9].map((n) => [`10.0.0.${n}`, { id: n, ifindex: n }] as const));

  test('are missed on the device of an endpoint where other devices have them', () => {
    const endpoints = [
      endpoint(7),
      endpoint(8),
      endpoint(9, { identity: 1 }),
      endpoint(6),
      endpoint(5, { ifindex: 0 }),
    ];
    const links = [
      { type: 'tcx', programId: 1, ifindex: 7 },
      { type: 'tcx', programId: 2, ifindex: 8 },
    ];
    expect(found('programs on endpoints', { programs, lxc, links }, { endpoints })).toEqual([
      'failure: no program of Cilium is attached to the device of endpoint 8 | no tcx or netkit link on ifindex 8',
    ]);
    const waiting = endpoints.map((each) => ({ ...each, state: 'creating' }));
    expect(found('programs on endpoints', { programs, lxc, links }, { endpoints: waiting })).toEqual(AGREE);
    // Without any link on a device the agent attaches by tc filters.
    const onCgroup = [{ type: 'cgroup', programId: 3, ifindex: undefined }];
    expect(found('programs on endpoints', { programs, lxc, links: onCgroup }, { endpoints })).toEqual(AGREE);
  });

  test('that balance at the socket are missed where the agent relies on them', () => {
    const missing = [
      'failure: the agent balances at the socket, but no cil_sock* program is loaded | no cgroup link or program of that name',
    ];
    const of = (kernel: Partial<KernelFacts>) => found('socket load balancing', kernel, { socketLb: true });
    expect(of({ programs: programs.slice(0, 2) })).toEqual(missing);
    expect(of({ programs })).toEqual(AGREE);
    expect(found('socket load balancing', {}, { socketLb: false })).toEqual(AGREE);
  });

  test('use the maps that are pinned', () => {
    const maps = [map('cilium_lxc', { id: 5 })];
    const stale = { programsOf: new Map([[9, ['x']]]), usedByName: new Map([['cilium_lxc', 9]]) };
    expect(found('stale pins', { maps, usage: stale })).toEqual([
      'failure: programs use another map than the pinned cilium_lxc | /bpf/cilium_lxc is map 5 | loaded programs use map 9 of that name',
    ]);
    const used = { programsOf: new Map([[5, ['x']]]), usedByName: new Map([['cilium_lxc', 5]]) };
    expect(found('stale pins', { maps, usage: used })).toEqual(['ok: programs use the maps that are pinned']);
  });
});

test('what needs the lists of the kernel is skipped where it does not give them', () => {
  const unlisted = 'list program ids: operation not permitted';
  const skipped = runChecks({ ...KERNEL, unlisted }, { ...AGENT, socketLb: true }).filter(
    ({ severity }) => severity !== 'ok',
  );
  expect(skipped.map(({ check, severity, what }) => [check, severity, what])).toEqual([
    ['stale pins', 'skipped', unlisted],
    ['programs on endpoints', 'skipped', unlisted],
    ['socket load balancing', 'skipped', unlisted],
  ]);
});
