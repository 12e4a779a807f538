import { describe, expect, test } from '@jest/globals';
import { compileWhere } from '../../../src/hubble/where/evaluate.ts';
import { fieldNamed } from '../../../src/hubble/where/fields.ts';
import { parseWhere } from '../../../src/hubble/where/parse.ts';
import { planWhere } from '../../../src/hubble/where/server-plan.ts';
import type { Flow } from '../../../src/model/hubble.gen.ts';

const port = (destination_port: number): Flow => ({ l4: { TCP: { source_port: 1, destination_port } } });
const pod = (namespace: string, pod_name: string): Flow => ({ destination: { namespace, pod_name } });
const path = (url: string): Flow => ({ l7: { http: { url } } });
const labels = (...list: string[]): Flow => ({ source: { labels: list } });
const latency = (latency_ns: string): Flow => ({ l7: { latency_ns } });

describe('an expression passes the flows that it means, and no others', () => {
  test.each<[string, Flow[], Flow[]]>([
    ['dst.port < 80', [port(79), port(0)], [port(80), {}]],
    ['dst.port <= 80', [port(80)], [port(81), {}]],
    ['dst.port > 80', [port(81)], [port(80), {}]],
    ['dst.port >= 80', [port(80)], [port(79), {}]],
    ['dst.port = 80..90', [port(80), port(90)], [port(79), port(91), {}]],
    ['dst.port in ..90', [port(0), port(90)], [port(91)]],
    ['dst.port in 80..', [port(80), port(65535)], [port(79)]],
    ['dst.port in (80, 90)', [port(80), port(90)], [port(85)]],
    ['port = 1', [port(80)], [{ l4: { TCP: { source_port: 2 } } }]],
    ['dst.port != 80', [port(81), {}], [port(80)]],
    ['src.port = 0', [{ l4: { SCTP: {} } }], [{ l4: { ICMPv4: {} } }]],
    ['latency > 10ms', [latency('10000001')], [latency('10000000'), {}]],
    ['latency = 1us', [latency('1000')], [latency('999')]],
    ['reply', [{ is_reply: true }], [{ is_reply: false }, {}]],
    ['reply = false', [{ is_reply: false }], [{ is_reply: true }, {}]],
    ['encrypted = false', [{}], [{ IP: { encrypted: true } }]],
    ['identity', [{ source: { identity: 1 } }], [{ source: { identity: 0 } }, {}]],
    ['uuid', [{ uuid: 'a' }], [{ uuid: '' }, {}]],
    ['dst.pod = shop/web', [pod('shop', 'web')], [pod('shop', 'web-1'), pod('x', 'web')]],
    ['dst.pod = web', [pod('shop', 'web'), pod('', 'web')], [pod('web', 'x'), pod('shop', '')]],
    ['dst.pod = w*b', [pod('s', 'wb'), pod('s', 'wxxb')], [pod('s', 'wbx'), pod('s', 'w')]],
    ['dst.pod = a*a', [pod('s', 'aa')], [pod('s', 'a')]],
    ['dst.pod = a*b*c', [pod('s', 'abc'), pod('s', 'axbxc')], [pod('s', 'acb'), pod('s', 'ac')]],
    ['fqdn', [{ source_names: ['a'] }], [{ source_names: [''] }]],
    ['dst.pod = a*bb*bb*a', [pod('s', 'abbbba')], [pod('s', 'abbba')]],
    ['dst.pod = a*bc*cd', [pod('s', 'abccd')], [pod('s', 'abcd')]],
    ['src.pod = Web', [{ source: { pod_name: 'Web' } }], [{ source: { pod_name: 'web' } }]],
    [
      'dst.service = shop/cart',
      [{ destination_service: { namespace: 'shop', name: 'cart' } }],
      [{ destination_service: { name: 'cart' } }],
    ],
    ['verdict = dropped', [{ verdict: 'DROPPED' }], [{ verdict: 'FORWARDED' }]],
    ['verdict = verdict-unknown', [{}], [{ verdict: 'DROPPED' }]],
    ['reason = policy-denied', [{ drop_reason_desc: 'POLICY_DENIED' }], [{}]],
    ['http.method = get', [{ l7: { http: { method: 'GET' } } }], [{ l7: { http: { method: 'PUT' } } }]],
    ['uuid = a', [{ uuid: 'a' }], [{ uuid: 'A' }]],
    [
      'flags = syn',
      [{ l4: { TCP: { flags: { SYN: true } } } }],
      [{ l4: { TCP: { flags: { SYN: false } } } }],
    ],
    ['http.path = /a', [path('http://h/a?q'), path('/a#x')], [path('http://h/ab'), {}]],
    ['http.path ~ "b$"', [path('/ab')], [path('/ba')]],
    ['http.path !~ "b$"', [path('/ba'), {}], [path('/ab')]],
    [
      'label = "app=web,env=prod"',
      [labels('app=web', 'env=prod')],
      [labels('app=web'), { source: { labels: ['app=web'] }, destination: { labels: ['env=prod'] } }],
    ],
    ['src.label != "app=web"', [labels('app=api'), {}], [labels('app=web')]],
    [
      'label in ["app=web", "app=api"]',
      [labels('app=api'), { destination: { labels: ['app=web'] } }],
      [labels('app=x')],
    ],
    ['src.ip in 10.0.0.0/8', [{ IP: { source: '10.9.9.9' } }], [{ IP: { source: '11.0.0.0' } }, {}]],
    ['protocol = icmp', [{ l4: { ICMPv6: {} } }], [{ l4: { TCP: {} } }]],
    ['protocol = kafka', [{ l7: { kafka: {} } }], [{ l7: { http: {} } }]],
    ['type = trace-sock', [{ event_type: { type: 7 } }], [{ event_type: { type: 4 } }]],
    ['dns.rcode = 0', [{ l7: { type: 'RESPONSE', dns: {} } }], [{ l7: { type: 'REQUEST', dns: {} } }]],
    ['http.code', [{ l7: { http: { code: 200 } } }], [{ l7: { http: { code: 0 } } }]],
    [
      'policy = ns/p',
      [{ ingress_denied_by: [{ namespace: 'ns', name: 'p' }] }],
      [{ ingress_denied_by: [{ name: 'p' }] }],
    ],
    [
      'src.workload = web',
      [{ source: { workloads: [{ name: 'web' }] } }],
      [{ source: { workloads: [{ kind: 'web' }] } }],
    ],
    [
      'src.host = "a.example"',
      [{ source_names: ['a.example'], IP: { source: '1.1.1.1' } }],
      [{ source: { pod_name: 'x' }, source_names: ['a.example'] }],
    ],
    ['dst.host = 1.1.1.1', [{ IP: { destination: '1.1.1.1' } }], [{ IP: { source: '1.1.1.1' } }]],
    [
      'uuid = a or uuid = b and verdict = DROPPED',
      [{ uuid: 'a' }, { uuid: 'b', verdict: 'DROPPED' }],
      [{ uuid: 'b' }],
    ],
    ['not uuid = a and verdict = DROPPED', [{ verdict: 'DROPPED' }], [{ uuid: 'a', verdict: 'DROPPED' }, {}]],
    ["summary = 'a \\'b\\' \\\\'", [{ Summary: "a 'b' \\" }], [{ Summary: 'a' }]],
  ])('%s', async (source, passes, fails) => {
    const matches = await compileWhere(parseWhere(source), source);
    for (const flow of passes) expect([flow, matches(flow)]).toEqual([flow, true]);
    for (const flow of fails) expect([flow, matches(flow)]).toEqual([flow, false]);
  });
});

describe('an operator that does not fit its field is refused', () => {
  test.each([
    ['reply ~ a', 'is no text'],
    ['latency ~ a', 'is no text'],
    ['reply < true', 'is no number'],
    ['reply = yes', 'is true or false, not "yes"'],
    ['label ~ a', 'takes = and in, with a selector'],
    ['label < a', 'takes = and in, with a selector'],
    ['label = "a in ("', 'is not a label selector'],
    ['latency > fast', '"fast" is not a duration'],
    ['dst.port = 80..x', '"x" is not a number'],
    ['uuid = a | b', '"|" has no meaning here'],
    ['uuid in [a b]', 'expected "," or "]", found "b"'],
    ['uuid = ,', 'expected a value, found ","'],
  ])('%s', async (source, problem) => {
    await expect((async () => compileWhere(parseWhere(source), source))()).rejects.toThrow(problem);
  });
});

describe('a plan asks the server for as much as it can answer', () => {
  test.each<[string, ReturnType<typeof planWhere>['allow'], ReturnType<typeof planWhere>['deny'], boolean]>([
    ['dst.port = 80', [{ destination_port: ['80'] }], [], true],
    ['dst.port in 1..9', [], [], false],
    ['port = 80', [{ source_port: ['80'] }, { destination_port: ['80'] }], [], true],
    ['dst.pod = web*', [{ destination_pod: ['/web'] }], [], false],
    ['src.namespace = shop', [{ source_pod: ['shop/'] }], [], false],
    ['src.namespace = sh*', [], [], false],
    ['src.workload = web', [{ source_workload: [{ name: 'web' }] }], [], true],
    ['src.cluster = east', [{ source_cluster_name: ['east'] }], [], true],
    ['src.identity = 2', [{ source_identity: [2] }], [], true],
    ['verdict = dropped', [{ verdict: ['DROPPED'] }], [], true],
    ['verdict = dropped and dst.port = 80', [{ verdict: ['DROPPED'], destination_port: ['80'] }], [], true],
    ['verdict = dropped and verdict = audit', [{ verdict: ['DROPPED'] }], [], false],
    [
      'verdict = dropped or dst.port = 80',
      [{ verdict: ['DROPPED'] }, { destination_port: ['80'] }],
      [],
      true,
    ],
    ['verdict = dropped or summary ~ x', [], [], false],
    ['verdict != dropped', [], [{ verdict: ['DROPPED'] }], true],
    ['not verdict != dropped', [{ verdict: ['DROPPED'] }], [], true],
    ['dst.pod != web', [], [], false],
    ['verdict != dropped or dst.port = 80', [], [], false],
    ['reason = policy-denied', [{ drop_reason_desc: ['POLICY_DENIED'] }], [], false],
    ['type = l7 and http.method = GET', [{ event_type: [{ type: 129 }], http_method: ['GET'] }], [], true],
    ['type = drop and http.method = GET', [{ event_type: [{ type: 1 }] }], [], false],
    ['type = nonsense', [], [], false],
    ['http.code = 404', [{ http_status_code: ['404'] }], [], true],
    ['http.code = 4', [], [], false],
    ['http.url ~ a', [{ http_url: ['a'] }], [], true],
    ['http.path ~ a', [{ http_path: ['a'] }], [], false],
    ['dns.query !~ a', [], [{ dns_query: ['a'] }], true],
    ['node = lab/a', [{ node_name: ['lab/a'] }], [], false],
    ['node = a', [], [], false],
    ['protocol = TCP', [{ protocol: ['tcp'] }], [], true],
    ['encrypted = true', [{ encrypted: [true] }], [], true],
    ['reply', [], [], false],
  ])('%s', (source, allow, deny, exact) => {
    expect(planWhere(parseWhere(source), source)).toMatchObject({ allow, deny, exact });
  });

  const many = (count: number) => Array.from({ length: count }, (_, i) => `dst.port = ${i + 1}`).join(' or ');

  test('but not with more than 16 alternatives', () => {
    expect(planWhere(parseWhere(many(16)), many(16)).allow).toHaveLength(16);
    expect(planWhere(parseWhere(many(17)), many(17))).toMatchObject({ allow: [], exact: false });
    const either = many(9).replaceAll('dst.', '');
    expect(planWhere(parseWhere(either), either)).toMatchObject({ allow: [], exact: false });
  });

  test('and names the fields that the rest reads', () => {
    const source = 'src.pod = a and not (verdict = DROPPED or dst.ip = 1.1.1.1)';
    expect(planWhere(parseWhere(source), source).paths).toEqual([
      'source.namespace',
      'source.pod_name',
      'verdict',
      'IP',
    ]);
  });
});

test.each([
  ['src.ns', 'src.namespace', 'source'],
  ['destination.svc', 'dst.service', 'destination'],
  ['PORT', 'port', 'either'],
  ['method', 'http.method', undefined],
])('%s is %s', (word, name, side) => expect(fieldNamed(word)).toMatchObject({ name, side }));

test.each(['src', 'src.verdict', 'toString', 'src.constructor', ''])('%j is no field', (word) =>
  expect(fieldNamed(word)).toBeUndefined(),
);
