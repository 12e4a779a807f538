import { describe, expect, test } from '@jest/globals';
import { TrafficCounter } from '../../../src/hubble/views/traffic/counter.ts';
import type { Flow } from '../../../src/model/hubble.gen.ts';
import type { Fix } from '../../../src/model/traffic-report.ts';
import { isWords, wordsTest } from '../../../src/render/hubble/traffic-words.ts';

const WEB = { namespace: 'shop', pod_name: 'web-0', workloads: [{ kind: 'StatefulSet', name: 'web' }] };
const API = { namespace: 'shop', pod_name: 'api-7', workloads: [{ kind: 'Deployment', name: 'api' }] };
const DNS = {
  ...{ namespace: 'kube-system', pod_name: 'coredns-1' },
  workloads: [{ kind: 'Deployment', name: 'coredns' }],
};

const FLOWS: Flow[] = [
  {
    ...{ verdict: 'DROPPED', drop_reason_desc: 'POLICY_DENIED', traffic_direction: 'EGRESS' },
    ...{ source: WEB, destination: DNS, is_reply: false },
    l4: { UDP: { source_port: 40_000, destination_port: 53 } },
  },
  {
    ...{ verdict: 'FORWARDED', source: WEB, destination: API, is_reply: false },
    traffic_direction: 'INGRESS',
    event_type: { type: 5 },
    l4: { TCP: { source_port: 40_000, destination_port: 5353 } },
    ingress_allowed_by: [{ name: 'api-for-all', namespace: 'shop' }],
  },
];

const counter = new TrafficCounter();
for (const flow of FLOWS) counter.add(flow, undefined);
const { nodes, edges } = counter.snapshot();
const known = new Map(nodes.map((node) => [node.id, node]));
const items = edges.flatMap((edge) => {
  const [client, server] = [known.get(edge.client), known.get(edge.server)];
  return client && server ? [{ edge, client, server }] : [];
});
const dropped = items.find(({ edge }) => edge.dropped > 0);
const FIX: Fix = {
  ...{ client: dropped?.edge.client ?? '', server: dropped?.edge.server ?? '', drop: 0, why: undefined },
  decision: {
    ...{ answer: 'closed', direction: 'egress', subject: 'shop/web-0' },
    by: ['policy shop/web-egress', 'a rule with the label name=web-egress'],
  },
  ...{ yaml: undefined, remarks: [] },
};

const found = (text: string) =>
  items.filter(wordsTest(text, [FIX])).map(({ client, server }) => `${client.name} ${server.name}`);

describe('a word finds what is printed', () => {
  const [lookup, call] = ['web coredns', 'web api'];
  test.each([
    ['shop/web', [lookup, call]],
    ['SHOP/Web', [lookup, call]],
    ['kube-system/coredns', [lookup]],
    ['shop/web-0', [lookup, call]],
    ['api-7', [call]],
    ['coredns-1', [lookup]],
    ['53', [lookup]],
    ['53/UDP', [lookup]],
    ['5353', [call]],
    ['web-egress', [lookup]],
    ['shop/web-egress', [lookup]],
    ['shop/api-for-all', [call]],
    ['POLICY_DENIED', [lookup]],
    ['dropped', [lookup]],
    ['StatefulSet', [lookup, call]],
    ['web 5353', [call]],
    ['shop/web → shop/api', [call]],
    ['shop/api → shop/web', []],
    ['egress', [lookup]],
    ['53/TCP', []],
    ['shop/web-', [lookup, call]],
    ['shop/db', []],
    ['3', []],
  ])('%s', (text, expected) => {
    expect(isWords(text)).toBe(true);
    expect(found(text).sort()).toEqual(expected.toSorted());
  });

  test.each(['shop/web could not reach kube-system/coredns on 53/UDP (DNS)', 'name=web-egress'])(
    'and %s is looked for as it stands',
    (text) => {
      expect(found(text)).toEqual([lookup]);
    },
  );

  test.each(['dropped > 0', 'name = web', 'not web', 'web and api', 'name ~ "x"', 'port in [1..2]'])(
    'but %s is an expression',
    (text) => {
      expect(isWords(text)).toBe(false);
    },
  );
});
