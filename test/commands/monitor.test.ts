import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import {
  captureEvent,
  debugEvent,
  dropEvent,
  ethernet,
  hex,
  ipv4,
  ipv6,
  tcp,
  traceEvent,
  udp,
} from '../helpers/events.ts';
import { GobEncoder, type GoType, monitorStream } from '../helpers/gob.ts';
import fc from '../helpers/properties.ts';
import { fixturePath } from '../helpers/recordings.ts';
import { replay } from '../helpers/replay.ts';
import { type RunOptions, type RunResult, run } from '../helpers/run.ts';
import { serveStream } from '../helpers/stream-server.ts';

const RECORDED = readFileSync(fixturePath('recordings/monitor-1.20.gob'));

/** Serves each stream to one connection and stops the command when it connects once more. */
async function monitor(
  argv: readonly string[],
  streams: readonly Uint8Array[],
  options: RunOptions = {},
): Promise<RunResult> {
  const stop = new AbortController();
  await using server = await serveStream((connection, number) => {
    const stream = streams[number];
    if (stream) connection.end(stream);
    else stop.abort(new DOMException('stopped', 'AbortError'));
  });
  return await run(['monitor', '--monitor-socket', server.socket, ...argv], {
    ...options,
    env: { CILIUM_SOCK: '/nowhere', CILIUM_SYSFS: fixturePath('monitor/sys'), ...options.env },
    signal: stop.signal,
  });
}

async function shown(event: Uint8Array, ...argv: string[]): Promise<string> {
  return (await monitor(argv, [monitorStream([{ Data: event, CPU: 3 }])])).stdout;
}

async function summary(packet: Uint8Array, flags = 0): Promise<string> {
  const line = await shown(traceEvent(packet, { flags }));
  return line.replace(/^.*orig-ip \S+: (.*)\n$/s, '$1');
}

const SYN = tcp(1000, 80, 2);

/** Makes an IPv4 packet the middle of a fragmented one. */
function fragment(packet: Buffer): Buffer {
  packet.writeUInt16BE(0x2001, 6);
  return packet;
}

describe('the packet in one line', () => {
  test.each([
    [
      'TCP with its flags',
      ethernet(0x800, ipv4(6, tcp(1, 2, 0x17))),
      '10.0.0.1:1 -> 10.0.0.2:2 tcp SYN, ACK, RST, FIN',
    ],
    ['TCP without flags', ethernet(0x800, ipv4(6, tcp(1, 2, 8))), '10.0.0.1:1 -> 10.0.0.2:2 tcp '],
    ['IPv6 in brackets', ethernet(0x86dd, ipv6(6, SYN)), '[fd00::1]:1000 -> [fd00::2]:80 tcp SYN'],
    ['UDP', ethernet(0x800, ipv4(17, udp(53, 9, hex('00')))), '10.0.0.1:53 -> 10.0.0.2:9 udp'],
    ['SCTP', ethernet(0x800, ipv4(132, hex('0001 0002 00000000 00000000'))), '10.0.0.1:1 -> 10.0.0.2:2 sctp'],
    [
      'ICMP with a code',
      ethernet(0x800, ipv4(1, hex('0b00 0000 00000000'))),
      '10.0.0.1 -> 10.0.0.2 icmp TimeExceeded(TTLExceeded)',
    ],
    [
      'an ICMP code without a name',
      ethernet(0x800, ipv4(1, hex('0809 0000 00000000'))),
      '10.0.0.1 -> 10.0.0.2 icmp EchoRequest(Code: 9)',
    ],
    [
      'an ICMPv6 type without a name',
      ethernet(0x86dd, ipv6(58, hex('8f00 0000'))),
      'fd00::1 -> fd00::2 icmp 143(0)',
    ],
    [
      'VRRP',
      ethernet(0x800, ipv4(112, hex('21 05 64 01 00 01 0000 0a0000fe'))),
      '10.0.0.1 -> 10.0.0.2 vrrp VRRPv2 Advertisement 5 100',
    ],
    [
      'IGMP',
      ethernet(0x800, ipv4(2, hex('16 00 0000 e0000016'))),
      '10.0.0.1 -> 10.0.0.2 igmp IGMPv2 Membership Report 224.0.0.22',
    ],
    ['IP alone', ethernet(0x800, ipv4(50, hex('0000'))), '10.0.0.1 -> 10.0.0.2'],
    ['a fragment', ethernet(0x800, fragment(ipv4(6, SYN))), '10.0.0.1 -> 10.0.0.2'],
    [
      'an IPv6 extension that is not followed',
      ethernet(0x86dd, ipv6(44, hex('0600000000000000'))),
      'fd00::1 -> fd00::2',
    ],
    [
      'an IPv6 hop-by-hop header',
      ethernet(0x86dd, ipv6(0, Buffer.concat([hex('3a00 0502 0000 0100'), hex('8f00 0000')]))),
      'fd00::1 -> fd00::2 icmp 143(0)',
    ],
    ['a frame alone', ethernet(0x8100, hex('0001')), '02:00:00:00:00:01 -> 02:00:00:00:00:02 Dot1Q'],
    [
      'a length instead of a type',
      ethernet(0x0100, hex('0001')),
      '02:00:00:00:00:01 -> 02:00:00:00:00:02 LLC',
    ],
    [
      'an unknown type',
      ethernet(0x9999, hex('0001')),
      '02:00:00:00:00:01 -> 02:00:00:00:00:02 UnknownEthernetType',
    ],
    [
      'the inner packet of IP in IP',
      ethernet(0x800, ipv4(4, ipv4(6, SYN))),
      '10.0.0.1:1000 -> 10.0.0.2:80 tcp SYN',
    ],
    ['no bytes', hex(''), '[unknown]'],
    ['a header cut off', ethernet(0x800, hex('4500')), '[error]'],
    ['a TCP option beyond its header', ethernet(0x800, ipv4(6, tcp(1, 2, 2, hex('03ff 0000')))), '[error]'],
  ])('shows %s', async (_, packet, line) => {
    expect(await summary(packet)).toBe(line);
  });

  test('begins with IP on a device without Ethernet', async () => {
    expect(await summary(ipv4(6, SYN), 2)).toBe('10.0.0.1:1000 -> 10.0.0.2:80 tcp SYN');
    expect(await summary(ipv6(6, SYN), 3)).toBe('[fd00::1]:1000 -> [fd00::2]:80 tcp SYN');
  });

  test('tells of the tunnel behind the packet within', async () => {
    const inner = ethernet(0x86dd, ipv6(6, SYN));
    const vxlan = ethernet(0x800, ipv4(17, udp(7, 8472, Buffer.concat([hex('08000000 00000100'), inner]))));
    expect(await summary(vxlan, 4)).toBe(
      '[fd00::1]:1000 -> [fd00::2]:80 tcp SYN [tunnel 10.0.0.1:7 -> 10.0.0.2:8472 vxlan]',
    );
    const head = hex('02006558 00000100 0102 03 01 deadbeef');
    const geneve = ethernet(0x800, ipv4(17, udp(7, 6081, Buffer.concat([head, inner]))));
    expect(await summary(geneve, 8)).toBe(
      '[fd00::1]:1000 -> [fd00::2]:80 tcp SYN [tunnel 10.0.0.1:7 -> 10.0.0.2:6081 geneve]',
    );
    expect(await summary(ethernet(0x800, ipv4(17, udp(7, 8472, hex('08')))), 4)).toBe('[error]');
  });
});

describe('every layer, with -vv', () => {
  const layers = async (packet: Uint8Array, flags = 0) =>
    (await shown(traceEvent(packet, { flags }), '-vv')).split('\n').slice(2, -1);

  // differs: monitor-reused
  test('names ports, options and padding', async () => {
    const options = hex('020405b4 0303 07 00');
    const [, header] = await layers(ethernet(0x800, ipv4(6, SYN, hex('94040000'))));
    expect(header).toContain(' IHL=6 TOS=0 Length=44 Id=1 Flags=DF FragOffset=0 ');
    expect(header).toMatch(/ Options=\[IPv4Option\(148:\[0 0\]\)\] Padding=\[\]}$/);
    const [, , segment] = await layers(ethernet(0x800, ipv4(6, tcp(443, 40000, 0x12, options))));
    expect(segment).toBe(
      'TCP\t{Contents=[..28..] Payload=[] SrcPort=443(https) DstPort=40000(safetynetp) Seq=1 Ack=2 DataOffset=7 FIN=false SYN=true RST=false PSH=false ACK=true URG=false ECE=false CWR=false NS=false Window=100 Checksum=0 Urgent=0 Options=[TCPOption(MSS:1460 0x05b4), TCPOption(WindowScale: 0x07), TCPOption(EndList:)] Padding=[] Multipath=false}',
    );
  });

  test('shows the hop-by-hop header within the IPv6 one', async () => {
    const packet = ethernet(0x86dd, ipv6(0, Buffer.concat([hex('3a00 0502 0000 0100'), hex('8f00 0000')])));
    expect((await layers(packet))[1]).toBe(
      'IPv6\t{Contents=[..40..] Payload=[143, 0, 0, 0] Version=6 TrafficClass=0 FlowLabel=0 Length=12 NextHeader=IPv6HopByHop HopLimit=64 SrcIP=fd00::1 DstIP=fd00::2 HopByHop={ Contents=[..8..] Payload=[143, 0, 0, 0] NextHeader=ICMPv6 HeaderLength=0 ActualLength=8 Options=[{OptionType=5 OptionLength=2 ActualLength=4 OptionData=[0, 0] OptionAlignment=[0 0]}, {OptionType=1 OptionLength=0 ActualLength=2 OptionData=[] OptionAlignment=[0 0]}]}}',
    );
  });

  test('says that a packet was cut and why a layer failed', async () => {
    const packet = ethernet(0x800, ipv4(17, udp(1, 2, hex('0000'))).subarray(0, 24));
    expect((await layers(packet)).slice(2)).toEqual([
      '  Packet has been truncated',
      '  Failed to decode layer: Invalid UDP header. Length 4 less than 8',
    ]);
  });

  test.each([
    [
      'an IPv6 packet of no length',
      ethernet(0x86dd, ipv6(17, hex(''))),
      'IPv6 length 0, but next header is UDP, not HopByHop',
    ],
    ['a short SCTP header', ethernet(0x800, ipv4(132, hex('0001'))), 'Invalid SCTP common header length'],
    [
      'a short message of Multipath TCP',
      ethernet(0x800, ipv4(6, tcp(1, 2, 2, hex('1e0a2001 00000000 00000101')))),
      'DSS bad option length 10',
    ],
    [
      'a message without any',
      ethernet(0x800, ipv4(6, tcp(1, 2, 2, hex('1e002001')))),
      'MPTCP bad option length 0',
    ],
    [
      'one that begins where the header ends',
      ethernet(0x800, ipv4(6, tcp(1, 2, 2, hex('0101011e')))),
      'panic: runtime error: index out of range [1] with length 1',
    ],
    [
      'one that goes beyond the header',
      ethernet(0x800, ipv4(6, tcp(1, 2, 2, hex('01011e0c')))),
      'panic: runtime error: index out of range [2] with length 2',
    ],
    [
      'one of an unknown kind that does',
      ethernet(0x800, ipv4(6, tcp(1, 2, 2, hex('1e08f000')))),
      'panic: runtime error: slice bounds out of range [8:4]',
    ],
  ])('says why %s cannot be decoded', async (_, packet, reason) => {
    expect((await layers(packet)).at(-1)).toBe(`  Failed to decode layer: ${reason}`);
  });

  test.each([
    ['1e040181', 'MP_CAPABLE Version 1'],
    ['1e0c1105 00000001 00000002', 'MP_JOIN Backup true;Address ID 5'],
    ['1e181005 00000000000000000000000000000000 00000000', 'MP_JOIN Backup false;Address ID 0'],
    ['1e082001 00000001', 'DSS'],
    ['1e083107 0a000001', 'ADD_ADDR Address ID 7;Address 10.0.0.1;Port 0'],
    ['1e123007 0a000001 0050 0000000000000000 0101', 'ADD_ADDR Address ID 7;Address 10.0.0.1;Port 80'],
    ['1e163607 fd000000000000000000000000000001 0050 0101', 'ADD_ADDR Address ID 7;Address fd00::1;Port 80'],
    ['1e054002 0300 0000', 'REMOVE_ADDR Address ID [2 3]'],
    ['1e035101', 'MP_PRIO Backup true;Address ID 0'],
    ['1e0c6000 0000000000000001', 'MP_FAIL'],
    ['1e0c7000 0000000000000001', 'MP_FASTCLOSE'],
    ['1e048103', 'MP_TCPRST Transient true; Reason 3'],
  ])('reads the message %s of Multipath TCP', async (options, message) => {
    const [, , segment] = await layers(ethernet(0x800, ipv4(6, tcp(1, 2, 2, hex(options)))));
    expect(segment).toContain(`MPTCPOption(${message})`);
    expect(segment).toMatch(/ Multipath=true}$/);
  });

  // differs: monitor-ports
  test('names ports as the reference does, and those that the registry has since', async () => {
    const [, , later] = await layers(ethernet(0x800, ipv4(6, tcp(11434, 80, 2))));
    expect(later).toContain(' SrcPort=11434(ollama) DstPort=80(http) ');
    const [, , segment] = await layers(ethernet(0x800, ipv4(6, tcp(2049, 3283, 2))));
    expect(segment).toContain(' SrcPort=2049(shilp) DstPort=3283(Apple Remote Desktop (Net Assistant)) ');
  });

  test('looks for the tunnel also where the packet around it is broken', async () => {
    expect((await layers(ethernet(0x800, hex('4500')), 4)).slice(-3)).toEqual([
      '  Packet has been truncated',
      '  Failed to decode layer: Invalid ip4 header. Length 2 less than 20',
      '  Failed to decode layer: vxlan packet too small',
    ]);
  });

  test('shows the tunnel and the packet within', async () => {
    const inner = ethernet(0x800, ipv4(1, hex('0800 0000 00010002')));
    const vxlan = udp(7, 8472, Buffer.concat([hex('08000000 00000100'), inner]));
    const lines = await layers(ethernet(0x800, ipv4(17, vxlan)), 4);
    expect(lines.map((line) => line.split('\t')[0])).toEqual([
      'Ethernet',
      'IPv4',
      'UDP',
      'VXLAN',
      'Ethernet',
      'IPv4',
      'ICMPv4',
    ]);
    expect(lines[3]).toBe(
      'VXLAN\t{Contents=[..8..] Payload=[..42..] ValidIDFlag=true VNI=1 GBPExtension=false GBPDontLearn=false GBPApplied=false GBPGroupPolicyID=0}',
    );
  });

  test('dumps drops as bytes, and dissects them with --hex', async () => {
    const drop = dropEvent(ethernet(0x800, ipv4(6, SYN)));
    expect(await shown(drop, '-vv')).toContain(
      '00000000  02 00 00 00 00 02 02 00  00 00 00 01 08 00 45 00  |..............E.|\n',
    );
    expect(await shown(drop, '-vv', '--hex')).toContain('TCP\t{');
    expect(await shown(traceEvent(ethernet(0x800, hex(''))), '-vv', '--hex')).toContain('00000000  02 00');
  });
});

describe('events', () => {
  const packet = ethernet(0x800, ipv4(6, SYN));

  test.each([
    [0, '-> endpoint 9'],
    [1, '-> proxy port 9'],
    [2, '-> host from'],
    [3, '-> stack'],
    [5, '<- endpoint 7'],
    [6, '<- proxy'],
    [11, '-> network'],
    [12, '<- crypto'],
    [13, '-> crypto'],
    [77, 'unknown trace'],
  ])('trace point %i is %s', async (point, text) => {
    expect(await shown(traceEvent(packet, { point }))).toMatch(
      new RegExp(`^${text} flow 0xabc , identity 100->200 state new `),
    );
  });

  test('an encrypted trace says so, and shows its trace id', async () => {
    const event = traceEvent(packet, { reason: 0x81, ipTraceId: 2n ** 63n, ifindex: 3 });
    expect(await shown(event)).toBe(
      '-> endpoint 9 encrypted  flow 0xabc , identity 100->200 [ ip-trace-id = 9223372036854775808 ] state established ifindex ifb1 orig-ip 0.0.0.0: 10.0.0.1:1000 -> 10.0.0.2:80 tcp SYN\n',
    );
    expect(await shown(event, '-j')).toContain('"dstID":9,"IpTraceID":9223372036854775808,"summary":{');
  });

  test('a drop shows its extended error, and an unknown reason its number', async () => {
    expect(await shown(dropEvent(packet, { reason: 169, extError: -2 }))).toMatch(
      /^xx drop \(FIB lookup failed, -2\) flow 0xabc to endpoint 9, ifindex 3, file bpf_lxc.c:42, , identity 100->world: /,
    );
    expect(await shown(dropEvent(packet, { reason: 159 }))).toMatch(/^xx drop \(159, 0\) /);
  });

  test('debug messages show from -v on, and as JSON', async () => {
    const event = debugEvent(30, 0x0100000a, 0x5000);
    const message = 'Frontend service lookup, addr=10.0.0.1 key.dport=80';
    expect(await shown(event)).toBe('');
    expect(await shown(event, '-v')).toBe(`CPU 03: MARK 0xabc FROM 7 DEBUG: ${message}\n`);
    expect(await shown(event, '-vv')).toBe(`CPU 03: MARK 0xabc FROM 7 DEBUG: ${message}\n`);
    expect(await shown(event, '-j')).toBe(`{"cpu":"CPU 03:","type":"debug","message":"${message}"}\n`);
    expect(await shown(debugEvent(250, 1, 2), '-v')).toContain('Unknown message type=250 arg1=1 arg2=2');
  });

  // differs: monitor-debug
  test.each([
    [66, 'Skipping policy enforcement, arg1=1 arg2=2'],
    [67, 'Loopback SNAT from.p4='],
    [68, 'Loopback reverse SNAT from.p4='],
  ])('debug message %i is that of the datapath', async (number, text) => {
    expect(await shown(debugEvent(number, 1, 2), '-v')).toContain(text);
  });

  // differs: monitor-trace-id
  test('-vv of a drop with a trace id ends its line', async () => {
    const text = await shown(dropEvent(packet, { ipTraceId: 5n }), '-vv');
    const line = text.split('\n').find((each) => each.includes('IP-TRACE-ID'));
    expect(line).toMatch(/\[ IP-TRACE-ID=5 \]$/);
  });

  test('three -v are as none', async () => {
    expect(await shown(debugEvent(30, 1), '-vvv')).toBe('');
    expect(await shown(traceEvent(packet), '-vvv')).toMatch(/^-> endpoint 9 flow/);
  });

  test('captures show their way', async () => {
    const summary = '10.0.0.1:1000 -> 10.0.0.2:80 tcp SYN';
    expect(await shown(captureEvent(4, 3, packet))).toBe(`-> ifb1: ${summary}\n`);
    expect(await shown(captureEvent(9, 0x5000, packet))).toBe(`-> proxy port 80: ${summary}\n`);
    expect(await shown(captureEvent(10, 3, packet))).toBe('');
    expect(await shown(captureEvent(10, 3, packet), '-j')).toBe(
      `{"cpu":"CPU 03:","type":"capture","mark":"0xabc","message":"Packet going into snat engine on ifindex 3","source":7,"bytes":54,"summary":"10.0.0.1:1000 -\\u003e 10.0.0.2:80 tcp SYN"}\n`,
    );
  });

  test('what cannot be decoded is said, not hidden', async () => {
    expect(await shown(hex('0185'))).toBe(
      "cannot decode message type '1': unexpected DropNotify data length, expected at least 36 but got 2\n",
    );
    expect(await shown(hex('63010203'))).toBe('CPU 03: Unknown event: [99 1 2 3]\n');
    expect(await shown(hex('8101'), '-j')).toMatch(/^cannot decode message type '129': /);
  });

  test.each([
    [0, 'Success'],
    [22, 'invalid argument'],
    [95, 'operation not supported'],
    [4000, 'errno 4000'],
    [0xffffffea, 'errno 4294967274'],
  ])('the error %i of a socket is %s', async (code, text) => {
    expect(await shown(debugEvent(64, code), '-v')).toContain(` DEBUG: Socket assign: ${text}\n`);
  });

  test('a drop that ends within its header says how long it has to be', async () => {
    const cut = dropEvent(packet);
    expect(await shown(cut.subarray(0, 39))).toContain('(version 3), expected at least 40 but got 39\n');
    expect(await shown(cut.subarray(0, 47))).toContain('(version 3), expected at least 48 but got 47\n');
  });

  test('--json-lines has an object on every line, what -j leaves as text too', async () => {
    const verdict = Buffer.concat([
      hex('05000700 bc0a0000 36000000 3600 0100 64000000 00000000 5000 06 11 00 000000'),
      packet,
      hex('0000'),
    ]);
    const { stdout } = await monitor(
      ['--json-lines'],
      [
        monitorStream([
          { Type: 2, Lost: 3, CPU: 4 },
          { Type: 77, CPU: 4, Lost: 1 },
          { Data: verdict, CPU: 3 },
          { Data: traceEvent(packet), CPU: 3 },
          { Data: hex('63010203'), CPU: 3 },
        ]),
      ],
    );
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.slice(0, 2)).toEqual([
      { cpu: 'CPU 04:', type: 'lost', lost: 3 },
      { cpu: 'CPU 04:', type: 'unknown-payload', lost: 1 },
    ]);
    expect(lines[2]).toMatchObject({
      cpu: 'CPU 03:',
      type: 'policy-verdict',
      direction: 'ingress',
      action: 'allow',
      source: 7,
      remoteIdentity: 100,
      protocol: 6,
      text: expect.stringMatching(/^Policy verdict log: .* tcp SYN$/),
    });
    expect(lines[3]).toMatchObject({ type: 'trace', summary: { l4: { src: '1000', dst: '80' } } });
    expect(lines[4]).toEqual({ cpu: 'CPU 03:', type: 'unknown', text: 'CPU 03: Unknown event: [99 1 2 3]' });
  });

  test('lost events are counted', async () => {
    const stream = monitorStream([
      { Type: 2, Lost: 2n ** 60n, CPU: 4 },
      { Type: 77, CPU: 4, Lost: 1 },
    ]);
    expect((await monitor([], [stream])).stdout).toBe(
      'CPU 04: Lost 1152921504606846976 events\nUnknown payload type: 77, CPU 04: Lost 1 events\n',
    );
  });

  test('a policy verdict of up to 1.18, whose header is shorter, is told apart', async () => {
    const event = Buffer.concat([
      hex('05000700 bc0a0000 36000000 3600 0100 64000000 00000000 5000 06 11 00 000000'),
      packet,
      hex('0000'),
    ]);
    expect(await shown(event)).toBe(
      'Policy verdict log: flow 0xabc local EP ID 7, remote ID 100, proto 6, ingress, action allow, match L3-L4, 10.0.0.1:1000 -> 10.0.0.2:80 tcp SYN\n',
    );
  });

  test('a drop and a trace of 1.13 to 1.17 have the form and the JSON of their release', async () => {
    const drop = Buffer.concat([
      hex('01850700 bc0a0000 36000000 3600 0100 64000000 02000000 09000000 2a00 69 00 03000000'),
      packet,
    ]);
    expect(await shown(drop)).toContain(', ifindex 3, file 105:42, , identity 100->world: ');
    const trace = Buffer.concat([
      hex('04000700 bc0a0000 36000000 3600 0100 64000000 02000000 0900 00 00 00000000 0a000001'),
      Buffer.alloc(12),
      packet,
    ]);
    expect(await shown(trace)).toContain(' orig-ip 10.0.0.1: 10.0.0.1:1000 -> 10.0.0.2:80 tcp SYN\n');
    expect(await shown(trace, '-j')).toContain('"dstID":9,"summary":{');
  });

  // differs: monitor-old-events
  test('a drop of 1.9, without the place in the source, is told apart', async () => {
    const event = Buffer.concat([
      hex('01850700 bc0a0000 36000000 3600 0100 64000000 02000000 09000000 00000000'),
      packet,
      hex('000000000000'),
    ]);
    expect(await shown(event)).toBe(
      'xx drop (Policy denied) flow 0xabc to endpoint 9, identity 100->world: 10.0.0.1:1000 -> 10.0.0.2:80 tcp SYN\n',
    );
  });

  test('socket traces of 1.17 and 1.20 read alike', async () => {
    const later = hex(
      '07 01 01 00 5000 0000 0500000000000000 0100000000000000 0a600014 000000000000000000000000 00000000',
    );
    const earlier = hex(
      '07 01 0a600014 000000000000000000000000 5000 0500000000000000 0100000000000000 01 00 000000000000',
    );
    const line = 'CPU 03: [pre-xlate-fwd] cgroup_id: 1 sock_cookie: 5, dst [10.96.0.20]:80 tcp \n';
    expect(await shown(later, '-v')).toBe(line);
    expect(await shown(earlier, '-v')).toBe(line);
  });
});

describe('records of proxies', () => {
  const LABELS_117: GoType = { slice: 'string' };
  const ENDPOINT: GoType = {
    struct: 'EndpointInfo',
    fields: { ID: 'uint', IPv4: 'string', Port: 'uint', Identity: 'uint', Labels: LABELS_117 },
  };
  const KAFKA: GoType = {
    struct: 'LogRecordKafka',
    fields: {
      ErrorCode: 'int',
      APIVersion: 'int',
      APIKey: 'string',
      CorrelationID: 'int',
      Topic: { struct: 'KafkaTopic', fields: { Topic: 'string' } },
    },
  };
  const recordType = (more: Record<string, GoType>): GoType => ({
    struct: 'LogRecord',
    fields: {
      Type: 'string',
      ObservationPoint: 'string',
      SourceEndpoint: ENDPOINT,
      DestinationEndpoint: ENDPOINT,
      Verdict: 'string',
      HTTP: {
        struct: 'LogRecordHTTP',
        fields: {
          Code: 'int',
          Method: 'string',
          URL: { marshaler: 6 },
          Protocol: 'string',
          Headers: { map: ['string', { slice: 'string' }] },
        },
      },
      ...more,
      L7: { struct: 'LogRecordL7', fields: { Proto: 'string', Fields: { map: ['string', 'string'] } } },
    },
  });
  const RECORD = recordType({ Kafka: KAFKA });
  const RECORD_1_20 = recordType({});
  const ends = {
    SourceEndpoint: { ID: 1, Identity: 10, Labels: ['k8s:app=a'], IPv4: '10.0.0.1', Port: 999 },
    DestinationEndpoint: { ID: 2, Identity: 20, Labels: ['k8s:app=b'], IPv4: '10.0.0.2', Port: 80 },
  };
  const record = (fields: Record<string, unknown>, type = RECORD) =>
    Buffer.concat([
      hex('81'),
      new GobEncoder().encode(type, {
        Type: 'Request',
        ObservationPoint: 'Ingress',
        Verdict: 'Forwarded',
        ...ends,
        ...fields,
      }),
    ]);
  const HTTP = {
    Code: 200,
    Method: 'GET',
    URL: Buffer.from('http://b:80/x%2Fy?q=1#z'),
    Protocol: 'HTTP/1.1',
    Headers: { B: ['2'], A: ['1', '0'] },
  };

  test('HTTP is shown with method, URL and code', async () => {
    expect(await shown(record({ HTTP }))).toBe(
      '<- Request http from 1 ([k8s:app=a]) to 2 ([k8s:app=b]), identity 10->20, verdict Forwarded GET http://b:80/x%2Fy?q=1#z => 200\n',
    );
    const json = JSON.parse(await shown(record({ HTTP }), '-j'));
    expect(json.http).toEqual({
      Code: 200,
      Method: 'GET',
      URL: {
        Scheme: 'http',
        Opaque: '',
        User: null,
        Host: 'b:80',
        Path: '/x/y',
        RawPath: '/x%2Fy',
        OmitHost: false,
        ForceQuery: false,
        RawQuery: 'q=1',
        Fragment: 'z',
        RawFragment: '',
      },
      Protocol: 'HTTP/1.1',
      Headers: { A: ['1', '0'], B: ['2'] },
      MissingHeaders: null,
      RejectedHeaders: null,
    });
  });

  test('a record of 1.20 has the fields of a URL in the order of its Go', async () => {
    const text = await shown(record({ HTTP }, RECORD_1_20), '-j');
    expect(Object.keys(JSON.parse(text).http.URL).join(' ')).toBe(
      'Scheme Opaque User Host Path Fragment RawQuery RawPath RawFragment ForceQuery OmitHost',
    );
  });

  test('a record without a protocol has no end of line, and one in JSON', async () => {
    expect(await shown(record({}))).toMatch(/^<- Request unknown-l7 .* verdict Forwarded$/);
    expect(await shown(record({}), '-j')).toMatch(/^\{.*\}\n$/);
  });

  // differs: monitor-url
  test('a URL that does not parse is shown all the same', async () => {
    const URL = Buffer.from('http://a b/x');
    expect(await shown(record({ HTTP: { ...HTTP, URL } }))).toMatch(/ GET http:\/\/a b\/x => 200\n$/);
  });

  test.each([
    ['*', { Path: '*', RawPath: '', Host: '' }],
    ['///', { Path: '///', Host: '' }],
    ['http://[fe80::1%25eth0]/', { Host: '[fe80::1%eth0]', Path: '/' }],
    ['/#a(b)', { Fragment: 'a(b)', RawFragment: '' }],
  ])('the URL %s has its parts', async (url, parts) => {
    const json = JSON.parse(await shown(record({ HTTP: { ...HTTP, URL: Buffer.from(url) } }), '-j'));
    expect(json.http.URL).toMatchObject(parts);
  });

  test('what has no values is null in JSON, and keys are in the order of texts', async () => {
    const Headers = { 901: ['a'], 1028: ['b'], A: [] };
    expect(await shown(record({ HTTP: { ...HTTP, Headers } }), '-j')).toContain(
      '"Headers":{"1028":["b"],"901":["a"],"A":null},',
    );
    expect(await shown(record({ L7: { Proto: 'x' } }), '-j')).toContain('"l7":{"Proto":"x","Fields":null}}');
    expect(await shown(record({ L7: { Proto: 'x', Fields: {} } }), '-j')).toContain('"Fields":{}}}');
  });

  test.each([
    ['bytes', '10.0.0.7', '10.0.0.7'],
    [{ marshaler: 6 }, '::ffff:10.0.0.7', '::ffff:10.0.0.7'],
  ] as const)('addresses of DNS that are %j', async (address, text, json) => {
    const ip: GoType = typeof address === 'string' ? address : { ...address, name: 'Addr' };
    const DNS: GoType = {
      struct: 'LogRecordDNS',
      fields: { Query: 'string', IPs: { slice: ip }, QTypes: { slice: 'uint' } },
    };
    const event = (Type: string) =>
      record(
        {
          Type,
          DNS: { Query: 'a.', IPs: [hex('00000000000000000000ffff0a000007'), hex('')], QTypes: [1, 65535] },
        },
        recordType({ DNS }),
      );
    expect(await shown(event('Response'))).toMatch(
      new RegExp(`DNS : a. A,Reserved TTL: 0 Answer: '${text},invalid IP'\n$`),
    );
    expect(JSON.parse(await shown(event('Response'), '-j')).dns.IPs).toEqual([json, '']);
    expect(await shown(event('Sample'))).toBe('\n');
  });

  test('a response names its destination first', async () => {
    expect(await shown(record({ Type: 'Response', ObservationPoint: 'Egress', HTTP }))).toMatch(
      /^-> Response http to 2 \(\[k8s:app=b\]\) from 1 \(\[k8s:app=a\]\), identity 10->20/,
    );
  });

  test('Kafka and generic protocols have their own words', async () => {
    const Kafka = {
      ErrorCode: 29,
      APIVersion: 5,
      APIKey: 'produce',
      CorrelationID: 7,
      Topic: { Topic: 't' },
    };
    expect(await shown(record({ Kafka }))).toMatch(
      / kafka from .* verdict Forwarded produce topic t => 29\n$/,
    );
    expect(JSON.parse(await shown(record({ Kafka }), '-j')).kafka).toEqual(Kafka);
    const L7 = { Proto: 'cassandra', Fields: { status: 'ok', query: 'x' } };
    expect(await shown(record({ L7 }))).toMatch(/ cassandra from .* query:x => status:ok\n$/);
  });

  // differs: monitor-steering
  test('names from the cluster cannot steer the terminal', async () => {
    const text = await shown(record({ HTTP: { ...HTTP, Method: 'GET\u001b[2J\n>> fake' } }));
    expect(text).toContain(' GET^[[2J\\n>> fake http://');
    const json = await shown(record({ HTTP: { ...HTTP, Method: 'GET\u009b2J' } }), '-j');
    expect(json).toContain('"Method":"GET\\u009b2J"');
  });

  test('--ip and --port look at the ends of the record too', async () => {
    expect(await shown(record({ HTTP }), '--ip', '10.0.0.2', '--port', '999')).toContain('http');
    expect(await shown(record({ HTTP }), '--ip', '10.0.0.3')).toBe('');
  });
});

describe('notices of the agent', () => {
  const NOTICE: GoType = { struct: 'AgentNotify', fields: { Type: 'uint', Text: 'string' } };
  const notice = (Type: number, Text: string) =>
    Buffer.concat([hex('82'), new GobEncoder().encode(NOTICE, { Type, Text })]);

  test('show their name and text', async () => {
    expect(await shown(notice(5, '{"rule_count":1}'))).toBe('>> Policy updated: {"rule_count":1}\n');
    expect(await shown(notice(99, '{}'))).toBe('>> 99: {}\n');
  });

  test('stay one line of valid JSON, whatever the text', async () => {
    expect(await shown(notice(1, '{\n"a": 1\n}'), '-j')).toBe(
      '{"type":"agent","subtype":"Message","message":{"a":1}}\n',
    );
    expect(await shown(notice(1, 'no json\u001b'), '-j')).toBe(
      '{"type":"agent","subtype":"Message","message":"no json\\u001b"}\n',
    );
  });
});

describe('filters', () => {
  const packet = ethernet(0x800, ipv4(6, SYN));
  const stream = monitorStream([
    { Data: traceEvent(packet, { source: 1, destination: 2 }) },
    { Data: traceEvent(packet, { source: 2, destination: 3 }) },
    { Data: dropEvent(ethernet(0x86dd, ipv6(17, udp(53, 4000, hex('00'))))) },
  ]);
  const count = async (...argv: string[]) => (await monitor(argv, [stream])).stdout.split('\n').length - 1;

  test.each([
    [[], 3],
    [['--type', 'trace'], 2],
    [['-t', 'trace', '-t', 'drop'], 3],
    [['--from', '1'], 1],
    [['--from', '1', '--from', '2'], 2],
    [['--to', '2'], 1],
    [['--related-to', '2'], 2],
    [['--related-to', '2', '--type', 'drop'], 0],
    [['--from', '1', '--to', '3'], 0],
    [['--ip', '10.0.0.2'], 2],
    [['--ip', 'FD00:0::1'], 1],
    [['--port', '80'], 2],
    [['--port', '80', '--ip', 'fd00::1'], 0],
    [['--port', '80', '--port', '53'], 3],
  ])('%j leave %i events', async (argv, left) => {
    expect(await count(...argv)).toBe(left);
  });

  test.each([
    [
      ['--type', 'bogus'],
      'invalid argument "bogus" for "-t, --type" flag: Unknown type (bogus). Please use one of the following ones map[agent:130 capture:3 debug:2 drop:1 l7:129 policy-verdict:5 trace:4 trace-sock:7]',
    ],
    [
      ['--from', 'x'],
      'invalid argument "x" for "--from" flag: strconv.ParseUint: parsing "x": invalid syntax',
    ],
    [
      ['--to', '65536'],
      'invalid argument "65536" for "--to" flag: strconv.ParseUint: parsing "65536": value out of range',
    ],
    [
      ['--json=maybe'],
      'invalid argument "maybe" for "-j, --json" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
    ],
    [['--ip', '10.0.0'], 'invalid argument "10.0.0" for "--ip" flag: an IPv4 or IPv6 address is expected'],
  ])('%j are refused', async (argv, message) => {
    const result = await run(['monitor', ...argv]);
    expect(result.code).toBe(1);
    const usage = expect.stringMatching(/^Usage:\n {2}cilium-dbg monitor \[flags\]\n/);
    expect(result.stdout).toEqual(argv[0] === '--ip' ? '' : usage);
    expect(result.stdout.endsWith(`\n\n${message}\n`)).toBe(argv[0] !== '--ip');
    expect(result.stderr).toContain(`Error: ${message}\n`);
  });

  test('endpoints are looked up only when all three lists are given', async () => {
    await using agent = await replay([
      { request: { method: 'GET', path: '/v1/endpoint' }, response: { status: 200, body: '[{"id":2}]' } },
    ]);
    const env = { CILIUM_SOCK: agent.socket };
    const some = await monitor(['--from', '1', '--to', '2', '--related-to', '9'], [stream], { env });
    expect(some.stderr).toContain('endpoint 1 not found\nendpoint 9 not found\n');
    expect(some.code).toBe(0);
    const none = await monitor(['--from', '1', '--to', '3', '--related-to', '9'], [stream], { env });
    expect(none).toMatchObject({ code: 1, stdout: '' });
    await monitor(['--from', '1', '--to', '3'], [stream], { env });
    expect(agent.seen.filter((request) => request.path === '/v1/endpoint')).toHaveLength(2);
  });
});

describe('the connection', () => {
  const event = monitorStream([{ Data: traceEvent(ethernet(0x800, ipv4(6, SYN))) }]);

  // differs: monitor-log
  test('begins with what the agent listens on', async () => {
    await using agent = await replay([
      {
        request: { method: 'GET', path: '/v1/healthz' },
        response: { status: 200, body: '{"cilium":{},"nodeMonitor":{"cpus":2,"npages":64,"pagesize":4096}}' },
      },
    ]);
    const { stderr } = await monitor([], [event], { env: { CILIUM_SOCK: agent.socket } });
    expect(stderr).toMatch(
      /^Listening for events on 2 CPUs with 64x4096 of shared memory\nPress Ctrl-C to quit\n/,
    );
  });

  test('is opened again after the agent closed it, and Ctrl-C ends quietly', async () => {
    const result = await monitor([], [event, event, event]);
    expect(result.stdout.split('\n')).toHaveLength(4);
    expect(result.stderr.match(/closed the connection \(EOF\)/g)).toHaveLength(3);
    expect(result.stderr).toContain('\nReceived an interrupt, disconnecting from monitor...\n');
    expect(result.code).toBe(0);
  });

  test('that breaks off within an event shows the events before it', async () => {
    const result = await monitor([], [Buffer.concat([event, event.subarray(0, 20)])]);
    expect(result.stdout.split('\n')).toHaveLength(2);
    expect(result.stderr).toContain('closed the connection (unexpected EOF)');
  });

  test('to something else is an error', async () => {
    const result = await monitor([], [Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'.repeat(9))]);
    expect(result).toMatchObject({ stdout: '', code: 1 });
    expect(result.stderr).toContain('Error: the monitor socket does not send monitor events: ');
  });

  test('to no socket is told and ends as in the reference', async () => {
    const missing = join('/tmp', 'no', 'monitor.sock');
    const result = await run(['monitor'], { env: { CILIUM_MONITOR_SOCK: missing, CILIUM_SOCK: '/nowhere' } });
    expect(result).toMatchObject({ stdout: '', code: 0 });
    expect(result.stderr).toContain(
      `Error: cannot open the agent's monitor socket (${missing}: ENOENT, /var/run/cilium/monitor1_2.sock: ENOENT)\n`,
    );
  });

  test('ends when the reader of stdout has gone', async () => {
    const result = await monitor([], [RECORDED, RECORDED], { closeAfter: 1 });
    expect(result.code).toBe(141);
    expect(result.stderr).not.toContain('Error');
  });
});

describe('hostile streams', () => {
  const FORMATS = [[], ['-v'], ['-vv'], ['-vv', '--hex'], ['-j']];
  const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

  test('of arbitrary events never crash and never print control bytes', async () => {
    const head = fc.constantFrom(1, 2, 3, 4, 5, 6, 7, 129, 130, 131);
    const event = fc
      .tuple(head, fc.uint8Array({ maxLength: 220 }))
      .map(([type, rest]) => Buffer.concat([Buffer.from([type]), rest]));
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { maxLength: 40 }),
        fc.constantFrom(...FORMATS),
        async (events, argv) => {
          const result = await monitor(argv, [monitorStream(events.map((Data) => ({ Data })))]);
          expect(result.code).toBe(0);
          expect(result.stdout).not.toMatch(UNSAFE);
        },
      ),
      { numRuns: 150 },
    );
  });

  test('of damaged real events never crash and never print control bytes', async () => {
    const damage = fc.array(fc.tuple(fc.nat(RECORDED.length - 1), fc.nat(255)), {
      minLength: 1,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(damage, fc.constantFrom(...FORMATS), async (changes, argv) => {
        const bytes = Buffer.from(RECORDED);
        for (const [at, value] of changes) bytes[at] = value;
        const result = await monitor(argv, [bytes]);
        expect(result.stderr).not.toContain('fault in the toolkit');
        expect(result.stdout).not.toMatch(UNSAFE);
      }),
      { numRuns: 100 },
    );
  });
});
