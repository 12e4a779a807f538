import { describe, expect, test } from '@jest/globals';
import type { EncryptionState } from '../../../src/model/status.ts';
import { encryptionModel, renderEncryption } from '../../../src/render/agent/encrypt.ts';

const IPSEC = {
  decryptInterfaces: ['eth0', 'eth1'],
  keysInUse: 2,
  maxSequenceNumber: '0x2a/0xffffffff',
  errorCount: 4,
  errors: [
    ['outbound_error', 3],
    ['inbound_error', 1],
  ] as [string, number][],
};
const NO_IPSEC = { ...IPSEC, decryptInterfaces: [], keysInUse: 0, errorCount: 0, errors: [] };
const tunnel = (port: number, peerCount: number): NonNullable<EncryptionState['wireguard']> => ({
  nodeEncryption: '',
  interfaces: [{ name: 'cilium_wg0', publicKey: 'K=', port, peerCount, peers: [] }],
});

describe('the model of encrypt status', () => {
  test.each<[string, Partial<EncryptionState>, object]>([
    [
      'has every count that is not 0',
      { mode: 'IPsec', ipsec: IPSEC },
      {
        mode: 'IPsec',
        ipsec: {
          'decrypt-interfaces': ['eth0', 'eth1'],
          'error-count': 4,
          'keys-in-use': 2,
          'max-seq-number': '0x2a/0xffffffff',
          'xfrm-errors': { inbound_error: 1, outbound_error: 3 },
        },
      },
    ],
    [
      'leaves out counts of 0, as Go does',
      { mode: 'IPsec', ipsec: NO_IPSEC },
      { mode: 'IPsec', ipsec: { 'decrypt-interfaces': [], 'max-seq-number': '0x2a/0xffffffff' } },
    ],
    [
      'has the counts of WireGuard',
      { mode: 'Wireguard', wireguard: tunnel(51871, 3) },
      {
        mode: 'Wireguard',
        wireguard: {
          interfaces: [
            { 'listen-port': 51871, name: 'cilium_wg0', 'peer-count': 3, peers: null, 'public-key': 'K=' },
          ],
        },
      },
    ],
    [
      'leaves out the counts of an idle WireGuard',
      { mode: 'Wireguard', wireguard: tunnel(0, 0) },
      {
        mode: 'Wireguard',
        wireguard: { interfaces: [{ name: 'cilium_wg0', peers: null, 'public-key': 'K=' }] },
      },
    ],
    ['has the message alone when nothing is known', { message: 'no agent' }, { msg: 'no agent' }],
  ])('%s', (_, state, want) => {
    expect(encryptionModel({ mode: '', message: '', ...state })).toStrictEqual(want);
  });
});

test('the text of encrypt status pads the counts', () => {
  const wide = (count: number) => String(count).padEnd(26);
  expect(renderEncryption({ mode: 'IPsec', message: 'late', ipsec: IPSEC })).toBe(
    [
      'Msg: late',
      `Encryption: ${'IPsec'.padEnd(26)}`,
      'Decryption interface(s): eth0, eth1',
      `Keys in use: ${wide(2)}`,
      'Max Seq. Number: 0x2a/0xffffffff',
      `Errors: ${wide(4)}`,
      `\toutbound_error: ${wide(3)}`,
      `\tinbound_error: ${wide(1)}`,
      '',
    ].join('\n'),
  );
});
