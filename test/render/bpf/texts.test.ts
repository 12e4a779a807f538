import { describe, expect, test } from '@jest/globals';
import { variantOf } from '../../../src/bpf/layouts/map-layout.ts';
import { TUNNEL } from '../../../src/bpf/layouts/nodes.ts';
import { POLICY } from '../../../src/bpf/layouts/policy.ts';
import type { Release } from '../../../src/model/release.ts';
import { endpointKeyText, endpointText } from '../../../src/render/bpf/endpoints.ts';
import { ipcacheKeyText, ipcacheText } from '../../../src/render/bpf/ipcache.ts';
import { tunnelTexts, vtepText } from '../../../src/render/bpf/nodes.ts';
import {
  authTypeName,
  policyEntryJson,
  policyMapTable,
  portProtocolText,
} from '../../../src/render/bpf/policy.ts';
import {
  addressText,
  backendText,
  frontendText,
  serviceBackendText,
  serviceKeyText,
  serviceText,
  socketNatText,
  sourceRangeText,
} from '../../../src/render/bpf/services.ts';
import { renderTable } from '../../../src/render/text/blocks.ts';

const renderPolicyMap = (...facts: Parameters<typeof policyMapTable>) =>
  renderTable(policyMapTable(...facts));

describe('an endpoint', () => {
  const info = {
    ifindex: 7,
    endpointId: 42,
    flags: 0x1a,
    mac: 'aa:bb:cc:dd:ee:ff',
    nodeMac: '01:02:03:04:05:06',
    identity: 900,
  };

  test('is told with its identity and devices', () => {
    expect(endpointKeyText({ ip: '10.0.0.1', key: 0, clusterId: 3 }, '1.20')).toBe('10.0.0.1@3:0');
    expect(endpointKeyText({ ip: 'fd00::1', key: 0, clusterId: 0 }, '1.14')).toBe('fd00::1:0');
    expect(endpointKeyText({ ip: 'fd00::1', key: 0, clusterId: 3 }, '1.13')).toBe('[fd00::1]:0');
    expect(endpointKeyText({ ip: '', key: 0, clusterId: 0 }, '1.20')).toBe('nil');
    expect(endpointText(info, '1.17')).toBe(
      'id=42    sec_id=900   flags=0x001A ifindex=7   mac=AA:BB:CC:DD:EE:FF nodemac=01:02:03:04:05:06',
    );
    expect(endpointText({ ...info, parentIfindex: 3 }, '1.17')).toMatch(/:06 parent_ifindex=3 {2}$/);
    expect(endpointText({ ...info, parentIfindex: 3, routeInfo: 9 }, '1.20')).toMatch(/=3 {3}rt_info:9$/);
    expect(endpointText({ ...info, flags: 3 }, '1.20')).toBe('(localhost)');
  });

  test('has an identity since 1.14', () => {
    expect(endpointText({ ...info, identity: 0 }, '1.13')).toMatch(/^id=42 {4}flags=/);
    expect(endpointText(info, '1.14')).toContain(' sec_id=900 ');
    expect(endpointText({ ...info, identity: 0 }, '1.15')).toContain(' sec_id=0 ');
  });
});

describe('an entry of the ipcache', () => {
  const value = { identity: 6, encryptKey: 255, tunnelEndpoint: '10.1.1.1', flags: 0b1011 };

  test('names the flags that its release knows', () => {
    expect(ipcacheText(value, '1.20')).toBe(
      'identity=6 encryptkey=255 tunnelendpoint=10.1.1.1 flags=skiptunnel,hastunnel,remotecluster',
    );
    expect(ipcacheText({ ...value, flags: 4 }, '1.18')).toMatch(/1 flags=ipv6tunnel$/);
    expect(ipcacheText(value, '1.17')).toMatch(/tunnelendpoint=10.1.1.1 flags=skiptunnel$/);
    for (const release of ['1.16', '1.17-dev'] as const)
      expect(ipcacheText(value, release)).toMatch(/tunnelendpoint=10.1.1.1, flags=skiptunnel$/);
    expect(ipcacheText({ ...value, flags: 2 }, '1.16')).toMatch(/, flags=<none>$/);
  });

  test('is told in the words of older releases', () => {
    const old = { identity: 6, encryptKey: 3, tunnelEndpoint: '10.1.1.1' };
    expect(ipcacheText(old, '1.11')).toBe('6 3 10.1.1.1');
    expect(ipcacheText(old, '1.12')).toBe('identity=6 encryptkey=3 tunnelendpoint=10.1.1.1');
  });

  test('shows the prefix without the bits before the address', () => {
    expect(ipcacheKeyText({ ip: '10.0.0.0', prefixLength: 40, clusterId: 0 })).toBe('10.0.0.0/8');
    expect(ipcacheKeyText({ ip: 'fd00::', prefixLength: 96, clusterId: 5 })).toBe('fd00::/64@5');
    expect(ipcacheKeyText({ ip: '', prefixLength: 40, clusterId: 0 })).toBe('<unknown>');
  });
});

describe('a policy entry', () => {
  test.each([
    [40, 0, 0, 'ANY'],
    [48, 17, 0, 'UDP'],
    [64, 6, 443, '443/TCP'],
    [61, 6, 8000, '8000-8007/TCP'],
    [49, 132, 32768, '32768-65535/SCTP'],
    [47, 6, 0, '<INVALID PREFIX LENGTH: 7>'],
    [70, 6, 0, '<INVALID PREFIX LENGTH: 30>'],
    [64, 99, 5, '5/99'],
  ])('of prefix %i, protocol %i and port %i is about %j', (prefixLength, protocol, port, text) => {
    expect(portProtocolText({ prefixLength, protocol, port })).toBe(text);
  });

  const key = { prefixLength: 64, identity: 9, direction: 1, protocol: 6, port: 0x0102 };
  const value = { proxyPort: 0x0304, flags: 1, auth: 0x81, precedence: 5, cookie: 6 };
  const old = { proxyPort: 0, flags: 0, auth: 0x81, packets: 7n, bytes: 2n ** 63n };
  const variantOfSizes = (keySize: number, valueSize: number, release: Release) => {
    const variant = variantOf(POLICY, { keySize, valueSize }, release);
    if (!variant) throw new Error('no such layout');
    return variant;
  };
  const newest = variantOfSizes(12, 12, '1.20');
  const counting = variantOfSizes(12, 24, '1.17');
  const hash = variantOfSizes(8, 24, '1.14');

  test('is a row of the table of its release', () => {
    const cells = (text: string) =>
      text
        .trimEnd()
        .split('\n')
        .map((line) => line.trim().split(/ {2,}/));
    expect(
      cells(
        renderPolicyMap({ variant: newest, entries: [{ key, value, counters: undefined }] }, [['a', 'b']]),
      ),
    ).toEqual([
      [
        'POLICY',
        'DIRECTION',
        'LABELS (source:key[=value])',
        'PORT/PROTO',
        'PROXY PORT',
        'AUTH TYPE',
        'BYTES',
        'PACKETS',
        'PREFIX',
        'COOKIE',
      ],
      ['Deny', 'Egress', 'a', '258/TCP', '772', 'spire', '-', '-', '24', '6'],
      ['b'],
    ]);
    const row = cells(
      renderPolicyMap(
        { variant: counting, entries: [{ key: { ...key, direction: 2 }, value: old, counters: old }] },
        undefined,
      ),
    );
    expect(row[0]?.slice(2, 4)).toEqual(['IDENTITY', 'PORT/PROTO']);
    expect(row[0]?.at(-1)).toBe('PREFIX');
    expect(row[1]).toEqual([
      'Allow',
      'Unknown',
      '9',
      '258/TCP',
      'NONE',
      'Unknown-auth-type-129',
      '9223372036854775808',
      '7',
      '24',
    ]);
    expect(renderPolicyMap({ variant: newest, entries: [] }, undefined)).toMatch(/COOKIE\n$/);
    expect(renderPolicyMap({ variant: counting, entries: [] }, undefined)).toMatch(/PREFIX {3}\n$/);
  });

  test('is JSON of its release, with the ports unswapped', () => {
    const json = {
      Prefixlen: 64,
      Identity: 9,
      TrafficDirection: 1,
      Nexthdr: 6,
      DestPortNetwork: 0x0201,
    };
    expect(policyEntryJson(newest, { key, value, counters: undefined })).toEqual({
      ProxyPortNetwork: 0x0403,
      Flags: 1,
      AuthRequirement: 0x81,
      Precedence: 5,
      Cookie: 6,
      Packets: 0xffff_ffff_ffff_ffffn,
      Bytes: 0xffff_ffff_ffff_ffffn,
      Key: json,
    });
    const counted = { Packets: 7, Bytes: 2n ** 63n, Key: json };
    const ported = { ...old, proxyPortPriority: 3 };
    expect(policyEntryJson(counting, { key, value: ported, counters: old })).toEqual({
      ...{ ProxyPortNetwork: 0, Flags: 0, AuthRequirement: 0x81, ProxyPortPriority: 3, Pad1: 0, Pad2: 0 },
      ...counted,
    });
    const before = variantOf(POLICY, { pin: 'cilium_policy_00007', keySize: 12, valueSize: 24 }, '1.15');
    if (!before) throw new Error('no such layout');
    expect(policyEntryJson(before, { key, value: old, counters: old })).toEqual({
      ...{ ProxyPortNetwork: 0, Flags: 0, AuthType: 0x81, Pad1: 0, Pad2: 0 },
      ...counted,
    });
  });

  test('of a hash map has no prefix, and no port means any', () => {
    const any = { ...key, protocol: 6, port: 0 };
    const ping = { ...key, protocol: 1, port: 0 };
    const entries = [key, any, ping].map((one) => ({ key: one, value: old, counters: old }));
    const lines = renderPolicyMap({ variant: hash, entries }, undefined).split('\n');
    expect(lines[0]).toMatch(/PROXY PORT +BYTES +PACKETS +$/);
    expect(lines.slice(1, 4).map((line) => line.trim().split(/ {2,}/)[3])).toEqual([
      '258/TCP',
      'ANY',
      '0/ICMP',
    ]);
    const { auth: _, ...first } = old;
    const oldest = variantOfSizes(8, 24, '1.10');
    const without = { variant: oldest, entries: [{ key, value: first, counters: first }] };
    expect(renderPolicyMap(without, undefined)).not.toContain('AUTH TYPE');
    expect(policyEntryJson(oldest, { key, value: first, counters: first })).toEqual({
      ProxyPort: 0,
      Flags: 0,
      Pad0: 0,
      Pad1: 0,
      Pad2: 0,
      Packets: 7,
      Bytes: 2n ** 63n,
      Key: { Identity: 9, DestPort: 0x0201, Nexthdr: 6, TrafficDirection: 1 },
    });
    expect(policyEntryJson(hash, { key, value: old, counters: old })).toMatchObject({ AuthType: 0x81 });
    const between = variantOfSizes(8, 24, '1.13');
    const typed = { key, value: { ...first, authType: 1 }, counters: first };
    expect(policyEntryJson(between, typed)).toMatchObject({ AuthType: 1 });
    expect(renderPolicyMap({ variant: between, entries: [typed] }, undefined)).not.toContain('AUTH TYPE');
  });

  test('names the types of authentication', () => {
    expect([0, 1, 2, 3].map(authTypeName)).toEqual([
      'disabled',
      'spire',
      'test-always-fail',
      'Unknown-auth-type-3',
    ]);
  });
});

describe('a service', () => {
  const key = { address: '10.96.0.1', port: 80, slot: 0, protocol: 6, scope: 1 };
  const entry = { word: 0x12_5000, count: 2, revNatId: 7, flags: 0x04c0, quarantined: 1 };
  const backend = { address: 'fd00::9', port: 8080, protocol: 17, state: 0, clusterId: 0, zone: 0 };

  test('has a protocol in its key since 1.17', () => {
    expect(serviceKeyText(key, '1.18')).toBe('10.96.0.1:80/TCP/i (0)');
    expect(serviceKeyText({ ...key, scope: 2 }, '1.16')).toBe('10.96.0.1:80 (0)');
    expect(serviceKeyText({ ...key, address: 'fd00::1' }, '1.16')).toBe('[fd00::1]:80/i (0)');
    expect(serviceKeyText(key, '1.17')).toBe('10.96.0.1:80/TCP/i (0)');
    expect(serviceKeyText({ ...key, protocol: 0 }, '1.17')).toBe('10.96.0.1:80/ANY/i (0)');
    expect(serviceKeyText({ ...key, protocol: 0 }, '1.18')).toBe('10.96.0.1:80/ANY/i (0)');
    expect(serviceKeyText(key, '1.12')).toBe('10.96.0.1:80/i');
    expect(serviceKeyText(key, '1.13')).toBe('10.96.0.1:80/i (0)');
    expect(serviceKeyText(key, '1.17-dev')).toBe('10.96.0.1:80/i (0)');
  });

  test('shows the two bytes of its flags one by one', () => {
    expect(serviceText({ ...entry, word: 9 }, '1.20')).toBe('9 2[1] (7) [0xc0 0x4]');
  });

  test('is told as its release tells it', () => {
    const plain = { ...entry, flags: 0x0840, word: 9 };
    expect(frontendText(key, plain, '1.10')).toBe('0.0.0.0:0 (7) [ClusterIP, loopback]');
    expect(frontendText(key, plain, '1.12')).toBe('0.0.0.0:0 (7) (0) [ClusterIP, loopback]');
    expect(frontendText(key, plain, '1.13')).toBe('0.0.0.0:0 (7) (0) [ClusterIP, loopback] ');
    expect(frontendText(key, plain, '1.17')).toBe('0.0.0.0:0 (7) (0) [ClusterIP, loopback] ');
    expect(serviceText(plain, '1.10')).toBe('9 (7) [FLAGS: 0x40]');
    expect(serviceText(plain, '1.13')).toBe('9 2 (7) [0x40 0x8]');
    expect(serviceBackendText({ ...key, slot: 2 }, entry, backend, '1.10')).toBe('fd00::9:8080 (7)');
    expect(serviceBackendText({ ...key, slot: 2 }, entry, backend, '1.11')).toBe('fd00::9:8080 (7)');
    expect(serviceBackendText({ ...key, slot: 2 }, entry, backend, '1.12')).toBe('fd00::9:8080 (7) (2)');
    expect(serviceText(entry, '1.16')).toBe(`${0x12_5000} 2 (7) [0xc0 0x4]`);
    expect(serviceText(entry, '1.17-dev')).toBe(`${0x12_5000} 2[1] (7) [0xc0 0x4]`);
    expect(backendText(backend, '1.12')).toBe('UDP://[fd00::9]:8080');
  });

  test('names all of its flags', () => {
    expect(frontendText(key, entry, '1.20')).toBe(
      '0.0.0.0:0 (7) (0) [ClusterIP, check source-range, l7-load-balancer] (L7LB Proxy Port: 80)',
    );
    expect(frontendText(key, { ...entry, flags: 0xffff }, '1.20')).toContain(
      '[ExternalIPs, Local, InternalLocal, two-scopes, sessionAffinity, check source-range, deny, 46x64, l7-load-balancer, delegate-if-local, dsr]',
    );
  });

  test.each([
    [0x0000, 'ClusterIP, non-routable'],
    [0x0040, 'ClusterIP'],
    [0x0041, 'ExternalIPs'],
    [0x0042, 'NodePort'],
    [0x0044, 'ClusterIP, Local'],
    [0x0048, 'HostPort'],
    [0x0050, 'ClusterIP, sessionAffinity'],
    [0x0060, 'LoadBalancer'],
    [0x00c0, 'ClusterIP, check source-range'],
    [0x0140, 'LocalRedirect'],
    [0x0240, 'ClusterIP, 46x64'],
    [0x0840, 'ClusterIP, delegate-if-local'],
    [0x0848, 'HostPort, loopback'],
    [0x1040, 'ClusterIP, InternalLocal'],
    [0x2040, 'ClusterIP, two-scopes'],
    [0x4040, 'ClusterIP, quarantined'],
    [0x40c0, 'ClusterIP, check source-range, deny'],
    [0x8040, 'ClusterIP, dsr'],
  ])('with the flags %# is %j', (flags, words) => {
    expect(frontendText({ ...key, address: 'fd00::1' }, { ...entry, flags }, '1.20')).toBe(
      `[::]:0 (7) (0) [${words}] `,
    );
  });

  test('leads to its backends', () => {
    expect(serviceBackendText({ ...key, slot: 2 }, entry, undefined, '1.20')).toBe(
      'backend 1200128 not found',
    );
    expect(serviceBackendText({ ...key, slot: 2 }, entry, backend, '1.20')).toBe('fd00::9:8080/UDP (7) (2)');
    expect(serviceBackendText({ ...key, address: '::', slot: 2 }, entry, backend, '1.16')).toBe(
      '[fd00::9]:8080 (7) (2)',
    );
    expect(backendText(backend, '1.20')).toBe('UDP://fd00::9');
    expect(backendText({ ...backend, clusterId: 3, zone: 2 }, '1.20')).toBe('UDP://fd00::9@3[2]');
  });

  test('has addresses for replies and source ranges', () => {
    expect(addressText({ address: 'fd00::1', port: 5 })).toBe('[fd00::1]:5');
    expect(sourceRangeText({ ip: '10.0.0.0', prefixLength: 40, revNatId: 3 })).toBe('10.0.0.0/8 (3)');
  });

  test('of a socket keeps the reference’s unswapped, signed ports', () => {
    expect(
      socketNatText(
        { cookie: 9n, address: '10.0.0.1', port: 0x0080 },
        { address: 'fd00::1', port: 0x0050, revNatId: 3 },
      ),
    ).toBe('10.0.0.1:-32768 -> [fd00::1]:20480 (revnat=768)');
  });
});

test('tunnels and VTEPs are told by address', () => {
  const end = { ip: 'fd00::1', encryptKey: 4 };
  expect(tunnelTexts({ key: { ip: '10.0.0.0', clusterId: 2 }, value: end })).toEqual([
    '10.0.0.0@2',
    'fd00::1:4',
  ]);
  const named = { pin: 'cilium_tunnel_map', keySize: 20, valueSize: 20 };
  const hasCluster = (['1.11', '1.12', '1.13-dev', '1.13'] as const).map(
    (release) => 'clusterId' in (variantOf(TUNNEL, named, release)?.key.fields ?? {}),
  );
  expect(hasCluster).toEqual([false, true, false, true]);
  expect(tunnelTexts({ key: { ip: '', clusterId: 0 }, value: { ip: '', encryptKey: 4 } })).toEqual([
    'nil',
    'nil',
  ]);
  expect(tunnelTexts({ key: { ip: 'fd00::', encryptKey: 0 }, value: end })).toEqual([
    '[fd00::]:0',
    '[fd00::1]:4',
  ]);
  expect(tunnelTexts({ key: { ip: '', encryptKey: 0 }, value: { ip: '10.0.0.1', encryptKey: 3 } })).toEqual([
    'nil',
    '10.0.0.1:3',
  ]);
  expect(vtepText({ mac: 'aa:bb:cc:dd:ee:ff', tunnelEndpoint: '10.0.0.1' })).toBe(
    'vtepmac=AA:BB:CC:DD:EE:FF tunnelendpoint=10.0.0.1',
  );
});
