import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { run } from '../../../helpers/run.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'siblings-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const FLOW = {
  time: '2026-09-20T10:00:00Z',
  verdict: 'DROPPED',
  drop_reason_desc: 'POLICY_DENIED',
  IP: { source: '203.0.113.5', destination: '10.0.0.2', ipVersion: 'IPv4' },
  l4: { UDP: { source_port: 5000, destination_port: 53 } },
  source: { identity: 2, labels: ['reserved:world'] },
  destination: {
    ID: 3,
    identity: 107_099,
    namespace: 'default',
    labels: ['k8s:app=api', 'k8s:io.kubernetes.pod.namespace=default'],
    pod_name: 'api-0',
  },
  Type: 'L3_L4',
  node_name: 'n',
  event_type: { type: 1, sub_type: 133 },
  traffic_direction: 'INGRESS',
};
const LINE = 'Sep 20 10:00:00.000: 203.0.113.5:5000 (world) <> default/api-0:53 (ID:107099)';
const wrapped = (more: object) => `${JSON.stringify({ flow: { ...FLOW, ...more }, node_name: 'n' })}\n`;
const bare = (more: object = {}) => `${JSON.stringify({ ...FLOW, ...more })}\n`;

async function observe(text: string | Buffer, ...words: string[]) {
  writeFileSync(join(folder, 'f.jsonl'), text);
  return run(['hubble', 'observe', '--input-file', 'f.jsonl', ...words], { cwd: folder });
}

describe('a flow with a name or field that is newer than this program', () => {
  const NEWER = [
    ['a verdict', { verdict: 'DELAYED' }, 'Policy denied DELAYED ()'],
    ['a reason', { drop_reason_desc: 'NEW', event_type: { type: 1, sub_type: 230 } }, '230, 0 DROPPED ()'],
    ['a kind', { Type: 'L9' }, 'Policy denied DROPPED ()'],
    ['a direction', { traffic_direction: 'SIDEWAYS' }, 'Policy denied DROPPED ()'],
    ['a family', { IP: { ...FLOW.IP, ipVersion: 'IPv9' } }, 'Policy denied DROPPED ()'],
    ['a way to authenticate', { auth_type: 'NEW' }, 'Policy denied DROPPED (; Auth: NEW)'],
    ['a field', { brand_new: { a: [1] } }, 'Policy denied DROPPED ()'],
    ['a field of an end', { source: { ...FLOW.source, zone: 'x' } }, 'Policy denied DROPPED ()'],
    [
      'a field of a policy',
      { ingress_denied_by: [{ name: 'a', namespace: 'b', new: 1 }] },
      'Policy denied DROPPED ()',
    ],
  ] as const;
  test.each(NEWER)('%s: one warning, and the flow', async (_, more, end) => {
    for (const text of [wrapped(more), bare(more), wrapped(more) + wrapped(more)]) {
      const { stdout, stderr, code } = await observe(text);
      expect([stdout, code]).toEqual([`${LINE} ${end}\n`.repeat(text.match(/\n/g)?.length ?? 0), 0]);
      expect(stderr.match(/level=WARN msg="unknown field detected/g)).toHaveLength(1);
    }
  });

  test.each([
    ['a number for a verdict', { verdict: 42 }, 'Policy denied 42 ()'],
    [
      'a number for a reason',
      { drop_reason_desc: 230, event_type: { type: 1, sub_type: 230 } },
      '230, 0 DROPPED ()',
    ],
  ])('%s needs no warning', async (_, more, end) => {
    expect(await observe(wrapped(more))).toMatchObject({ stdout: `${LINE} ${end}\n`, stderr: '', code: 0 });
  });

  const verdict = { verdict: 'DELAYED' };
  test.each([
    [['-o', 'dict'], '    VERDICT: DELAYED'],
    [['-o', 'table'], 'DELAYED'],
    [['-o', 'jsonpb'], '"verdict":"DELAYED"'],
    [['-o', 'json'], '"verdict":"DELAYED"'],
    [['--top', 'verdict'], 'DELAYED'],
    [['--where', 'verdict == "DELAYED"'], LINE],
    [['--not', '--verdict', 'DROPPED'], LINE],
    [['--last', '1'], LINE],
    [['--port', '53', '--sort'], LINE],
  ])('every view shows it: %j', async (words, text) => {
    const { stdout, code } = await observe(wrapped(verdict), ...words);
    expect(code).toBe(0);
    expect(stdout).toContain(text);
  });
});

describe('lines that are flows without an envelope', () => {
  test.each<[string, string | Buffer, number]>([
    ['alone', bare(), 1],
    ['between others', bare() + wrapped({}) + bare(), 3],
    ['with a byte order mark', `\ufeff${bare()}`, 1],
    ['with CRLF', bare().replace('\n', '\r\n').repeat(2), 2],
    ['compressed', gzipSync(bare() + bare()), 2],
    ['after a line that is none', `{"a": 1}\n${bare()}`, 1],
    [
      'with names in the other case',
      bare({
        drop_reason_desc: undefined,
        dropReasonDesc: 'POLICY_DENIED',
        event_type: undefined,
        eventType: { type: 1, subType: 133 },
      }),
      1,
    ],
  ])('are read: %s', async (_, text, count) => {
    const { stdout, code } = await observe(text);
    expect([stdout, code]).toEqual([`${LINE} Policy denied DROPPED ()\n`.repeat(count), 0]);
  });

  test.each([
    ['--verdict', 'DROPPED'],
    ['--namespace', 'default'],
    ['--pod', 'default/api'],
    ['--type', 'drop'],
    ['--since', '2026-09-20T09:00:00Z'],
    ['--first', '1'],
    ['--last', '1'],
  ])('%s %s finds them', async (...words) => {
    expect((await observe(bare(), ...words)).stdout).toBe(`${LINE} Policy denied DROPPED ()\n`);
    expect((await observe(bare(), '--not', '--verdict', 'DROPPED')).stdout).toBe('');
  });

  test('so are those of a folder, and those that this program wrote', async () => {
    const legacy = await run(['hubble', 'observe', '--input-file', '-', '-o', 'json'], {
      stdin: wrapped({}),
      env: { HUBBLE_COMPAT: 'legacy-json-output' },
    });
    expect(JSON.parse(legacy.stdout)).not.toHaveProperty('flow');
    const captures = join(folder, 'captures');
    mkdirSync(captures);
    writeFileSync(join(captures, 'a.jsonl'), legacy.stdout);
    const { stdout } = await run(['hubble', 'observe', '--input-file', captures]);
    expect(stdout).toBe(`${LINE} Policy denied DROPPED ()\n`);
  });
});
