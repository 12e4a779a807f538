import { expect, test } from '@jest/globals';
import { ctEntry, ctEntry117 } from '../../../src/bpf/layouts/conntrack.ts';
import { endpointInfo } from '../../../src/bpf/layouts/endpoints.ts';
import { IPCACHE, ipcacheKey, remoteEndpoint, remoteEndpoint117 } from '../../../src/bpf/layouts/ipcache.ts';
import { variantOf } from '../../../src/bpf/layouts/map-layout.ts';
import { subscriber } from '../../../src/bpf/layouts/multicast.ts';
import { nodeValue } from '../../../src/bpf/layouts/nodes.ts';
import { CAPTURE_RULES4 } from '../../../src/bpf/layouts/recorder.ts';
import { backend4, backend6, socketTuple6 } from '../../../src/bpf/layouts/services.ts';
import { decode } from '../../../src/bpf/maps/codec.ts';
import type { Release } from '../../../src/model/release.ts';

// Bytes of the datapath's own structs, written down from its headers: 01 02 03 …, so that each place has its value.
const counting = (size: number) => Buffer.from(Array.from({ length: size }, (_, i) => i));

test('a conntrack entry has the service id and the NAT port in network order, the rest in the host’s', () => {
  expect(decode(ctEntry, counting(56))).toMatchObject({
    lifetime: 0x23222120,
    flags: 0x2524,
    revNatId: 0x2627,
    natPort: 0x2829,
    sourceIdentity: 0x2f2e2d2c,
  });
  expect(decode(ctEntry117, counting(56))).toMatchObject({ revNatId: 0x2627, ifindex: 0x2928 });
});

test('an ipcache entry keeps its key and flags in the last two bytes', () => {
  expect(decode(ipcacheKey, counting(24))).toMatchObject({ prefixLength: 0x03020100, clusterId: 0x0504 });
  const value = counting(24);
  value[23] = 4;
  expect(decode(remoteEndpoint, value)).toEqual({
    identity: 0x03020100,
    tunnelEndpoint: '405:607:809:a0b:c0d:e0f:1011:1213',
    encryptKey: 22,
    flags: 4,
  });
  value[23] = 0xfb;
  expect(decode(remoteEndpoint, value).tunnelEndpoint).toBe('4.5.6.7');
  expect(decode(remoteEndpoint117, counting(12))).toMatchObject({ encryptKey: 10, flags: 11 });
});

test('a backend has a cluster of two bytes and a zone of one', () => {
  expect(decode(backend4, counting(12))).toMatchObject({ port: 0x0405, clusterId: 0x0908, zone: 10 });
  expect(decode(backend6, counting(24))).toMatchObject({ port: 0x1011, clusterId: 0x1514, zone: 22 });
});

test('fields that no recording fills lie where the headers have them', () => {
  expect(decode(socketTuple6, counting(32))).toMatchObject({ port: 0x1819 });
  expect(decode(endpointInfo, counting(48))).toMatchObject({
    identity: 0x23222120,
    parentIfindex: 0x27262524,
  });
  expect(decode(nodeValue, counting(4))).toEqual({ id: 0x0100, spi: 2 });
  expect(decode(subscriber, counting(12))).toEqual({ source: '0.1.2.3', ifindex: 0x07060504, remote: true });
  const [rules] = CAPTURE_RULES4.variants;
  if (!rules) throw new Error('no layout');
  expect(decode(rules.value, counting(8))).toEqual({ ruleId: 0x0100, captureLength: 0x07060504 });
});

test.each<[Release, string[]]>([
  ['1.12', ['encryptKey', 'identity', 'tunnelEndpoint']],
  ['1.15', ['encryptKey', 'identity', 'tunnelEndpoint']],
  ['1.16', ['encryptKey', 'flags', 'identity', 'tunnelEndpoint']],
])('an entry of the ipcache of %s has the fields of its release', (release, fields) => {
  const variant = variantOf(
    IPCACHE,
    { pin: 'cilium_ipcache', keySize: ipcacheKey.size, valueSize: 12 },
    release,
  );
  expect(Object.keys(variant?.value.fields ?? {}).sort()).toEqual(fields);
});

test.each<[Release, number]>([
  ['1.11', 8],
  ['1.12', 10],
  ['1.13-dev', 8],
  ['1.13', 10],
  ['1.15', 10],
])('the key for IPsec in the ipcache of %s lies at %i', (release, at) => {
  const sizes = { pin: 'cilium_ipcache', keySize: ipcacheKey.size, valueSize: 12 };
  expect(variantOf(IPCACHE, sizes, release)?.value.fields.encryptKey?.at).toBe(at);
});
