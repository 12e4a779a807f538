import { execFileSync, spawn } from 'node:child_process';
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, describe, expect, test } from '@jest/globals';
import { redactor } from '../../../src/hubble/captures/redact.ts';
import { CaptureWriter } from '../../../src/hubble/captures/writer.ts';
import { frame } from '../../../src/hubble/grpc/frames.ts';
import { encode } from '../../../src/hubble/protobuf/codec.ts';
import type { Flow, GetFlowsResponse } from '../../../src/model/hubble.gen.ts';
import { serveGrpc } from '../../helpers/grpc.ts';
import { fixturePath, fixtureText } from '../../helpers/recordings.ts';
import { run } from '../../helpers/run.ts';

const FILE = fixturePath('recordings/flows-1.20.jsonl');
const LINES = fixtureText('recordings/flows-1.20.jsonl').trim().split('\n');
const MESSAGES = LINES.map((line) => JSON.parse(line) as GetFlowsResponse);
const FRAMED = Buffer.concat(MESSAGES.map((message) => frame(encode('observer.GetFlowsResponse', message))));
const folder = mkdtempSync(join(tmpdir(), 'captures-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content);
  return path;
}

const observe = (...words: string[]) => run(['hubble', 'observe', ...words], { cwd: folder });
const plain = () => observe('--input-file', FILE, '-o', 'json');

describe('what is no capture takes neither memory nor time', () => {
  test.each<[string, () => Uint8Array, RegExp]>([
    [
      'a line without an end',
      () => Buffer.alloc(20 << 20, 'x'),
      /the line that begins at byte 0 is longer than 16 MiB/,
    ],
    [
      'one in the middle, unpacked',
      () => gzipSync(Buffer.concat([Buffer.from(`${LINES[0]}\n`), Buffer.alloc(20 << 20, 'x')])),
      new RegExp(`the line that begins at byte ${Buffer.byteLength(LINES[0] ?? '') + 1} is longer`),
    ],
    [
      'zeros',
      () => gzipSync(Buffer.alloc(50 << 20)),
      /it is no capture of framed messages: message 1 is empty/,
    ],
  ])('%s', async (name, content, error) => {
    const { stderr, code } = await observe('--input-file', file(name, content()));
    expect(stderr).toMatch(error);
    expect(stderr.length).toBeLessThan(500);
    expect(code).toBe(1);
  });

  test('a large line that is none is cut in the message', async () => {
    const { stderr, code } = await observe(
      '--input-file',
      file('long', `${'x'.repeat(1 << 20)}\n${LINES[0]}\n`),
    );
    expect(stderr).toContain('invalid value xxxx');
    expect(stderr.length).toBeLessThan(2000);
    expect(code).toBe(0);
  });

  test('millions of empty lines', async () => {
    const { stdout } = await observe(
      '--input-file',
      file('empty', `${'\n'.repeat(8 << 20)}${LINES[0]}\n`),
      '-o',
      'json',
    );
    expect(stdout).toBe(`${LINES[0]}\n`);
  });

  test('a line that nests without an end is a bad line', async () => {
    const { stderr, code } = await observe('--input-file', file('deep', `${'{"flow":'.repeat(50_000)}\n`));
    expect(stderr).toContain('nested more than 1000 deep');
    expect(code).toBe(0);
  });
});

describe('a capture is read whatever it is', () => {
  test.each<[string, () => string | Uint8Array]>([
    ['gzip.jsonl', () => gzipSync(LINES.join('\n'))],
    ['zstd-without-its-ending', () => zstdCompressSync(`${LINES.join('\n')}\n`)],
    ['framed.proto', () => FRAMED],
    ['framed.proto.gz', () => gzipSync(FRAMED)],
  ])('%s', async (name, content) => {
    const result = await observe('--input-file', file(name, content()), '-o', 'json');
    expect(result).toEqual(await plain());
  });

  // It is opened once: a writer ends when its reader does.
  test.each(['plain', 'packed'])('of a named pipe, %s', async (how) => {
    const pipe = join(folder, `pipe-${how}`);
    execFileSync('mkfifo', [pipe]);
    const bytes = how === 'packed' ? gzipSync(LINES.join('\n')) : Buffer.from(LINES.join('\n'));
    const writer = spawn('sh', ['-c', `cat '${file(`for-${how}`, bytes)}' > '${pipe}'`]);
    const { stdout, code } = await observe('--input-file', pipe, '-o', 'json');
    writer.kill();
    expect(code).toBe(0);
    expect(stdout).toBe((await plain()).stdout);
  });

  test('from stdin', async () => {
    const result = await run(['hubble', 'observe', '--input-file', '-', '-o', 'json'], {
      stdin: gzipSync(LINES.join('\n')),
    });
    expect(result.stdout).toBe((await plain()).stdout);
  });
});

describe('several captures', () => {
  test('follow each other; rotated ones come oldest first', async () => {
    const part = (from: number, to: number) => `${LINES.slice(from, to).join('\n')}\n`;
    file('rotated/flows.jsonl', part(200, LINES.length));
    file('rotated/flows.jsonl.1', part(100, 200));
    file('rotated/flows.jsonl.2', part(0, 100));
    file('rotated/notes.txt', 'not a capture');
    expect((await observe('--input-file', 'rotated', '-o', 'json')).stdout).toBe((await plain()).stdout);
    expect((await observe('--input-file', 'rotated/flows.jsonl*', '-o', 'json')).stdout).toBe(
      (await plain()).stdout,
    );
    const two = await observe(
      '--input-file',
      'rotated/flows.jsonl.2',
      '--input-file',
      'rotated/flows.jsonl.1',
      '-o',
      'json',
    );
    expect(two.stdout).toBe(part(0, 200));
  });

  test('are put in order with --sort', async () => {
    const path = file('unsorted.jsonl', `${LINES.toReversed().join('\n')}\n`);
    const times = (text: string) =>
      text
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as GetFlowsResponse).time ?? '');
    const { stdout } = await observe('--input-file', path, '--sort', '-o', 'json');
    expect(times(stdout)).toEqual(times(stdout).toSorted());
    expect(times(stdout).length).toBe(LINES.length);
  });

  test.each([
    ['--input-file', 'nothing-*', 'no file matches nothing-*'],
    ['--input-file', 'none.jsonl', 'none.jsonl: no such file or directory'],
  ])('%s %s says what is missing', async (flag, value, message) => {
    const { stdout, stderr, code } = await observe(flag, value);
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toContain(message);
  });
});

describe('broken captures', () => {
  test('a bad line and a half-written last one are named by file and line, and stop nothing', async () => {
    const path = file('broken.jsonl', `${LINES[0]}\n{"flow":}\n${LINES[1]}\n${LINES[2]?.slice(0, 80)}`);
    const { stdout, stderr, code } = await observe('--input-file', path, '-o', 'json');
    expect(code).toBe(0);
    expect(stdout).toBe(`${LINES[0]}\n${LINES[1]}\n`);
    expect(stderr.match(/at=\S+(?: cut="[^"]*")?/g)).toEqual([
      `at=${path}:2`,
      `at=${path}:4 cut="the file ends within this line"`,
    ]);
  });

  test.each<[string, () => Uint8Array, RegExp]>([
    [
      'an archive that ends early',
      () => gzipSync(LINES.join('\n')).subarray(0, 9000),
      /the archive is broken or ends early/,
    ],
    [
      'a framed capture that ends early',
      () => FRAMED.subarray(0, FRAMED.length - 7),
      /the last message is cut off after \d+ bytes/,
    ],
    [
      'bytes that are no capture',
      () => Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1]),
      /it is no capture of framed messages/,
    ],
  ])('%s is said, with what came before it', async (_, content, message) => {
    const { stderr, code } = await observe('--input-file', file('early', content()));
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });
});

/** Where each message of the framed capture ends. */
function frameEnds(): number[] {
  let end = 0;
  return MESSAGES.map((message) => (end += frame(encode('observer.GetFlowsResponse', message)).length));
}

describe('captures of a recorder that was killed', () => {
  test('give all whole records wherever the last one is cut, and say so', async () => {
    const last = frameEnds().at(-2) ?? 0;
    const whole = `${LINES.slice(0, -1).join('\n')}\n`;
    for (let cut = last; cut < FRAMED.length; cut += cut < last + 8 ? 1 : 61) {
      const path = file('killed.proto', FRAMED.subarray(0, cut));
      const { stdout, stderr, code } = await observe('--input-file', path, '-o', 'json');
      expect({ cut, same: stdout === whole, code }).toEqual({ cut, same: true, code: cut === last ? 0 : 1 });
      const said = `read ${path}: the last message is cut off after ${cut - last} bytes\nWhat came before it was read.\n`;
      expect(stderr).toBe(cut === last ? '' : said);
    }
  });

  test.each([
    [['--last', '2'], 2],
    [['--sort'], LINES.length - 1],
    [['--collapse', '-o', 'json'], 1],
    [['--top', 'verdict', '-o', 'json'], 1],
  ])('show what is whole in every view: %j', async (words, least) => {
    const path = file('killed.proto', FRAMED.subarray(0, -3));
    const whole = file('whole.proto', FRAMED.subarray(0, frameEnds().at(-2)));
    const { stdout, stderr, code } = await observe('--input-file', path, ...words);
    expect({ stdout, stderr, code }).toEqual({
      stdout: (await observe('--input-file', whole, ...words)).stdout,
      stderr: expect.stringMatching(
        /^read .*: the last message is cut off after \d+ bytes\nWhat came before/,
      ),
      code: 1,
    });
    expect(stdout.split('\n').length).toBeGreaterThan(least);
  });

  test('do not keep the next file from being read', async () => {
    mkdirSync(join(folder, 'killed'));
    const half = Buffer.from(LINES.slice(0, 100).join('\n')).subarray(0, -9);
    file('killed/a.jsonl.2', half);
    file('killed/a.jsonl.1.gz', gzipSync(`${LINES.slice(100, 150).join('\n')}\n`).subarray(0, -4));
    file('killed/a.proto.1', FRAMED.subarray(0, -3));
    file('killed/b.jsonl', `${LINES.at(-1)}\n`);
    const { stdout, stderr, code } = await observe('--input-file', 'killed', '-o', 'json');
    expect(stdout.endsWith(`${LINES.at(-2)}\n${LINES.at(-1)}\n`)).toBe(true);
    expect(stdout.split('\n').length - 1).toBe(99 + 50 + LINES.length - 1 + 1);
    expect(stderr.match(/a\.jsonl\.2:100|a\.jsonl\.1\.gz: the archive|a\.proto\.1: the last/g)).toEqual([
      'a.jsonl.2:100',
      'a.jsonl.1.gz: the archive',
      'a.proto.1: the last',
    ]);
    expect(code).toBe(1);
  });
});

// differs: hubble-record
describe('hubble record', () => {
  const answers = {
    '/observer.Observer/GetFlows': {
      messages: MESSAGES.map((message) => encode('observer.GetFlowsResponse', message)),
    },
  };

  test.each(['json', 'proto'])('writes a capture in the form %s that reads back the same', async (format) => {
    await using server = await serveGrpc(answers);
    const path = join(folder, `recorded.${format}`);
    const { stdout, stderr, code } = await run([
      'hubble',
      'record',
      path,
      '--format',
      format,
      '--server',
      server.address,
    ]);
    expect({ stdout, stderr, code }).toEqual({
      stdout: '',
      stderr: `${LINES.length} records written to ${path}\n`,
      code: 0,
    });
    expect((await observe('--input-file', path, '-o', 'json')).stdout).toBe((await plain()).stdout);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('takes a name as every verb does: from the folder it is run in', async () => {
    await using server = await serveGrpc(answers);
    const words = ['hubble', 'record', 'here.jsonl', '--server', server.address];
    expect((await run(words, { cwd: folder })).stderr).toBe(
      `${LINES.length} records written to here.jsonl\n`,
    );
    expect(statSync(join(folder, 'here.jsonl')).size).toBeGreaterThan(0);
  });

  test('leaves out what is redacted', async () => {
    await using server = await serveGrpc(answers);
    const path = join(folder, 'redacted.jsonl');
    await run(['hubble', 'record', path, '--redact', 'http,dns,ips,labels', '--server', server.address]);
    const text = readFileSync(path, 'utf8');
    expect(text).not.toMatch(/\b10\.11\.\d+\.\d+\b|example\.com|k8s:app=/);
    expect(text.trim().split('\n').length).toBe(LINES.length);
  });

  test('an unknown redaction and a full disk are clear errors', async () => {
    await using server = await serveGrpc(answers);
    const bad = await run([
      'hubble',
      'record',
      join(folder, 'x'),
      '--redact',
      'pods',
      '--server',
      server.address,
    ]);
    expect(bad.stderr).toContain('--redact: "pods" cannot be redacted\nKnown are http, dns, ips, labels.');
    const full = await run(['hubble', 'record', '/dev/full', '--server', server.address]);
    expect(full.code).toBe(1);
    expect(full.stderr).toContain('write /dev/full: no space left on device');
  });

  test('rotates by size and keeps so many files', async () => {
    const path = join(folder, 'rotating', 'r.jsonl');
    mkdirSync(join(path, '..'));
    {
      await using writer = await CaptureWriter.open(path, { maxBytes: 100, maxFiles: 3, format: 'json' });
      for (let i = 0; i < 20; i++)
        await writer.append(Buffer.from(`record ${String(i).padStart(2, '0')} ${'x'.repeat(30)}\n`));
    }
    expect(readdirSync(join(path, '..')).sort()).toEqual(['r.jsonl', 'r.jsonl.1', 'r.jsonl.2']);
    const text = ['.2', '.1', ''].map((end) => readFileSync(path + end, 'utf8')).join('');
    expect(text.match(/record \d\d/g)).toEqual([14, 15, 16, 17, 18, 19].map((n) => `record ${n}`));
  });
});

describe('hubble record goes on with a file', () => {
  const messages = MESSAGES.slice(0, 20).map((message) => encode('observer.GetFlowsResponse', message));
  const lines = LINES.slice(0, 20);
  const frames = messages.map((message) => frame(message));
  const answers = { '/observer.Observer/GetFlows': { messages } };

  async function record(path: string, ...words: string[]) {
    await using server = await serveGrpc(answers);
    return await run(['hubble', 'record', path, ...words, '--server', server.address]);
  }

  async function recordsOf(path: string): Promise<number> {
    const { stdout, stderr } = await observe('--input-file', path, '-o', 'json');
    expect(stderr).toBe('');
    return stdout.split('\n').length - 1;
  }

  test.each<[string, string, () => string | Uint8Array, number, RegExp]>([
    ['json', 'that is empty', () => '', 20, /^20 records/],
    ['json', 'that is whole', () => `${lines.join('\n')}\n`, 40, /^20 records/],
    ['json', 'that lacks its last newline', () => lines.join('\n'), 40, /^20 records/],
    ['json', 'of bare flows', () => `${JSON.stringify(MESSAGES[0]?.flow)}\n`, 21, /^20 records/],
    ['json', 'with a byte order mark', () => `\ufeff${lines[0]}\n`, 21, /^20 records/],
    [
      'json',
      'cut in its last record',
      () => lines.join('\n').slice(0, -30),
      39,
      /its last \d+ bytes are removed/,
    ],
    [
      'json',
      'cut in its first record',
      () => lines[0]?.slice(0, 40) ?? '',
      20,
      /its last 40 bytes are removed/,
    ],
    ['json', 'cut behind a brace', () => `${lines[0]}\n{`, 21, /its last 1 bytes are removed/],
    ['proto', 'that is whole', () => Buffer.concat(frames), 40, /^20 records/],
    [
      'proto',
      'cut in its last record',
      () => Buffer.concat(frames).subarray(0, -30),
      39,
      /bytes are removed/,
    ],
    [
      'proto',
      'cut in a header',
      () => Buffer.concat([...frames, Buffer.alloc(3)]),
      40,
      /last 3 bytes are removed/,
    ],
  ])('%s %s', async (format, name, content, expected, said) => {
    const path = file(`on/${format} ${name}`, content());
    const { stderr, code } = await record(path, '--format', format);
    expect({ code, records: await recordsOf(path) }).toEqual({ code: 0, records: expected });
    expect(stderr).toMatch(said);
  });

  test.each<[string, string, () => string | Uint8Array, string]>([
    ['json', 'text', () => 'precious text', 'exists and is not a capture of flows'],
    ['json', 'other JSON', () => '{"a":1}\n', 'exists and is not a capture of flows'],
    ['json', 'an empty object', () => '{}\n', 'exists and is not a capture of flows'],
    ['json', 'a byte', () => 'x', 'exists and is not a capture of flows'],
    ['json', 'text behind flows', () => `${lines[0]}\nprecious`, 'does not end with a record of a flow'],
    ['json', 'JSON behind flows', () => `${lines[0]}\n{"a":1}`, 'does not end with a record of a flow'],
    [
      'json',
      'UTF-16',
      () => Buffer.from(`\ufeff${lines[0]}\n`, 'utf16le'),
      'is not a capture: its text is not UTF-8',
    ],
    ['json', 'gzip', () => gzipSync(lines.join('\n')), 'is compressed'],
    ['json', 'zstd', () => zstdCompressSync(lines.join('\n')), 'is compressed'],
    ['json', 'frames', () => Buffer.concat(frames), 'holds records of the form proto'],
    ['proto', 'lines', () => `${lines.join('\n')}\n`, 'holds records of the form json'],
    ['proto', 'zeros', () => Buffer.alloc(64), 'exists and is not a capture of flows'],
    [
      'proto',
      'frames and something else',
      () => Buffer.concat([...frames, Buffer.from('precious')]),
      'holds something that is not a record',
    ],
  ])('%s is not written into %s', async (format, name, content, message) => {
    const path = file(`off/${format} ${name}`, content());
    const { stderr, code } = await record(path, '--format', format);
    expect(code).toBe(1);
    expect(stderr).toContain(`${path} ${message}`);
    expect(readFileSync(path)).toEqual(Buffer.from(content()));
    expect(readdirSync(join(path, '..')).filter((other) => other.includes('.lock'))).toEqual([]);
  });

  test('a file that a rotation would move stays', async () => {
    const path = join(folder, 'off', 'fresh.jsonl');
    file('off/fresh.jsonl.2', 'precious');
    const refused = await record(path);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('fresh.jsonl.2 exists and is not a capture');
    expect((await record(path, '--max-size', '0')).code).toBe(0);
    expect(readFileSync(`${path}.2`, 'utf8')).toBe('precious');
  });

  test('a file of another user is not written to', async () => {
    if (process.geteuid?.() !== 0) return;
    const path = file('off/of-another.jsonl', '');
    chownSync(path, 65_534, 65_534);
    const { stderr, code } = await record(path);
    expect({ code, size: statSync(path).size }).toEqual({ code: 1, size: 0 });
    expect(stderr).toContain('belongs to another user (uid 65534)');
  });

  test('a second recorder is refused while the first one runs, and may go on after it', async () => {
    const path = join(folder, 'two.jsonl');
    const options = { maxBytes: 0, maxFiles: 1, format: 'json' } as const;
    {
      await using first = await CaptureWriter.open(path, options);
      await first.append(Buffer.from(`${lines[0]}\n`));
      symlinkSync(path, `${path}.link`);
      for (const name of [path, `${path}.link`])
        await expect(CaptureWriter.open(name, options)).rejects.toThrow(
          `is being recorded into by process ${process.pid}`,
        );
    }
    expect((await record(path)).code).toBe(0);
    expect(await recordsOf(path)).toBe(21);
  });

  const HERE = {
    host: hostname(),
    boot: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    space: readlinkSync('/proc/self/ns/pid'),
  };
  test.each([
    ['of a process that has ended', { ...HERE, pid: 4_194_303, pidStart: '1' }, true],
    ['of a process whose number was given again', { ...HERE, pid: process.pid, pidStart: '1' }, true],
    ['of another machine', { pid: 1, pidStart: '1', host: 'elsewhere', boot: '', space: '' }, false],
    ['that is none', 'precious', false],
  ])('a lock %s', async (_, holder, isTaken) => {
    const path = file('locked.jsonl', '');
    const lock = join(folder, '.locked.jsonl.lock');
    writeFileSync(lock, typeof holder === 'string' ? holder : JSON.stringify(holder));
    const { stderr, code } = await record(path);
    expect(code).toBe(isTaken ? 0 : 1);
    expect(existsSync(lock)).toBe(!isTaken);
    const why =
      typeof holder === 'string' ? 'is no lock of a recorder' : 'is being recorded into by process 1 of';
    expect(stderr).toContain(isTaken ? '20 records written' : why);
    rmSync(lock, { force: true });
  });
});

/** The recorded flows, and one with everything that a secret may stand in. */
const FLOWS: Flow[] = [
  ...LINES.map((line) => JSON.parse(line).flow ?? {}),
  {
    IP: { source: '10.0.0.7', destination: '192.0.2.80' },
    source: { labels: ['k8s:app=web'] },
    destination: { labels: ['cidr:192.0.2.80/32', 'fqdn:shop.example.org', 'reserved:world'] },
    destination_names: ['shop.example.org'],
    l7: {
      type: 'REQUEST',
      http: {
        url: 'http://me:hunter2@shop.example.org:80/cart?token=hunter2',
        headers: [{ key: 'X-Forwarded-For', value: '10.0.0.7' }],
      },
    },
    Summary: 'HTTP/1.1 GET http://me:hunter2@shop.example.org:80/cart?token=hunter2',
  },
  {
    IP: { source: '10.0.0.7', destination: '10.0.0.10' },
    l7: { type: 'RESPONSE', dns: { query: 'shop.example.org.', ips: ['192.0.2.80'] } },
    Summary: 'DNS Answer "192.0.2.80" TTL: 30 (Proxy shop.example.org. A)',
  },
];

test.each([
  ['http', /hunter2/, (): string[] => []],
  [
    'dns',
    /example\.(?:com|org)/,
    ({ l7, source_names = [], destination_names = [] }: Flow) => [
      ...(l7?.dns?.query ? [l7.dns.query] : []),
      ...source_names,
      ...destination_names,
    ],
  ],
  ['ips', /192\.0\.2\.80/, ({ IP }: Flow) => [IP?.source, IP?.destination].filter((ip) => ip !== undefined)],
  ['labels', /k8s:app=/, (): string[] => []],
] as const)('%s alone leaves none of them anywhere in a flow', (what, secret, secretsOf) => {
  const redact = redactor([what]);
  for (const flow of FLOWS) {
    const text = JSON.stringify(redact(flow));
    expect(text).not.toMatch(secret);
    for (const each of secretsOf(flow)) expect(text).not.toContain(`"${each}`);
  }
});

test('pseudonyms are the same within a capture', () => {
  const redact = redactor(['ips']);
  const flow = { IP: { source: '10.0.0.1', destination: '10.0.0.2' } };
  expect(redact(flow).IP?.source).toBe(redact({ IP: { destination: '10.0.0.1' } }).IP?.destination);
  expect(redact(flow).IP?.source).not.toBe(redact(flow).IP?.destination);
  expect(flow.IP.source).toBe('10.0.0.1');
});
