import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createNetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { fixture, type RestCase } from './helpers/recordings.ts';
import { close, listen, replay } from './helpers/replay.ts';
import { run } from './helpers/run.ts';

const LIST = fixture<RestCase[]>('recordings/agent-1.20.json').find(
  (c) => c.argv.join(' ') === 'endpoint list',
);

function scratch(): string {
  return mkdtempSync(join(tmpdir(), 'main-'));
}

async function agent() {
  return replay(LIST?.exchanges ?? []);
}

describe('a command line that is wrong', () => {
  test('an unknown command is answered with the nearest one', async () => {
    expect(await run(['endpiont', 'list'])).toEqual({
      stdout: 'unknown command "endpiont" for "cilium-dbg"\n\nDid you mean this?\n\tendpoint\n\n',
      stderr: 'Error: unknown command "endpiont" for "cilium"\nDid you mean "cilium endpoint"?\n',
      code: 1,
    });
  });

  // differs: unknown-verb
  test('an unknown verb of a noun is an error, not help', async () => {
    const { stdout, stderr, code } = await run(['endpoint', 'lsit']);
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toContain('Did you mean "cilium endpoint list"?');
  });

  // differs: wrong-words, wrong-words-release
  test('an unknown flag names itself and where its help is, below the usage that the reference prints', async () => {
    const { stdout, stderr, code } = await run(['endpoint', 'list', '--no-header']);
    expect(code).toBe(1);
    expect(stdout).toBe(`Usage:
  cilium-dbg endpoint list [flags]

Aliases:
  list, ls

Flags:
  -h, --help            help for list
      --no-headers      Do not print headers
  -o, --output string   json| yaml| jsonpath='{}'

Global Flags:
      --config string        Config file (default is $HOME/.cilium.yaml)
  -D, --debug                Enable debug messages
  -H, --host string          URI to server-side API
      --log-driver strings   Logging endpoints to use (example: syslog)
      --log-opt map          Log driver options (example: format=json)

unknown flag: --no-header
`);
    expect(stderr).toContain("unknown option '--no-header'");
    expect(stderr).toContain('--no-headers');
    expect(stderr).toContain('"cilium endpoint list --help"');
  });

  // differs: wrong-words-own
  test.each([
    [['endpoint', '--bogus'], 'Error: ', 'cilium endpoint'],
    [['-D', 'bpf', 'ct', '-z'], 'Error: ', 'cilium bpf ct'],
    [['--bogus'], 'Error: ', 'cilium'],
    [['hubble', 'config', '--bogus'], '', 'hubble config'],
  ])('%j: a noun that is given an unknown flag is an error, not help', async (argv, word, at) => {
    const { stdout, stderr, code } = await run(argv);
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toContain(`${word}unknown option '${argv.at(-1)}'`);
    expect(stderr).toContain(`Run "${at} --help"`);
  });

  test.each([
    [['hubble', 'lst'], 'unknown command "lst" for "hubble"\nDid you mean "hubble list"?\n'],
    [
      ['hubble', 'config', 'veiw'],
      'unknown command "veiw" for "hubble config"\nDid you mean "hubble config view"?\n',
    ],
  ])('%j is answered in the name of hubble', async (argv, stderr) => {
    expect(await run(argv)).toEqual({ stdout: '', stderr, code: 1 });
  });

  test('a switch with a value that is no truth value is refused', async () => {
    const { stderr, code } = await run(['endpoint', 'list', '--no-headers=maybe']);
    expect(code).toBe(1);
    expect(stderr).toContain('invalid argument "maybe" for "--no-headers" flag');
  });

  test('a host without a scheme is refused', async () => {
    const { stderr, code } = await run(['endpoint', 'list', '-H', '/run/agent.sock']);
    expect(code).toBe(1);
    expect(stderr).toBe(
      "Error: invalid host format '/run/agent.sock'\nExpected unix://PATH or tcp://HOST:PORT.\n",
    );
  });
});

describe('help', () => {
  test.each([[['--help']], [['help']], [['endpoint']], [['help', 'endpoint']], [['endpoint', '--help']]])(
    '%j goes to stdout with exit code 0',
    async (argv) => {
      const { stdout, stderr, code } = await run(argv);
      expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
      expect(stdout).toMatch(/^Usage: cilium/);
    },
  );

  test.each([
    [['help', 'policy', 'import'], 'Usage: cilium policy import'],
    [['policy', 'help', 'import'], 'Usage: cilium policy import'],
    [['bpf', 'ct', 'help'], 'Usage: cilium bpf ct '],
    [['-D', 'help', 'ep', 'get'], 'Usage: cilium endpoint get'],
    [['observe', 'help'], 'Usage: cilium observe'],
    [['hubble', 'list', 'help', 'nodes'], 'Usage: hubble list nodes'],
  ])('%j is that of --help', async (argv, usage) => {
    const { stdout, stderr, code } = await run(argv);
    expect({ usage: stdout.slice(0, usage.length), stderr, code }).toEqual({ usage, stderr: '', code: 0 });
    expect(stdout).toBe((await run([...argv.filter((word) => word !== 'help'), '--help'])).stdout);
  });

  test('the word behind a flag is its value', async () => {
    const { stdout, code } = await run(['hubble', 'observe', '--where', 'help']);
    expect({ first: stdout.split(' (')[0], code }).toEqual({ first: 'Fields of --where', code: 0 });
  });

  test.each([
    [
      ['help', 'policy', 'imprt'],
      'unknown command "imprt" for "cilium policy"',
      'Did you mean "cilium policy import"?',
    ],
    [['help', 'config', 'x'], 'unknown command "x" for "cilium config"', 'Run "cilium config --help"'],
    [['hubble', 'help', 'obsrve'], 'unknown command "obsrve" for "hubble"', 'Did you mean "hubble observe"?'],
  ])('%j names no command', async (argv, what, hint) => {
    const { stderr, code } = await run(argv);
    expect({ stderr, code }).toEqual({ stderr: expect.stringContaining(what), code: 1 });
    expect(stderr).toContain(hint);
  });

  test.each([['exit-codes'], ['environment']])('help %s is a topic of both programs', async (topic) => {
    const [ofCilium, ofHubble] = [await run(['help', topic]), await run(['hubble', 'help', topic])];
    expect({ stderr: ofCilium.stderr, code: ofCilium.code }).toEqual({ stderr: '', code: 0 });
    expect(ofHubble).toEqual(ofCilium);
    for (const line of (await run(['help', topic], { columns: 60 })).stdout.split('\n'))
      expect(line.length).toBeLessThanOrEqual(60);
  });

  test('--version and -v print one line', async () => {
    for (const flag of ['--version', '-v']) {
      expect(await run([flag])).toEqual({ stdout: 'cilium 0.0.0-source\n', stderr: '', code: 0 });
      expect(await run(['hubble', flag])).toEqual({ stdout: 'hubble 0.0.0-source\r\n', stderr: '', code: 0 });
    }
  });

  test.each([
    [
      ['ep', 'ls'],
      ['endpoint', 'list'],
    ],
    [
      ['endpoints', 'list'],
      ['endpoint', 'list'],
    ],
    [
      ['svc', 'ls'],
      ['service', 'list'],
    ],
    [
      ['id', 'get'],
      ['identity', 'get'],
    ],
    [
      ['pol', 'import'],
      ['policy', 'import'],
    ],
    [
      ['nodes', 'ls'],
      ['node', 'list'],
    ],
    [
      ['maps', 'ls'],
      ['map', 'list'],
    ],
    [
      ['l2', 'ls'],
      ['l2-announcement', 'list'],
    ],
    [
      ['hubble', 'list', 'ns'],
      ['hubble', 'list', 'namespaces'],
    ],
  ])('%j is %j', async (short, full) => {
    const { stdout, code } = await run([...short, '--help']);
    expect({ stdout, code }).toEqual({ stdout: (await run([...full, '--help'])).stdout, code: 0 });
  });

  test('the help of hubble calls it hubble', async () => {
    expect((await run(['hubble', 'list', 'nodes', '--help'])).stdout).toMatch(/^Usage: hubble list nodes/);
    expect((await run(['hubble', '--help'])).stdout).toMatch(/^Usage: hubble \[command\]/);
  });

  test('the help of a verb shows its flags and the global ones', async () => {
    const { stdout } = await run(['endpoint', 'list', '--help']);
    expect(stdout).toContain('--no-headers');
    expect(stdout).toContain('Global Flags:');
    expect(stdout).toContain('--host');
  });
});

describe('which agent is asked', () => {
  test('--host is accepted before, between and after the words, and wins over the environment', async () => {
    await using server = await agent();
    const host = `unix://${server.socket}`;
    for (const argv of [
      ['-H', host, 'endpoint', 'list'],
      ['endpoint', '--host', host, 'list'],
      ['endpoint', 'list', `--host=${host}`],
    ]) {
      const { stdout, code } = await run(argv, {
        env: { CILIUM_HOST: 'unix:///nowhere', CILIUM_SOCK: '/nowhere' },
      });
      expect({ stdout, code }).toEqual({ stdout: LIST?.stdout, code: 0 });
    }
  });

  test('CILIUM_HOST, then the config file, then CILIUM_SOCK', async () => {
    await using server = await agent();
    const home = scratch();
    writeFileSync(join(home, '.cilium.yaml'), `host: unix://${server.socket}\n`);
    const byFile = await run(['endpoint', 'list'], { env: { HOME: home, CILIUM_SOCK: '/nowhere' } });
    expect(byFile).toEqual({ stdout: LIST?.stdout, stderr: '', code: 0 });
    const byHost = await run(['endpoint', 'list'], { env: { HOME: home, CILIUM_HOST: 'unix:///nowhere' } });
    expect(byHost.code).toBe(1);
    const bySocket = await run(['endpoint', 'list'], { env: { CILIUM_SOCK: server.socket } });
    expect(bySocket.stdout).toBe(LIST?.stdout);
  });

  test('a config file that cannot be read is passed over with a note, and not when it was named', async () => {
    await using server = await agent();
    const home = scratch();
    const path = join(home, '.cilium.yaml');
    mkdirSync(path);
    const env = { HOME: home, CILIUM_SOCK: server.socket };
    expect(await run(['endpoint', 'list'], { env })).toEqual({
      stdout: LIST?.stdout,
      stderr: `Config file ${path} is passed over: is a directory\n`,
      code: 0,
    });
    const named = await run(['endpoint', 'list', '--config', path], { env });
    expect(named).toEqual({
      stdout: '',
      stderr: `Error: read config file ${path}: is a directory\n`,
      code: 1,
    });
    writeFileSync(join(home, 'file'), '');
    const under = await run(['endpoint', 'list'], { env: { ...env, HOME: join(home, 'file') } });
    expect(under).toEqual({ stdout: LIST?.stdout, stderr: '', code: 0 });
  });

  test('a broken config file is named', async () => {
    const path = join(scratch(), 'c.yaml');
    writeFileSync(path, 'host: [1]\n');
    const { stderr, code } = await run(['endpoint', 'list', '--config', path]);
    expect({ stderr, code }).toEqual({
      stderr: `Error: config file ${path}: host: expected a string\n`,
      code: 1,
    });
  });
});

describe('an agent that does not answer as it should', () => {
  const list = (socket: string) => run(['endpoint', 'list'], { env: { CILIUM_SOCK: socket } });

  // differs: agent-away
  test('no socket', async () => {
    const { stdout, stderr, code } = await list(join(scratch(), 'none.sock'));
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toMatch(/no such socket\nIs the agent running\?/);
  });

  test('a socket whose owner is gone', async () => {
    const path = join(scratch(), 'file.sock');
    writeFileSync(path, '');
    const { stderr, code } = await list(path);
    expect(code).toBe(1);
    expect(stderr).toContain('Is the agent running?');
  });

  test.each([
    [
      'speaks something else',
      (write: (text: string) => void) => write('220 smtp ready\r\n'),
      /does not speak HTTP/,
    ],
    ['hangs up', () => {}, /closed before an answer/],
    [
      'breaks off in the body',
      (write: (text: string) => void) => write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[{"id":1'),
      /broke off before its end/,
    ],
  ] as const)('a server that %s', async (_, answer, message) => {
    const server = createNetServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => {
        answer((text) => socket.write(text));
        socket.end();
      });
    });
    const path = join(scratch(), 's.sock');
    await new Promise<void>((resolve) => server.listen(path, () => resolve()));
    const { stdout, stderr, code } = await list(path);
    server.close();
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toMatch(message);
  });

  test.each([
    ['text that is no JSON', 200, '<html>', /the answer is not JSON: <html>/],
    [
      'an error with a reason',
      500,
      '"disk full"',
      /\[GET \/endpoint\]\[500\] getEndpointFailure "disk full"/,
    ],
    ['too many requests', 429, '', /\[GET \/endpoint\]\[429\] getEndpointTooManyRequests/],
  ])('%s', async (_, status, body, message) => {
    const server = createServer((_request, response) => response.writeHead(status).end(body));
    const socket = await listen(server);
    const { stdout, stderr, code } = await list(socket);
    await close(server, socket);
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toMatch(message);
  });
});

describe('ends', () => {
  test('a closed pipe is quiet', async () => {
    await using server = await agent();
    const result = await run(['endpoint', 'list'], { env: { CILIUM_SOCK: server.socket }, closeAfter: 0 });
    expect(result).toEqual({ stdout: '', stderr: '', code: 141 });
  });

  test('Ctrl-C while waiting for the agent is quiet', async () => {
    const stop = new AbortController();
    const server = createServer(() => stop.abort());
    const socket = await listen(server);
    const result = await run(['endpoint', 'list'], { env: { CILIUM_SOCK: socket }, signal: stop.signal });
    await close(server, socket);
    expect(result).toEqual({ stdout: '', stderr: '', code: 130 });
  });

  test('--debug shows the stack of an error', async () => {
    const { stderr } = await run(['-D', 'endpoint', 'list'], { env: { CILIUM_SOCK: '/nowhere/agent.sock' } });
    expect(stderr).toMatch(/caused by: /);
    expect(stderr).toMatch(/\n\s+at /);
  });
});
