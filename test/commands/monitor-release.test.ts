import { describe, expect, test } from '@jest/globals';
import { captureEvent, debugEvent, ethernet, hex, ipv4, tcp, traceEvent, udp } from '../helpers/events.ts';
import { monitorStream } from '../helpers/gob.ts';
import { replay } from '../helpers/replay.ts';
import { type RunResult, run } from '../helpers/run.ts';
import { serveStream } from '../helpers/stream-server.ts';

/** Shows events as the agent of a version sends them; without a version no agent answers. */
async function monitor(
  version: string | undefined,
  events: readonly Uint8Array[],
  ...argv: string[]
): Promise<RunResult> {
  const stop = new AbortController();
  const stream = monitorStream(events.map((Data) => ({ Data, CPU: 3 })));
  await using server = await serveStream((connection, number) => {
    if (number < 2) connection.end(stream);
    else stop.abort(new DOMException('stopped', 'AbortError'));
  });
  await using agent = await replay([
    {
      request: { method: 'GET', path: '/v1/healthz' },
      response: {
        status: 200,
        body: JSON.stringify({
          cilium: { state: 'Ok', msg: `${version} (v${version}-abc)` },
          nodeMonitor: { cpus: 2, npages: 64, pagesize: 4096 },
        }),
      },
    },
  ]);
  return await run(['monitor', '--monitor-socket', server.socket, ...argv], {
    env: { CILIUM_SOCK: version ? agent.socket : '/nowhere', CILIUM_SYSFS: '/nowhere' },
    signal: stop.signal,
  });
}

const FRAME = ethernet(0x800, ipv4(6, tcp(1000, 80, 2)));
const DNS = ethernet(0x800, ipv4(17, udp(1000, 53, hex('00112233'))));
/** The IPv4 header is cut off. */
const BROKEN = ipv4(6, hex('')).subarray(0, 10);
const ARP = ethernet(0x806, hex('0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002'));
const UNREACHABLE = ethernet(0x800, ipv4(1, hex('0303 0000 00000000 45000000')));

const size = (packet: Uint8Array) => `${packet.length.toString(16).padStart(2, '0')}00`;
/** A drop of version 1: nodeport.h in 1.15 to 1.18. */
const drop = (packet: Uint8Array, reason = 133) =>
  Buffer.concat([
    hex(
      `01 ${reason.toString(16).padStart(2, '0')} 0700 bc0a0000 36000000 ${size(packet)} 0100 64000000 02000000 09000000 2a00 69 00 03000000`,
    ),
    packet,
  ]);
/** A drop of 1.12, which ends before the interface. */
const DROP_1_12 = Buffer.concat([
  hex(`01 85 0700 bc0a0000 36000000 ${size(FRAME)} 0100 64000000 02000000 09000000 2a00 08 00`),
  FRAME,
]);
/** A trace of version 1. */
const trace = (packet: Uint8Array) =>
  Buffer.concat([
    hex(`04 00 0700 bc0a0000 36000000 ${size(packet)} 0100 64000000 02000000 0900 00 00 00000000`),
    Buffer.alloc(16),
    packet,
  ]);
/** A trace between two identities. */
const identities = (from: number, to: number) => {
  const event = trace(FRAME);
  event.writeUInt32LE(from, 16);
  event.writeUInt32LE(to, 20);
  return event;
};
/** A trace of an IPv6 packet with the source that it had before translation. */
const sourceWas = (address: string) =>
  Buffer.concat([
    hex('04000700 bc0a0000 36000000 2800 0100 64000000 02000000 0900 00 01 00000000'),
    hex(address),
    FRAME,
  ]);
const MAPPED_SOURCE = sourceWas('00000000000000000000ffff0a600014');
const verdict = (auth: number) =>
  Buffer.concat([
    hex(`05 00 0700 bc0a0000 36000000 ${size(FRAME)} 0100 64000000 00000000 5000 06 11 0${auth} 000000`),
    FRAME,
  ]);
const MAPPED_SOCKET = hex(
  '07 03 01 01 5000 0000 0500000000000000 0100000000000000 00000000000000000000ffff0a600014 00000000',
);

const lines = (result: RunResult) => result.stdout.split('\n').filter(Boolean);

describe('what the agent says of its release decides the words', () => {
  test.each([
    {
      version: '1.12.9',
      event: DROP_1_12,
      shows:
        ' to endpoint 9, file bpf_lxc.c line 42, , identity 100->world: 10.0.0.1:1000 -> 10.0.0.2:80 tcp SYN\n',
    },
    { version: '1.13.9', event: drop(FRAME), shows: ', file 105:42, ' },
    { version: '1.14.9', event: drop(FRAME), shows: ', file nodeport.h:42, ' },
    { version: '1.14.9', event: DROP_1_12, shows: ', file <unknown-id-8>:42, ' },
    { version: '1.15.2', event: drop(FRAME), shows: ', file nodeport.h:42, ' },
    { version: '1.18.1', event: drop(FRAME), shows: ', file nodeport.h:42, ' },
    { version: '1.19.4', event: drop(FRAME), shows: ', file lb.h:42, ' },
    { version: '1.17.0', event: drop(FRAME, 205), shows: 'xx drop (205, 0) ' },
    { version: '1.18.0', event: drop(FRAME, 205), shows: 'xx drop (Punt to proxy) ' },
    { version: '1.19.0', event: drop(FRAME, 206), shows: 'xx drop (206, 0) ' },
    { version: '1.20.0', event: drop(FRAME, 206), shows: 'xx drop (No device) ' },
    {
      version: '1.20.1',
      event: drop(FRAME, 207),
      shows: 'xx drop (First logical datagram fragment not found from world) ',
    },
    { version: '1.13.90', event: verdict(0), shows: 'action allow, match L3-L4' },
    { version: '1.15.0', event: verdict(0), shows: 'action allow, auth: disabled, match L3-L4' },
    {
      version: '1.17.3',
      event: trace(UNREACHABLE),
      shows: '10.0.0.1 -> 10.0.0.2 DestinationUnreachable(Port)',
    },
    {
      version: '1.18.0',
      event: trace(UNREACHABLE),
      shows: '10.0.0.1 -> 10.0.0.2 icmp DestinationUnreachable(Port)',
    },
    { version: '1.16.2', event: drop(FRAME, 13), shows: 'xx drop (13, 0) ' },
    { version: '1.17.5', event: drop(FRAME, 13), shows: 'xx drop (Interface Encrypting) ' },
    { version: '1.18.4', event: drop(FRAME, 15), shows: 'xx drop (15, 0) ' },
    { version: '1.19.0', event: drop(FRAME, 15), shows: 'xx drop (MTU error message) ' },
    { version: '1.16.9', event: trace(BROKEN), shows: ': [unknown]\n' },
    { version: '1.17.5', event: trace(BROKEN), shows: ': [error]\n' },
    { version: '1.12.0', event: identities(7, 8), shows: ', identity kube-apiserver->ingress ' },
    { version: '1.10.0', event: identities(7, 8), shows: ', identity 7->8 ' },
    { version: '1.14.0', event: identities(9, 11), shows: ', identity 9->11 ' },
    { version: '1.19.4', event: identities(11, 12), shows: ', identity overlay-to-encrypt->12 ' },
    {
      version: '1.20.2',
      event: identities(11, 12),
      shows: ', identity aggregate-cluster->aggregate-cluster-mesh ',
    },
    {
      version: '1.20.2',
      event: identities(13, 14),
      shows: ', identity aggregate-world->aggregate-remote-node ',
    },
    { version: '1.19.4', event: MAPPED_SOURCE, shows: ' orig-ip 10.96.0.20: ' },
    {
      version: '1.19.4',
      event: sourceWas('fd000000000000000000ffff00010002'),
      shows: ' orig-ip fd00::ffff:1:2: ',
    },
    { version: '1.20.2', event: MAPPED_SOURCE, shows: ' orig-ip ::ffff:10.96.0.20: ' },
  ])('$version: $shows', async ({ version, event, shows }) => {
    expect((await monitor(version, [event])).stdout).toContain(shows);
  });

  test.each([
    { version: '1.19.2', subtype: 13, shows: 'ICMPv6 neighbour soliciation for address 601:2\n' },
    { version: '1.20.0', subtype: 13, shows: 'ICMPv6 neighbour solicitation for address 601:2\n' },
    { version: '1.13.18', subtype: 49, shows: 'Conntrack lookup 2/2: nexthdr=6 flags=1\n' },
    { version: '1.14.0', subtype: 49, shows: 'Conntrack lookup 2/2: nexthdr=6 flags=1 dir=2 scope=3\n' },
    { version: '1.20.2', subtype: 52, shows: 'Conntrack lookup 2/2: nexthdr=6 flags=1 dir=2 scope=3\n' },
  ])('debug messages of $version: $shows', async ({ version, subtype, shows }) => {
    expect((await monitor(version, [debugEvent(subtype, 0x601, 2, 3)], '-v')).stdout).toContain(shows);
  });

  test.each([
    { version: '1.18.4', bytes: 1500 },
    { version: '1.19.0', bytes: FRAME.length },
  ])('a captured packet of $version has $bytes bytes', async ({ version, bytes }) => {
    const event = captureEvent(4, 1, FRAME);
    event.writeUInt32LE(1500, 8);
    expect((await monitor(version, [event], '-vv')).stdout).toContain(
      `DEBUG: ${bytes} bytes, Delivery to ifindex 1\n`,
    );
    expect((await monitor(version, [event], '-j')).stdout).toContain(`,"bytes":${bytes},`);
  });

  test.each([
    { version: '1.18.4', shows: '"dstID":9,"summary":{' },
    { version: '1.19.0', shows: '"dstID":9,"IpTraceID":0,"summary":{' },
  ])('-j of a trace of $version: $shows', async ({ version, shows }) => {
    expect((await monitor(version, [trace(FRAME)], '-j')).stdout).toContain(shows);
  });

  test('-j of a drop of 1.12 has its place without an interface', async () => {
    expect((await monitor('1.12.9', [DROP_1_12], '-j')).stdout).toContain('"Line":42,"File":8,"summary":{');
  });

  test.each([
    { version: '1.16.0', shows: 'Options=[TCPOption(MultipathTCP: 0x4002)] Padding=[]}\n' },
    {
      version: '1.17.0',
      shows: 'Options=[MPTCPOption(REMOVE_ADDR Address ID [2])] Padding=[] Multipath=true}\n',
    },
  ])('Multipath TCP in $version: $shows', async ({ version, shows }) => {
    const packet = ethernet(0x800, ipv4(6, tcp(1, 2, 2, hex('1e044002'))));
    expect((await monitor(version, [trace(packet)], '-vv')).stdout).toContain(shows);
  });

  test('a message without a text has a third argument from 1.20 on', async () => {
    const event = debugEvent(1, 1, 2, 10);
    expect((await monitor('1.19.0', [event], '-v')).stdout).toContain('arg2=2 (0x2)\n');
    expect((await monitor('1.20.0', [event], '-v')).stdout).toContain('arg2=2 (0x2) arg3=10 (0xa)\n');
  });

  // differs: newer-agent
  test('a newer release than the newest is read as that, and said once', async () => {
    const result = await monitor('1.22.0', [drop(FRAME, 206), drop(FRAME, 206)]);
    expect(result.stdout).toContain('xx drop (No device) ');
    expect(result.stderr.match(/The agent is of 1\.22, newer than 1\.20/g)).toHaveLength(1);
  });
});

describe('-vv', () => {
  test('up to 1.18 writes the packet before its head, and drops as layers', async () => {
    const [separator, first, second, third, head] = lines(await monitor('1.18.3', [drop(FRAME)], '-vv'));
    expect(separator).toMatch(/^-+$/);
    expect([first, second, third].map((line) => line?.split('\t')[0])).toEqual(['Ethernet', 'IPv4', 'TCP']);
    expect(head).toMatch(/^CPU 03: MARK 0xabc FROM 7 DROP: /);
  });

  test('from 1.19 on writes the head first, and drops as bytes', async () => {
    const [, head, dump] = lines(await monitor('1.19.3', [drop(FRAME)], '-vv'));
    expect(head).toMatch(/^CPU 03: MARK 0xabc FROM 7 DROP: /);
    expect(dump).toMatch(/^00000000 {2}/);
  });

  test.each([
    { packet: ARP, carries: 'ARP' },
    { packet: DNS, carries: 'DNS' },
    { packet: UNREACHABLE, carries: 'Payload' },
    { packet: ethernet(0x800, ipv4(47, hex('00000800'))), carries: 'GRE' },
    { packet: ethernet(0x800, ipv4(112, hex('2101640100010000 0a000001'))), carries: 'VRRP' },
    { packet: ethernet(0x8100, hex('0001 0800')), carries: 'Dot1Q' },
  ])('names what is not decoded up to 1.17: $carries', async ({ packet, carries }) => {
    const message = `  Failed to decode layer: No decoder for layer type ${carries}\n`;
    expect((await monitor('1.14.0', [trace(packet)], '-vv')).stdout).toContain(message);
    expect((await monitor('1.18.0', [trace(packet)], '-vv')).stdout).not.toContain('Failed to decode');
  });

  test('says nothing of a packet that ends with its last layer', async () => {
    expect((await monitor('1.14.0', [trace(FRAME)], '-vv')).stdout).not.toContain('Failed');
  });
});

describe('without an agent', () => {
  // differs: monitor-release
  test('an old stream gets the words that all its releases share', async () => {
    const { stdout, stderr } = await monitor(undefined, [verdict(0), drop(FRAME)]);
    expect(stdout).toContain('action allow, match L3-L4');
    expect(stdout).toContain(', file 105:42, ');
    expect(stderr.match(/The agent does not say its release/g)).toHaveLength(1);
    expect(stderr).toContain('by its events it is one of 1.9 to 1.18. They are shown as those of 1.9.\n');
  });

  test('authentication that was asked for is shown all the same', async () => {
    expect((await monitor(undefined, [verdict(1)])).stdout).toContain('action allow, auth: spire, match');
  });

  test('a new stream gets the words of the newest', async () => {
    const { stdout, stderr } = await monitor(undefined, [traceEvent(UNREACHABLE)]);
    expect(stdout).toContain(' icmp DestinationUnreachable(Port)\n');
    expect(stderr).toContain('by its events it is 1.19 or later. They are shown as those of 1.20.\n');
  });

  test('a socket trace shows a mapped address as such from 1.19 on', async () => {
    expect((await monitor(undefined, [MAPPED_SOCKET], '-v')).stdout).toContain('dst [::ffff:10.96.0.20]:80 ');
  });
});

describe('words that are no events', () => {
  test.each([
    { version: '1.10.3', on: 'stdout', other: 'stderr' },
    { version: '1.14.3', on: 'stderr', other: 'stdout' },
  ] as const)('$version: on $on', async ({ version, on, other }) => {
    const result = await monitor(version, [drop(FRAME)]);
    expect(result[on]).toContain(
      'Listening for events on 2 CPUs with 64x4096 of shared memory\nPress Ctrl-C',
    );
    expect(result[on]).toContain('\nReceived an interrupt, disconnecting from monitor...\n\n');
    expect(result[other]).not.toContain('Ctrl-C');
  });
});
