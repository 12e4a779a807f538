import { describe, expect, test } from '@jest/globals';
import { compileFilters } from '../../../src/hubble/filter/filter.ts';
import type { Flow, FlowFilter } from '../../../src/model/hubble.gen.ts';

const pass = async (filter: FlowFilter, flow: Flow) => (await compileFilters([filter], []))(flow);

const tcp = (source_port: number, destination_port: number, flags = {}): Flow => ({
  l4: { TCP: { source_port, destination_port, flags } },
});
const http = (value: object, type?: 'REQUEST' | 'RESPONSE'): Flow => ({
  l7: { ...(type && { type }), http: value },
});
const pod = (namespace: string, pod_name: string): Flow => ({ source: { namespace, pod_name } });
const labels = (...list: string[]): Flow => ({ source: { labels: list } });

interface Case {
  filter: FlowFilter;
  passes: Flow[];
  fails: Flow[];
}

describe('a filter passes the flows that it means, and no others', () => {
  test.each<Case>([
    { filter: {}, passes: [{}, { verdict: 'DROPPED' }], fails: [] },
    { filter: { uuid: [] }, passes: [{}], fails: [] },
    { filter: { uuid: ['a', 'b'] }, passes: [{ uuid: 'b' }], fails: [{ uuid: 'c' }, {}] },
    {
      filter: { uuid: ['a'], node_name: ['n'] },
      passes: [{ uuid: 'a', node_name: 'n' }],
      fails: [{ uuid: 'a' }, { node_name: 'n' }],
    },
    {
      filter: { source_ip: ['10.0.0.1', '10.1.0.0/20', 'fd00::/9'] },
      passes: ['10.0.0.1', '10.1.0.0', '10.1.15.255', 'fd7f::1'].map((source) => ({ IP: { source } })),
      fails: [
        ...['10.0.0.2', '10.1.16.0', '10.0.255.255', 'fd80::1', 'a01::', 'x'].map((source) => ({
          IP: { source },
        })),
        { IP: { destination: '10.0.0.1' } },
        {},
      ],
    },
    {
      filter: { source_ip_xlated: ['10.0.0.1'] },
      passes: [{ IP: { source_xlated: '10.0.0.1' } }],
      fails: [{ IP: { source: '10.0.0.1' } }],
    },
    {
      filter: { source_pod: ['shop/web', 'api'] },
      passes: [pod('shop', 'web'), pod('shop', 'web-2'), pod('default', 'api-1')],
      fails: [pod('shop', 'we'), pod('shop', 'api'), pod('', 'api'), pod('default', 'web'), {}],
    },
    {
      filter: { source_pod: ['/web', 'shop/'] },
      passes: [pod('x', 'web'), pod('shop', 'any'), pod('shop', ''), pod('', 'web')],
      fails: [pod('x', 'a-web'), pod('', ''), {}],
    },
    {
      filter: { destination_service: ['shop/cart'] },
      passes: [{ destination_service: { namespace: 'shop', name: 'cart' } }],
      fails: [{ source_service: { namespace: 'shop', name: 'cart' } }, { destination_service: {} }],
    },
    {
      filter: { source_fqdn: ['*.example.com', 'plain.'] },
      passes: [{ source_names: ['x', 'a.b.example.com'] }, { source_names: ['plain'] }],
      fails: [
        { source_names: ['example.com'] },
        { source_names: ['a_example.com'] },
        { source_names: [] },
        {},
      ],
    },
    {
      filter: { source_label: ['app=web,env!=prod', 'reserved:host'] },
      passes: [labels('k8s:app=web'), labels('reserved:host')],
      fails: [labels('k8s:app=web', 'k8s:env=prod'), labels('k8s:app=api'), {}],
    },
    {
      filter: { source_label: [''] },
      passes: [labels('k8s:app=web'), labels(), {}],
      fails: [],
    },
    {
      filter: { source_service: ['a/b/c'] },
      passes: [{ source_service: { namespace: 'a', name: 'bc' } }],
      fails: [{ source_service: { namespace: 'a', name: 'c' } }],
    },
    { filter: { node_labels: ['a=b'] }, passes: [{ node_labels: ['a=b'] }], fails: [labels('a=b')] },
    {
      filter: { source_workload: [{ name: 'web' }, { kind: 'Job' }] },
      passes: [
        { source: { workloads: [{ name: 'x' }, { name: 'web', kind: 'Pod' }] } },
        { source: { workloads: [{ name: 'y', kind: 'Job' }] } },
      ],
      fails: [{ source: { workloads: [{ name: 'x', kind: 'Pod' }] } }, { source: {} }],
    },
    {
      filter: { source_workload: [{ name: 'web', kind: 'Job' }] },
      passes: [{ source: { workloads: [{ name: 'web', kind: 'Job' }] } }],
      fails: [
        {
          source: {
            workloads: [
              { name: 'web', kind: 'Pod' },
              { name: 'x', kind: 'Job' },
            ],
          },
        },
      ],
    },
    { filter: { source_cluster_name: ['c'] }, passes: [{ source: { cluster_name: 'c' } }], fails: [{}] },
    {
      filter: { source_identity: [0, 2] },
      passes: [{ source: {} }, { source: { identity: 2 } }],
      fails: [{ source: { identity: 3 } }, {}],
    },
    {
      filter: { source_port: ['80'] },
      passes: [tcp(80, 1), { l4: { UDP: { source_port: 80 } } }, { l4: { SCTP: { source_port: 80 } } }],
      fails: [tcp(1, 80), { l4: { ICMPv4: {} } }, {}],
    },
    {
      filter: { destination_port: ['0', '65535'] },
      passes: [{ l4: { TCP: {} } }, tcp(1, 65535)],
      fails: [tcp(0, 1), {}],
    },
    {
      filter: { traffic_direction: ['TRAFFIC_DIRECTION_UNKNOWN'] },
      passes: [{}],
      fails: [{ traffic_direction: 'EGRESS' }],
    },
    { filter: { verdict: ['VERDICT_UNKNOWN'] }, passes: [{}], fails: [{ verdict: 'DROPPED' }] },
    {
      filter: { drop_reason_desc: ['POLICY_DENIED', 'DROP_REASON_UNKNOWN'] },
      passes: [{ verdict: 'DROPPED', drop_reason_desc: 'POLICY_DENIED' }, { verdict: 'DROPPED' }],
      fails: [
        { drop_reason_desc: 'POLICY_DENIED' },
        { verdict: 'DROPPED', drop_reason_desc: 'INVALID_SOURCE_IP' },
      ],
    },
    {
      filter: { interface: [{ name: 'eth0', index: 2 }, { name: 'lo' }] },
      passes: [{ interface: { name: 'eth0', index: 2 } }, { interface: { name: 'lo', index: 9 } }],
      fails: [{ interface: { name: 'eth0', index: 3 } }, { interface: { name: 'x', index: 2 } }, {}],
    },
    {
      filter: {
        event_type: [
          { type: 4, match_sub_type: true, sub_type: 2 },
          { type: 1, sub_type: 5 },
        ],
      },
      passes: [{ event_type: { type: 4, sub_type: 2 } }, { event_type: { type: 1, sub_type: 130 } }],
      fails: [
        { event_type: { type: 4, sub_type: 3 } },
        { event_type: { type: 4 } },
        { event_type: { type: 2 } },
        {},
      ],
    },
    {
      filter: { event_type: [{ match_sub_type: true }] },
      passes: [{ event_type: { type: 4 } }, { event_type: {} }],
      fails: [{ event_type: { sub_type: 1 } }, {}],
    },
    ...(['TCP', 'UDP', 'SCTP', 'VRRP', 'IGMP', 'ICMPv4', 'ICMPv6'] as const).map(
      (name): Case => ({
        filter: { protocol: [name] },
        passes: [{ l4: { [name]: {} } }],
        fails: [
          { l4: { [name === 'TCP' ? 'UDP' : 'TCP']: {} } },
          { l4: { [name === 'ICMPv4' ? 'ICMPv6' : 'ICMPv4']: {} } },
        ].slice(0, name.startsWith('ICMP') ? 2 : 1),
      }),
    ),
    {
      filter: { protocol: ['icmp'] },
      passes: [{ l4: { ICMPv4: {} } }, { l4: { ICMPv6: {} } }],
      fails: [{ l4: { TCP: {} } }, {}],
    },
    {
      filter: { protocol: ['http', 'dns'] },
      passes: [{ l7: { http: {} } }, { l7: { dns: {} } }],
      fails: [{ l7: { kafka: {} } }, {}],
    },
    { filter: { protocol: ['kafka'] }, passes: [{ l7: { kafka: {} } }], fails: [{ l7: { http: {} } }] },
    {
      filter: { reply: [false] },
      passes: [{ is_reply: false }, { verdict: 'DROPPED' }],
      fails: [{ is_reply: true }, {}],
    },
    {
      filter: { reply: [true] },
      passes: [{ is_reply: true }],
      fails: [{ is_reply: false }, { verdict: 'DROPPED' }, {}],
    },
    {
      filter: { http_status_code: ['404', '5+'] },
      passes: [http({ code: 404 }, 'RESPONSE'), http({ code: 503 }), http({ code: 404 }, 'REQUEST')],
      fails: [http({}), http({ code: 45 }, 'RESPONSE'), http({ code: 200 }, 'RESPONSE'), {}],
    },
    {
      filter: { http_method: ['Get'] },
      passes: [http({ method: 'GET' })],
      fails: [http({ method: 'POST' }), http({}), {}],
    },
    {
      filter: { http_path: ['^/a b$'] },
      passes: [http({ url: 'http://x/a%20b?q=1#f' }), http({ url: '/a b' })],
      fails: [http({ url: 'http://x/c' }), http({ url: '/a%zzb' }), {}],
    },
    {
      filter: { http_path: ['.*'] },
      passes: ['*', '/', '/a', '//a', 'http://x', 'http:x', 'http://u:p@[::1]:80/x', '/%ff', '/#'].map(
        (url) => http({ url }),
      ),
      fails: ['', 'a', 'a/b', '://x/', 'http://x:y/', 'http://a b/', '/%f', '/\n'].map((url) =>
        http({ url }),
      ),
    },
    { filter: { http_url: ['.*'] }, passes: [http({ url: 'a' })], fails: [http({}), { l7: {} }, {}] },
    {
      filter: { http_url: ['x/a'] },
      passes: [http({ url: 'http://x/a' })],
      fails: [http({ url: 'http://y/a' }), {}],
    },
    {
      filter: { http_header: [{ key: 'k', value: 'v' }] },
      passes: [
        http({
          headers: [
            { key: 'a', value: 'b' },
            { key: 'k', value: 'v' },
          ],
        }),
      ],
      fails: [
        http({
          headers: [
            { key: 'k', value: 'w' },
            { key: 'a', value: 'v' },
          ],
        }),
        http({}),
        {},
      ],
    },
    {
      filter: { dns_query: ['^a\\.'] },
      passes: [{ l7: { dns: { query: 'a.b.' } } }],
      fails: [{ l7: { dns: { query: 'b.' } } }, {}],
    },
    {
      filter: { tcp_flags: [{ SYN: true, ACK: true }, { RST: true }] },
      passes: [tcp(1, 2, { SYN: true, ACK: true, PSH: true }), tcp(1, 2, { RST: true })],
      fails: [tcp(1, 2, { SYN: true }), { l4: { UDP: {} } }],
    },
    {
      filter: { tcp_flags: [{ SYN: true, ACK: false }] },
      passes: [tcp(1, 2, { SYN: true, ACK: true }), tcp(1, 2, { SYN: true })],
      fails: [tcp(1, 2, { ACK: true })],
    },
    {
      filter: { node_name: ['lab/n*', 'solo', 'east/'] },
      passes: [
        { node_name: 'lab/n1' },
        { node_name: 'solo' },
        { node_name: 'x/solo' },
        { node_name: 'east/any' },
      ],
      fails: [{ node_name: 'lab/m1' }, { node_name: 'n1' }, { node_name: 'UP/solo' }, {}],
    },
    { filter: { node_name: ['*'] }, passes: [{ node_name: 'n' }], fails: [{ node_name: 'UP' }, {}] },
    { filter: { node_name: ['default/a'] }, passes: [{ node_name: 'a' }], fails: [{ node_name: 'lab/a' }] },
    { filter: { ip_version: ['IP_NOT_USED'] }, passes: [{}], fails: [{ IP: { ipVersion: 'IPv4' } }] },
    { filter: { trace_id: ['t'] }, passes: [{ trace_context: { parent: { trace_id: 't' } } }], fails: [{}] },
    { filter: { ip_trace_id: ['0'] }, passes: [{}], fails: [{ ip_trace_id: { trace_id: '7' } }] },
    { filter: { encrypted: [false] }, passes: [{}, { IP: {} }], fails: [{ IP: { encrypted: true } }] },
  ])('$filter', async ({ filter, passes, fails }) => {
    for (const flow of passes) expect([flow, await pass(filter, flow)]).toEqual([flow, true]);
    for (const flow of fails) expect([flow, await pass(filter, flow)]).toEqual([flow, false]);
  });
});

test('names are remembered as they matched', async () => {
  const matches = await compileFilters([{ source_fqdn: ['a.*'] }], []);
  for (const name of ['a.b', 'b.a', 'a.b', 'b.a'])
    expect(matches({ source_names: [name] })).toBe(name === 'a.b');
});

test('one of the allow filters suffices, and a deny filter wins', async () => {
  const both = await compileFilters([{ uuid: ['a'] }, { uuid: ['b'] }], [{ verdict: ['DROPPED'] }]);
  expect(both({ uuid: 'b' })).toBe(true);
  expect(both({ uuid: 'c' })).toBe(false);
  expect(both({ uuid: 'a', verdict: 'DROPPED' })).toBe(false);
  const denied = await compileFilters([], [{ verdict: ['DROPPED'] }]);
  expect([denied({}), denied({ verdict: 'DROPPED' })]).toEqual([true, false]);
});

describe('what is no filter is refused', () => {
  test.each<[FlowFilter, string]>([
    [{ source_port: ['65536'] }, 'value out of range'],
    [{ source_port: ['http'] }, 'invalid source port filter: invalid port "http"'],
    [{ destination_port: ['-1'] }, 'invalid destination port filter'],
    [{ source_ip: ['10.0.0.0/33'] }, 'netip.ParsePrefix("10.0.0.0/33"): prefix length out of range'],
    [{ source_ip: ['10.0.0'] }, 'invalid IP address "10.0.0"'],
    [{ source_fqdn: [''] }, 'empty pattern'],
    [{ source_fqdn: ['a..'] }, 'multiple trailing dots'],
    [{ source_fqdn: ['a/b'] }, "'/': invalid rune in pattern"],
    [{ node_name: ['a/b/c'] }, 'too many slashes'],
    [{ source_label: ['a in ('] }, 'unable to parse requirement'],
    [{ protocol: ['toString'] }, 'unknown protocol: "tostring"'],
    [{ http_status_code: ['4'] }, 'invalid status code prefix: "4"'],
    [{ http_status_code: ['404+'] }, 'invalid status code prefix: "404+"'],
    [{ dns_query: ['('] }, 'invalid dns query filter'],
    [{ http_url: ['a'], event_type: [{ type: 1 }] }, "to only match 'l7' events"],
    [{ experimental: { cel_expression: ['_flow.nonsense'] } }, 'failed to compile CEL expression'],
    [{ experimental: { cel_expression: ['1u'] } }, 'expected a boolean'],
    [{ experimental: { cel_expression: ['NodeState.NODE_GONE == 1'] } }, 'failed to compile'],
  ])('%j', async (filter, problem) => {
    await expect(compileFilters([filter], [])).rejects.toThrow(problem);
  });
});

test('a filter on HTTP goes together with the type that requests have', async () => {
  const filter: FlowFilter = { http_url: ['a'], event_type: [{ type: 1 }, { type: 129 }] };
  expect(await pass(filter, { ...http({ url: 'a' }), event_type: { type: 129 } })).toBe(true);
});

describe('an expression in CEL', () => {
  test.each<[string, Flow, boolean]>([
    ['_flow.verdict == Verdict.DROPPED', { verdict: 'DROPPED' }, true],
    ['_flow.verdict == Verdict.DROPPED', {}, false],
    ['_flow.verdict == flow.Verdict.VERDICT_UNKNOWN', {}, true],
    ['_flow.source.identity == 2u || _flow.source.identity == 3u', { source: { identity: 3 } }, true],
    ['_flow.source.namespace == ""', {}, true],
    ['has(_flow.source)', {}, false],
    ['has(_flow.source.namespace)', { source: { namespace: 'a' } }, true],
    ['"has(a.b) matches" == "has(a.b) matches"', {}, true],
    ['_flow.Summary.matches("^a")', { Summary: 'ab' }, true],
    ['_flow.source.labels[3] == "a"', { source: { labels: ['a'] } }, false],
    ['_flow.source.labels.exists(l, l == "a")', { source: { labels: ['b', 'a'] } }, true],
    ['_flow.is_reply == true', { is_reply: true }, true],
    ['_flow.is_reply == null', {}, true],
    ['_flow.IP.encrypted', {}, false],
    ['_flow.time > timestamp("2026-01-01T00:00:00Z")', { time: '2026-02-01T00:00:00Z' }, true],
  ])('%s', async (expression, flow, expected) => {
    expect(await pass({ experimental: { cel_expression: [expression] } }, flow)).toBe(expected);
  });

  test('is one of several of which one suffices; none at all means everything', async () => {
    expect(await pass({ experimental: { cel_expression: ['false', 'true'] } }, {})).toBe(true);
    expect(await pass({ experimental: { cel_expression: [] } }, {})).toBe(true);
  });
});
