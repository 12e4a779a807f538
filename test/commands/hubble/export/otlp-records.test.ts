import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from '@jest/globals';
import * as conventions from '@opentelemetry/semantic-conventions/incubating';
import { COLUMNS } from '../../../../src/hubble/columns.ts';
import { ATTRIBUTE_NAMES } from '../../../../src/hubble/otlp/log-records.ts';
import { type Received, serveCollector } from '../../../helpers/otlp.ts';
import { CaptureFolder, exportOtlp } from '../../../helpers/otlp-export.ts';
import { fixturePath, fixtureText } from '../../../helpers/recordings.ts';
import { run } from '../../../helpers/run.ts';

const FLOWS = fixturePath('recordings/flows-1.20.jsonl');
const COUNT = fixtureText('recordings/flows-1.20.jsonl').trim().split('\n').length;

const folder = new CaptureFolder();
afterAll(() => folder[Symbol.dispose]());

const FULL = {
  flow: {
    time: '2026-01-31T15:04:05.123456789Z',
    uuid: 'u-1',
    verdict: 'DROPPED',
    drop_reason_desc: 'POLICY_DENIED',
    node_name: 'prod/worker-1',
    traffic_direction: 'EGRESS',
    event_type: { type: 5 },
    is_reply: false,
    IP: { source: '10.0.0.1', destination: '2001:db8::1', ipVersion: 'IPv4' },
    l4: { TCP: { source_port: 43210, destination_port: 80, flags: { SYN: true, ACK: true } } },
    source: {
      identity: 1234,
      namespace: 'shop',
      pod_name: 'cart-1',
      cluster_name: 'prod',
      labels: ['k8s:app=cart', 'k8s:io.kubernetes.pod.namespace=shop'],
      workloads: [{ name: 'cart', kind: 'Deployment' }],
    },
    destination: { identity: 2, namespace: 'world' },
    destination_names: ['a.example.com', 'b.example.com'],
    destination_service: { name: 'web', namespace: 'shop' },
    l7: {
      type: 'RESPONSE',
      latency_ns: '1500000',
      http: { method: 'GET', url: 'http://web/cart?id=1', code: 503 },
    },
    trace_context: { parent: { trace_id: '4BF92F3577B34DA6A3CE929D0E0E4736' } },
    egress_denied_by: [{ name: 'no-web', namespace: 'shop' }],
    Summary: 'HTTP/1.1 503 GET',
  },
};

describe('what a collector receives', () => {
  test.each(['http/protobuf', 'http/json'])('of a flow, as %s', async (protocol) => {
    await using collector = await serveCollector();
    const { stderr, stdout, code } = await exportOtlp(
      ['--input-file', folder.capture(FULL), '--endpoint', collector.endpoint, '--otlp-protocol', protocol],
      { nowMs: 1_769_872_000_250 },
    );
    const at = `${collector.endpoint}/v1/logs`;
    expect([code, stdout, stderr]).toEqual([
      0,
      '',
      `Sending to ${at} as ${protocol}.\n1 records sent to ${at}, 0 refused, 0 not sent.\n`,
    ]);
    const observed = await run(['hubble', 'observe', '--input-file', folder.capture(FULL)]);
    expect(collector.taken).toEqual([
      {
        time: '1769871845123456789',
        observed: '1769872000250000000',
        severity: 'WARN',
        severityNumber: 13,
        event: 'hubble.flow',
        body: observed.stdout.trimEnd(),
        resource: {
          'service.name': 'hubble',
          'k8s.cluster.name': 'prod',
          'k8s.node.name': 'worker-1',
        },
        scope: 'hubble',
        traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
        attributes: {
          'log.record.uid': 'u-1',
          'cilium.verdict': 'DROPPED',
          'cilium.drop_reason': 'POLICY_DENIED',
          'cilium.traffic_direction': 'EGRESS',
          'cilium.event_type': 5,
          'cilium.is_reply': false,
          'cilium.tcp_flags': ['SYN', 'ACK'],
          'cilium.source.namespace': 'shop',
          'cilium.source.pod': 'cart-1',
          'cilium.source.workload.name': 'cart',
          'cilium.source.workload.kind': 'Deployment',
          'cilium.source.cluster': 'prod',
          'cilium.source.identity': 1234,
          'cilium.source.labels': ['k8s:app=cart', 'k8s:io.kubernetes.pod.namespace=shop'],
          'source.address': '10.0.0.1',
          'source.port': 43210,
          'cilium.destination.namespace': 'world',
          'cilium.destination.identity': 2,
          'destination.address': '2001:db8::1',
          'destination.port': 80,
          'cilium.destination.names': ['a.example.com', 'b.example.com'],
          'cilium.destination.service': 'shop/web',
          'network.transport': 'tcp',
          'cilium.l7.type': 'RESPONSE',
          'cilium.l7.latency_ns': 1_500_000,
          'http.request.method': 'GET',
          'url.full': 'http://web/cart?id=1',
          'http.response.status_code': 503,
          'cilium.policies': ['shop/no-web'],
          'cilium.summary': 'HTTP/1.1 503 GET',
        },
      },
    ]);
  });

  test('has names of the conventions wherever it is not of cilium or hubble', () => {
    const known = new Set<unknown>(Object.values(conventions));
    const others = ATTRIBUTE_NAMES.filter((name) => !/^(cilium|hubble)\./.test(name));
    expect(others.filter((name) => !known.has(name))).toEqual([]);
    expect(new Set(ATTRIBUTE_NAMES).size).toBe(ATTRIBUTE_NAMES.length);
    expect(COLUMNS.filter(({ attribute }) => attribute === undefined).map(({ name }) => name)).toEqual([
      'time',
      'node',
    ]);
  });

  test('is what the docs say', () => {
    const page = readFileSync(fileURLToPath(new URL('../../../../docs/otlp.md', import.meta.url)), 'utf8');
    const columns = COLUMNS.flatMap(({ attribute, name }) => (attribute === undefined ? [] : [name]));
    const names = [...ATTRIBUTE_NAMES, ...columns];
    expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });

  test('is each record of a recording, the same in both encodings', async () => {
    await using collector = await serveCollector();
    const words = ['--input-file', FLOWS, '--endpoint', collector.endpoint];
    await exportOtlp(words);
    const first = collector.taken.splice(0);
    await exportOtlp([...words, '--otlp-protocol', 'http/json', '--compression', 'gzip']);
    expect(collector.requests.at(-1)?.headers['content-encoding']).toBe('gzip');
    expect(first).toHaveLength(COUNT);
    expect(collector.taken).toEqual(first);
  });

  test('with --body flow is the whole flow', async () => {
    await using collector = await serveCollector();
    await exportOtlp([
      '--input-file',
      folder.capture(FULL),
      '--endpoint',
      collector.endpoint,
      '--body',
      'flow',
    ]);
    const { body } = collector.taken[0] as Received;
    expect(body).toMatchObject({
      verdict: 'DROPPED',
      l4: { TCP: { destination_port: 80, flags: { SYN: true } } },
      l7: { latency_ns: '1500000', http: { code: 503 } },
    });
  });

  test('has all digits of what servers add to a flow', async () => {
    await using collector = await serveCollector();
    const path = folder.capture({ flow: { verdict: 'DROPPED', extensions: { '@type': 'x', n: 'N' } } });
    writeFileSync(path, readFileSync(path, 'utf8').replace('"N"', '12345678901234567890'));
    await exportOtlp(['--input-file', path, '--endpoint', collector.endpoint, '--body', 'flow']);
    expect(collector.taken).toMatchObject([{ body: { extensions: { n: '12345678901234567890' } } }]);
  });

  test('tells of lost events too, which are counted on stderr', async () => {
    const lost = { source: 'HUBBLE_RING_BUFFER', num_events_lost: '42', cpu: 3 };
    const message = { lost_events: lost, node_name: 'prod/n1', time: '2026-01-31T15:04:05Z' };
    await using collector = await serveCollector();
    const { stderr, code } = await exportOtlp([
      ...['--input-file', folder.capture(FULL, message), '--endpoint', collector.endpoint],
    ]);
    expect(code).toBe(0);
    expect(stderr).toContain('42 events lost');
    expect(collector.taken[1]).toMatchObject({
      event: 'hubble.lost_events',
      severity: 'WARN',
      body: expect.stringContaining('EVENTS LOST: HUBBLE_RING_BUFFER CPU(3) 42'),
      attributes: {
        'hubble.lost.events': 42,
        'hubble.lost.source': 'HUBBLE_RING_BUFFER',
        'hubble.lost.cpu': 3,
      },
      resource: { 'k8s.node.name': 'n1' },
    });
  });

  test.each(['http/protobuf', 'http/json'])('is what hostile names were, as %s', async (protocol) => {
    const evil = '\u001b[31m\r\n\u202e"<script>\u0000';
    const record = {
      flow: {
        time: 'yesterday',
        node_name: `${evil}/${evil}`,
        verdict: 77,
        source: { namespace: `${evil}\ud800x`, labels: [evil, '\udfff'], pod_name: 'p'.repeat(100_000) },
        trace_context: { parent: { trace_id: 'zz' } },
        Summary: evil,
      },
    };
    const path = folder.capture(
      { flow: { ...record.flow, time: '0001-01-01T00:00:00Z' } },
      { flow: { ...record.flow, time: '9999-12-31T23:59:59Z' } },
    );
    await using collector = await serveCollector();
    const { code, stderr } = await exportOtlp([
      ...['--input-file', path, '--endpoint', collector.endpoint, '--otlp-protocol', protocol],
    ]);
    expect([code, stderr]).toEqual([0, expect.stringContaining('2 records sent')]);
    for (const received of collector.taken) {
      expect(received.time).toBe('0');
      expect(received.traceId).toBe('');
      expect(received.attributes['cilium.source.namespace']).toBe(`${evil}\ufffdx`);
      expect(received.attributes['cilium.source.labels']).toEqual([evil, '\ufffd']);
      expect(received.resource['k8s.node.name']).toBe(evil);
      // The line is safe for a terminal, as that of observe is.
      expect(received.body).not.toMatch(/[\u001b\r\n\u202e\u0000]/);
    }
  });

  test('is what came before the end of a capture that is cut short', async () => {
    const path = join(folder.path, 'cut.jsonl.gz');
    writeFileSync(path, gzipSync(readFileSync(FLOWS)).subarray(0, -20_000));
    await using collector = await serveCollector();
    for (const columns of [undefined, 80]) {
      const { code, stderr } = await exportOtlp(
        ['--input-file', path, '--endpoint', collector.endpoint],
        columns === undefined ? {} : { columns },
      );
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(/[1-9]\d* records sent .* 0 refused, 0 not sent/),
      ]);
    }
  });

  test('is chosen by filters and expressions', async () => {
    await using collector = await serveCollector();
    const words = ['--input-file', FLOWS, '--verdict', 'DROPPED', '--where', 'protocol = tcp'];
    await exportOtlp([...words, '--endpoint', collector.endpoint]);
    const { stdout } = await run(['hubble', 'observe', ...words]);
    expect(collector.taken.map(({ body }) => `${body}\n`).join('')).toBe(stdout);
    expect(stdout).not.toBe('');
  });
});

test('leave out what --redact names, in the attributes and in both bodies', async () => {
  await using collector = await serveCollector();
  const input = folder.capture(FULL);
  const words = ['--input-file', input, '--endpoint', collector.endpoint, '--redact', 'http,dns,ips,labels'];
  for (const body of ['line', 'flow']) expect((await exportOtlp([...words, '--body', body])).code).toBe(0);
  expect(collector.taken).toHaveLength(2);
  const text = JSON.stringify(collector.taken);
  for (const secret of ['10.0.0.1', '2001:db8::1', 'id=1', 'a.example.com', 'app=cart'])
    expect(text).not.toContain(secret);
  expect(text).toContain('cart-1');
  const none = await exportOtlp([...words.slice(0, -1), 'all']);
  expect([none.code, none.stderr]).toEqual([
    1,
    expect.stringContaining('--redact: "all" cannot be redacted'),
  ]);
});
