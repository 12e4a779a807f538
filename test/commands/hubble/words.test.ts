import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { run } from '../../helpers/run.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'words-'));
  writeFileSync(join(folder, 'f.jsonl'), '{"flow":{"verdict":"FORWARDED"}}\nnot json\n');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const observe = (...words: string[]) =>
  run(['hubble', 'observe', '--input-file', 'f.jsonl', ...words], { cwd: folder });

describe('what is wrong with a filter is said as the reference says it', () => {
  test.each([
    [
      ['--pod', 'b', '--to-pod', 'a'],
      'invalid argument "a" for "--to-pod" flag: filters --to-pod and --pod cannot',
    ],
    [
      ['--to-pod', 'b', '--pod', 'a'],
      'invalid argument "a" for "--pod" flag: filters --to-pod and --pod cannot be',
    ],
    [['--from-label', 'a', '--label', 'b'], 'flag: filters --label and --from-label cannot be combined'],
    [['--fqdn', 'a', '--from-ip', '1.1.1.1'], 'flag: filters --from-ip and --fqdn cannot be combined'],
    [['--ip', '1.2.3'], 'invalid IP address "1.2.3" in filter: ParseAddr("1.2.3"): IPv4 address too short'],
    [['--ip', 'a:b'], 'invalid IP address "a:b" in filter: ParseAddr("a:b"): address string too short'],
    [
      ['--from-ip', '10.0.0.0/40'],
      'invalid IP prefix "10.0.0.0/40" in filter: netip.ParsePrefix("10.0.0.0/40"): prefix length out of range',
    ],
    [['--node-name', '['], "'[': invalid rune in pattern"],
    [['--http-url', 'a(b'], 'invalid http url filter: a(b: error parsing regexp: missing closing ): `a(b`'],
  ])('%j', async (words, message) => {
    const { stderr, stdout, code } = await observe(...words);
    expect({ stdout, code, line: stderr.split('\n')[0] }).toEqual({
      stdout: '',
      code: 1,
      line: expect.stringContaining(message),
    });
  });

  // differs: observe-label-words, observe-cel-words
  test.each([
    [['--label', '!!'], 'invalid label filter: unable to parse requirement: "!!"'],
    [['--cel-expression', 'x'], 'failed to compile CEL expression: Unknown variable: x'],
  ])('but %j', async (words, message) => {
    const { stderr, code } = await observe(...words);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(message) });
  });
});

// differs: observe-damaged-line
test('a damaged line is named with its file', async () => {
  const { stderr, code } = await observe();
  expect(code).toBe(0);
  expect(stderr).toContain('msg="Failed to unmarshal JSON"');
  expect(stderr).toContain('f.jsonl:2');
});

// differs: observe-input-path
test('a file that is not there is named with its folder', async () => {
  const { stderr, code } = await run(['hubble', 'observe', '--input-file', 'nofile'], { cwd: folder });
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringContaining(`open ${join(folder, 'nofile')}: no such file or directory`),
  });
});

// differs: hubble-extra-words
test.each([
  [['observe', 'x', '--input-file', 'f.jsonl'], "too many arguments for 'observe'"],
  [['status', 'x'], "too many arguments for 'status'"],
  [['list', 'nodes', 'x'], "too many arguments for 'nodes'"],
])('words behind %j are an error', async (words, message) => {
  const { stderr, code } = await run(['hubble', ...words], { cwd: folder });
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(message) });
});

// differs: hubble-flag-words
test.each([
  [['--nope'], "unknown option '--nope'"],
  [['--verdict'], "option '--verdict <verdict>' argument missing"],
])('a wrong flag %j', async (words, message) => {
  const { stdout, stderr, code } = await observe(...words);
  expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: '', stderr: expect.stringContaining(message) });
});

// differs: hubble-value-words
test.each([
  [
    ['status', '--timeout', 'foo'],
    'invalid argument "foo" for "--timeout" flag: expected a duration such as 5s',
  ],
  [['config', 'set', 'debug', 'maybe'], 'invalid value "maybe" for key debug: expected true or false'],
  [['status', '--server', 'foo://x'], 'invalid server address "foo://x": expected HOST:PORT'],
  [['status', '--server', ':99999'], 'invalid server address ":99999": port 99999 does not exist'],
  [
    ['status', '--server', 'localhost:1', '--tls', '--tls-ca-cert-files', '/nope'],
    "cannot load cert '/nope': no such file or directory",
  ],
])('a value of %j that cannot be read', async (words, message) => {
  const { stdout, stderr, code } = await run(['hubble', ...words], { cwd: folder });
  expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: '', stderr: expect.stringContaining(message) });
});

// differs: hubble-debug-log
test('--debug logs nothing on stderr but an error with its stack', async () => {
  expect(await run(['hubble', '--debug', 'config', 'get', 'server'], { cwd: folder })).toMatchObject({
    code: 0,
    stderr: '',
  });
  const { stderr } = await run(['hubble', '--debug', 'status', '--server', 'unix:///nope.sock'], {
    cwd: folder,
  });
  expect(stderr).not.toContain('level=DEBUG');
  expect(stderr).toContain('UserError: ');
});

// differs: hubble-help
test.each([[[]], [['observe']], [['list', 'nodes']], [['config', 'set']]])(
  'help %j is that of --help',
  async (words) => {
    const [verb, flag] = await Promise.all([
      run(['hubble', 'help', ...words]),
      run(['hubble', ...words, '--help']),
    ]);
    expect(verb).toEqual(flag);
    expect(verb.code).toBe(0);
    expect(verb.stdout).toContain(['Usage: hubble', ...words].join(' '));
  },
);

// differs: hubble-completion
test('hubble prints the completion scripts that cilium prints', async () => {
  for (const shell of [[], ['bash'], ['zsh'], ['fish'], ['powershell']]) {
    const [own, other] = await Promise.all([
      run(['hubble', 'completion', ...shell]),
      run(['completion', ...shell]),
    ]);
    expect(own).toEqual(other);
    expect(own.stdout).toContain('hubble');
  }
});
