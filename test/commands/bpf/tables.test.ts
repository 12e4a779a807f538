import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { createMap, openMap } from '../../../src/bpf/kernel/objects.ts';
import { countEntries } from '../../../src/bpf/kernel/reader.ts';
import { agentOf } from '../../helpers/agent.ts';
import {
  missingKernel,
  mountBpffs,
  type RecordedMap,
  restoreMap,
  type TestBpffs,
} from '../../helpers/bpf.ts';
import { kernelTest } from '../../helpers/kernel-test.ts';
import { fixture, type RestCase } from '../../helpers/recordings.ts';
import { type Replay, replay } from '../../helpers/replay.ts';
import { type RunOptions, run } from '../../helpers/run.ts';

const recording = fixture<{ uptime: number; maps: RecordedMap[] }>('recordings/bpf-1.20.json');
const rest = fixture<RestCase[]>('recordings/agent-1.20.json');
const answersTo = (path: string) =>
  rest.flatMap((c) => c.exchanges).find((exchange) => exchange.request.path === path) ?? [];

let bpffs: TestBpffs | undefined;
let agent: Replay | undefined;
beforeAll(async () => {
  if (missingKernel() !== undefined) return;
  agent = await replay(
    [answersTo('/v1/endpoint'), answersTo('/v1/healthz'), answersTo('/v1/cluster/nodes')].flat(),
  );
});
afterAll(async () => agent?.[Symbol.asyncDispose]());

/** Every test starts from the maps as they were recorded. */
async function restored(wanted: RegExp, body: (globals: string) => Promise<void>): Promise<void> {
  using fs = mountBpffs();
  bpffs = fs;
  for (const map of recording.maps) if (wanted.test(map.path)) restoreMap(map, fs.globals);
  await body(fs.globals);
}

const bpf = (argv: string[], options: RunOptions = {}) =>
  run(['bpf', ...argv, '--bpf-root', bpffs?.root ?? ''], {
    uptimeMs: 3_637_000,
    env: { CILIUM_SOCK: agent?.socket ?? '' },
    ...options,
  });
const lines = (text: string) => text.split('\n').filter((line) => line !== '');
async function entries(globals: string, name: string): Promise<number> {
  using map = openMap(join(globals, name));
  return await countEntries(map);
}

describe('bpf ct', () => {
  kernelTest('shows the connections of an address, a port or a pod', () =>
    restored(/cilium_ct|cilium_lxc|ipcache_v2/, async () => {
      const all = lines((await bpf(['ct', 'list'])).stdout);
      expect(all).toHaveLength(95);
      const byIp = lines((await bpf(['ct', 'list', '--ip', '10.11.159.52'])).stdout);
      expect(byIp).toEqual(all.filter((line) => /10\.11\.159\.52:/.test(line)));
      const byPort = lines((await bpf(['ct', 'list', 'global', '--port', '9092,53'])).stdout);
      expect(byPort).toEqual(all.filter((line) => /:(9092|53) /.test(line)));
      expect(byPort.length).toBeGreaterThan(0);
      const both = lines((await bpf(['ct', 'ls', '--port', '443', '--ip', '10.11.188.138'])).stdout);
      expect(both).toEqual(all.filter((line) => /10\.11\.188\.138:/.test(line) && /:443 /.test(line)));
      const json: unknown = JSON.parse((await bpf(['ct', 'list', '--port', '9092', '-o', 'json'])).stdout);
      expect(json).toHaveLength(all.filter((line) => /:9092 /.test(line)).length);
      expect((await bpf(['ct', 'list', '--ip', 'nowhere'])).stderr).toContain(
        '"nowhere" is not a valid IP address',
      );
      const where = lines(
        (await bpf(['ct', 'list', '--where', 'dst.port in [53, 9092] and protocol = udp'])).stdout,
      );
      expect(where.length).toBeGreaterThan(0);
      for (const line of where) expect(line).toMatch(/^UDP .*(?:-> \S+:53|-> \S+:9092) /);
      const wrong = await bpf(['ct', 'list', '--where', 'dst.prt = 1']);
      expect(wrong).toMatchObject({ stdout: '', code: 1 });
      expect(wrong.stderr).toContain('there is no field "dst.prt"');
      expect(wrong.stderr).toContain('Did you mean "dst.port"?');
      expect((await bpf(['ct', 'list', '--port', '99999'])).stderr).toContain('a number between 0 and 65535');
      expect((await bpf(['ct', 'list', '--pod', 'nobody'])).stderr).toContain(
        'no endpoint of this node belongs to the pod default/nobody',
      );
    }),
  );

  kernelTest('finds the addresses of a pod with the agent', () =>
    restored(/cilium_ct|ipcache_v2/, async () => {
      const endpoints = JSON.parse([answersTo('/v1/endpoint')].flat()[0]?.response.body ?? '[]') as {
        status: Record<string, Record<string, unknown>>;
      }[];
      const named = endpoints.find(({ status }) => status['external-identifiers']?.['k8s-pod-name']);
      const ids = named?.status['external-identifiers'];
      const addressing = named?.status.networking?.addressing as { ipv4: string; ipv6: string }[] | undefined;
      if (!ids || !addressing?.[0]) return;
      const result = await bpf(['ct', 'list', '--pod', `${ids['k8s-namespace']}/${ids['k8s-pod-name']}`]);
      expect(result.stderr).toBe('');
      for (const line of lines(result.stdout))
        expect(line).toMatch(new RegExp(`${addressing[0].ipv4}:|${addressing[0].ipv6}:`));
    }),
  );

  // differs: bpf-clock
  kernelTest('says how long entries last, by the clock that is named', () =>
    restored(/cilium_ct4_global|ipcache_v2/, async () => {
      const ktime = await bpf(['ct', 'list', '-d', '--time-diff-clocksource-mode', 'ktime']);
      expect(ktime.stdout).toContain('expires=3636 (remaining: -1 sec(s)) Packets');
      expect((await bpf(['ct', 'list', '-d'])).stdout).toBe(ktime.stdout);
      const jiffies = await bpf(['ct', 'list', '-d', '--time-diff-clocksource-mode', 'jiffies']);
      expect(jiffies.stdout).not.toBe(ktime.stdout);
      const wrong = await bpf(['ct', 'list', '-d', '--time-diff-clocksource-mode', 'sundial']);
      expect(wrong.code).toBe(1);
      const alone = await bpf(['ct', 'list', '-d'], { env: { CILIUM_SOCK: '/nowhere' } });
      expect(alone.stdout).toBe(ktime.stdout);
      expect(alone.stderr).toContain('the agent does not tell the clock of the entries');
      await using odd = await agentOf({ 'GET /v1/healthz': { text: '' } });
      const mute = await bpf(['ct', 'list', '-d'], { env: { CILIUM_SOCK: odd.socket } });
      expect(mute.stdout).toBe(ktime.stdout);
      expect(mute.stderr).toContain('(GET /v1/healthz: expected an object, found nothing): ktime is assumed');
    }),
  );

  kernelTest('ranks who fills the tables', () =>
    restored(/cilium_ct/, async () => {
      const { stdout } = await bpf(['ct', 'top', '--by', 'protocol', '-n', '2']);
      expect(lines(stdout)).toEqual([
        'ENTRIES   SHARE   PROTOCOL',
        expect.stringMatching(/^\d+ +\d+\.\d% +\w+$/),
        expect.any(String),
        '95 entries in all',
      ]);
      const json = JSON.parse((await bpf(['ct', 'top', '-o', 'json', '--port', '9092'])).stdout) as {
        total: number;
      };
      expect(json).toMatchObject({ by: 'source', atMostMore: 0 });
      expect(json.total).toBeGreaterThan(0);
    }),
  );

  // differs: bpf-write
  kernelTest('asks in a terminal before it forgets connections', () =>
    restored(/cilium_ct4_global|cilium_ct_any4/, async (globals) => {
      const terminal = { columns: 80, env: {} };
      const no = await bpf(['ct', 'flush'], { ...terminal, stdin: undefined } as RunOptions);
      expect(no.code).toBe(1);
      expect(no.stderr).toMatch(
        /^This will delete all entries of cilium_ct4_global, cilium_ct_any4_global\. Continue\? \[y\/N\] Error: nothing was changed\n/,
      );
      using nat = createMap({ name: 'nat', type: 'lru_hash', keySize: 14, valueSize: 40, maxEntries: 8 });
      nat.pin(join(globals, 'cilium_snat_v4_external'));
      const what =
        'delete all entries of cilium_ct4_global, cilium_ct_any4_global and the translations of their connections in cilium_snat_v4_external.';
      const asked = await bpf(['ct', 'flush'], { ...terminal, stdin: undefined } as RunOptions);
      expect(asked.stderr).toContain(`This will ${what} Continue? [y/N] `);
      expect((await bpf(['ct', 'flush', '--dry-run'])).stdout).toBe(`Would ${what}\n`);
      expect(await entries(globals, 'cilium_ct4_global')).toBe(25);
      const done = await bpf(['ct', 'flush', '--yes'], terminal);
      expect(done.stdout).toBe(
        `Flushed 25 entries from ${globals}/cilium_ct4_global\nFlushed 49 entries from ${globals}/cilium_ct_any4_global\n`,
      );
      expect(await entries(globals, 'cilium_ct4_global')).toBe(0);
    }),
  );

  kernelTest('finds connections of endpoints that are gone, and deletes only those', () =>
    restored(/cilium_ct4_global|cilium_lxc/, async (globals) => {
      const none = await bpf(['ct', 'orphans', '--pod-cidr', '10.11.0.0/16']);
      expect(none).toMatchObject({ stdout: '', stderr: 'Every connection has its endpoint.\n' });
      using lxc = openMap(join(globals, 'cilium_lxc'), { write: true });
      const key = Buffer.alloc(20);
      key.set([10, 11, 159, 52]);
      key[16] = 1;
      expect(lxc.delete(key)).toBe(true);
      const found = lines((await bpf(['ct', 'orphans', '--pod-cidr', '10.11.0.0/16'])).stdout);
      expect(found.length).toBeGreaterThan(0);
      for (const line of found) expect(line).toMatch(/ OUT 10\.11\.159\.52:| IN .* -> 10\.11\.159\.52:/);
      const before = await entries(globals, 'cilium_ct4_global');
      const dry = await bpf(['ct', 'orphans', '--pod-cidr', '10.11.0.0/16', '--delete', '--dry-run']);
      expect(dry.stdout).toContain(`Would delete ${found.length} connections.\n`);
      expect(await entries(globals, 'cilium_ct4_global')).toBe(before);
      const done = await bpf(['ct', 'orphans', '--pod-cidr', '10.11.0.0/16', '--delete']);
      expect(done.stdout).toContain(`Deleted ${found.length} entries from ${globals}/cilium_ct4_global\n`);
      expect(await entries(globals, 'cilium_ct4_global')).toBe(before - found.length);
    }),
  );
});

describe('bpf metrics', () => {
  // differs: bpf-metrics-order
  kernelTest('are in one order as JSON', () =>
    restored(/metrics/, async () => {
      const list = async () =>
        JSON.parse((await bpf(['metrics', 'list', '-o', 'json'])).stdout) as { reason: number }[];
      const first = await list();
      expect(first.length).toBeGreaterThan(3);
      expect(first.map(({ reason }) => reason)).toEqual(
        first.map(({ reason }) => reason).toSorted((a, b) => a - b),
      );
      expect(await list()).toEqual(first);
    }),
  );
});

describe('bpf nat', () => {
  kernelTest('finds entries without a connection, and deletes only those', () =>
    restored(/cilium_ct4|cilium_ct_any4|cilium_snat_v4_external|cilium_lxc/, async (globals) => {
      const none = await bpf(['nat', 'orphans', '--pod-cidr', '10.11.0.0/16']);
      expect(none).toMatchObject({ stdout: '', stderr: 'Every NAT entry has its connection.\n' });
      // The connection behind two of the entries: one for each way.
      using ct = openMap(join(globals, 'cilium_ct4_global'), { write: true });
      expect(ct.delete(Buffer.from('0a0bbc8ac0a8320c01bbd6940600', 'hex'))).toBe(true);
      const found = lines((await bpf(['nat', 'orphans', '--pod-cidr', '10.11.0.0/16'])).stdout);
      expect(found).toEqual(
        expect.arrayContaining([
          'TCP OUT 10.11.188.138:54932 -> 192.168.50.12:443 XLATE_SRC 192.168.50.11:54932 Created=10sec ago NeedsCT=0 (no connection)',
          'TCP IN 192.168.50.12:443 -> 192.168.50.11:54932 XLATE_DST 10.11.188.138:54932 Created=10sec ago NeedsCT=0 (no connection)',
        ]),
      );
      expect(found).toHaveLength(2);
      const done = await bpf(['nat', 'orphans', '--delete', '--pod-cidr', '10.11.0.0/16']);
      expect(done.stdout).toContain(`Deleted 2 entries from ${globals}/cilium_snat_v4_external\n`);
      expect(await entries(globals, 'cilium_snat_v4_external')).toBe(10);
    }),
  );

  kernelTest('ranks who uses ports', () =>
    restored(/cilium_snat_v4_external/, async () => {
      const { stdout } = await bpf(['nat', 'top']);
      expect(lines(stdout)).toEqual([
        'ENTRIES   SHARE   PORTS LEFT   REMOTE',
        '4         66.7%   32764        192.168.50.11 -> 192.168.50.12:443/TCP',
        '2         33.3%   32766        192.168.50.11 -> 192.168.50.12:80/TCP',
        '6 entries in all',
      ]);
    }),
  );

  kernelTest('flushes translations and the histogram of retries', () =>
    restored(/cilium_snat_v4/, async (globals) => {
      expect((await bpf(['nat', 'flush'])).stdout).toBe(
        `Flushed 12 entries from ${globals}/cilium_snat_v4_external\n`,
      );
      expect((await bpf(['nat', 'retries', 'list'])).stdout).toMatch(/^0:\t24\n1:\t0\n/);
      expect((await bpf(['nat', 'retries', 'flush'])).code).toBe(0);
      expect((await bpf(['nat', 'retries', 'list'])).stdout).toMatch(/^0:\t0\n/);
      expect((await bpf(['nat', 'list', 'cluster', '0'])).code).toBe(1);
      expect((await bpf(['nat', 'list', 'sideways'])).code).toBe(1);
    }),
  );
});

describe('bpf ipcache', () => {
  // differs: bpf-ipcache-prefix
  kernelTest('matches, updates and deletes exactly one prefix', () =>
    restored(/cilium_ipcache_v2/, async () => {
      expect((await bpf(['ipcache', 'match', '192.168.50.0/24'])).stdout).toBe(
        'key 192.168.50.0/24 has value "identity=16777218 encryptkey=0 tunnelendpoint=0.0.0.0 flags=<none>"\n',
      );
      expect((await bpf(['ipcache', 'match', '192.168.50.0/25'])).code).toBe(1);
      expect((await bpf(['ipcache', 'match', '1'])).stderr).toContain('Invalid prefix "1"');
      const update = await bpf([
        'ipcache',
        'update',
        'fd77::/64',
        '--identity',
        '1234',
        '--tunnelendpoint',
        'fd00::9',
        '--encryptkey',
        '3',
        '--skiptunnel',
      ]);
      expect(update.stdout).toBe(
        'Updated entry fd77::/64 => identity=1234 encryptkey=3 tunnelendpoint=fd00::9 flags=skiptunnel,hastunnel,ipv6tunnel\n',
      );
      expect((await bpf(['ipcache', 'get', 'fd77::5'])).stdout).toContain(
        'fd77::5 maps to identity identity=1234 ',
      );
      expect((await bpf(['ipcache', 'delete', 'fd77::/64', '--dry-run'])).stdout).toBe(
        'Would delete the entry fd77::/64.\n',
      );
      expect((await bpf(['ipcache', 'delete', 'fd77::/64'])).stdout).toBe('Deleted entry fd77::/64\n');
      expect((await bpf(['ipcache', 'delete', 'fd77::/64'])).code).toBe(1);
      expect((await bpf(['ipcache', 'get', 'fd77::5'])).stdout).toContain('identity=10 ');
    }),
  );

  kernelTest('of an agent of 1.17 is read and written in its own layout', () =>
    restored(/cilium_ipcache$/, async () => {
      const release = ['--agent-release', '1.17'];
      const { stdout } = await bpf(['ipcache', 'list', ...release]);
      expect(stdout).toContain(
        '10.22.128.204/32    identity=4 encryptkey=0 tunnelendpoint=0.0.0.0 flags=<none> ',
      );
      expect(
        (
          await bpf([
            ...['ipcache', 'update', '10.9.0.0/16', ...release],
            ...['--identity', '7', '--tunnelendpoint', '1.2.3.4'],
          ])
        ).stdout,
      ).toBe('Updated entry 10.9.0.0/16 => identity=7 encryptkey=0 tunnelendpoint=1.2.3.4 flags=<none>\n');
      expect(
        (await bpf(['ipcache', 'update', '10.9.0.0/16', ...release, '--tunnelendpoint', 'fd00::1'])).code,
      ).toBe(1);
    }),
  );

  kernelTest('says what maps to nothing, with exit code 1', async () => {
    using fs = mountBpffs();
    bpffs = fs;
    using map = createMap({ type: 'lpm_trie', keySize: 24, valueSize: 24, maxEntries: 8, flags: 1 });
    map.pin(join(fs.globals, 'cilium_ipcache_v2'));
    const none = { stdout: '', stderr: 'No entries found.\n' };
    expect(await bpf(['ipcache', 'get', '1.2.3.4'])).toEqual({ ...none, code: 1 });
    expect(await bpf(['ipcache', 'match', '1.2.3.4/32'])).toEqual({ ...none, code: 1 });
    expect(await bpf(['ipcache', 'list'])).toEqual({ ...none, code: 0 });
    expect((await bpf(['ipcache', 'list', '-o', 'json'])).stdout).toBe('{}\n\n');
    await bpf(['ipcache', 'update', '10.0.0.0/8', '--identity', '7']);
    expect(await bpf(['ipcache', 'get', '1.2.3.4'])).toEqual({
      stdout: '1.2.3.4 does not map to any identity\n',
      stderr: '',
      code: 1,
    });
  });
});

describe('bpf endpoint delete', () => {
  kernelTest('takes one address off the endpoint map', () =>
    restored(/cilium_lxc|ipcache_v2/, async (globals) => {
      const before = await entries(globals, 'cilium_lxc');
      expect(await bpf(['endpoint', 'delete', '10.11.159.52'])).toEqual({ stdout: '', stderr: '', code: 0 });
      expect(await entries(globals, 'cilium_lxc')).toBe(before - 1);
      expect((await bpf(['endpoint', 'delete', '10.11.159.52'])).stderr).toContain(
        '10.11.159.52 is not in the map',
      );
    }),
  );
});

describe('bpf policy', () => {
  // differs: bpf-policy-ports, bpf-policy-order
  kernelTest('adds and deletes entries as the agent writes them', () =>
    restored(/cilium_policy_v2_00356|cilium_policystats/, async (globals) => {
      const numeric = async () =>
        lines((await bpf(['policy', 'get', '356', '-n'])).stdout)
          .slice(1)
          .map((line) => line.split(/ {3,}/));
      expect(await numeric()).toHaveLength(2);
      expect(
        await bpf(['policy', 'add', '356', 'ingress', '9', '8080/TCP', '--deny', '--cookie', '5']),
      ).toEqual({
        stdout: '',
        stderr: '',
        code: 0,
      });
      await bpf(['policy', 'add', '356', 'Egress', 'world', '53']);
      await bpf(['policy', 'add', '356', 'egress', 'reserved:host', '0/UDP']);
      expect((await numeric()).map((cells) => cells.join(' | '))).toEqual([
        'Deny | Ingress | 9 | 8080/TCP | NONE | disabled | - | - | 24 | 5',
        'Allow | Ingress | 0 | ANY | NONE | disabled | - | - | 0 | 0',
        expect.stringMatching(/^Allow \| Egress \| 0 \| ANY/),
        'Allow | Egress | 1 | UDP | NONE | disabled | - | - | 8 | 0',
        'Allow | Egress | 2 | 53/TCP | NONE | disabled | - | - | 24 | 0',
        'Allow | Egress | 2 | 53/UDP | NONE | disabled | - | - | 24 | 0',
        'Allow | Egress | 2 | 53/SCTP | NONE | disabled | - | - | 24 | 0',
      ]);
      using map = openMap(join(globals, 'cilium_policy_v2_00356'));
      const denied = Buffer.from('400000000900000000061f90', 'hex');
      expect(map.lookup(denied)?.toString('hex')).toBe('0000c100ffffffff05000000');
      expect((await bpf(['policy', 'delete', '356', 'ingress', '9', '8080/TCP', '--dry-run'])).stdout).toBe(
        'Would delete from ingress of endpoint 356: 9 8080/TCP.\n',
      );
      expect((await bpf(['policy', 'delete', '356', 'ingress', '9', '8080/TCP'])).code).toBe(0);
      expect((await bpf(['policy', 'delete', '356', 'ingress', '9', '8080/TCP'])).stderr).toContain(
        "Cannot delete policy key '9 8080/TCP'",
      );
      expect((await bpf(['policy', 'delete', '356', 'egress', '2', '53'])).code).toBe(0);
      expect(await numeric()).toHaveLength(3);
    }),
  );

  kernelTest('says which word is wrong', () =>
    restored(/cilium_policy_v2_00356/, async () => {
      for (const [words, message] of [
        [['add', '356', 'sideways', '9'], 'Invalid traffic direction "sideways"'],
        [['add', '356', 'ingress', 'nobody'], 'Failed to parse identity "nobody"'],
        [['add', '356', 'ingress', '9', '70000/TCP'], 'the port must be a number between 0 and 65535'],
        [['add', '356', 'ingress', '9', '80/SMTP'], '"SMTP" is not a protocol'],
        [['add', '99', 'ingress', '9'], 'Failed to open map: no such file or directory'],
        [['get', 'web-app'], 'Failed to parse endpointID "web-app"'],
        [['get'], 'Missing endpoint id argument'],
      ] as const) {
        const result = await bpf(['policy', ...words]);
        expect(result.stderr).toContain(message);
        expect(result.code).toBe(1);
      }
    }),
  );

  // differs: bpf-policy-unknown
  kernelTest('shows the number of an identity that the agent does not know, and says so once', () =>
    restored(/cilium_policy_v2_00356/, async (globals) => {
      const result = await bpf(['policy', 'get', join(globals, 'cilium_policy_v2_00356')]);
      expect(result.stdout).toContain('Allow    Ingress     0                             ANY');
      expect(result.stderr.match(/Was impossible to retrieve label ID 0/g)).toHaveLength(1);
    }),
  );
});

interface PolicyCase {
  name: string;
  endpoints: { id: number; mapEntries: [string, string][] }[];
  policyMapText: string;
}

describe('policy maps of 1.17', () => {
  kernelTest('are dumped as the reference dumps them', async () => {
    for (const recorded of fixture<PolicyCase[]>('recordings/policy-maps-1.17.json')) {
      using fs = mountBpffs();
      bpffs = fs;
      for (const { id, mapEntries } of recorded.endpoints)
        restoreMap(
          {
            path: `/sys/fs/bpf/tc/globals/cilium_policy_${String(id).padStart(5, '0')}`,
            type: 'lpm_trie',
            keySize: 12,
            valueSize: 24,
            maxEntries: 16384,
            flags: 1,
            entries: mapEntries,
          },
          fs.globals,
        );
      const { stdout } = await bpf(['policy', 'list', '-o', 'json']);
      expect(comparable(stdout.replaceAll(fs.root, '/sys/fs/bpf'))).toEqual(
        comparable(recorded.policyMapText),
      );
    }
  });
});

/** The datapath counts on between the two dumps, and ties are in no order. */
function comparable(text: string): unknown {
  const dumps = JSON.parse(text) as { EndpointID: string; Content: Record<string, unknown>[] }[];
  return dumps
    .map((dump) => ({
      ...dump,
      Content: dump.Content.map((entry) => JSON.stringify({ ...entry, Packets: 0, Bytes: 0 })).sort(),
    }))
    .sort((a, b) => (a.EndpointID < b.EndpointID ? -1 : 1));
}

describe('bpf maps dump', () => {
  kernelTest('decodes known maps, by name, path and id', () =>
    restored(/cilium_lb4_backends_v3|cilium_metrics|cilium_events|cilium_lb4_maglev/, async (globals) => {
      const byName = await bpf(['maps', 'dump', 'cilium_lb4_backends_v3']);
      expect(lines(byName.stdout).map((line) => JSON.parse(line) as unknown)).toContainEqual({
        key: { backendId: 9 },
        value: { address: '10.11.236.47', port: 53, protocol: 6, state: 0, clusterId: 0, zone: 0 },
      });
      using map = openMap(join(globals, 'cilium_lb4_backends_v3'));
      expect((await bpf(['maps', 'dump', String(map.info.id)])).stdout).toBe(byName.stdout);
      expect((await bpf(['maps', 'dump', join(globals, 'cilium_lb4_backends_v3')])).stdout).toBe(
        byName.stdout,
      );
      expect(lines((await bpf(['maps', 'dump', 'cilium_lb4_backends_v3', '--raw'])).stdout)).toContain(
        '{"key":"09000000","value":"0a0bec2f0035060000000000"}',
      );
      const metrics = lines((await bpf(['maps', 'dump', 'cilium_metrics'])).stdout);
      expect(JSON.parse(metrics[0] ?? '')).toMatchObject({
        key: { reason: expect.any(Number) },
        values: [{}, {}],
      });
      expect((await bpf(['maps', 'dump', 'cilium_lb4_maglev'])).stdout).toBe('');
      expect((await bpf(['maps', 'dump', 'cilium_events'])).stderr).toContain(
        'operation not supported by this kind of map',
      );
      expect((await bpf(['maps', 'dump', 'nothing'])).stderr).toContain('no map is called "nothing"');
      expect(
        JSON.parse((await bpf(['maps', 'dump', 'cilium_lb4_backends_v3', '-o', 'json'])).stdout),
      ).toHaveLength(5);
    }),
  );

  kernelTest('shows the bytes of a map that it does not know', async () => {
    using fs = mountBpffs();
    bpffs = fs;
    using map = createMap({ type: 'hash', keySize: 3, valueSize: 2, maxEntries: 4 });
    map.update(Buffer.from('abcdef', 'hex'), Buffer.from('0102', 'hex'));
    map.pin(join(fs.root, 'strange'));
    expect((await bpf(['maps', 'dump', 'strange'])).stdout).toBe('{"key":"abcdef","value":"0102"}\n');
    // The name of a known map, but sizes of no release.
    map.pin(join(fs.globals, 'cilium_lxc'));
    expect((await bpf(['maps', 'dump', 'cilium_lxc'])).stdout).toBe('{"key":"abcdef","value":"0102"}\n');
    expect((await bpf(['endpoint', 'list'])).stderr).toContain(
      'has keys of 3 and values of 2 bytes, which no known release gave it\nSee its bytes',
    );
    map.pin(join(fs.globals, 'cilium_ct4_global'));
    expect((await bpf(['ct', 'list'])).stderr).toContain(
      'has keys of 3 and values of 2 bytes, which no known release gave it',
    );
  });
});

describe('bpf sha and fs', () => {
  // differs: bpf-sha-state
  kernelTest('read the files of the node', async () => {
    const state = mkdtempSync(join(tmpdir(), 'state-'));
    using _ = { [Symbol.dispose]: () => rmSync(state, { recursive: true }) };
    using _fs = mountBpffs();
    mkdirSync(join(state, 'templates/abc'), { recursive: true });
    mkdirSync(join(state, 'templates/unused'));
    for (const [id, sha] of [
      ['12', 'abc'],
      ['9', 'abc'],
      ['77', 'gone'],
    ] as const) {
      mkdirSync(join(state, id));
      writeFileSync(join(state, id, 'template.txt'), `${sha}\n`);
    }
    mkdirSync(join(state, '78'));
    const json = Buffer.from('{"a":1}').toString('base64');
    writeFileSync(join(state, 'templates/abc/ep_config.h'), `// JSON_OUTPUT: ${json}\n#define X 1\n`);
    const env = { CILIUM_STATE_DIR: state };
    expect((await run(['bpf', 'sha', 'list'], { env })).stdout).toBe(
      [
        'Datapath SHA              Endpoint(s)',
        '<missing template.txt>    78   ',
        '<template path invalid>   77   ',
        'abc                       12   ',
        '                          9    ',
        'unused                    -    ',
        '',
      ].join('\n'),
    );
    expect(JSON.parse((await run(['bpf', 'sha', 'list', '-o', 'json'], { env })).stdout)).toEqual({
      '<missing template.txt>': ['78'],
      '<template path invalid>': ['77'],
      abc: ['12', '9'],
      unused: [],
    });
    expect((await run(['bpf', 'template', 'get', 'abc'], { env })).stdout).toBe(
      readFileSync(join(state, 'templates/abc/ep_config.h'), 'utf8'),
    );
    expect((await run(['bpf', 'sha', 'get', 'abc', '-o', 'json'], { env })).stdout).toBe(
      '{\n  "a": 1\n}\n\n',
    );
    writeFileSync(join(state, 'templates/abc/ep_config.json'), '{"b":2}');
    expect((await run(['bpf', 'sha', 'get', 'abc', '-o', 'json'], { env })).stdout).toBe(
      '{\n  "b": 2\n}\n\n',
    );
    expect((await run(['bpf', 'sha', 'get', '../x'], { env })).code).toBe(1);
    expect((await run(['bpf', 'sha', 'list'], { env: { CILIUM_STATE_DIR: '/nowhere' } })).stderr).toContain(
      'failed to list template directory',
    );
    const none = await run(['bpf', 'fs', 'show'], { env: { HOST_PROC: '/nowhere' }, uid: 1000 });
    expect(none).toMatchObject({ stdout: '', code: 1 });
    expect((await run(['bpf', 'fs', 'show'], { uid: 1000 })).stdout).toContain('FilesystemType:   bpf\n');
  });
});
