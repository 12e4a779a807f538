import { expect, test } from '@jest/globals';
import type { Connection } from '../../../src/model/connection.ts';
import type { Flow } from '../../../src/model/hubble.gen.ts';
import { renderConnection, renderConnectionJson } from '../../../src/render/hubble/connection.ts';
import { timeFormat } from '../../../src/render/hubble/flow-time.ts';

const STYLE = {
  time: timeFormat('RFC3339'),
  color: false,
  nodeName: false,
  translateIps: true,
  policyNames: false,
};
const TIME = '2026-11-22T08:00:00.5Z';
const START = Date.parse(TIME);

const opening: Flow = {
  time: TIME,
  IP: { source: '10.0.0.1', destination: '10.0.0.2' },
  l4: { TCP: { source_port: 4000, destination_port: 80 } },
  source: { namespace: 'shop', pod_name: 'cart' },
};
const connection = (more: Partial<Connection> = {}): Connection => ({
  key: 'k',
  opening,
  firstMs: START,
  lastMs: START + 1250,
  forward: 3,
  reply: 2,
  points: ['from-endpoint', 'to-endpoint'],
  verdict: 'FORWARDED',
  reason: undefined,
  names: [],
  policies: [],
  closed: false,
  ...more,
});

test.each<[string, Partial<Connection>, string]>([
  [
    'both directions, how long it lasted and what saw it',
    {},
    'shop/cart:4000 -> 10.0.0.2:80 TCP FORWARDED (3→ 2←; 1.250s; from-endpoint,to-endpoint)',
  ],
  [
    'why it was dropped, its names and who decided',
    {
      verdict: 'DROPPED',
      reason: 'POLICY_DENIED',
      names: ['a.example', 'b.example'],
      policies: ['shop/deny'],
    },
    'shop/cart:4000 -> 10.0.0.2:80 TCP DROPPED POLICY_DENIED (3→ 2←; 1.250s; from-endpoint,to-endpoint; dns a.example,b.example; by shop/deny)',
  ],
  [
    'the end that opened it first, when only replies were seen',
    { opening: { ...opening, is_reply: true }, points: [] },
    '10.0.0.2:80 -> shop/cart:4000 TCP FORWARDED (3→ 2←; 1.250s)',
  ],
  [
    'the protocol of its requests',
    { opening: { ...opening, l7: { http: { method: 'GET' } } }, points: [] },
    'shop/cart:4000 -> 10.0.0.2:80 TCP/HTTP FORWARDED (3→ 2←; 1.250s)',
  ],
  [
    'L3 where there is no transport',
    { opening: { time: TIME, IP: opening.IP ?? {} }, points: [] },
    '10.0.0.1 -> 10.0.0.2 L3 FORWARDED (3→ 2←; 1.250s)',
  ],
])('a connection says %s', (_, more, text) => {
  expect(renderConnection(connection(more), STYLE)).toBe(`2026-11-22T08:00:00Z: ${text}\n`);
});

test('a connection never brings control bytes of the cluster to the terminal', () => {
  const evil = 'a\u001b[2J';
  const source = { namespace: evil, pod_name: evil };
  const text = renderConnection(
    connection({ opening: { ...opening, source }, names: [evil], policies: [evil] }),
    STYLE,
  );
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  expect(text).toContain('a^[[2J/a^[[2J:4000');
});

test('a connection as JSON has its ends and its times, and not our key', () => {
  expect(JSON.parse(renderConnectionJson(connection({ closed: true })))).toEqual({
    first_seen: '2026-11-22T08:00:00.500Z',
    last_seen: '2026-11-22T08:00:01.750Z',
    source: opening.source,
    IP: opening.IP,
    l4: opening.l4,
    forward: 3,
    reply: 2,
    points: ['from-endpoint', 'to-endpoint'],
    verdict: 'FORWARDED',
    names: [],
    policies: [],
    closed: true,
  });
});
