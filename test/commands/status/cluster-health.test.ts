import { describe, expect, test } from '@jest/globals';
import { ask } from './serve.ts';

const PROBE = { latency: 1_500_000 };
const FAILED = { status: 'refused' };
const path = (ip: string, ok: boolean) => ({ ip, icmp: ok ? PROBE : FAILED, http: ok ? PROBE : FAILED });
const node = (name: string, ok: boolean) => ({
  name,
  host: { 'primary-address': path('10.0.0.1', ok), 'secondary-addresses': [path('fd00::1', true)] },
  'health-endpoint': { 'primary-address': path('10.1.0.1', true) },
});

async function show(
  version: string,
  nodes: object[],
  flags: string[] = [],
  self = 'self',
): Promise<string[]> {
  const { stdout } = await ask(['status', ...flags], {
    status: {
      cilium: { state: 'Ok', msg: `${version}.0 (x)` },
      controllers: [{ name: 'cilium-health-ep', status: {} }],
    },
    health: { local: { name: self }, nodes, timestamp: 'T', probeInterval: '1m0s' },
    modules: [],
  });
  const text = stdout.slice(stdout.indexOf('Cluster health:'), stdout.indexOf('Modules Health:'));
  return text
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd().replace(/(?<=\S) {3,}/g, '|'));
}

const many = (count: number) =>
  Array.from({ length: count }, (_, i) => node(`n${String(i).padStart(2, '0')}`, false));

describe('cluster health in 1.20', () => {
  test('shows unhealthy nodes by name, this one first', async () => {
    expect(
      await show('1.20', [node('b', false), node('a', false), node('self', false), node('c', true)]),
    ).toEqual([
      'Cluster health:|1/4 reachable|(T)|(Probe interval: 1m0s)',
      'Name|IP|Node|Endpoints',
      '  self (localhost)|10.0.0.1,fd00::1|1/2|1/1',
      '  a|10.0.0.1,fd00::1|1/2|1/1',
      '  b|10.0.0.1,fd00::1|1/2|1/1',
    ]);
  });

  test('stops after ten rows and says that there is more', async () => {
    const lines = await show('1.20', many(12));
    expect(lines.slice(-2)).toEqual(['  n09|10.0.0.1,fd00::1|1/2|1/1', '  ...']);
    expect(lines).toHaveLength(13);
  });

  test('shows no node with --all-health when this one is healthy: its limit of none counts as reached', async () => {
    expect(await show('1.20', [node('self', true), ...many(2)], ['--all-health'])).toEqual([
      'Cluster health:|1/3 reachable|(T)|(Probe interval: 1m0s)',
      'Name|IP|Node|Endpoints',
      '  ...',
    ]);
    expect(await show('1.20', [node('self', false), ...many(2)], ['--all-health'])).toHaveLength(5);
  });

  test('shows all nodes with --all-nodes', async () => {
    expect(await show('1.20', [node('self', true), ...many(12)], ['--all-nodes'])).toHaveLength(15);
  });

  test('counts what was not probed yet as unknown, and healthy', async () => {
    const half = { name: 'self', host: { 'primary-address': { ip: '10.0.0.1', icmp: PROBE } } };
    expect(await show('1.20', [half], ['--all-nodes'])).toEqual([
      'Cluster health:|1/1 reachable|(T)|(Probe interval: 1m0s)',
      'Name|IP|Node|Endpoints',
      '  self (localhost)|10.0.0.1|0/1 (1 unknown)|0/0',
    ]);
  });

  test('has no address where the host has none', async () => {
    expect((await show('1.20', [{ name: 'self' }], ['--all-nodes'])).at(-1)).toBe(
      '  self (localhost)|Unavailable|0/0|0/0',
    );
  });

  test('leaves the place of an address empty that has none', async () => {
    const host = { 'primary-address': { icmp: PROBE, http: PROBE } };
    expect((await show('1.20', [{ name: 'self', host }], ['--all-nodes'])).at(-1)).toBe(
      '  self (localhost)|1/1|0/0',
    );
  });

  test('tells the interval of its probes even where the daemon does not', async () => {
    const { stdout } = await ask(['status'], {
      status: {
        cilium: { state: 'Ok', msg: '1.20.0 (x)' },
        controllers: [{ name: 'cilium-health-ep', status: {} }],
      },
      health: { timestamp: 'T' },
      modules: [],
    });
    expect(stdout).toMatch(/\nCluster health: +0\/0 reachable +\(T\) +\(Probe interval: \)\n/);
  });

  test('shows every probe with --verbose', async () => {
    const probed = { ...node('self', false), 'health-endpoint': { 'primary-address': null } };
    const lines = await show('1.20', [probed], ['--verbose']);
    expect(lines.slice(2)).toEqual([
      '  self (localhost):',
      '    Host connectivity to 10.0.0.1:',
      '      ICMP to stack:|refused',
      '      HTTP to agent:|refused',
      '    Secondary Host connectivity to fd00::1:',
      '      ICMP to stack:|OK, RTT=1.5ms',
      '      HTTP to agent:|OK, RTT=1.5ms',
      '    Endpoint connectivity:|nil',
    ]);
  });
});

test('cluster health in 1.17 has no times of probes yet', async () => {
  expect(await show('1.17', [node('self', true), node('a', false)])).toEqual([
    'Cluster health:|1/2 reachable|(T)',
    'Name|IP|Node|Endpoints',
    '  a|10.0.0.1,fd00::1|1/2|1/1',
  ]);
  const probed = { ip: '10.0.0.1', icmp: { ...PROBE, lastProbed: 'T' } };
  const self = { name: 'self', host: { 'primary-address': probed } };
  expect(await show('1.17', [self], ['--verbose'])).toContain('      ICMP to stack:|OK, RTT=1.5ms');
});

test.each([
  ['1.16', [], 'Modules Health: +Stopped\\(0\\) Degraded\\(0\\) OK\\(0\\)\n'],
  ['1.18', [], 'Modules Health: +Stopped\\(0\\) Degraded\\(0\\) OK\\(0\\)\n\n'],
  ['1.17', ['--all-health'], 'Modules Health:\n +no reports\n +\n'],
  ['1.19', ['--all-health'], 'Modules Health: +no reports\n +\n\n'],
])('the modules of %s %j stand where that release has them', async (release, flags, wanted) => {
  const { stdout } = await ask(['status', ...flags], {
    status: {
      cilium: { state: 'Ok', msg: `${release}.2 (x)` },
      controllers: [{ name: 'cilium-health-ep', status: {} }],
    },
    health: { nodes: [] },
    modules: [],
  });
  expect(stdout.slice(stdout.indexOf('Modules Health:'))).toMatch(new RegExp(`^${wanted}$`));
});

describe('cluster health before', () => {
  test('is in words, with a header only above rows', async () => {
    expect(await show('1.16', [node('self', true)])).toEqual(['Cluster health:|1/1 reachable|(T)']);
    expect(await show('1.14', [node('self', true), node('a', false)])).toEqual([
      'Cluster health:|1/2 reachable|(T)',
      '  Name|IP|Node|Endpoints',
      '  a|10.0.0.1|unreachable|reachable',
    ]);
    expect((await show('1.15', [node('a', false)])).at(-1)).toBe(
      '  a|10.0.0.1,fd00::1|unreachable|reachable',
    );
  });

  test('counts places among all nodes towards its limit, and leaves its last line open', async () => {
    const healthy = Array.from({ length: 10 }, (_, i) => node(`a${i}`, true));
    const lines = await show('1.16', [node('self', false), ...healthy, ...many(12)]);
    expect(lines.slice(2)).toEqual(['  self (localhost)|10.0.0.1,fd00::1|unreachable|reachable', '  ...']);
    expect(await show('1.16', [node('self', false), ...many(9)])).toHaveLength(13);
  });

  test('knows the endpoint of a daemon of 1.9', async () => {
    const old = {
      name: 'x',
      host: { 'primary-address': path('10.0.0.1', true) },
      endpoint: { ip: '10.1.0.1' },
    };
    expect((await show('1.14', [old], ['--all-health'])).at(-1)).toBe('  x|10.0.0.1|reachable|unknown');
  });
});
