import type { Socket } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { replay } from '../helpers/replay.ts';
import { run } from '../helpers/run.ts';
import { type StreamServer, serveStream } from '../helpers/stream-server.ts';

/** An agent's shell that answers by line; `sent` is what it was asked. */
async function shell(answers: Record<string, string>): Promise<StreamServer & { sent: string[] }> {
  const sent: string[] = [];
  const server = await serveStream((connection) => {
    let held = '';
    connection.on('data', (bytes) => {
      const lines = (held + bytes).split('\n');
      held = lines.pop() ?? '';
      for (const line of lines) answer(connection, line);
    });
  });
  const answer = (connection: Socket, line: string) => {
    sent.push(line);
    if (line === 'exit') connection.end();
    else connection.write(answers[line] ?? `${line}: unknown command<<error>>\n`);
  };
  return { ...server, sent, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

describe('a command of the shell', () => {
  test('is one line, and its answer is copied without headings and marks', async () => {
    await using agent = await shell({ 'db/show x': '[stdout]\na\n[stderr]\nb\nc<<end>>\n' });
    const result = await run(['shell', '--shell-sock-path', agent.socket, '--', 'db/show', 'x']);
    expect(result).toEqual({ stdout: 'a\nb\nc\n', stderr: '', code: 0 });
    expect(agent.sent).toEqual(['db/show x', 'exit']);
  });

  test('may be cut at every byte of its answer', async () => {
    const answer = '[stdout]\ngrün\n<<end>>\n';
    await using server = await serveStream((connection) => {
      connection.setNoDelay(true);
      connection.once('data', async () => {
        for (const byte of Buffer.from(answer)) {
          connection.write(Uint8Array.of(byte));
          await new Promise((resolve) => setImmediate(resolve));
        }
        connection.end();
      });
    });
    const result = await run(['shell', '--shell-sock-path', server.socket, 'help']);
    expect(result).toEqual({ stdout: 'grün\n\n', stderr: '', code: 0 });
  });

  test('that fails exits with 1', async () => {
    await using agent = await shell({});
    const result = await run(['shell', '--shell-sock-path', agent.socket, 'bogus']);
    expect(result).toEqual({
      stdout: 'bogus: unknown command\nerror: bogus: unknown command\n',
      stderr: '',
      code: 1,
    });
  });

  // differs: shell-break
  test('whose answer breaks off is an error', async () => {
    await using server = await serveStream((connection) =>
      connection.once('data', () => connection.end('half\n')),
    );
    const result = await run(['shell', '--shell-sock-path', server.socket, 'help']);
    expect(result).toMatchObject({ stdout: 'half\n', code: 1 });
    expect(result.stderr).toContain('the agent closed its shell before the answer ended');
  });

  test('with a line break is refused: it would be two', async () => {
    const result = await run(['shell', 'help\nexit']);
    expect(result).toMatchObject({ stdout: '', code: 1 });
    expect(result.stderr).toContain('a shell command is one line');
  });

  // differs: escaped
  test('steers no terminal with its answer', async () => {
    await using agent = await shell({ c: '\u001b[31mred\u001b[0m \u001b]0;title\u0007\n<<end>>\n' });
    const flag = ['--shell-sock-path', agent.socket];
    const shown = '^[[31mred^[[0m ^[]0;title\\x07\n\n';
    expect((await run(['shell', ...flag, 'c'], { columns: 80 })).stdout).toBe(shown);
    expect((await run(['shell', ...flag, 'c'])).stdout).toBe(shown);
  });

  test('waits for an agent that comes up', async () => {
    const result = await run(['shell', '--shell-sock-path', '/nowhere/shell.sock', 'help']);
    expect(result).toMatchObject({ stdout: '', code: 1 });
    const notices = result.stderr.match(
      /Cannot open \/nowhere\/shell.sock: no such socket. Trying again.../g,
    );
    expect(notices).toHaveLength(15);
    expect(result.stderr).toContain(
      "Error: cannot open the agent's shell /nowhere/shell.sock within 15 s: no such socket\n",
    );
  });
});

// differs: shell-pipe
test('commands come from stdin too, until one fails', async () => {
  await using agent = await shell({ one: '1\n<<end>>\n', two: '2\n<<end>>\n' });
  const flag = ['--shell-sock-path', agent.socket];
  expect((await run(['shell', ...flag], { stdin: 'one\n# a remark\n\ntwo\n' })).stdout).toBe('1\n\n2\n\n');
  const failed = await run(['shell', ...flag], { stdin: 'bogus\none\n' });
  expect(failed).toMatchObject({ stdout: expect.not.stringContaining('1\n\n'), code: 1 });
});

test('a conversation goes on after a command that fails and a connection that breaks', async () => {
  await using agent = await serveStream((connection) => {
    connection.on('data', (bytes) => {
      const line = String(bytes);
      if (line === 'die\n') connection.destroy();
      else connection.write(line === 'bad\n' ? 'no<<error>>\n' : `[stdout]\nsaid ${line}<<end>>\n`);
    });
  });
  const result = await run(['shell', '--shell-sock-path', agent.socket], {
    columns: 80,
    typed: ['one', '', 'bad', 'die', 'two', 'exit', 'never'],
  });
  expect(result.stdout.split('\n\n').slice(1).join('|')).toBe('said one|no\nerror: no\nsaid two|');
  expect(result.stderr).toBe('the agent closed its shell before the answer ended\n');
  expect(result.code).toBe(0);
});

describe('metrics list', () => {
  const METRICS = [
    { name: 'cilium_b', labels: { z: '1', a: 'x"y' }, value: 12.5 },
    { name: 'cilium_a', value: 3e21, future: true },
    { name: 'go_threads' },
  ];
  const exchange = (status: number, body: unknown) => ({
    request: { method: 'GET', path: '/v1/metrics/' },
    response: { status, contentType: 'application/json', body: JSON.stringify(body) },
  });
  const list = async (...argv: string[]) => {
    await using agent = await replay([exchange(200, METRICS)]);
    return await run(['metrics', 'list', ...argv], { env: { CILIUM_SOCK: agent.socket } });
  };

  // differs: metrics-list
  test('of an agent up to 1.17 comes from its API', async () => {
    expect(await list()).toEqual({
      stdout:
        'Metric       Labels          Value\n' +
        'cilium_b     a="x"y" z="1"   12.500000\n' +
        'cilium_a                     3000000000000000000000.000000\n' +
        'go_threads                   0.000000\n',
      stderr: '',
      code: 0,
    });
  });

  test('takes RE2 patterns, matched against names', async () => {
    expect((await list('-p', '(?i)^CILIUM_[b-z]$')).stdout.split('\n')).toHaveLength(3);
    expect((await list('-p', 'nothing')).stdout).toBe('Metric   Labels   Value\n');
    const wrong = await list('-p', 'a(');
    expect(wrong).toMatchObject({ stdout: '', code: 1 });
    expect(wrong.stderr).toContain('Error: Cannot compile regex: ');
    expect((await list('-p', '(?=x)')).stderr).toContain('Error: Cannot compile regex: ');
  });

  test('prints other formats from the same values', async () => {
    expect((await list('-p', 'cilium_b', '-o', 'json')).stdout).toBe(
      `${JSON.stringify([METRICS[0]], undefined, 2)}\n\n`,
    );
    expect((await list('-o', 'json')).stdout).toContain('"future": true');
    expect((await list('-p', 'cilium', '-o', 'jsonpath={[*].name}')).stdout).toBe('cilium_b cilium_a\n');
    expect((await list('-p', 'cilium_b', '-o', 'yaml')).stdout).toContain('name: cilium_b');
  });

  test('of an agent without metrics in its API waits for the shell', async () => {
    await using agent = await replay([exchange(404, { code: 404 })]);
    const result = await run(['metrics', 'list'], { env: { CILIUM_SOCK: agent.socket } });
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(
      "Error: cannot open the agent's shell /var/run/cilium/shell.sock within 15 s",
    );
  });

  test('quotes its pattern for the shell', async () => {
    await using agent = await shell({ "metrics --format=table 'it''s'": 'x\n<<end>>\n' });
    const result = await run(['metrics', 'list', '-p', "it's", '--shell-sock-path', agent.socket]);
    expect(result).toMatchObject({ stdout: 'x\n\n', code: 0 });
    const broken = await run(['metrics', 'list', '-p', "a'\nexit", '--shell-sock-path', agent.socket]);
    expect(broken).toMatchObject({ stdout: '', code: 1 });
  });

  test('applies a jsonpath to what the shell answers', async () => {
    await using agent = await shell({
      "metrics --format=json ''": '[{"name":"a"},\n{"name":"b"}]\n<<end>>\n',
    });
    const result = await run([
      'metrics',
      'list',
      '-o',
      'jsonpath={[*].name}',
      '--shell-sock-path',
      agent.socket,
    ]);
    expect(result).toMatchObject({ stdout: 'a b\n', code: 0 });
  });
});
