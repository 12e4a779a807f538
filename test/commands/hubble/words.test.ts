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
  [['watch', 'peers', 'x'], "too many arguments for 'peers'"],
  [['config', 'view', 'x'], "too many arguments for 'view'"],
  [['version', 'x'], "too many arguments for 'version'"],
  [['list', 'pods'], 'unknown command "pods" for "hubble list"'],
  [['watch', 'x'], 'unknown command "x" for "hubble watch"'],
  [['config', 'x'], 'unknown command "x" for "hubble config"'],
  [['help', 'x'], 'unknown command "x" for "hubble"'],
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
    const verb = await run(['hubble', 'help', ...words]);
    const flag = await run(['hubble', ...words, '--help']);
    expect(verb).toEqual(flag);
    expect(verb.code).toBe(0);
    expect(verb.stdout).toContain(['Usage: hubble', ...words].join(' '));
  },
);

// differs: hubble-completion
test('hubble prints the completion scripts that cilium prints', async () => {
  for (const shell of [[], ['bash'], ['zsh'], ['fish'], ['powershell']]) {
    const own = await run(['hubble', 'completion', ...shell]);
    const other = await run(['completion', ...shell]);
    expect(own).toEqual(other);
    expect(own.stdout).toContain('hubble');
  }
});

describe('what the reference prints of a config file', () => {
  const view = async (text: string, env: Record<string, string> = {}, ...words: string[]) => {
    writeFileSync(join(folder, 'c.yaml'), text);
    const verb = words.length > 0 ? words : ['view'];
    return run(['hubble', 'config', ...verb, '--config', join(folder, 'c.yaml')], { cwd: folder, env });
  };

  test.each([
    ['port-forward-port: 4245', 'port-forward-port: 4245'],
    ['port-forward-port: "4245"', 'port-forward-port: "4245"'],
    ['{}', 'port-forward-port: "4245"'],
    ['timeout: 3', 'timeout: 3'],
    ['timeout: 90s', 'timeout: 90s'],
    ['request-timeout: 1m', 'request-timeout: 1m'],
    ['{}', 'request-timeout: 12s'],
    ['tls: "true"', 'tls: "true"'],
    ['debug: false', 'debug: false'],
    ['server: 5', 'server: 5'],
  ])('%s is shown as it stands there: %s', async (text, line) => {
    const { stdout, code } = await view(text);
    expect({ code, line: stdout.split('\n').find((each) => each === line) }).toEqual({ code: 0, line });
  });

  test.each([
    [{ HUBBLE_PORT_FORWARD_PORT: '4246' }, 'port-forward-port: "4246"'],
    [{ HUBBLE_REQUEST_TIMEOUT: '90s' }, 'request-timeout: 1m30s'],
    [{ HUBBLE_SERVER: '' }, 'server: localhost:4245'],
    [{ HUBBLE_TLS: '' }, 'tls: false'],
  ] as [Record<string, string>, string][])(
    'the environment comes first, unless it is empty: %j',
    async (env, line) => {
      expect((await view('{}', env)).stdout.split('\n')).toContain(line);
    },
  );

  // differs: hubble-config-unknown
  test('what is no setting is left out, and a setting has no keys of its own', async () => {
    expect((await view('nope: 3')).stdout).not.toContain('nope');
    expect(await view('server: {a: b}')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('server: expected a value or a list of values'),
    });
  });

  // differs: hubble-config-ending
  test('it is YAML whatever it is called', async () => {
    expect(
      await run(['hubble', 'config', 'set', 'server', 'x', '--config', join(folder, 'plain')], {
        cwd: folder,
      }),
    ).toEqual({ code: 0, stdout: '', stderr: '' });
    const { stdout } = await run(['hubble', 'config', 'get', 'server', '--config', join(folder, 'plain')], {
      cwd: folder,
    });
    expect(stdout).toBe('x\n');
  });

  // differs: hubble-misspelt
  test.each([
    [['config', 'get', 'a', 'b'], "invalid arguments: get requires exactly 0 or 1 argument: got 'a b'"],
    [['config', 'reset', 'a', 'b'], "invalid arguments: reset requires exactly 0 or 1 argument: got 'a b'"],
    [['config', 'set'], "invalid arguments: set requires exactly 1 or 2 argument(s): got ''"],
    [
      ['observe', '--input-file', 'f.jsonl', '--port-forward'],
      'cannot use --input-file and --port-forward together',
    ],
  ])('%j: %s', async (words, line) => {
    const { stdout, stderr, code } = await run(['hubble', ...words], { cwd: folder });
    expect({ stdout, code, line: stderr.split('\n')[0] }).toEqual({ stdout: '', code: 1, line });
  });
});

// differs: hubble-env-words
test('a variable that cannot be read is an error, as the flag is', async () => {
  const { stderr, code } = await run(['hubble', 'status'], { env: { HUBBLE_TIMEOUT: 'abc' } });
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('invalid argument "abc"') });
});

// differs: observe-not-value
test('--not=false does not negate, and --not=x is an error', async () => {
  const shown = async (...words: string[]) => (await observe('--print-raw-filters', ...words)).stdout;
  expect(await shown('--not=false', '--verdict', 'DROPPED')).toBe(await shown('--verdict', 'DROPPED'));
  expect(await shown('--not=true', '--verdict', 'DROPPED')).toContain('denylist');
  expect((await observe('--not=x')).stderr).toContain('strconv.ParseBool: parsing "x": invalid syntax');
});

// differs: observe-allowlist-words
test('an allowlist that is no JSON is shown with what was expected', async () => {
  expect((await observe('--allowlist', 'x')).stderr).toMatch(
    /^invalid --allowlist flag: failed to decode 'x': proto: syntax error .*\nExpected a FlowFilter such as /,
  );
});

describe('files that are named to be read', () => {
  // differs: observe-input-folder
  test('a folder is read, and no name is none', async () => {
    expect((await run(['hubble', 'observe', '--input-file', '.'], { cwd: folder })).stdout).toContain(
      'FORWARDED',
    );
    const none = await run(['hubble', 'observe', '--input-file', '', '--server', 'unix:///nope'], {
      cwd: folder,
    });
    expect(none).toMatchObject({ stdout: '', code: 1, stderr: expect.stringContaining('/nope') });
  });
});

// differs: hubble-old-flags
test('masks go by their older names, too', async () => {
  const masked = (...words: string[]) => observe('-o', 'json', '--print-raw-filters', '--pod', 'a', ...words);
  expect(await masked('--experimental-field-mask', 'time')).toEqual(await masked('--field-mask', 'time'));
  expect((await masked('--experimental-field-mask', 'time')).code).toBe(0);
});
