import { describe, expect, test } from '@jest/globals';
import { TrafficCounter } from '../../../src/hubble/views/traffic/counter.ts';
import type { Flow } from '../../../src/model/hubble.gen.ts';
import type { Traffic } from '../../../src/model/traffic.ts';
import type { Fix } from '../../../src/model/traffic-report.ts';
import { type Finding, findingsOf } from '../../../src/render/hubble/traffic-findings.ts';

const WEB = { namespace: 'shop', pod_name: 'web-1', workloads: [{ kind: 'Deployment', name: 'web' }] };
const DNS = { namespace: 'kube-system', pod_name: 'coredns-1' };
const API = { namespace: 'shop', pod_name: 'api-1', workloads: [{ kind: 'Deployment', name: 'api' }] };

const START = Date.parse('2026-01-01T10:04:12Z');

/** A flow to a port, so many seconds after the first. */
function flow(seconds: number, port: number, more: Partial<Flow>): Flow {
  return {
    time: new Date(START + 1000 * seconds).toISOString(),
    verdict: 'FORWARDED',
    source: WEB,
    destination: API,
    is_reply: false,
    l4: { TCP: { source_port: 40_000, destination_port: port } },
    ...more,
  };
}

const drop = (seconds: number, port: number, reason: Flow['drop_reason_desc'], more: Partial<Flow> = {}) =>
  flow(seconds, port, {
    ...{ verdict: 'DROPPED', drop_reason_desc: reason, traffic_direction: 'EGRESS' },
    ...more,
  });

const udp = (seconds: number, more: Partial<Flow> = {}) =>
  drop(seconds, 53, 'POLICY_DENIED', {
    destination: DNS,
    l4: { UDP: { source_port: 40_000, destination_port: 53 } },
    ...more,
  });

function trafficOf(flows: readonly Flow[]): Traffic {
  const counter = new TrafficCounter();
  for (const each of flows) counter.add(each, each.time === undefined ? undefined : Date.parse(each.time));
  return counter.snapshot();
}

function findings(flows: readonly Flow[], fixes: readonly Fix[] = []): Finding[] {
  return findingsOf({ ...trafficOf(flows), fixes });
}

const whats = (flows: readonly Flow[]) => findings(flows).map(({ what }) => what);

describe('what went wrong', () => {
  test('is ranked: DNS, faults, what may be meant, what is usual; then by flows', () => {
    const many = (n: number, make: (i: number) => Flow) => Array.from({ length: n }, (_, i) => make(i));
    expect(
      whats([
        ...many(9, (i) => drop(i, 1, 'UNSUPPORTED_L3_PROTOCOL')),
        ...many(8, (i) => drop(i, 2, 'POLICY_DENY')),
        ...many(2, (i) => drop(i, 3, 'CT_MAP_INSERTION_FAILED')),
        ...many(3, (i) => drop(i, 4, 'POLICY_DENIED')),
        udp(1),
      ]),
    ).toEqual([
      'shop/web could not reach kube-system/coredns-1 on 53/UDP (DNS)',
      'shop/web could not reach shop/api on 4/TCP',
      'shop/web could not reach shop/api on 3/TCP',
      'shop/web could not reach shop/api on 2/TCP',
      'shop/web could not reach shop/api on 1/TCP',
    ]);
  });

  test('puts no client first that DNS answered elsewhere', () => {
    const other = { namespace: 'kube-system', pod_name: 'coredns-2' };
    const ports = { UDP: { source_port: 53, destination_port: 40_000 } };
    const answer = flow(3, 53, { source: other, destination: WEB, is_reply: true, l4: ports });
    const many = [drop(4, 80, 'POLICY_DENIED'), drop(5, 80, 'POLICY_DENIED')];
    const [first, second] = findings([udp(1), answer, ...many]);
    expect([first?.what, second?.what]).toEqual([
      'shop/web could not reach shop/api on 80/TCP',
      'shop/web could not reach kube-system/coredns-1 on 53/UDP (DNS)',
    ]);
    expect(second?.why).not.toContain('No DNS answered');
  });

  test('says of ends that others reach no more than that flows were dropped', () => {
    const answer = flow(2, 80, {
      ...{ source: API, destination: WEB, is_reply: true },
      l4: { TCP: { source_port: 80, destination_port: 40_000 } },
    });
    expect(whats([flow(1, 80, {}), answer, drop(3, 80, 'CT_MAP_INSERTION_FAILED')])).toEqual([
      'Flows of shop/web to shop/api on 80/TCP were dropped',
    ]);
  });

  test('names the policies that closed an end, and says when they are not known', () => {
    const flows = [udp(0), udp(30)];
    const [edge] = trafficOf(flows).edges;
    const ends = { client: edge?.client ?? '', server: edge?.server ?? '', drop: 0 };
    const by = ['policy shop/web-egress'];
    const decision = { answer: 'closed', direction: 'egress', subject: 'shop/web-1', by } as const;
    const fix: Fix = { ...ends, why: 'rule …', decision, yaml: undefined, remarks: [] };
    const [told] = findings(flows, [fix]);
    expect(told?.why).toBe(
      'Egress of shop/web-1 is closed by policy shop/web-egress, and no rule opens it for this traffic. No DNS server answered it in these flows: connections to names that it could not look up are missing here.',
    );
    expect(told?.seen).toBe(
      '2 flows dropped (POLICY_DENIED: no rule allows it), already so when the capture begins (10:04:12 UTC), and still at its end',
    );
    const [untold] = findings(flows);
    expect(untold?.why).toContain('Hubble names no policy: most likely no rule allows it.');
    expect(untold?.why).toContain('A report with --state or --rules says which.');
    const denied: Fix = { ...fix, decision: { ...decision, answer: 'denied' } };
    expect(findings(flows, [denied])[0]?.why).toContain('If that is meant, nothing is wrong.');
    const undecided: Fix = { ...fix, decision: undefined, why: 'cannot be decided: the port has a name' };
    expect(findings(flows, [undecided])[0]?.why).toMatch(/^Cannot be decided: the port has a name\./);
  });

  test('says since when: from the beginning, or from a time within', () => {
    /** Drops from a second to another one, so many seconds apart. */
    const seen = (from: number, to: number, gap: number) => {
      const times = Array.from({ length: (to - from) / gap + 1 }, (_, i) => from + i * gap);
      const drops = times.map((at) => drop(at, 80, 'POLICY_DENY'));
      return findings([flow(0, 443, {}), flow(60, 443, {}), ...drops])[0]?.seen.replace(/^.*?\), /, '');
    };
    expect([seen(0, 58, 1), seen(0, 30, 1), seen(8, 58, 5), seen(20, 58, 1), seen(20, 30, 1)]).toEqual([
      'already so when the capture begins (10:04:12 UTC), and still at its end',
      'already so when the capture begins (10:04:12 UTC), until 10:04:42 UTC',
      'already so when the capture begins (10:04:12 UTC), and still at its end',
      'since 10:04:32 UTC and still at the end',
      'from 10:04:32 to 10:04:42 UTC',
    ]);
  });

  test('keeps together what is wrong with one end, policy first, before all that may be meant', () => {
    const other = { namespace: 'batch', pod_name: 'job-1' };
    const many = (n: number, make: (i: number) => Flow) => Array.from({ length: n }, (_, i) => make(i));
    expect(
      whats([
        udp(1),
        ...many(9, (i) => drop(i, 80, 'POLICY_DENIED', { source: other })),
        ...many(8, (i) => drop(i, 81, 'POLICY_DENY')),
        ...many(3, (i) => drop(i, 82, 'SERVICE_BACKEND_NOT_FOUND')),
        ...many(2, (i) => drop(i, 83, 'POLICY_DENIED')),
        ...many(4, (i) =>
          drop(i, 84, 'CT_MAP_INSERTION_FAILED', {
            ...{ source: other, destination: WEB, traffic_direction: 'INGRESS' },
          }),
        ),
      ]),
    ).toEqual([
      'shop/web could not reach kube-system/coredns-1 on 53/UDP (DNS)',
      'shop/web could not reach shop/api on 83/TCP',
      'batch/job-1 could not reach shop/web on 84/TCP',
      'shop/web could not reach shop/api on 82/TCP',
      'batch/job-1 could not reach shop/api on 80/TCP',
      'shop/web could not reach shop/api on 81/TCP',
    ]);
  });

  test('tells reasons that are no policy, where to look, and that a name is not known', () => {
    const [full] = findings([drop(0, 80, 'CT_MAP_INSERTION_FAILED')]);
    expect(full).toMatchObject({
      why: 'Not a policy: there was no room for a new connection: most likely the table of connections is full.',
      seen: '1 flow dropped (CT_MAP_INSERTION_FAILED), at 10:04:12 UTC',
      look: { command: 'cilium bpf maps list' },
    });
    const [strange] = findings([drop(0, 80, 'OF_A_RELEASE_TO_COME' as Flow['drop_reason_desc'])]);
    expect(strange?.why).toBe('What this reason means is not known to this program.');
    const [none] = findings([{ ...drop(0, 80, undefined), time: undefined } as Flow]);
    expect([none?.why, none?.seen]).toEqual(['Hubble tells no reason.', '1 flow dropped (DROPPED)']);
  });

  test('has errors of HTTP, with what their codes mean', () => {
    const answer = (seconds: number, code: number) =>
      flow(seconds, 80, {
        ...{ source: API, destination: WEB, is_reply: true },
        l4: { TCP: { source_port: 80, destination_port: 40_000 } },
        l7: { type: 'RESPONSE', http: { code, method: 'GET', url: 'http://api/x' } },
      } as Partial<Flow>);
    const [server, client] = findings([answer(0, 503), answer(1, 200), answer(2, 403), answer(3, 500)]);
    expect(server).toMatchObject({
      kind: 'http',
      what: 'shop/api answered shop/web with errors (HTTP 500, 503)',
    });
    expect(server?.why).toContain('had nobody to serve the request');
    expect(server?.seen).toBe('2 of 4 answers');
    expect(client?.what).toContain('HTTP 403');
    expect(client?.why).toContain('where no rule for HTTP allows a request');
  });

  test.each([
    ['NXDOMAIN', 3, 'api.example.com.shop.svc.cluster.local.', 'most likely the next try succeeded'],
    ['NXDOMAIN', 3, 'example.com.cluster.local.', 'most likely the next try succeeded'],
    ['NXDOMAIN', 3, 'db-0.db.shop.svc.cluster.local.', 'knows no such name'],
    ['NXDOMAIN', 3, 'nowhere.example.', 'knows no such name'],
    ['SERVFAIL', 2, 'x.example.', 'could not find out'],
    ['REFUSED', 5, 'x.example.', 'where no rule for DNS allows the name'],
    ['RCODE', 9, 'x.example.', 'gave no address'],
  ])('has failures of DNS: %s (%i) of %s', (code, rcode, query, why) => {
    const [found] = findings([
      {
        ...udp(0, { verdict: 'FORWARDED', source: DNS, destination: WEB, is_reply: true }),
        l4: { UDP: { source_port: 53, destination_port: 40_000 } },
        l7: { type: 'RESPONSE', dns: { query, rcode } },
      } as Flow,
    ]);
    expect(found?.what).toMatch(/^shop\/web got no address for /);
    expect(found?.what).toContain(code);
    expect(found?.why).toContain(why);
  });

  test('keeps names from outside in their place', () => {
    const name = 'x\u202e\n\u001b[31m';
    const [found] = findings([drop(0, 80, 'POLICY_DENIED', { source: { namespace: name, pod_name: name } })]);
    expect(JSON.stringify(found)).not.toMatch(/\u202e|\u001b|[^\\]\\n/);
  });
});
