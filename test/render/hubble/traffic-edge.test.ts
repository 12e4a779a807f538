import { describe, expect, test } from '@jest/globals';
import { TrafficCounter } from '../../../src/hubble/views/traffic/counter.ts';
import type { Flow } from '../../../src/model/hubble.gen.ts';
import type { Traffic } from '../../../src/model/traffic.ts';
import { busiestRows, edgeLines, layer7Rows } from '../../../src/render/hubble/traffic-edge.ts';

const pod = (name: string) => ({ namespace: 'shop', pod_name: name });
const between = (from: string, to: string, more: Flow = {}): Flow => ({
  verdict: 'FORWARDED',
  source: pod(from),
  destination: pod(to),
  is_reply: false,
  l4: { TCP: { source_port: 40_000, destination_port: 80 } },
  ...more,
});
const response = (from: string, to: string, code: number, ms: number): Flow =>
  between(from, to, {
    is_reply: true,
    source: pod(to),
    destination: pod(from),
    l4: { TCP: { source_port: 80, destination_port: 40_000 } },
    l7: {
      type: 'RESPONSE',
      latency_ns: String(ms * 1e6),
      http: { code, method: 'GET', url: 'http://api/x?y' },
    },
  });
const DROPPED: Flow = {
  verdict: 'DROPPED',
  drop_reason_desc: 'POLICY_DENIED',
  traffic_direction: 'EGRESS',
};

function trafficOf(...flows: Flow[]): Traffic {
  const counter = new TrafficCounter();
  for (const flow of flows) counter.add(flow, Date.parse('2026-01-01T08:00:00Z'));
  return counter.snapshot();
}

const TRAFFIC = trafficOf(
  between('web', 'api', { l7: { type: 'REQUEST', http: { method: 'GET', url: 'http://api/x?y' } } }),
  response('web', 'api', 200, 4),
  response('web', 'api', 200, 5),
  response('web', 'api', 503, 900),
  response('job', 'api', 200, 1),
  between('job', 'db', DROPPED),
  between('job', 'db', DROPPED),
);

describe('the text about an edge', () => {
  test('says what went over it, codes and percentiles, and who dropped', () => {
    const [edge] = TRAFFIC.edges.filter(({ server }) => server.endsWith('/api'));
    const [client, server] = [edge?.client, edge?.server].map((end) =>
      TRAFFIC.nodes.find(({ id }) => id === end),
    );
    if (!edge || !client || !server) throw new Error('there is no such edge');
    const lines = edgeLines({ edge, client, server }, 'src.pod = shop/web');
    expect(lines.map(({ text }) => text)).toEqual([
      'From, to:  shop/web → shop/api',
      'Flows:     4, 0 dropped, 3 answers',
      'Seen:      2026-01-01T08:00:00Z to 2026-01-01T08:00:00Z',
      'Verdicts:  FORWARDED 4',
      'Ports:     80/TCP 4',
      'HTTP:      1 requests, 3 answers',
      '  codes:   200 2, 503 1',
      expect.stringMatching(/^ {2}latency: p50 [45]\.\d ms, p90 \d+ ms, p99 \d+ ms, most 900 ms$/),
      '  paths:   GET /x 1',
      'Filter:    src.pod = shop/web',
    ]);
    expect(lines.filter(({ bad }) => bad).map(({ text }) => text)).toEqual(['  codes:   200 2, 503 1']);
  });

  test('names what decided a drop as far as Hubble tells it', () => {
    const [edge] = TRAFFIC.edges.filter(({ dropped }) => dropped > 0);
    const [client, server] = TRAFFIC.nodes;
    if (!edge || !client || !server) throw new Error('there is no such edge');
    const bad = edgeLines({ edge, client, server }, undefined).filter((line) => line.bad);
    expect(bad.map(({ text }) => text)).toEqual([
      'Flows:     2, 2 dropped, 0 answers',
      'Dropped:   2 POLICY_DENIED egress 80/TCP',
      '           Hubble names no policy: most likely no rule allows it. Policies select the client for egress.',
    ]);
  });

  test('lets no name steer the terminal', () => {
    const { nodes, edges } = trafficOf(
      between('web\u001b[2J', 'api\n', { ...DROPPED, drop_reason_desc: '\u001b]0;x' as never }),
    );
    const [edge] = edges;
    const [server, client] = nodes;
    if (!edge || !client || !server) throw new Error('there is no such edge');
    for (const { text } of edgeLines({ edge, client, server }, 'src.pod = "\u001b[2J"'))
      expect(text).not.toMatch(/[\u0000-\u001f]/);
  });
});

test('connections with requests are listed with codes and percentiles, the most answers first', () => {
  const { header, rows } = layer7Rows(TRAFFIC);
  expect(header.split(/ {2,}/)).toEqual(['ANSWERS', 'P50', 'P90', 'P99', 'CODES', 'CLIENT', 'SERVER']);
  expect(rows.map(({ text, bad }) => [text.replaceAll(/ +/g, ' '), bad])).toEqual([
    [expect.stringMatching(/^3 HTTP [45]\.\d ms \d+ ms \d+ ms 200 2, 503 1 shop\/web shop\/api$/), true],
    [expect.stringMatching(/^1 HTTP 1\.0 ms 1\.0 ms 1\.0 ms 200 1 shop\/job shop\/api$/), false],
  ]);
});

test('the busiest are those with the most drops, then those with the most flows', () => {
  const { rows } = busiestRows(TRAFFIC, 2);
  expect(rows.map(({ text, bad }) => [text.replaceAll(/ +/g, ' ').trim(), bad])).toEqual([
    ['2 2 shop/job shop/db POLICY_DENIED', true],
    ['4 shop/web shop/api', false],
  ]);
});
