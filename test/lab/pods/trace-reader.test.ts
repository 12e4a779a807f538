import { expect, jest, test } from '@jest/globals';
import type { SeenPacket } from '../../../src/lab/hubble/seen.ts';
import { TraceReader } from '../../../src/lab/pods/trace.ts';

const HEAD = 'iif "lxca" oif "lxcb" ether saddr 82:84:9c:29:84:9a ether daddr ba:c3:c0:24:15:e2';
const IP = 'ip dscp cs0 ip ecn not-ect ip ttl 63 ip id 33287';

/** What a reader makes of lines that come in pieces. */
function read(text: string): SeenPacket[] {
  jest.useFakeTimers();
  const seen: SeenPacket[] = [];
  const reader = new TraceReader((packet) => seen.push(packet));
  for (let at = 0; at < text.length; at += 50) reader.read(text.slice(at, at + 50));
  jest.advanceTimersByTime(100);
  reader.close();
  jest.useRealTimers();
  return seen;
}

test('a packet is told once, with its flags and what the rules of both ends did', () => {
  const seen = read(
    `trace id 1 inet cilium_lab forwarded packet: ${HEAD} ip saddr 10.1.0.2 ip daddr 10.1.0.3 ${IP} ip protocol tcp ip length 60 tcp sport 44988 tcp dport 8080 tcp flags == 0x12 tcp window 64240 
trace id 1 inet cilium_lab forwarded rule ct state new meta nftrace set 1 (verdict continue)
trace id 1 inet cilium_lab from-7 rule return comment "7 egress allow" (verdict return)
trace id 1 inet cilium_lab to-9 rule meta nftrace set 1 drop comment "9 ingress none" (verdict drop)
trace id 2 inet services output packet: ip saddr 1.1.1.1 ip daddr 2.2.2.2 udp sport 1 udp dport 2
`,
  );
  expect(seen).toEqual([
    {
      source: '10.1.0.2',
      destination: '10.1.0.3',
      protocol: 'TCP',
      sourcePort: 44_988,
      destinationPort: 8080,
      flags: ['SYN', 'ACK'],
      isReply: false,
      egress: 'allow',
      ingress: 'none',
    },
  ]);
});
