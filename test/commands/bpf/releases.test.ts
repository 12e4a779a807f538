import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { createMap, type MapSpec, openMap } from '../../../src/bpf/kernel/objects.ts';
import { readAll } from '../../../src/bpf/kernel/reader.ts';
import { ctEntry115, tuple4 } from '../../../src/bpf/layouts/conntrack.ts';
import { egressKey4 } from '../../../src/bpf/layouts/egress.ts';
import { ipcacheKey, remoteEndpoint111 } from '../../../src/bpf/layouts/ipcache.ts';
import { natEntry112v4 } from '../../../src/bpf/layouts/nat.ts';
import { nodeKey, nodeValue, nodeValue115 } from '../../../src/bpf/layouts/nodes.ts';
import { policyKey113 } from '../../../src/bpf/layouts/policy.ts';
import { encode } from '../../../src/bpf/maps/codec.ts';
import { agentOf } from '../../helpers/agent.ts';
import { mountBpffs, type RecordedMap, restoreMap, type TestBpffs } from '../../helpers/bpf.ts';
import { kernelTest } from '../../helpers/kernel-test.ts';
import { fixture } from '../../helpers/recordings.ts';
import { run } from '../../helpers/run.ts';

type Entries = readonly (readonly [key: Buffer, value: Buffer])[];

function pin({ globals }: TestBpffs, name: string, spec: Omit<MapSpec, 'name'>, entries: Entries = []): void {
  using map = createMap({ name, ...spec });
  for (const [key, value] of entries) map.update(key, value);
  map.pin(join(globals, name));
}

const NOBODY = { CILIUM_SOCK: '/nowhere' };
const bpf = ({ root }: TestBpffs, argv: readonly string[], env: Record<string, string> = NOBODY) =>
  run(['bpf', ...argv, '--bpf-root', root], { env, uptimeMs: 5_000_000 });

const POLICY_OLD = { type: 'hash', keySize: 8, valueSize: 24, maxEntries: 2 } as const;
const CT4 = { type: 'lru_hash', keySize: 14, valueSize: 56, maxEntries: 64 } as const;
/** Pins that tell the releases, the sizes beside them. */
const MARKS = {
  '1.10': [['cilium_lb4_backends', 2, 8]],
  '1.12': [['cilium_lb4_backends_v2', 4, 8]],
  '1.13-dev': [['cilium_lb4_backends_v3', 4, 12]],
  '1.13': [
    ['cilium_lb4_backends_v3', 4, 12],
    ['cilium_node_map', 20, 2],
  ],
} as const;

function pinsOf(fs: TestBpffs, release: keyof typeof MARKS): void {
  pin(fs, 'cilium_policy_00123', POLICY_OLD);
  for (const [name, keySize, valueSize] of MARKS[release])
    pin(fs, name, { type: 'hash', keySize, valueSize, maxEntries: 8 });
}

const connection = [
  encode(tuple4, {
    destination: '10.0.0.1',
    source: '10.0.0.2',
    destinationPort: 80,
    sourcePort: 443,
    protocol: 132,
    flags: 4,
  }),
  encode(ctEntry115, { rxPackets: 1n, rxBytes: 22n, txPackets: 3n, txBytes: 44n, lifetime: 9, flags: 0x380 }),
] as const;

describe('a policy map with keys of 8 bytes', () => {
  kernelTest('is read and written, and a dry run changes nothing', async () => {
    using fs = mountBpffs();
    pin(fs, 'cilium_policy_00123', POLICY_OLD);
    const rule = ['123', 'ingress', '1001', '80/TCP'];
    const dry = await bpf(fs, ['policy', 'add', ...rule, '--dry-run']);
    expect(dry).toEqual({
      stdout: 'Would allow ingress of endpoint 123: 1001 80/TCP.\n',
      stderr: '',
      code: 0,
    });
    expect((await bpf(fs, ['policy', 'get', '123', '-n'])).stdout).toContain('Policy stats empty.');
    expect(await bpf(fs, ['policy', 'add', ...rule, '--deny', '-y'])).toEqual({
      stdout: '',
      stderr: '',
      code: 0,
    });
    using map = openMap(join(fs.globals, 'cilium_policy_00123'));
    const [entry] = await readAll(map);
    expect(entry?.key).toEqual(encode(policyKey113, { identity: 1001, direction: 0, protocol: 6, port: 80 }));
    expect(entry?.value.toString('hex')).toBe(`000001${'00'.repeat(21)}`);
    expect((await bpf(fs, ['policy', 'get', '123', '-n'])).stdout).toMatch(
      /\nDeny +Ingress +1001 +80\/TCP +NONE +0 +0 +\n$/,
    );
    const missing = ['policy', 'delete', '123', 'egress', '1001', '80/TCP'];
    const said = await bpf(fs, missing);
    expect(said).toMatchObject({ stdout: '', code: 1 });
    expect(await bpf(fs, [...missing, '--dry-run'])).toEqual(said);
    expect((await bpf(fs, ['policy', 'delete', ...rule])).code).toBe(0);
    expect(await readAll(map)).toEqual([]);
  });

  // differs: bpf-dry-run-errors
  kernelTest('that is full is told by the dry run as by the real one', async () => {
    using fs = mountBpffs();
    const key = (identity: number) => encode(policyKey113, { identity });
    pin(fs, 'cilium_policy_00123', POLICY_OLD, [
      [key(1), Buffer.alloc(24)],
      [key(2), Buffer.alloc(24)],
    ]);
    const add = ['policy', 'add', '123', 'ingress', '3'];
    const real = await bpf(fs, [...add, '-y']);
    expect(real.stderr).toMatch(/^Error: .*cilium_policy_00123 is full: it holds 2 of 2 entries\n/);
    expect(real.code).toBe(1);
    expect(await bpf(fs, [...add, '--dry-run'])).toEqual(real);
    expect((await bpf(fs, ['policy', 'add', '123', 'ingress', '2', '--dry-run'])).code).toBe(0);
  });
});

describe.each([
  [['policy', 'add', '123', 'ingress', '9'], 'cilium_policy_00123'],
  [['policy', 'delete', '123', 'ingress', '9', '-y'], 'cilium_policy_00123'],
  [['ipcache', 'update', '10.0.0.0/8'], 'cilium_ipcache_v2'],
  [['egress', 'update', '10.0.0.1', '10.0.0.0/8', '10.0.0.2', '10.0.0.3'], 'cilium_egress_gw_policy_v4'],
  [['egress', 'delete', '10.0.0.1', '10.0.0.0/8', '-y'], 'cilium_egress_gw_policy_v4'],
  [['vtep', 'update', '10.0.0.0/8', '10.0.0.1', '02:00:00:00:00:01'], 'cilium_vtep_map'],
  [['endpoint', 'delete', '10.0.0.1', '-y'], 'cilium_lxc'],
] as const)('bpf %j', (argv, name) => {
  kernelTest(
    'fails on a map of unknown sizes, and when it is missing, with and without --dry-run',
    async () => {
      using fs = mountBpffs();
      const missing = await bpf(fs, argv);
      expect(missing).toMatchObject({ stdout: '', code: 1 });
      expect(await bpf(fs, [...argv, '--dry-run'])).toEqual(missing);
      pin(fs, name, { type: 'hash', keySize: 9, valueSize: 5, maxEntries: 4 });
      const real = await bpf(fs, argv);
      expect(real).toMatchObject({ stdout: '', code: 1 });
      expect(await bpf(fs, [...argv, '--dry-run'])).toEqual(real);
    },
  );
});

describe.each([['ct'], ['nat'], ['nat retries']])('bpf %s flush', (noun) => {
  kernelTest('says which maps are not there in a dry run too', async () => {
    using fs = mountBpffs();
    const argv = [...noun.split(' '), 'flush'];
    const real = await bpf(fs, argv);
    expect(real.stderr).toContain('no such file or directory');
    expect(await bpf(fs, [...argv, '--dry-run'])).toEqual(real);
  });
});

describe('the release of the maps', () => {
  describe.each([
    ['1.10', '132 OUT 10.0.0.1:443 -> 10.0.0.2:80 service', 'DSR Unknown=0x0300'],
    ['1.12', 'SCTP OUT 10.0.0.1:443 -> 10.0.0.2:80 service', 'DSR Unknown=0x0300'],
    ['1.13', 'SCTP OUT 10.0.0.1:443 -> 10.0.0.2:80 service', 'DSR FromL7LB AuthRequired'],
  ] as const)('%s', (release, ends, flags) => {
    kernelTest('is told by its pins, and counts either direction', async () => {
      using fs = mountBpffs();
      pinsOf(fs, release);
      pin(fs, 'cilium_ct4_global', CT4, [connection]);
      expect((await bpf(fs, ['ct', 'list', 'global'])).stdout).toBe(
        `${ends} expires=9 RxPackets=1 RxBytes=22 RxFlagsSeen=0x00 LastRxReport=0 TxPackets=3 TxBytes=44 TxFlagsSeen=0x00 LastTxReport=0 Flags=0x0380 [ ${flags} ] RevNAT=0 SourceSecurityID=0 IfIndex=0 \n\n`,
      );
      const [entry] = JSON.parse((await bpf(fs, ['ct', 'list', 'global', '-o', 'json'])).stdout) as {
        Value: object;
      }[];
      expect(entry?.Value).toMatchObject({ RxPackets: 1, RxBytes: 22, TxPackets: 3, TxBytes: 44 });
    });
  });

  // differs: bpf-release
  kernelTest('is never guessed where it would change what the bytes mean', async () => {
    using fs = mountBpffs();
    pin(fs, 'cilium_ct4_global', CT4, [connection]);
    pin(fs, 'cilium_ipcache', { type: 'lpm_trie', keySize: 24, valueSize: 12, maxEntries: 4, flags: 1 }, [
      [
        encode(ipcacheKey, { prefixLength: 64, ip: '10.0.0.9' }),
        encode(remoteEndpoint111, { identity: 7, encryptKey: 3 }),
      ],
    ]);
    const error =
      /^Error: the maps may be those of any agent from 1\.9 to 1\.20, .*\nName the release .*--agent-release/;
    for (const argv of [
      ['ct', 'list', 'global'],
      ['ct', 'list', 'global', '-o', 'json'],
      ['ipcache', 'list'],
      ['ipcache', 'get', '10.0.0.9'],
    ]) {
      const result = await bpf(fs, argv);
      expect(result).toMatchObject({ code: 1 });
      expect(result.stderr).toMatch(error);
    }
    const named = await bpf(fs, ['ct', 'list', 'global', '--agent-release', '1.15']);
    expect(named.stdout).toContain(' RxPackets=1 RxBytes=22 ');
    expect((await bpf(fs, ['--agent-release', '1.17', 'ct', 'list', 'global'])).stdout).toContain(
      ' Packets=3 Bytes=44 ',
    );
    await using agent = await agentOf({
      'GET /v1/healthz': { body: { cilium: { state: 'Ok', msg: '1.11.3 (v1.11.3-abcdef)' } } },
    });
    const asked = await bpf(fs, ['ipcache', 'list'], { CILIUM_SOCK: agent.socket });
    expect(asked.stdout).toContain(' 7 3 0.0.0.0 ');
    expect((await bpf(fs, ['ipcache', 'list', '--agent-release', '1.10'])).stdout).toContain(' 7 3 0.0.0.0 ');
  });

  // differs: bpf-nat-age
  kernelTest('up to 1.12 lets NAT entries be stamped in seconds or in nanoseconds', async () => {
    using fs = mountBpffs();
    pinsOf(fs, '1.12');
    const entry = (port: number, created: bigint) =>
      [
        encode(tuple4, { destination: '10.0.0.1', source: '10.0.0.2', sourcePort: port, protocol: 6 }),
        encode(natEntry112v4, { created, hostLocal: 1n, address: '10.0.0.3', port: 7 }),
      ] as const;
    pin(fs, 'cilium_snat_v4_external', { ...CT4, valueSize: 40 }, [
      entry(1, 4990n),
      entry(2, 4_980_000_000_000n),
    ]);
    const { stdout } = await bpf(fs, ['nat', 'list', '--agent-release', '1.12']);
    expect(stdout).toContain('10.0.0.2:1 -> 10.0.0.1:0 XLATE_SRC 10.0.0.3:7 Created=10sec HostLocal=1\n');
    expect(stdout).toContain('10.0.0.2:2 -> 10.0.0.1:0 XLATE_SRC 10.0.0.3:7 Created=20sec HostLocal=1\n');
    const named = async (release: string) =>
      (await bpf(fs, ['nat', 'list', '--agent-release', release])).stdout;
    expect(await named('1.13')).toContain(' Created=10sec NeedsCT=1\n');
    expect(await named('1.14')).toContain(' Created=10sec ago NeedsCT=1\n');
  });

  describe.each([
    ['1.11', '132 OUT 10.0.0.2:443 -> 10.0.0.1:80', 'HostLocal=1'],
    ['1.12', 'SCTP OUT 10.0.0.2:443 -> 10.0.0.1:80', 'HostLocal=1'],
    ['1.13', 'SCTP OUT 10.0.0.2:443 -> 10.0.0.1:80', 'NeedsCT=1'],
    ['1.20', 'SCTP OUT 10.0.0.2:443 -> 10.0.0.1:80', 'NeedsCT=1'],
  ] as const)('%s', (release, ends, flag) => {
    kernelTest('has the same texts for what is left over as for all entries', async () => {
      using fs = mountBpffs();
      pin(fs, 'cilium_lxc', { type: 'hash', keySize: 20, valueSize: 48, maxEntries: 4 });
      const tuple = { destination: '10.0.0.1', destinationPort: 80, source: '10.0.0.2', sourcePort: 443 };
      pin(fs, 'cilium_snat_v4_external', { ...CT4, valueSize: 40 }, [
        [
          encode(tuple4, { ...tuple, protocol: 132 }),
          encode(natEntry112v4, { created: 4990n, hostLocal: 1n, address: '10.0.0.3', port: 7 }),
        ],
      ]);
      // In a connection map the addresses are exchanged.
      const exchanged = { ...tuple, destination: tuple.source, source: tuple.destination, protocol: 132 };
      pin(fs, 'cilium_ct4_global', CT4, [[encode(tuple4, exchanged), connection[1]]]);
      const said = async (...argv: string[]) =>
        (await bpf(fs, [...argv, '--agent-release', release])).stdout.trim();
      const orphans = ['orphans', '--pod-cidr', '10.0.0.0/24'];
      const listed = await said('nat', 'list');
      expect([listed, listed.includes(flag)]).toEqual([expect.stringContaining(`${ends} XLATE_SRC`), true]);
      expect(await said('nat', ...orphans)).toBe(`${listed} (endpoint gone)`);
      expect(await said('nat', ...orphans, '-o', 'json')).toMatch(
        flag === 'NeedsCT=1' ? /"needsCt": 1\b/ : /"hostLocal": 1\b/,
      );
      expect(await said('ct', ...orphans)).toBe(ends);
    });
  });

  test('has to be one that the toolkit knows', async () => {
    for (const text of ['1.8', 'new', '']) {
      const result = await run(['bpf', 'ct', 'list', '--agent-release', text]);
      expect(result.stderr).toContain('Expected a release from 1.9 on, such as 1.14.');
      expect(result.code).toBe(1);
    }
  });
});

describe('the flags of an entry that is added', () => {
  const LPM = { type: 'lpm_trie', keySize: 12, valueSize: 24, maxEntries: 4, flags: 1 } as const;

  for (const [name, words, flags] of [
    // Up to 1.16 they say what is left open, from 1.17 on how much is not.
    ['cilium_policy_00123', ['80/TCP'], 0],
    ['cilium_policy_00123', ['0/TCP'], 4],
    ['cilium_policy_00123', [], 6],
    ['cilium_policy_v2_00123', ['80/TCP'], 24 << 3],
    ['cilium_policy_v2_00123', ['0/TCP'], 8 << 3],
    ['cilium_policy_v2_00123', [], 0],
  ] as const)
    kernelTest(`in ${name}, of ${words[0] ?? 'every port'}`, async () => {
      using fs = mountBpffs();
      pin(fs, name, LPM);
      const { code } = await bpf(fs, ['policy', 'add', '123', 'ingress', '1001', ...words, '--deny', '-y']);
      expect(code).toBe(0);
      using map = openMap(join(fs.globals, name));
      const [entry] = await readAll(map);
      expect(entry?.value[2]).toBe(flags | 1);
    });
});

describe('agents on the way to a release, and of it', () => {
  /** Bytes that each of them reads otherwise: a node or a key at 8, a key at 10. */
  const value = Buffer.from('07000000010203040300050000', 'hex').subarray(0, 12);
  const trie = { type: 'lpm_trie', keySize: 24, valueSize: 12, maxEntries: 4, flags: 1 } as const;
  const entry = [encode(ipcacheKey, { prefixLength: 64, ip: '10.0.0.9' }), value] as const;
  const POLICY_LPM = { type: 'lpm_trie', keySize: 12, valueSize: 24, maxEntries: 2, flags: 1 } as const;
  const early = 'encryptkey=3 tunnelendpoint=1.2.3.4 ';
  const released = 'encryptkey=5 tunnelendpoint=1.2.3.4 ';

  function pinned(pins: '1.13-dev' | '1.13' | '1.14' | '1.16'): TestBpffs {
    const fs = mountBpffs();
    if (pins === '1.14' || pins === '1.16') {
      pin(fs, 'cilium_policy_00123', POLICY_LPM);
      const nodes = pins === '1.16' ? ['cilium_node_map_v2'] : [];
      for (const name of ['cilium_auth_map', 'cilium_node_map', ...nodes])
        pin(fs, name, { type: 'hash', keySize: 4, valueSize: 4, maxEntries: 1 });
    } else pinsOf(fs, pins);
    pin(fs, 'cilium_ipcache', trie, [entry]);
    return fs;
  }

  async function asked(fs: TestBpffs, argv: readonly string[], version: string | undefined) {
    if (version === undefined) return bpf(fs, argv);
    await using agent = await agentOf({
      'GET /v1/healthz': { body: { cilium: { state: 'Ok', msg: `${version} (v${version}-abc)` } } },
    });
    return await bpf(fs, argv, { CILIUM_SOCK: agent.socket });
  }

  for (const [pins, version, text] of [
    ['1.13-dev', undefined, early],
    ['1.13-dev', '1.13.90', early],
    // What looks like maps of an agent on the way to 1.13 is of 1.13 where the agent is.
    ['1.13-dev', '1.13.4', released],
    ['1.13', undefined, released],
    ['1.13', '1.13.90', released],
    ['1.14', '1.14.2', released],
    ['1.14', '1.15.1', released],
    ['1.16', undefined, 'encryptkey=5 tunnelendpoint=1.2.3.4, flags=<none> '],
    ['1.16', '1.17.0-dev', 'encryptkey=5 tunnelendpoint=1.2.3.4, flags=<none> '],
  ] as const)
    kernelTest(`pins of ${pins} and an agent that says ${version ?? 'nothing'}`, async () => {
      using fs = pinned(pins);
      const { stdout, code } = await asked(fs, ['ipcache', 'list'], version);
      expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining(`identity=7 ${text}`) });
    });

  kernelTest(
    'without an agent 1.14 and 1.15 are not told apart, but a version that is named is taken',
    async () => {
      using fs = pinned('1.14');
      expect((await bpf(fs, ['ipcache', 'list'])).stderr).toMatch(
        /any agent from 1\.14 to 1\.15, which read them/,
      );
      const named = async (release: string) =>
        (await bpf(fs, ['ipcache', 'list', '--agent-release', release])).stdout;
      expect(await named('1.13.90')).toContain(`identity=7 ${early}`);
      expect(await named('1.13.0')).toContain(`identity=7 ${released}`);
      expect(await named('1.12.19')).toContain(`identity=7 ${released}`);
    },
  );

  kernelTest('a wrong call is told in the words of each', async () => {
    using fs = pinned('1.13-dev');
    const wrong = async (version: string) => (await asked(fs, ['ct', 'list'], version)).stdout;
    expect(await wrong('1.13.90')).toContain('bpf ct list ( <endpoint identifier> | global )');
    expect(await wrong('1.14.2')).toContain('bpf ct list ( global | endpoint | cluster ) [identifier]');
  });
});

describe('an agent on the way to 1.17', () => {
  kernelTest('pins the maps of 1.16, and its command line prints prefixes in JSON', async () => {
    using fs = mountBpffs();
    pin(fs, 'cilium_policy_00123', { type: 'lpm_trie', keySize: 12, valueSize: 24, maxEntries: 2, flags: 1 });
    pin(fs, 'cilium_node_map_v2', { type: 'hash', keySize: 20, valueSize: 4, maxEntries: 1 });
    pin(fs, 'cilium_ipmasq_v4', { type: 'lpm_trie', keySize: 8, valueSize: 1, maxEntries: 2, flags: 1 }, [
      [Buffer.from('080000000a000000', 'hex'), Buffer.from([0])],
    ]);
    const list = async (...release: string[]) =>
      (await bpf(fs, ['ipmasq', 'list', '-o', 'json', ...release])).stdout;
    expect(JSON.parse(await list())).toEqual([{ IP: '10.0.0.0', Mask: '/wAAAA==' }]);
    expect(JSON.parse(await list('--agent-release', '1.17.0-dev'))).toEqual(['10.0.0.0/8']);
    expect(JSON.parse(await list('--agent-release', '1.17'))).toEqual(['10.0.0.0/8']);
  });
});

describe('an egress gateway of 1.20', () => {
  // differs: bpf-egress-both
  kernelTest('is written to both of its maps, and deleted from both', async () => {
    using fs = mountBpffs();
    const trie = { type: 'lpm_trie', keySize: 12, maxEntries: 8, flags: 1 } as const;
    pin(fs, 'cilium_egress_gw_policy_v4', { ...trie, valueSize: 8 });
    pin(fs, 'cilium_egress_gw_policy_v4_v2', { ...trie, valueSize: 28 });
    const pair = ['10.0.0.1', '20.0.0.0/8'];
    expect((await bpf(fs, ['egress', 'update', ...pair, '10.0.0.2', '10.0.0.3'])).code).toBe(0);
    const key = encode(egressKey4, { prefixLength: 40, source: '10.0.0.1', destination: '20.0.0.0' });
    using old = openMap(join(fs.globals, 'cilium_egress_gw_policy_v4'));
    using young = openMap(join(fs.globals, 'cilium_egress_gw_policy_v4_v2'));
    expect(old.lookup(key)?.toString('hex')).toBe('0a0000030a000002');
    expect(young.lookup(key)?.toString('hex')).toBe(`0a0000030a000002${'00'.repeat(20)}`);
    expect((await bpf(fs, ['egress', 'list'])).stdout).toMatch(/10\.0\.0\.3 +10\.0\.0\.2 +0\n$/);
    expect((await bpf(fs, ['egress', 'delete', ...pair, '-y'])).code).toBe(0);
    expect([...(await readAll(old)), ...(await readAll(young))]).toEqual([]);
  });
});

const EMPTY = { stdout: '', stderr: 'No entries found.\n', code: 0 };

kernelTest('the maps of all endpoints are one document from 1.14 on', async () => {
  using fs = mountBpffs();
  pin(fs, 'cilium_policy_00123', POLICY_OLD);
  const path = join(fs.globals, 'cilium_policy_00123');
  const list = async (release: string, ...flags: string[]) =>
    (await bpf(fs, ['policy', 'list', '--agent-release', release, ...flags])).stdout;
  expect((await list('1.13')).startsWith(`${path}:\n\n`)).toBe(true);
  expect((await list('1.14')).startsWith(`Endpoint ID: 123\nPath: ${path}\n\n`)).toBe(true);
  expect(JSON.parse(await list('1.14', '-o', 'json'))).toEqual([
    { EndpointID: '123', Path: path, Content: [] },
  ]);
});

describe('the node ids of 1.14 and 1.15', () => {
  const entries = [
    [encode(nodeKey, { ip: '10.0.0.7' }), encode(nodeValue115, { id: 300 })],
    [encode(nodeKey, { ip: 'fd00::7' }), encode(nodeValue115, { id: 12 })],
  ] as const;
  const spec = { type: 'hash', keySize: 20, valueSize: 2, maxEntries: 8 } as const;

  kernelTest('have no SPI', async () => {
    using fs = mountBpffs();
    pin(fs, 'cilium_node_map', spec, entries);
    expect(await bpf(fs, ['nodeid', 'list'])).toEqual({
      stdout: 'NODE ID   IP ADDRESSES\n0xc       fd00::7\n0x12c     10.0.0.7\n',
      stderr: '',
      code: 0,
    });
    const { stdout } = await bpf(fs, ['nodeid', 'list', '-o', 'json']);
    expect(JSON.parse(stdout)).toEqual([
      { ID: 12, Address: 'fd00::7' },
      { ID: 300, Address: '10.0.0.7' },
    ]);
  });

  kernelTest('give way to the map of 1.16, where both are pinned', async () => {
    using fs = mountBpffs();
    pin(fs, 'cilium_node_map', spec, entries);
    pin(fs, 'cilium_node_map_v2', { ...spec, valueSize: 4 }, [
      [encode(nodeKey, { ip: '10.0.0.7' }), encode(nodeValue, { id: 300, spi: 3 })],
    ]);
    expect((await bpf(fs, ['nodeid', 'list'])).stdout).toMatch(
      /^NODE ID +IP ADDRESSES +SPI\n0x12c +10\.0\.0\.7 +3\n$/,
    );
  });
});

describe('maps without entries', () => {
  describe.each([
    ['endpoint list', 'IP ADDRESS   LOCAL ENDPOINT INFO\n'],
    ['tunnel list', 'TUNNEL   VALUE\n'],
    ['lb list', 'SERVICE ADDRESS   BACKEND ADDRESS\n'],
    ['lb list --revnat', 'ID   BACKEND ADDRESS\n'],
    ['lb maglev list', 'SVC ID   LOOKUP TABLE\n'],
    ['recorder list', '\n\n'],
    ['ct list global', '\n\n\n\n'],
    ['nat list', '\n\n'],
  ])('of 1.10, bpf %s', (words, stdout) => {
    kernelTest('prints its frame', async () => {
      using fs = mountBpffs();
      const { maps } = fixture<{ maps: RecordedMap[] }>('recordings/bpf-1.10.json');
      for (const map of maps) restoreMap({ ...map, entries: [] }, fs.globals);
      expect((await bpf(fs, words.split(' '))).stdout).toBe(stdout);
    });
  });

  describe.each(['ipcache list', 'egress list', 'ipmasq list', 'bandwidth list', 'metrics list'])(
    'of 1.10, bpf %s',
    (words) => {
      kernelTest('says so on stderr', async () => {
        using fs = mountBpffs();
        const { maps } = fixture<{ maps: RecordedMap[] }>('recordings/bpf-1.10.json');
        for (const map of maps) restoreMap({ ...map, entries: [] }, fs.globals);
        expect(await bpf(fs, words.split(' '))).toEqual(EMPTY);
      });
    },
  );

  kernelTest('of SRv6 are said too', async () => {
    using fs = mountBpffs();
    expect(await bpf(fs, ['srv6', 'state'])).toMatchObject({
      stderr: 'Cannot find SRv6 state maps\n',
      code: 0,
    });
    pin(fs, 'cilium_srv6_state_v4', { type: 'lru_hash', keySize: 8, valueSize: 32, maxEntries: 4 });
    expect(await bpf(fs, ['srv6', 'state'])).toEqual(EMPTY);
    using map = openMap(join(fs.globals, 'cilium_srv6_state_v4'), { write: true });
    map.update(
      Buffer.from('0a0000010a000002', 'hex'),
      Buffer.from(`fd${'00'.repeat(14)}01fd${'00'.repeat(14)}02`, 'hex'),
    );
    expect((await bpf(fs, ['srv6', 'state'])).stdout).toMatch(
      /\n10\.0\.0\.1 +10\.0\.0\.2 +fd00::1 +fd00::2\n$/,
    );
  });
});
