import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Flow } from '../../../../src/model/hubble.gen.ts';
import { fixtureText } from '../../../helpers/recordings.ts';
import { type RunOptions, run } from '../../../helpers/run.ts';

const LINES = fixtureText('recordings/flows-1.20.jsonl').trimEnd().split('\n');
const [FIRST = '', SECOND = '', THIRD = ''] = LINES;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'observe-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs observe on these lines. */
function observe(lines: readonly string[], flags: readonly string[] = [], options: RunOptions = {}) {
  const file = join(folder, 'flows.jsonl');
  writeFileSync(file, lines.map((line) => `${line}\n`).join(''));
  return run(['hubble', 'observe', '--input-file', file, ...flags], options);
}

const flow = ({ time = '2026-11-22T08:00:00Z', ...fields }: Flow) =>
  JSON.stringify({ flow: { time, ...fields }, time });
const jsonOf = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');

describe('observe reads a file', () => {
  // differs: observe-long-line
  test('with a line far longer than the reference can hold', async () => {
    const long = flow({ IP: { source: '1.1.1.1', destination: '2.2.2.2' }, Summary: 'x'.repeat(3_000_000) });
    const { stdout, code } = await observe([FIRST, long, SECOND], ['-o', 'json']);
    expect(stdout).toBe(`${FIRST}\n${long}\n${SECOND}\n`);
    expect(code).toBe(0);
  });

  test('past lines that are broken or cut short, and names each', async () => {
    const broken = ['nonsense', '{"flow":', '[1]', '{"flow":{"verdict":true}}', '', FIRST.slice(0, 300)];
    const { stdout, stderr, code } = await observe([FIRST, ...broken, SECOND], ['-o', 'json'], { nowMs: 0 });
    expect(stdout).toBe(`${FIRST}\n${SECOND}\n`);
    expect(code).toBe(0);
    const warnings = stderr.trimEnd().split('\n');
    expect(warnings).toHaveLength(5);
    for (const warning of warnings)
      expect(warning).toMatch(/level=WARN msg="Failed to unmarshal JSON" error="proto: /);
    expect(warnings[3]).toContain('invalid value for enum field verdict');
  });

  // differs: observe-unseen-damage
  test('past a damaged line that a filter could not have meant, with or without a word', async () => {
    const { stdout, code } = await observe(
      [FIRST, '{"flow":{"verdict":', SECOND],
      ['--pod', 'no/such', '-o', 'json'],
    );
    expect({ stdout, code }).toEqual({ stdout: '', code: 0 });
    const meant = await observe(
      [FIRST, '{"flow":{"source":{"pod_name":"such","namespace":"no"', SECOND],
      ['--pod', 'no/such'],
    );
    expect([meant.stdout, meant.code]).toEqual(['', 0]);
    expect(meant.stderr).toContain('Failed to unmarshal JSON');
  });

  test('with fields of a later release, and warns of them once', async () => {
    const later = FIRST.replace('"uuid"', '"shiny":{"a":[1]},"uuid"');
    const { stdout, stderr } = await observe([later, later, SECOND], ['-o', 'json']);
    expect(stdout).toBe(`${FIRST}\n${FIRST}\n${SECOND}\n`);
    expect(stderr.match(/WARN/g)).toHaveLength(1);
    expect(stderr).toMatch(/unknown field/);
  });

  test('without a newline at its end, and from stdin', async () => {
    const { stdout } = await run(['hubble', 'observe', '--input-file', '-', '-o', 'json'], {
      stdin: `${FIRST}\r\n${SECOND}`,
    });
    expect(stdout).toBe(`${FIRST}\n${SECOND}\n`);
  });
});

/** An expression that lets every flow pass: with it, flows are read whole. */
const EVERYTHING = ['--where', 'verdict ~ "."'];
const LOST = JSON.stringify({ lost_events: { source: 'HUBBLE_RING_BUFFER', num_events_lost: '7' } });
const STATUS = JSON.stringify({ node_status: { state_change: 'NODE_ERROR', node_names: ['n1'] } });

describe.each([
  ['as text', []],
  ['as messages', EVERYTHING],
] as const)('a part of a file, read %s', (_, mode) => {
  test.each([
    [['--first', '1'], 0, 1],
    [['--first', '2'], 0, 2],
    [['--first', '9'], 0, 3],
    [['--last', '1'], 2, 3],
    [['--last', '2'], 1, 3],
    [['--last', '3'], 0, 3],
    [['--last', '9'], 0, 3],
    [['--last', '0'], 0, 3],
    [['--all'], 0, 3],
    [['--last', '1000000'], 0, 3],
    [['--last', '18446744073709551615'], 0, 3],
    [['--first', '1000001'], 0, 3],
  ] as const)('is what %j asks for', async (flags, from, to) => {
    const lines = [FIRST, SECOND, THIRD];
    for (const format of ['json', 'compact', 'dict', 'table']) {
      const whole = await observe(lines.slice(from, to), ['-o', format]);
      expect(await observe(lines, [...flags, ...mode, '-o', format])).toEqual(whole);
    }
  });

  test('is refused when it would hold more than a million', async () => {
    expect(await observe([FIRST], ['--last', '1000001', ...mode])).toEqual({
      stdout: '',
      stderr: '--last must be <= 1_000_000, got 1000001\n',
      code: 1,
    });
  });

  // differs: observe-node-news
  test('counts lost events and the news of nodes too', async () => {
    const lines = [STATUS, FIRST, LOST, STATUS, SECOND, STATUS];
    const last = await observe(lines, ['--last', '4', '-o', 'json', ...mode]);
    expect(last.stdout).toBe(jsonOf([LOST, SECOND]));
    expect(last.stderr).toContain(STATUS);
    const first = await observe(lines, ['--first', '3', '-o', 'json', ...mode]);
    expect(first.stdout).toBe(jsonOf([FIRST, LOST]));
  });

  test('cannot be read beside --port-forward', async () => {
    const { stdout, stderr, code } = await observe([FIRST], ['--port-forward', ...mode]);
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toContain('cannot use --input-file and --port-forward together');
  });
});

test('--first reads no further than the line that it ends with', async () => {
  const { stdout, stderr } = await observe([FIRST, SECOND, 'nonsense'], ['--first', '2', '-o', 'json']);
  expect({ stdout, stderr }).toEqual({ stdout: jsonOf([FIRST, SECOND]), stderr: '' });
});

// differs: observe-newer-enum
describe('a flow of a newer server', () => {
  const enums: readonly [string, Flow][] = [
    ['verdict', { verdict: 'NEWER' as 'DROPPED' }],
    ['drop_reason_desc', { drop_reason_desc: 'NEWER' as 'POLICY_DENIED' }],
    ['Type', { Type: 'NEWER' as 'L7' }],
    ['auth_type', { auth_type: 'NEWER' as 'SPIRE' }],
    ['traffic_direction', { traffic_direction: 'NEWER' as 'EGRESS' }],
    ['trace_observation_point', { trace_observation_point: 'NEWER' as 'TO_STACK' }],
    ['IP.ipVersion', { IP: { ipVersion: 'NEWER' as 'IPv4' } }],
    ['l7.type', { l7: { type: 'NEWER' as 'REQUEST' } }],
    ['a field', { newer: 'NEWER' } as Flow],
  ];
  const views = [
    ['-o', 'json'],
    ['-o', 'compact'],
    ['-o', 'dict'],
    ['-o', 'table'],
    ['--top', 'verdict'],
    ['--collapse'],
  ];

  test.each(enums)(
    'that knows more than this program, in %s, is shown with one warning',
    async (name, fields) => {
      const line = flow({ uuid: 'u', ...fields });
      for (const view of views) {
        const { stdout, stderr, code } = await observe(
          [line, line],
          [...view, ...(view[1] === 'json' ? EVERYTHING : [])],
        );
        expect({ code, view, warnings: stderr.match(/level=WARN/g)?.length }).toEqual({
          code: 0,
          view,
          warnings: 1,
        });
        expect(stdout).not.toBe('');
      }
      const { stdout } = await observe([line], ['-o', 'json']);
      expect(stdout).toBe(`${name === 'a field' ? flow({ uuid: 'u' }) : line}\n`);
    },
  );

  test('is not passed by a filter for what it is not', async () => {
    const line = flow({ verdict: 'NEWER' as 'DROPPED' });
    expect((await observe([line], ['--verdict', 'DROPPED'])).stdout).toBe('');
    expect((await observe([line], ['--not', '--verdict', 'DROPPED'])).stdout).not.toBe('');
  });

  test('counts as damaged when it is that too', async () => {
    const line = JSON.stringify({ flow: { verdict: 'NEWER', is_reply: 'maybe' } });
    const { stdout, stderr } = await observe([line], []);
    expect({ stdout, warnings: stderr.match(/WARN/g)?.length }).toEqual({ stdout: '', warnings: 1 });
    expect(stderr).toContain('Failed to unmarshal JSON');
  });
});

// differs: observe-bare-flows
describe('lines of bare flows', () => {
  const bare = LINES.slice(0, 60).map((line) => JSON.stringify(JSON.parse(line).flow));
  const whole = LINES.slice(0, 60);

  test.each([
    ['-o', 'json'],
    ['-o', 'compact', '--print-node-name'],
    ['-o', 'table', '--verdict', 'DROPPED'],
    ['-o', 'dict', '--not', '--protocol', 'tcp'],
    ['--since', '2026-01-01', '--last', '7'],
    ['--first', '3', '--type', 'trace'],
    ['--top', 'src,dst'],
    ['--collapse'],
    ['--where', 'verdict = DROPPED'],
  ])('are read as whole answers are: %j %j %j %j', async (...words) => {
    const flags = words.filter((word) => word !== undefined);
    const [a, b] = [await observe(bare, flags), await observe(whole, flags)];
    expect(a).toEqual(b);
    expect(a.stdout).not.toBe('');
  });

  test('come back from what HUBBLE_COMPAT made of them, lost events too', async () => {
    const lines = [...whole, LOST];
    const env = { HUBBLE_COMPAT: 'legacy-json-output' };
    const written = (await observe(lines, ['-o', 'json'], { env })).stdout.trimEnd().split('\n');
    expect(written).toHaveLength(lines.length);
    expect(await observe(written, ['-o', 'json'])).toEqual(await observe(lines, ['-o', 'json']));
  });
});

// differs: observe-lenient
describe.each(['parser', 'scanner'])('what the %s takes, since nothing of it is lost', (HUBBLE_READER) => {
  test.each([
    ['a field twice: the last one counts', '{"flow":{"uuid":"a","uuid":"b"}}', '{"flow":{"uuid":"b"}}'],
    ['a blank line', '', ''],
    ['half of a pair of surrogates', '{"flow":{"uuid":"\\ud800x"}}', '{"flow":{"uuid":"\\ud800x"}}'],
    [
      'an extension of an unknown type',
      '{"flow":{"extensions":{"@type":"x.io/Y","a":1}}}',
      '{"flow":{"extensions":{"@type":"x.io/Y","a":1}}}',
    ],
  ])('%s', async (_, line, printed) => {
    const { stdout, stderr } = await observe([line, SECOND], ['-o', 'json'], { env: { HUBBLE_READER } });
    expect(stdout).toBe(`${printed && `${printed}\n`}${SECOND}\n`);
    expect(stderr).toBe('');
  });
});

// differs: observe-bom
describe('a file that an editor of Windows wrote', () => {
  const text = `${FIRST}\r\n${SECOND}\r\n`;
  const read = (bytes: Buffer, ...flags: string[]) =>
    run(['hubble', 'observe', '--input-file', '-', '-o', 'json', ...flags], { stdin: bytes });

  test.each([
    ['at its beginning', `\ufeff${text}`],
    ['before every line', text.replaceAll(/^(?=\{)/gm, '\ufeff')],
  ])('is read past the byte order mark %s', async (_, marked) => {
    for (const bytes of [Buffer.from(marked), gzipSync(marked)])
      expect(await read(bytes)).toEqual({ stdout: `${FIRST}\n${SECOND}\n`, stderr: '', code: 0 });
  });

  test.each([
    ['with a mark', `\ufeff${text}`],
    ['without one', text],
  ])('in UTF-16 %s is named as such, with the way out', async (_, marked) => {
    const little = Buffer.from(marked, 'utf16le');
    const big = Buffer.from(little).swap16();
    for (const bytes of [little, big, gzipSync(little), gzipSync(big)]) {
      const { stdout, stderr, code } = await read(bytes);
      expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
      expect(stderr).toMatch(/the text is UTF-16[LB]E, .*\n.*iconv -f UTF-16[LB]E -t UTF-8/);
    }
  });
});

/** The recorded lines of which the flow is one that is meant. */
const linesOf = (isMeant: (flow: Flow) => boolean) =>
  LINES.filter((line) => isMeant((JSON.parse(line) as { flow?: Flow }).flow ?? {}));

const dropped = (f: Flow) => f.verdict === 'DROPPED';
const port = (f: Flow) => f.l4?.TCP?.destination_port ?? f.l4?.UDP?.destination_port ?? 0;

test.each<[string[], (flow: Flow) => boolean]>([
  [['--where', 'verdict = DROPPED'], dropped],
  [['--where', 'dst.port >= 1024'], (f) => port(f) >= 1024],
  [['--verdict', 'DROPPED', '--where', 'dst.port >= 1024'], (f) => dropped(f) && port(f) >= 1024],
  [
    ['--verdict', 'DROPPED', '--where', 'verdict = FORWARDED or dst.port = 8080'],
    (f) => dropped(f) && port(f) === 8080,
  ],
  [['--not', '--verdict', 'DROPPED', '--where', 'dst.port = 80'], (f) => !dropped(f) && port(f) === 80],
  [['--where', 'not verdict = DROPPED and dst.port = 80'], (f) => !dropped(f) && port(f) === 80],
])('filters, --where and a limit hold together: %j', async (filters, isMeant) => {
  const meant = linesOf(isMeant);
  expect(meant.length).toBeGreaterThan(6);
  const read = async (...more: string[]) =>
    (await observe(LINES, [...filters, ...more, '-o', 'json'])).stdout;
  expect(await read()).toBe(jsonOf(meant));
  expect(await read('--last', '5')).toBe(jsonOf(meant.slice(-5)));
  expect(await read('--first', '5')).toBe(jsonOf(meant.slice(0, 5)));
});

test('--sort comes before the limit', async () => {
  const lines = LINES.toReversed();
  const { stdout } = await observe(lines, ['--sort', '--first', '3', '-o', 'json']);
  expect(stdout).toBe(jsonOf(LINES.slice(0, 3)));
});

test('lines are counted anew in each file', async () => {
  const path = join(folder, 'broken.jsonl');
  writeFileSync(path, `${FIRST}\nnonsense\n`);
  const { stderr } = await run(['hubble', 'observe', '--input-file', path, '--input-file', path]);
  expect(stderr.match(/at=\S+/g)).toEqual([`at=${path}:2`, `at=${path}:2`]);
});

test.each(['json', 'compact'])('--until leaves out later flows in %s', async (format) => {
  const early = flow({ uuid: 'a', time: '2026-11-22T08:00:00Z' });
  const late = flow({ uuid: 'b', time: '2026-11-22T08:00:02Z' });
  const until = ['--until', '2026-11-22T08:00:01Z', '-o', format];
  expect((await observe([early, late], until)).stdout).toBe((await observe([early], ['-o', format])).stdout);
});

test('a live screen of a file does not wait for what comes', async () => {
  const { stderr } = await observe([FIRST], ['--tui', '--explain']);
  expect(stderr).toContain('Range: number 0\n');
});
