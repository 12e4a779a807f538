import { describe, expect, test } from '@jest/globals';
import { ask, report } from './serve.ts';

const OK = { state: 'Ok', msg: '1.20.0 (x)' };
const PROBED = { name: 'cilium-health-ep', status: {} };
const WELL = {
  cilium: OK,
  kvstore: { state: 'Disabled' },
  kubernetes: { state: 'Ok' },
  ipam: { status: 'IPv4: 2/254 allocated from 10.0.0.0/24' },
  hubble: { state: 'Ok' },
  controllers: [PROBED],
};
const health = { local: { name: 'self' }, nodes: [] };

describe('status --problems', () => {
  test('finds none', async () => {
    const result = await ask(['status', '--problems'], { status: WELL, health, modules: [] });
    expect(result).toEqual({ stdout: 'No problems found.\n', stderr: '', code: 0 });
  });

  test('names what is wrong, the worst first, each with what to do next', async () => {
    const { stdout } = await ask(['status', '--problems'], {
      status: {
        ...WELL,
        kvstore: { state: 'Warning', msg: 'slow' },
        nodeMonitor: { lost: 3, npages: 64 },
        ipam: { status: 'IPv4: 254/254 allocated from 10.0.0.0/24, IPv6: 10/4294967294 allocated' },
        stale: { 'check-locks': '2026-11-22T07:00:00Z' },
        controllers: [
          PROBED,
          {
            name: 'sync-policymap-12',
            status: { 'consecutive-failure-count': 1, 'last-failure-msg': 'map full' },
          },
        ],
        'cluster-mesh': { clusters: [{ name: 'east', status: 'no route' }] },
      },
      health: {
        nodes: [
          {
            name: 'n2',
            host: { 'primary-address': { ip: '10.0.0.2', icmp: { status: 'timeout' }, http: {} } },
          },
        ],
      },
      modules: [report('agent.datapath/mtu', 'Degraded', 'cannot set')],
    });
    expect(stdout.split('\n').filter((line) => !line.startsWith('  next: '))).toEqual([
      'degraded: ipam: IPv4: 254 of 254 addresses of this node are taken',
      'degraded: clustermesh: east: not ready: no route',
      'degraded: cluster health: n2: node 10.0.0.2: ICMP: timeout',
      'degraded: module: agent.datapath.mtu: cannot set',
      'warning: kvstore: slow',
      'warning: stale status: check-locks: the agent has no newer answer than that of 2026-11-22T07:00:00Z',
      'warning: monitor: 3 events lost: the ring buffer was full',
      'warning: controller: sync-policymap-12: failed once: map full',
      '',
    ]);
    expect(stdout.match(/^ {2}next: \S/gm)).toHaveLength(8);
    expect(stdout).toContain('next: Give it more pages: cilium config --num-pages 128\n');
    expect(stdout).toContain('next: See what happened to the endpoint: cilium endpoint log 12\n');
  });

  test('says what could not be asked', async () => {
    const { stdout } = await ask(['status', '--problems'], { status: WELL, modules: [] });
    expect(stdout).toMatch(/^warning: cluster health: not known: .*404\n/);
  });

  const FORMS = [[], ['--fail-on', 'warning'], ['--fail-on', 'degraded'], ['-o', 'json']];

  test.each(Object.keys(WELL))('never finds none when %s is not in the answer', async (part) => {
    const { [part]: _, ...status } = WELL as Record<string, unknown>;
    for (const flags of FORMS) {
      const { stdout, stderr, code } = await ask(['status', '--problems', ...flags], {
        status,
        health,
        modules: [],
      });
      expect({ flags, code }).toEqual({
        flags,
        code: part === 'cilium' || !flags.includes('--fail-on') ? 1 : 3,
      });
      if (part === 'cilium') expect([stdout, stderr]).toEqual(['', expect.stringContaining('cilium')]);
      else if (flags.includes('json')) expect(JSON.parse(stdout)).toMatchObject({ worst: 'unknown' });
      else
        expect(stdout).toMatch(
          new RegExp(`^unknown: ${part}: not known: the answer does not have this part\n`),
        );
    }
  });

  test.each(['{}', '[]', 'null', '{"cilium":null}', '{"ok":true}'])(
    'fails with the answer %s',
    async (status) => {
      for (const flags of FORMS) {
        const { stdout, stderr, code } = await ask(['status', '--problems', ...flags], {
          status,
          health,
          modules: [],
        });
        expect({ flags, stdout, code }).toEqual({ flags, stdout: '', code: 1 });
        expect(stderr).toMatch(/^Error: GET \/v1\/healthz: /);
      }
    },
  );

  test('asks the modules where nodes do not probe each other', async () => {
    const status = { ...WELL, controllers: [] };
    const modules = [report('agent.datapath/mtu', 'Degraded', 'cannot set')];
    const { stdout } = await ask(['status', '--problems'], { status, modules });
    expect(stdout).toMatch(/^degraded: module: agent\.datapath\.mtu: cannot set\n/);
    const broken = await ask(['status', '--problems'], { status });
    expect(broken.stdout).toMatch(/^warning: modules: not known: /);
  });

  test('says what --brief leaves open', async () => {
    const { stdout, stderr, code } = await ask(['status', '--problems', '--brief'], {
      status: { cilium: OK },
    });
    expect({ stdout, code }).toEqual({ stdout: 'No problems found.\n', code: 0 });
    expect(stderr).toBe('Note: --brief asks only how Cilium itself is; the rest is not known.\n');
  });

  test('is a document with -o json', async () => {
    const { stdout } = await ask(['status', '--problems', '-o', 'json'], {
      status: { ...WELL, kvstore: { state: 'Failure', msg: 'gone' } },
      health,
      modules: [],
    });
    expect(JSON.parse(stdout)).toMatchObject({
      worst: 'degraded',
      problems: [{ level: 'degraded', area: 'kvstore', subject: '', message: 'gone' }],
    });
  });

  test('colours the level in a terminal only', async () => {
    const answers = { status: { ...WELL, kvstore: { state: 'Failure', msg: 'gone' } }, health, modules: [] };
    const { stdout } = await ask(['status', '--problems'], answers, { columns: 80 });
    expect(stdout).toMatch(/^\u001b\[31mdegraded\u001b\[39m: kvstore: gone\n/);
  });

  test('ends with 1 when Cilium itself is not well', async () => {
    const status = { cilium: { state: 'Failure', msg: 'down' } };
    expect((await ask(['status', '--problems'], { status })).code).toBe(1);
  });
});

describe('status --fail-on', () => {
  const well = WELL;
  const warned = { ...WELL, kvstore: { state: 'Warning' } };
  const broken = { ...WELL, kvstore: { state: 'Failure' } };
  test.each([
    ['warning', 'well', well, 0],
    ['warning', 'warned', warned, 2],
    ['warning', 'broken', broken, 3],
    ['degraded', 'warned', warned, 0],
    ['degraded', 'broken', broken, 3],
  ])('%s, when the agent is %s', async (level, _, status, code) => {
    for (const flags of [[], ['--problems'], ['-o', 'json'], ['--brief'], ['--problems', '-o', 'yaml']]) {
      const result = await ask(['status', '--fail-on', level, ...flags], { status, health, modules: [] });
      expect({ flags, code: result.code }).toEqual({ flags, code });
    }
  });

  test('prints the status as ever', async () => {
    const plain = await ask(['status'], { status: broken, health, modules: [] });
    const judged = await ask(['status', '--fail-on', 'warning'], { status: broken, health, modules: [] });
    expect(judged.stdout).toBe(plain.stdout);
  });

  test('takes only its two levels', async () => {
    const { stderr, code } = await ask(['status', '--fail-on', 'doom'], { status: well });
    expect(code).toBe(1);
    expect(stderr).toMatch(/warning, degraded/);
  });
});
