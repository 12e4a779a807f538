import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { createMap, type MapSpec, openMap } from '../../../src/bpf/kernel/objects.ts';
import { missingKernel, mountBpffs, type TestBpffs } from '../../helpers/bpf.ts';
import { kernelTest } from '../../helpers/kernel-test.ts';
import { run } from '../../helpers/run.ts';

let bpffs: TestBpffs | undefined;
beforeAll(() => {
  if (missingKernel() === undefined) bpffs = mountBpffs();
});
afterAll(() => bpffs?.[Symbol.dispose]());

const bpf = (...argv: string[]) => run(['bpf', ...argv, '--bpf-root', bpffs?.root ?? '']);

/** Pins a map with entries in hex. */
function pinned(name: string, spec: Omit<MapSpec, 'name'>, entries: [key: string, value: string][]): void {
  using map = createMap({ name, ...spec });
  for (const [key, value] of entries) map.update(Buffer.from(key, 'hex'), Buffer.from(value, 'hex'));
  map.pin(join(bpffs?.globals ?? '', name));
}

const TRIE = { type: 'lpm_trie', maxEntries: 64, flags: 1 } as const;
const HASH = { type: 'hash', maxEntries: 64 } as const;
const le32 = (n: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(n);
  return bytes.toString('hex');
};
const le64 = (n: bigint) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(n);
  return bytes.toString('hex');
};

describe('a map without entries', () => {
  kernelTest('is no table, and a list of nothing, null where Go has made none', async () => {
    pinned('cilium_egress_gw_policy_v4', { ...TRIE, keySize: 12, valueSize: 8 }, []);
    pinned('cilium_srv6_sid', { ...HASH, keySize: 16, valueSize: 4 }, []);
    pinned('cilium_node_map_v2', { ...HASH, keySize: 20, valueSize: 4 }, []);
    pinned('cilium_auth_map', { ...HASH, keySize: 12, valueSize: 8 }, []);
    for (const [verb, json] of [
      ['egress list', '[]'],
      ['srv6 sid', '[]'],
      ['nodeid list', '[]'],
      ['auth list', 'null'],
    ] as const) {
      const words = verb.split(' ');
      expect(await bpf(...words)).toEqual({ stdout: '', stderr: 'No entries found.\n', code: 0 });
      expect((await bpf(...words, '-o', 'json')).stdout).toBe(`${json}\n\n`);
    }
    for (const name of readdirSync(bpffs?.globals ?? '')) rmSync(join(bpffs?.globals ?? '', name));
  });
});

describe('a map that is not pinned', () => {
  kernelTest('is said in the words of the reference', async () => {
    expect(await bpf('auth', 'list')).toEqual({ stdout: '', stderr: 'Cannot find auth bpf map\n', code: 0 });
    expect(await bpf('auth', 'flush')).toEqual({ stdout: '', stderr: 'Cannot find auth bpf map\n', code: 0 });
    expect(await bpf('egress', 'list', '-o', 'json')).toMatchObject({ stdout: '', code: 0 });
    for (const [noun, word] of [
      ['nodeid', 'node'],
      ['config', 'config'],
    ] as const)
      expect(await bpf(noun, 'list', '-o', 'json')).toEqual({
        stdout: '',
        stderr: `Cannot find ${word} bpf map\n`,
        code: 0,
      });
    expect(await bpf('vtep', 'list')).toMatchObject({
      stderr: expect.stringMatching(
        /^Error: error dumping contents of map: loading pinned map .*\/cilium_vtep_map: no such file or directory\n/,
      ),
      code: 1,
    });
    expect(await bpf('ct', 'list')).toEqual({
      stdout: '',
      stderr: ['cilium_ct4_global', 'cilium_ct_any4_global']
        .map((name) => `Unable to open ${bpffs?.globals}/${name}: no such file or directory. Skipping.\n`)
        .join(''),
      code: 0,
    });
    expect((await bpf('ct', 'list', '-o', 'json')).stdout).toBe('[]\n\n');
    expect((await bpf('ct', 'list', 'endpoint', '7')).stderr).toContain(
      '/cilium_ct4_00007: no such file or directory: please try using "cilium bpf ct list global". Skipping.\n',
    );
    expect(await bpf('policy', 'list')).toEqual({ stdout: 'no maps found\n', stderr: '', code: 0 });
    expect(await bpf('lb', 'maglev', 'list')).toEqual({
      stdout: 'SVC ID   LOOKUP TABLE\n',
      stderr: '',
      code: 0,
    });
    expect(await bpf('nat', 'flush')).toMatchObject({ stdout: '', code: 0 });
  });
});

describe('a table of connections that is not named', () => {
  for (const release of ['1.9', '1.10', '1.14', '1.17'])
    kernelTest(`is missed for maps of ${release}`, async () => {
      for (const verb of ['list', 'flush']) {
        const { code, stdout, stderr } = await bpf('ct', verb, '--agent-release', release);
        expect({ code, stderr }).toMatchObject({
          code: 1,
          stderr: expect.stringMatching(/^Error: Missing endpoint id or 'global' argument\n/),
        });
        expect(stdout).toMatch(
          /bpf ct (list|flush) \( (<endpoint identifier> \| global|global \| endpoint \| cluster) \)/,
        );
      }
    });

  // differs: bpf-ct-default
  kernelTest('is the global one for those of later releases', async () => {
    for (const release of ['1.18', '1.19', '1.20']) {
      const { code, stderr } = await bpf('ct', 'list', '--agent-release', release);
      expect(code).toBe(0);
      expect(stderr).toContain('cilium_ct4_global: no such file or directory');
    }
  });
});

describe('entries', () => {
  // differs: bpf-auth-utc
  kernelTest('of authentication show until when it holds', async () => {
    pinned('cilium_auth_map', { ...HASH, keySize: 12, valueSize: 8 }, [
      [`${le32(70000)}${le32(9)}0300ff00`, le64(1_953_125n * 1_700_000_000n + 976_563n)],
      [`${le32(800)}${le32(900)}00000100`, le64(1_953_125n)],
    ]);
    const text = await bpf('auth', 'list');
    expect(text.stdout).toBe(
      'SRC IDENTITY   DST IDENTITY   REMOTE NODE ID   AUTH TYPE               EXPIRATION\n' +
        '800            900            0                spire                   1970-01-01 00:00:01 +0000 UTC\n' +
        '70000          9              3                Unknown-auth-type-255   2023-11-14 22:13:20.500000256 +0000 UTC\n',
    );
    expect(JSON.parse((await bpf('auth', 'list', '-o', 'json')).stdout)).toEqual([
      {
        LocalIdentity: 800,
        RemoteIdentity: 900,
        RemoteNodeID: 0,
        AuthType: 1,
        Expiration: '1970-01-01T00:00:01Z',
      },
      {
        LocalIdentity: 70000,
        RemoteIdentity: 9,
        RemoteNodeID: 3,
        AuthType: 255,
        Expiration: '2023-11-14T22:13:20.500000256Z',
      },
    ]);
    expect((await bpf('auth', 'list', '-o', 'yaml')).stdout).toContain(
      '- localidentity: 800\n  remoteidentity: 900\n  remotenodeid: 0\n  authtype: 1\n',
    );
    expect((await bpf('auth', 'flush', '--dry-run')).stdout).toBe(
      'Would delete all entries of cilium_auth_map.\n',
    );
    expect((await bpf('auth', 'flush')).stdout).toBe('Flushed 2 entries\n');
    expect(await bpf('auth', 'list')).toEqual({ stdout: '', stderr: 'No entries found.\n', code: 0 });
  });

  kernelTest('of bandwidth show rates as quantities, sorted as texts', async () => {
    const value = (bps: bigint, prio: number) =>
      `${le64(bps)}${'00'.repeat(16)}${le32(prio)}${'00'.repeat(28)}`;
    pinned('cilium_throttle', { ...HASH, keySize: 8, valueSize: 56 }, [
      [`${le32(9)}00000000`, value(1_250_000n, 0)],
      [`${le32(1234)}01000000`, value(187_500n, 5)],
      [`${le32(1234)}00000000`, value(125_000_000_000n, 0)],
      [`${le32(77)}00000000`, value(3n, 1)],
    ]);
    expect((await bpf('bandwidth', 'list')).stdout).toBe(
      'IDENTITY   DIRECTION   PRIO   BANDWIDTH (BitsPerSec)\n' +
        '1234       Egress      0      1T\n' +
        '1234       Ingress     5      1500k\n' +
        '77         Egress      1      24\n' +
        '9          Egress      0      10M\n',
    );
    expect(JSON.parse((await bpf('bandwidth', 'list', '-o', 'json')).stdout)).toMatchObject({
      '1234, 1': ['187500, 5'],
    });
    const of = (release: string, ...flags: string[]) =>
      bpf('bandwidth', 'list', '--agent-release', release, ...flags);
    expect((await of('1.16')).stdout).toMatch(/^IDENTITY +EGRESS BANDWIDTH \(BitsPerSec\)\n1234 +1T\n/);
    expect((await of('1.17')).stdout).toMatch(
      /^IDENTITY +PRIO +EGRESS BANDWIDTH \(BitsPerSec\)\n1234 +0 +1T\n/,
    );
    expect(JSON.parse((await of('1.17', '-o', 'json')).stdout)).toMatchObject({ 77: ['3, 1'] });
  });

  // differs: bpf-sorted
  kernelTest('of egress gateways show special gateways in words', async () => {
    pinned('cilium_egress_gw_policy_v4', { ...TRIE, keySize: 12, valueSize: 8 }, [
      [`${le32(32 + 8)}0a00000214000000`, '0a01010100000000'],
      [`${le32(32 + 16)}0a00000214010000`, '0000000000000001'],
      [`${le32(32)}0a00000900000000`, 'c0a80101c0a80102'],
    ]);
    pinned('cilium_egress_gw_policy_v6', { ...TRIE, keySize: 36, valueSize: 40 }, [
      [
        `${le32(128 + 64)}fd000000000000000000000000000002fd010000000000000000000000000000`,
        `fd0000000000000000000000000000ffc0a80101${'00'.repeat(12)}${le32(4)}00000000`,
      ],
    ]);
    const release = ['--agent-release', '1.19'];
    expect((await bpf('egress', 'list', '--agent-release', '1.20')).stdout).toMatch(
      /Gateway IP +Egress Ifindex\n10\.0\.0\.2 (?:.|\n)*Not Found +0\n(?:.|\n)*\nfd00::2 .* 4\n$/,
    );
    expect(JSON.parse((await bpf('egress', 'list', '-o', 'json')).stdout)).toContainEqual(
      expect.objectContaining({ SourceIP: 'fd00::2', Ifindex: 4 }),
    );
    const old = async (named: string) => (await bpf('egress', 'list', '--agent-release', named)).stdout;
    expect(await old('1.12')).toMatch(/10\.1\.1\.1 +0\.0\.0\.0\n(?:.|\n)* 0\.0\.0\.1\n/);
    expect(await old('1.13')).toMatch(/10\.1\.1\.1 +Not Found\n(?:.|\n)* 0\.0\.0\.1\n/);
    expect((await bpf('egress', 'list', ...release)).stdout).toBe(
      'Source IP   Destination CIDR   Egress IP     Gateway IP\n' +
        '10.0.0.2    20.0.0.0/8         10.1.1.1      Not Found\n' +
        '10.0.0.2    20.1.0.0/16        0.0.0.0       Excluded CIDR\n' +
        '10.0.0.9    0.0.0.0/0          192.168.1.1   192.168.1.2\n' +
        'fd00::2     fd01::/64          fd00::ff      192.168.1.1\n',
    );
    expect((await bpf('egress', 'get', '10.0.0.2', '20.1.2.3')).stdout).toBe('0.0.0.1 0.0.0.0\n');
    expect((await bpf('egress', 'update', '10.0.0.2', '20.1.2.0/24', '192.168.1.9', '10.9.9.9')).code).toBe(
      0,
    );
    expect((await bpf('egress', 'lookup', '10.0.0.2', '20.1.2.3')).stdout).toBe('192.168.1.9 10.9.9.9\n');
    expect((await bpf('egress', 'delete', '10.0.0.2', '20.1.2.0/25')).stderr).toContain(
      'no egress gateway entry',
    );
    expect((await bpf('egress', 'delete', '10.0.0.2', '20.1.2.0/24')).code).toBe(0);
    expect((await bpf('egress', 'get', '10.0.0.2', '20.1.2.3')).stdout).toBe('0.0.0.1 0.0.0.0\n');
  });

  kernelTest('of fragments keep the reference’s unswapped ports', async () => {
    pinned('cilium_ipv4_frag_datagrams', { ...HASH, keySize: 12, valueSize: 4 }, [
      ['0a0000020a000001123411ff', '00501f90'],
    ]);
    pinned('cilium_ipv6_frag_datagrams', { ...HASH, keySize: 40, valueSize: 4 }, [
      [`0000abcd06000000${'fd'.padEnd(30, '0')}01${'fd'.padEnd(30, '0')}02`, '00350050'],
    ]);
    expect((await bpf('frag', 'list')).stdout).toBe(
      'ID      PROTO   SOURCE ADDRESS:PORT   DEST ADDRESS:PORT\n' +
        '4660    UDP     10.0.0.1:20480        10.0.0.2:36895\n' +
        '43981   TCP     fd00::1:13568         [fd00::2]:20480\n',
    );
    expect(JSON.parse((await bpf('fragments', 'ls', '-o', 'json')).stdout)).toEqual([
      { ID: 4660, Proto: 17, SourceAddress: '10.0.0.1:20480', DestAddress: '10.0.0.2:36895' },
      { ID: 43981, Proto: 6, SourceAddress: 'fd00::1:13568', DestAddress: '[fd00::2]:20480' },
    ]);
  });

  kernelTest('of SRv6 show which VRF leads where', async () => {
    const sid = 'fd'.padEnd(30, '0');
    pinned('cilium_srv6_vrf_v4', { ...TRIE, keySize: 12, valueSize: 4 }, [
      [`${le32(32 + 24)}0a00000114000100`, le32(9)],
    ]);
    pinned('cilium_srv6_policy_v4', { ...TRIE, keySize: 12, valueSize: 16 }, [
      [`${le32(32 + 8)}${le32(9)}14000000`, `${sid}07`],
    ]);
    pinned('cilium_srv6_sid', { ...HASH, keySize: 16, valueSize: 4 }, [[`${sid}07`, le32(9)]]);
    expect((await bpf('srv6', 'vrf')).stdout).toBe(
      'Source IP   Destination CIDR   VRF ID\n10.0.0.1    20.0.1.0/24        9\n',
    );
    expect((await bpf('srv6', 'pol')).stdout).toBe(
      'VRF ID   Destination CIDR   SID\n9        20.0.0.0/8         fd00::7\n',
    );
    expect((await bpf('srv6', 'sid')).stdout).toBe('SID       VRF ID\nfd00::7   9\n');
    const json = async (verb: string) => JSON.parse((await bpf('srv6', verb, '-o', 'json')).stdout);
    expect(await json('ctx')).toEqual([{ SourceIP: '10.0.0.1', DestCIDR: '20.0.1.0/24', ID: 9 }]);
    expect(await json('policy')).toEqual([{ VRFID: 9, DestCIDR: '20.0.0.0/8', SID: 'fd00::7' }]);
    expect(await json('sid')).toEqual([{ SID: 'fd00::7', VRFID: 9 }]);
  });

  kernelTest('of Maglev show the table of each service', async () => {
    using inner = createMap({ type: 'array', maxEntries: 1, keySize: 4, valueSize: 12 });
    inner.update(Buffer.alloc(4), Buffer.from(le32(2) + le32(3) + le32(2), 'hex'));
    using outer = createMap({ type: 'hash_of_maps', keySize: 2, valueSize: 4, maxEntries: 8, inner });
    outer.updateObject(Buffer.from('0007', 'hex'), inner);
    outer.pin(join(bpffs?.globals ?? '', 'cilium_lb4_maglev'));
    const tables = { '[7]/v4': ['[2 3 2]'] };
    expect(JSON.parse((await bpf('lb', 'maglev', 'list', '-o', 'json')).stdout)).toEqual(tables);
    expect(JSON.parse((await bpf('lb', 'maglev', 'get', '7', '-o', 'json')).stdout)).toEqual(tables);
  });

  kernelTest('of masquerading exceptions are prefixes', async () => {
    pinned('cilium_ipmasq_v4', { ...TRIE, keySize: 8, valueSize: 1 }, [
      [`${le32(8)}0a000000`, '00'],
      [`${le32(16)}0a0a0000`, '00'],
      [`${le32(16)}0a020000`, '00'],
    ]);
    expect((await bpf('ipmasq', 'list')).stdout).toBe(
      'IP PREFIX/ADDRESS   \n10.0.0.0/8               \n10.2.0.0/16              \n10.10.0.0/16             \n',
    );
    expect(JSON.parse((await bpf('ipmasq', 'list', '-o', 'json')).stdout)).toEqual([
      '10.0.0.0/8',
      '10.2.0.0/16',
      '10.10.0.0/16',
    ]);
  });

  // differs: bpf-old-verbs
  kernelTest('of older agents are read too: tunnels and the recorder', async () => {
    pinned('cilium_tunnel_map', { ...HASH, keySize: 20, valueSize: 20 }, [
      [`0a020000${'00'.repeat(12)}01000000`, `c0a80107${'00'.repeat(12)}01050000`],
    ]);
    expect((await bpf('tunnel', 'list')).stdout).toBe('TUNNEL     VALUE\n10.2.0.0   192.168.1.7:5   \n');
    expect(JSON.parse((await bpf('tunnel', 'list', '-o', 'json')).stdout)).toEqual({
      '10.2.0.0': ['192.168.1.7:5'],
    });
    pinned('cilium_capture4_rules', { ...HASH, keySize: 16, valueSize: 8 }, [
      ['0a0000000a01000000501f9006181000', `0100000080000000`],
    ]);
    expect((await bpf('recorder', 'list', '--agent-release', '1.17')).stdout).toBe(
      '10.0.0.0/24:80 -> 10.1.0.0/16:8080 TCP ID:1 CapLen:128\n\n',
    );
    expect(
      JSON.parse((await bpf('recorder', 'list', '--agent-release', '1.17', '-o', 'json')).stdout),
    ).toEqual([
      {
        Key: {
          SrcAddr: [10, 0, 0, 0],
          DestAddr: [10, 1, 0, 0],
          SrcPort: 20480,
          DestPort: 36895,
          NextHdr: 6,
          SrcMask: 24,
          DestMask: 16,
          Flags: 0,
        },
        Value: { RuleId: 1, Reserved: 0, CapLen: 128 },
      },
    ]);
  });

  // differs: bpf-vtep-mask
  kernelTest('of VTEPs are listed, written and deleted', async () => {
    pinned('cilium_vtep_map', { ...HASH, keySize: 4, valueSize: 16 }, []);
    expect(await bpf('vtep', 'list')).toEqual({ stdout: '', stderr: 'No entries found.\n', code: 0 });
    expect(await bpf('vtep', 'add', '10.9.1.77/24', '192.168.1.5', '02:AB:cd:00:00:01')).toEqual({
      stdout: '',
      stderr: '',
      code: 0,
    });
    expect((await bpf('vtep', 'list')).stdout).toBe(
      'IP PREFIX/ADDRESS   VTEP\n10.9.1.0            vtepmac=02:AB:CD:00:00:01 tunnelendpoint=192.168.1.5   \n',
    );
    expect(JSON.parse((await bpf('vtep', 'list', '-o', 'json')).stdout)).toEqual({
      '10.9.1.0': ['vtepmac=02:AB:CD:00:00:01 tunnelendpoint=192.168.1.5'],
    });
    expect((await bpf('vtep', 'update', '10.9.1.0/24', '192.168.1.5', '02:ab')).stderr).toContain(
      'is not a valid MAC address',
    );
    expect((await bpf('vtep', 'update', '10.9.1.0/24', 'fd00::1', '02:AB:cd:00:00:01')).code).toBe(1);
    expect((await bpf('vtep', 'delete', '10.9.1.0/24', '--dry-run')).stdout).toBe(
      'Would delete the entry of 10.9.1.0/24.\n',
    );
    expect((await bpf('vtep', 'delete', '10.9.1.0/24')).code).toBe(0);
    expect((await bpf('vtep', 'delete', '10.9.1.0/24')).stderr).toContain('no entry for 10.9.1.0/24');
  });

  // differs: bpf-multicast
  kernelTest('of multicast groups are listed, added and deleted', async () => {
    using inner = createMap({ ...HASH, maxEntries: 1024, keySize: 4, valueSize: 12 });
    using outer = createMap({ type: 'hash_of_maps', keySize: 4, valueSize: 4, maxEntries: 8, inner });
    outer.pin(join(bpffs?.globals ?? '', 'cilium_mcast_group_outer_v4_map'));
    for (const group of ['229.0.0.10', '229.0.0.9', '225.1.1.1'])
      expect(await bpf('multicast', 'group', 'add', group)).toEqual({ stdout: '', stderr: '', code: 0 });
    expect((await bpf('mcast', 'group', 'add', '229.0.0.9')).stderr).toContain('229.0.0.9 exists already');
    expect((await bpf('mcast', 'group', 'add', '10.0.0.1')).stderr).toContain(
      'invalid multicast IP: 10.0.0.1',
    );
    expect((await bpf('mcast', 'group', 'ls')).stdout).toBe(
      'Group Address\n225.1.1.1\n229.0.0.9\n229.0.0.10\n',
    );
    using group = openMap(join(bpffs?.globals ?? '', 'cilium_mcast_group_outer_v4_map'));
    expect(group.lookup(Buffer.from([225, 1, 1, 1]))).toBeDefined();
    expect((await bpf('mcast', 'sub', 'list', 'all')).stdout).toBe(
      'Group           Subscriber      Type            \n225.1.1.1       \n229.0.0.9       \n229.0.0.10      \n',
    );
    expect(JSON.parse((await bpf('mcast', 'sub', 'list', 'all', '-o', 'json')).stdout)).toEqual(
      ['225.1.1.1', '229.0.0.9', '229.0.0.10'].map((group_address) => ({ group_address, subscribers: [] })),
    );
    expect((await bpf('mcast', 'sub', 'add', '225.1.1.1', '10.0.0.9')).stderr).toContain('cilium_vxlan');
    expect((await bpf('mcast', 'sub', 'del', '225.1.1.1', '10.0.0.9')).stderr).toContain(
      'it is not in the group',
    );
    expect((await bpf('mcast', 'sub', 'list', '230.0.0.1')).stderr).toContain('there is no such group');
    expect((await bpf('mcast', 'group', 'del', '225.1.1.1')).code).toBe(0);
    expect(JSON.parse((await bpf('mcast', 'group', 'list', '-o', 'json')).stdout)).toEqual([
      '229.0.0.9',
      '229.0.0.10',
    ]);
  });
});

describe('what no cluster holds every day is shown as the reference shows it', () => {
  const mapped = `${'00'.repeat(10)}ffff0a000001`;
  const service = (address: string) => `${address}0050${'0100'}06000000`;

  beforeAll(() => {
    if (!bpffs) return;
    for (const name of readdirSync(bpffs.globals)) rmSync(join(bpffs.globals, name));
    pinned('cilium_srv6_sid', { ...HASH, keySize: 16, valueSize: 4 }, [[mapped, le32(9)]]);
    pinned('cilium_srv6_vrf_v4', { ...TRIE, keySize: 12, valueSize: 4 }, [['00'.repeat(12), le32(9)]]);
    pinned('cilium_srv6_vrf_v6', { ...TRIE, keySize: 36, valueSize: 4 }, []);
    pinned('cilium_ipmasq_v4', { ...TRIE, keySize: 12, valueSize: 1 }, [['00'.repeat(12), '00']]);
    pinned('cilium_ct6_global', { ...HASH, keySize: 38, valueSize: 56 }, [
      [`${mapped}${'fd'.padEnd(30, '0')}0200500051${'0600'}`, '00'.repeat(56)],
    ]);
    pinned('cilium_ct4_global', { ...HASH, keySize: 14, valueSize: 56 }, [
      ['0a0000010a000002005000510600', '00'.repeat(56)],
    ]);
    pinned('cilium_node_map_v2', { ...HASH, keySize: 20, valueSize: 4 }, [['00'.repeat(20), '07000300']]);
    pinned('cilium_lb4_services_v2', { ...HASH, keySize: 12, valueSize: 12 }, [
      [service('0a600001'), `${le32(5)}00000003${'00'.repeat(4)}`],
    ]);
    pinned('cilium_lb4_backends_v3', { ...HASH, keySize: 4, valueSize: 12 }, [
      [le32(5), '0a010001005006000700' + '0200'],
    ]);
    pinned('cilium_auth_map', { ...HASH, keySize: 12, valueSize: 8 }, [
      [`${le32(1)}${le32(2)}03000200`, le64(0x7fff_ffff_ffff_ffffn)],
      [`${le32(4)}${le32(2)}03000200`, le64(1_953_125n)],
    ]);
    pinned('cilium_metrics', { ...HASH, type: 'percpu_hash', keySize: 8, valueSize: 16 }, []);
    pinned('cilium_policystats', { ...HASH, type: 'percpu_hash', keySize: 12, valueSize: 16 }, []);
    pinned('cilium_policy_v3_00042', { ...TRIE, keySize: 12, valueSize: 12 }, [
      [`${le32(40 + 22)}${le32(2)}0011ffff`, `00000000${le32(1)}${le32(6)}`],
    ]);
    pinned('cilium_ipcache_v2', { ...TRIE, keySize: 24, valueSize: 24 }, [
      [`${le32(32 + 8)}000000010a000000${'00'.repeat(12)}`, `${le32(7)}${'00'.repeat(20)}`],
    ]);
  });

  for (const [what, verb, expected] of [
    ['an IPv4 address within IPv6', 'srv6 sid', 'SID               VRF ID\n::ffff:10.0.0.1   9\n'],
    ['the same of a connection', 'ct list', /\nTCP OUT ::ffff:10\.0\.0\.1:81 -> fd00::2:80 /],
    ['a prefix that no address has', 'srv6 vrf', /\n0\.0\.0\.0 {5}invalid Prefix {5}9\n$/],
    ['a node of no family', 'nodeid list', 'NODE ID   IP ADDRESSES   SPI\n0x7       <unknown>      3\n'],
    [
      'a backend of another cluster',
      'lb list',
      /^10\.96\.0\.1:80\/TCP \(1\) {2,}10\.1\.0\.1@7:80\/TCP \(3\) \(1\) {3}$/m,
    ],
    ['ports that end beyond the last', 'policy get 42 -n', / 65535-2\/UDP /],
    [
      'a time of no calendar',
      'auth list',
      /test-always-fail {3}151615-11-02 11:27:49\.645213184 \+0000 UTC$/m,
    ],
    [
      'an address within a prefix alone',
      'ipcache get ::ffff:10.1.2.3',
      /^::ffff:10\.1\.2\.3 maps to identity identity=7 /,
    ],
    [
      'a prefix that is not there',
      'ipcache match 10.0.0.0/9',
      '10.0.0.0/9 does not match to any ipcache entry\n',
    ],
    ['no Maglev map', 'lb maglev list', 'SVC ID   LOOKUP TABLE\n'],
    ['no Maglev map, as JSON', 'lb maglev list -o json', '{}\n\n'],
    ['no map of sockets', 'socknat list', 'Socket Cookie   Backend -> Frontend\n'],
    ['no map of sockets, as JSON', 'socknat list -o json', '{}\n\n'],
    ['a structure in a jsonpath', 'srv6 sid -o jsonpath={[0]}', '{"SID":"::ffff:10.0.0.1","VRFID":9}\n'],
    [
      'a structure within one',
      'policy get 42 -o jsonpath={[0].Key.Nexthdr}{[0].Key}',
      /^17\{"Prefixlen":62,"Identity":2,/,
    ],
    ['a time in a jsonpath', 'auth list -o jsonpath={[1].Expiration}', '"1970-01-01T00:00:01Z"\n'],
    ['a time as YAML', 'auth list -o yaml', /^ {2}expiration: 1970-01-01T00:00:01Z$/m],
    [
      'structures that Go embeds, as YAML',
      'policy get 42 -o yaml',
      /^- policyentry:\n {4}proxyportnetwork: 0\n(?: {4}.*\n)+ {2}statsvalue:\n {4}packets: 18446744073709551615\n {4}bytes: 18446744073709551615\n {2}key:\n {4}prefixlen: 62\n/,
    ],
    [
      'connections of both families as YAML',
      'ct list -o yaml',
      /^- key:\n {4}tuplekey4global:\n {8}tuplekey4:\n {12}destaddr:\n {16}- 10\n(?:.*\n)+- key:\n {4}tuplekey6global:\n {8}tuplekey6:\n {12}destaddr:\n {16}- 0\n/,
    ],
  ] as const)
    kernelTest(what, async () => {
      const { stdout } = await bpf(...verb.split(' '), '--agent-release', '1.20');
      if (typeof expected === 'string') expect(stdout).toBe(expected);
      else expect(stdout).toMatch(expected);
    });

  kernelTest('exceptions of masquerading with keys of another size are not read', async () => {
    expect(await bpf('ipmasq', 'list')).toMatchObject({ stdout: '', code: 1 });
  });

  // differs: bpf-mapped, bpf-ipcache-log
  kernelTest('what older releases print otherwise is as in 1.20', async () => {
    expect((await bpf('srv6', 'sid', '--agent-release', '1.19')).stdout).toContain('::ffff:10.0.0.1 ');
    expect((await bpf('ct', 'list', 'global', '--agent-release', '1.19')).stdout).toContain(
      'TCP OUT 10.0.0.1:81 -> fd00::2:80 ',
    );
    await bpf('ipcache', 'update', '10.0.0.0/8', '--clusterid', '5');
    expect((await bpf('ipcache', 'get', '10.1.2.3')).stdout).toMatch(/^10\.1\.2\.3 maps to identity .*\n$/);
  });

  // differs: bpf-lb-zone
  kernelTest('the zone of a backend has a number', async () => {
    expect((await bpf('lb', 'list', '--backends')).stdout).toContain('TCP://10.1.0.1@7[2]');
  });

  // differs: bpf-auth-far
  kernelTest('a time that JSON of Go has no form for keeps none of the others back', async () => {
    const { stdout, code } = await bpf('auth', 'list', '-o', 'json');
    expect(JSON.parse(stdout)).toMatchObject([
      { Expiration: '151615-11-02T11:27:49.645213184Z' },
      { Expiration: '1970-01-01T00:00:01Z' },
    ]);
    expect(code).toBe(0);
  });

  // differs: bpf-ipcache-prefix, bpf-ipcache-update
  kernelTest('a prefix is written without the bits behind it, and needs no tunnel', async () => {
    expect((await bpf('ipcache', 'update', '20.0.0.9/24', '--identity', '5')).stdout).toBe(
      'Updated entry 20.0.0.0/24 => identity=5 encryptkey=0 tunnelendpoint=0.0.0.0 flags=<none>\n',
    );
    expect((await bpf('ipcache', 'match', '20.0.0.9/24')).stdout).toContain('key 20.0.0.0/24 has value');
    expect((await bpf('ipcache', 'update', '20.0.0.9/32', '--tunnelendpoint', '0.0.0.0')).stdout).toContain(
      'tunnelendpoint=0.0.0.0 flags=hastunnel\n',
    );
  });

  // differs: bpf-policy-precedence, bpf-policy-ports
  kernelTest('an entry of a policy map has the precedence of a rule, and keeps its protocol', async () => {
    expect((await bpf('policy', 'add', '42', 'ingress', '9', '0/tcp', '--deny', '--yes')).code).toBe(0);
    const { stdout } = await bpf('policy', 'get', '42', '-o', 'json');
    expect(JSON.parse(stdout)).toContainEqual(
      expect.objectContaining({
        Precedence: 0xffff_ffff,
        Key: { Prefixlen: 48, Identity: 9, TrafficDirection: 0, Nexthdr: 6, DestPortNetwork: 0 },
      }),
    );
    for (const words of ['http/tcp', '80/tcp/x'])
      expect(await bpf('policy', 'add', '42', 'ingress', '9', words)).toMatchObject({
        stderr: expect.stringContaining(`Failed to parse port/proto "${words}"`),
        code: 1,
      });
  });

  kernelTest('translations go with the connections that went out', async () => {
    const ct = (n: number, flags: string) => `0a00000${n}0a00010${n}0050010${n}06${flags}`;
    const nat = (n: number) => `0a00010${n}0a00000${n}0050010${n}0600`;
    const back = (n: number) => `0909090${n}0a00010${n}070${n}00500601`;
    const swapped = (n: number) => `0a00000${n}0a00010${n}010${n}00500600`;
    const entry = (n: number) => `${'00'.repeat(32)}0909090${n}070${n}0000`;
    const LRU = { type: 'lru_hash', maxEntries: 1024, keySize: 14 } as const;
    pinned('cilium_ct_any4_global', { ...LRU, valueSize: 56 }, [
      [ct(1, '00'), '00'.repeat(56)],
      [ct(2, '00'), `${'00'.repeat(36)}8000${'00'.repeat(18)}`],
      [ct(3, '01'), '00'.repeat(56)],
    ]);
    pinned('cilium_snat_v4_external', { ...LRU, valueSize: 40 }, [
      ...[1, 2, 3].flatMap((n) =>
        [nat(n), back(n), swapped(n)].map((key): [string, string] => [key, entry(n)]),
      ),
    ]);
    expect((await bpf('ct', 'flush', '--yes')).stdout).toContain('Flushed 3 entries from ');
    using map = openMap(join(bpffs?.globals ?? '', 'cilium_snat_v4_external'));
    const left = (key: string) => map.lookup(Buffer.from(key, 'hex')) !== undefined;
    expect([1, 2, 3].map((n) => [left(nat(n)), left(back(n)), left(swapped(n))])).toEqual([
      [false, false, true],
      [true, true, false],
      [true, true, true],
    ]);
  });

  // differs: bpf-auth-flush
  kernelTest('a flush takes the flag that changes nothing, and ends', async () => {
    for (const words of ['bpf auth flush', 'bpf metrics flush', 'encrypt flush', 'config get'])
      expect((await run([...words.split(' '), '--help'])).stdout).toMatch(
        /--output <format> +Accepted for compatibility; has no effect\n/,
      );
    expect((await bpf('auth', 'flush', '-o', 'json')).stdout).toBe('Flushed 2 entries\n');
    expect(await bpf('metrics', 'flush', '-o', 'json')).toEqual({ stdout: '', stderr: '', code: 0 });
  });

  // differs: bpf-skip-missing, bpf-nat-words
  kernelTest('a missing table keeps no other back, and a word too many is an error', async () => {
    expect(await bpf('frag', 'list')).toMatchObject({ stdout: '', code: 0 });
    expect(await bpf('nat', 'retries', 'list')).toMatchObject({
      stderr: expect.stringContaining('Skipping.'),
      code: 0,
    });
    expect((await bpf('nat', 'list', 'foo')).code).toBe(1);
  });
});
