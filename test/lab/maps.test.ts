import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { openMap } from '../../src/bpf/kernel/objects.ts';
import { releasesOfPins } from '../../src/bpf/kernel/pins.ts';
import { countEntries, readAll } from '../../src/bpf/kernel/reader.ts';
import { policyEntry, policyKey } from '../../src/bpf/layouts/policy.ts';
import { decode } from '../../src/bpf/maps/codec.ts';
import { labEnvironment } from '../../src/lab/environment.ts';
import { TrafficSource } from '../../src/lab/hubble/traffic.ts';
import { mountsOfLabs } from '../../src/lab/pins/bpffs.ts';
import { Connections, MAX_CONNECTIONS } from '../../src/lab/pins/connections.ts';
import { PacketReader } from '../../src/lab/pins/tracked.ts';
import { AGENT_VERSIONS } from '../../src/lab/version.ts';
import type { Flow } from '../../src/model/hubble.gen.ts';
import { atLeast, type Release } from '../../src/model/release.ts';
import type { MapEntry } from '../../src/policy/evaluate/maps/policy-map.ts';
import { buildHelper } from '../helpers/bpf.ts';
import { kernelTest } from '../helpers/kernel-test.ts';
import { startTestLab, type TestLab } from '../helpers/lab.ts';
import { builtCommand, privateFolder, startLabProcess } from '../helpers/lab-process.ts';
import { labMounts } from '../helpers/mounts.ts';
import { run } from '../helpers/run.ts';

const environment = ({ lab }: TestLab) => ({ env: labEnvironment(lab.info), nowMs: Date.now() });

const BPF_READERS = [
  'bpf maps list',
  'bpf endpoint list',
  'bpf ipcache list',
  'bpf policy get --all -n',
  'bpf lb list',
  'bpf nat list',
  'bpf metrics list',
];

/** Some pins by which agents of a release are told from their neighbours. */
function pinsOf(version: Release): string[] {
  const since = (...rows: [Release, string][]) =>
    rows.find(([release]) => atLeast(version, release))?.[1] ?? '';
  return [
    since(
      ['1.20', 'cilium_policy_v3_00637'],
      ['1.17', 'cilium_policy_v2_00637'],
      ['1.9', 'cilium_policy_00637'],
    ),
    since(['1.18', 'cilium_ipcache_v2'], ['1.9', 'cilium_ipcache']),
    since(
      ['1.13', 'cilium_lb4_backends_v3'],
      ['1.11', 'cilium_lb4_backends_v2'],
      ['1.9', 'cilium_lb4_backends'],
    ),
  ];
}

async function started(scenario: string): Promise<TestLab> {
  buildHelper();
  return await startTestLab({ scenario, maps: 'on' });
}

/** Entries of an endpoint's pinned policy map, as `policy maps` tells them. */
async function pinned(root: string, endpoint: number): Promise<MapEntry[]> {
  using map = openMap(join(root, `tc/globals/cilium_policy_v3_${String(endpoint).padStart(5, '0')}`));
  const entries = (await readAll(map)).map(({ key, value }): MapEntry => {
    const k = decode(policyKey, key);
    const v = decode(policyEntry, value);
    const bits = v.flags >> 3;
    expect(k.prefixLength).toBe(40 + bits);
    return {
      direction: k.direction === 0 ? 'ingress' : 'egress',
      identity: k.identity,
      protocol: k.protocol,
      port: k.port,
      prefix: Math.max(0, bits - 8),
      deny: (v.flags & 1) !== 0,
      proxy: v.proxyPort !== 0,
      auth: v.auth,
    };
  });
  return entries.sort(byText);
}

const byText = (a: MapEntry, b: MapEntry) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

const RULES = [
  {
    endpointSelector: { matchLabels: { app: 'catalog' } },
    ingress: [
      {
        fromEndpoints: [{ matchLabels: { app: 'checkout' } }],
        toPorts: [
          {
            ports: [{ port: '8080', protocol: 'TCP' }],
            rules: { http: [{ method: 'GET', path: '/items' }] },
          },
        ],
      },
      {
        fromCIDR: ['192.0.2.0/24'],
        toPorts: [{ ports: [{ port: '9000', endPort: 9003, protocol: 'UDP' }] }],
      },
    ],
    ingressDeny: [{ fromCIDR: ['192.0.2.128/25'] }],
    labels: [{ key: 'name', value: 'maps' }],
  },
];

describe('a lab with maps', () => {
  kernelTest('pins the policy maps that "policy maps" computes, before and after an import', async () => {
    await using lab = await started('shop');
    const check = async () => {
      const { stdout, stderr } = await run(['policy', 'maps', '-o', 'json'], environment(lab));
      // A lab that plays every release at once is none of them.
      expect(stderr).toMatch(
        /^Note: the release is not known, 1\.17 is assumed \(--release\)\.\n(Note: .* released 1\.17 differ for .*\n)?$/,
      );
      const maps = JSON.parse(stdout) as { endpoint: number; entries: MapEntry[] }[];
      expect(maps.length).toBeGreaterThan(3);
      for (const { endpoint, entries } of maps)
        expect({ endpoint, entries: await pinned(lab.lab.info.bpfRoot, endpoint) }).toEqual({
          endpoint,
          entries: entries.sort(byText),
        });
      return maps.flatMap(({ entries }) => entries);
    };
    await check();
    const imported = await lab.rest('PUT', '/v1/policy', JSON.stringify(JSON.stringify(RULES)));
    expect(imported.status).toBe(200);
    await run(['policy', 'wait', String(imported.json.revision)], environment(lab));
    const after = await check();
    expect(after).toContainEqual(expect.objectContaining({ deny: true }));
    expect(after).toContainEqual(expect.objectContaining({ proxy: true, port: 8080 }));
    expect(after).toContainEqual(expect.objectContaining({ protocol: 17, port: 9000, prefix: 14 }));
  });

  kernelTest('follows endpoints and services as they come, change and go', async () => {
    await using lab = await started('beginners-guide');
    const { bpfRoot } = lab.lab.info;
    const policyMap = join(bpfRoot, 'tc/globals/cilium_policy_v3_02622');
    const list = async (...words: string[]) => (await run(['bpf', ...words], environment(lab))).stdout;
    expect(await list('endpoint', 'list')).toMatch(/10\.11\.7\.179:0 +id=2622 /);
    await lab.rest('PATCH', '/v1/endpoint/2622/labels', { user: ['k8s:tier=front'] });
    const { json } = await lab.rest('GET', '/v1/endpoint/2622');
    expect(await list('ipcache', 'list')).toMatch(
      new RegExp(`10\\.11\\.7\\.179/32 +identity=${json.status.identity.id} `),
    );
    const service = {
      'frontend-address': { ip: '10.96.7.7', port: 80, protocol: 'tcp' },
      'backend-addresses': [{ ip: '10.11.7.179', port: 8080 }],
    };
    await lab.rest('PUT', '/v1/service/77', { id: 77, ...service });
    expect(await list('lb', 'list')).toMatch(
      /10\.96\.7\.7:80\/TCP \(1\) +10\.11\.7\.179:8080\/TCP \(77\) \(1\)/,
    );
    await lab.rest('DELETE', '/v1/service/77');
    expect(await list('lb', 'list')).not.toContain('10.96.7.7');
    expect(existsSync(policyMap)).toBe(true);
    await lab.rest('DELETE', '/v1/endpoint/2622');
    expect(existsSync(policyMap)).toBe(false);
    expect(await list('endpoint', 'list')).not.toContain('10.11.7.179');
    expect(await list('ct', 'list', 'global', '--ip', '10.11.7.179')).not.toMatch(/ OUT 10\.11\.7\.179:/);
  });

  for (const scenario of ['beginners-guide', 'shop'])
    kernelTest(`has nothing that doctor minds: ${scenario}`, async () => {
      await using lab = await started(scenario);
      const { stdout, code } = await run(['doctor'], environment(lab));
      expect(stdout).toContain('skipped  socket load balancing: the agent loads no programs');
      expect(stdout).toMatch(/\n0 failures, 0 warnings, \d+ checks fine, 3 skipped\n$/);
      expect(code).toBe(0);
    });

  for (const version of AGENT_VERSIONS.filter((one) => one !== 'all'))
    kernelTest(`is of an agent ${version}, whose bpf verbs and doctor find it in order`, async () => {
      buildHelper();
      await using lab = await startTestLab({ scenario: 'shop', maps: 'on', version });
      const pins = readdirSync(join(lab.lab.info.bpfRoot, 'tc/globals'));
      expect(pins).toEqual(expect.arrayContaining(pinsOf(version)));
      const { first, last } = releasesOfPins(lab.lab.info.bpfRoot);
      expect(atLeast(version, first) && atLeast(last, version)).toBe(true);
      for (const words of BPF_READERS) {
        const read = await run(words.split(' '), environment(lab));
        expect({ words, ...read }).toMatchObject({ code: 0, stderr: '' });
        expect(read.stdout.split('\n').length).toBeGreaterThan(3);
      }
      const { stdout: ct } = await run(['bpf', 'ct', 'list', 'global'], environment(lab));
      expect(ct).toMatch(
        atLeast(version, '1.16') ? /^TCP OUT .* Packets=[1-9]/m : /^TCP OUT .* TxPackets=[1-9]/m,
      );
      const { stdout, code } = await run(['doctor'], environment(lab));
      const troubles = stdout.split('\n').filter((line) => /^(failure|warning) /.test(line));
      // Programs of this machine that use maps of these names make an agent that is not known to be idle look stale.
      expect(troubles.filter((line) => !line.includes(' stale pins: '))).toEqual([]);
      if (troubles.length === 0) expect(code).toBe(0);
    });

  kernelTest('shows the incident: a NAT map that is nearly full, and who fills it', async () => {
    await using lab = await started('incident');
    const { stdout, code } = await run(['doctor'], environment(lab));
    expect(stdout).toMatch(/^warning {2}map pressure: cilium_snat_v4_external is 9\d\.\d % full$/m);
    expect(code).toBe(0);
    const maps = await run(['bpf', 'maps', 'list', '--sort', '-pressure'], environment(lab));
    expect(maps.stdout.split('\n')[1]).toMatch(/^cilium_snat_v4_external +lru_hash /);
    const top = await run(['bpf', 'nat', 'top'], environment(lab));
    expect(top.stdout.split('\n')[1]).toMatch(/10\.0\.0\.11 -> 192\.0\.2\.44:443\/TCP$/);
    expect((await run(['bpf', 'nat', 'orphans'], environment(lab))).stderr).toMatch(/has its connection/);
  });

  kernelTest('leaves no mount when it stops; one that was killed leaves none after the next', async () => {
    buildHelper();
    using folder = privateFolder();
    const env = { XDG_RUNTIME_DIR: folder.path };
    const one = await startLabProcess(['--maps', 'on'], env);
    expect(labMounts()).toContain(one.info.bpfRoot);
    await one.end('SIGTERM');
    expect(labMounts()).not.toContain(one.info.bpfRoot);

    const elsewhere = join(folder.path, 'mine');
    const killed = await startLabProcess(['--maps', 'on', '--dir', elsewhere], env);
    // Once it is killed, a lab of another test may be the one that takes it away.
    expect(labMounts()).toContain(killed.info.bpfRoot);
    await killed.end('SIGKILL');
    const next = await startLabProcess(['--maps', 'off'], env);
    expect(next.info.noMaps).toBe('they are switched off');
    expect(labMounts()).not.toContain(killed.info.bpfRoot);
    await next.end('SIGTERM');

    const again = await startLabProcess([], env);
    expect(labMounts()).toContain(again.info.bpfRoot);
    await again.end('SIGKILL');
    expect((await run(['lab', 'stop'], { env })).stderr).toBe('No lab is running.\n');
    expect(labMounts()).not.toContain(again.info.bpfRoot);
  });

  kernelTest('says in one line why it has none, and does not start when it must have them', () => {
    using folder = privateFolder();
    // As in a container: root, without the right to mount.
    const unable = (...words: string[]) => {
      const { command, args } = builtCommand();
      const { status, stderr } = spawnSync(
        'setpriv',
        ['--bounding-set=-sys_admin', command, ...args, 'lab', ...words],
        { encoding: 'utf8', env: { PATH: process.env.PATH, XDG_RUNTIME_DIR: folder.path } },
      );
      return { status, stderr };
    };
    const forced = unable('run', '--maps', 'on', '--', 'true');
    expect(forced).toEqual({
      status: 1,
      stderr: expect.stringMatching(/^Error: mount \S+\/bpf: .*not permitted/),
    });
    const started = unable('start');
    expect(started.stderr).toMatch(
      /\(process \d+\)\.\nNo maps are pinned: mount \S+\/bpf: .*not permitted\.\n$/,
    );
    expect(unable('run', '--', 'true')).toEqual({ status: 0, stderr: '' });
    expect(unable('stop')).toEqual({ status: 0, stderr: 'Lab default has stopped.\n' });
  });
});

test('mounts are told by their source, wherever they are', () => {
  const info = [
    '43 27 0:38 / /tmp/a\\040b/bpf rw,relatime - bpf cilium-lab:12:345 rw,mode=700',
    '44 27 0:39 / /sys/fs/bpf rw,relatime shared:9 - bpf bpf rw,mode=700',
    '45 27 0:40 / /tmp/c rw - tmpfs cilium-lab:1:2 rw',
  ].join('\n');
  expect(mountsOfLabs(info)).toEqual([{ path: '/tmp/a b/bpf', pid: 12, pidStart: '345' }]);
});

describe('connections', () => {
  test('come with packets, close when they are quiet, and go', async () => {
    await using lab = await startTestLab({ scenario: 'shop' });
    const tables = new Map<string, Map<string, Buffer>>();
    const of = (name: string) => tables.get(name) ?? tables.set(name, new Map()).get(name) ?? new Map();
    const connections = new Connections({
      put: (name, key, value) => void of(name).set(key.toString('hex'), value),
      remove: (name, key) => void of(name).delete(key.toString('hex')),
    });
    const entries = () => [...tables.values()].reduce((sum, table) => sum + table.size, 0);
    const reader = new PacketReader(lab.lab.agent);
    const source = new TrafficSource(lab.lab.agent.world.scenario.traffic ?? [], lab.lab.agent);
    const flows = new Set(Array.from({ length: 500 }, () => source.next()));
    source.close();
    for (const flow of flows) connections.play(reader.read(flow), 3, 1000);
    expect(connections.size).toBeGreaterThan(5);
    const before = connections.size;
    connections.age(1035);
    expect(connections.size).toBe(before);
    connections.age(1062);
    expect(connections.size).toBe(0);
    expect(entries()).toBe(0);
  });

  test('are bounded, whatever is played', async () => {
    await using lab = await startTestLab({ scenario: 'beginners-guide' });
    const keys = new Set<string>();
    const connections = new Connections({
      put: (name, key) => void keys.add(`${name} ${key.toString('hex')}`),
      remove: (name, key) => void keys.delete(`${name} ${key.toString('hex')}`),
    });
    const reader = new PacketReader(lab.lab.agent);
    const packet = (port: number, host: number): Flow => ({
      verdict: 'FORWARDED',
      event_type: { type: 4 },
      trace_observation_point: 'TO_NETWORK',
      is_reply: false,
      IP: { source: '10.11.7.179', destination: `198.51.100.${host}` },
      l4: { TCP: { source_port: port, destination_port: 443 } },
      source: { identity: 75_536 },
      destination: { identity: 2 },
    });
    for (let i = 0; i < 4 * MAX_CONNECTIONS; i++)
      connections.play(reader.read(packet(1024 + (i % 60_000), i % 200)), 1, 1000);
    expect(connections.size).toBe(MAX_CONNECTIONS);
    // Each has two entries of the NAT map besides.
    expect(keys.size).toBe(3 * MAX_CONNECTIONS);
  });

  test('of two pods to one peer from the same port get different ports of the node', async () => {
    await using lab = await startTestLab({ scenario: 'beginners-guide' });
    const nat = new Set<string>();
    const connections = new Connections({
      put: (name, key) => void (name.includes('snat') && nat.add(key.toString('hex'))),
      remove: () => {},
    });
    const reader = new PacketReader(lab.lab.agent);
    const local = lab.lab.agent.state.endpoints.filter(({ kind }) => kind === 'pod').slice(0, 2);
    for (const { ipv4 = '', identity } of local)
      connections.play(
        reader.read({
          verdict: 'FORWARDED',
          event_type: { type: 4 },
          trace_observation_point: 'TO_NETWORK',
          is_reply: false,
          IP: { source: ipv4, destination: '198.51.100.1' },
          l4: { TCP: { source_port: 40_000, destination_port: 443 } },
          source: { identity },
          destination: { identity: 2 },
        }),
        1,
        1000,
      );
    expect(nat.size).toBe(4);
  });
});

kernelTest(
  'the recorded flows of a node leave connections in the pinned tables, no more than fit',
  async () => {
    await using lab = await started('beginners-guide');
    using tcp = openMap(join(lab.lab.info.bpfRoot, 'tc/globals/cilium_ct4_global'));
    const count = await countEntries(tcp);
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThanOrEqual(MAX_CONNECTIONS);
    const { stdout } = await run(['bpf', 'ct', 'list', 'global', '-d'], environment(lab));
    expect(stdout).toMatch(
      /^TCP OUT 10\.11\.\S+ -> \S+ expires=\d+ \(remaining: \d+ sec\(s\)\) Packets=[1-9]/m,
    );
    const bpf = await run(['bpf', 'metrics', 'list'], environment(lab));
    expect(bpf.stdout).toMatch(/^Policy denied +(IN|E)GRESS +[1-9]/m);
    const policy = await run(['bpf', 'policy', 'get', '2622', '-n'], environment(lab));
    expect(policy.stdout).toMatch(/8080\/TCP +NONE +disabled +[1-9]\d* +[1-9]/);
  },
);
