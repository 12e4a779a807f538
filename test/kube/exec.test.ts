import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, jest, test } from '@jest/globals';
import { exec, execDuplex, execStream } from '../../src/kube/exec.ts';
import { forwardPort } from '../../src/kube/forward.ts';
import { dialWithin } from '../../src/kube/relay.ts';
import { answerJson, kubeClient, refusal, type SocketHandler, serveKube } from '../helpers/kube.ts';
import { end, SUCCESS, say, spawning } from '../helpers/kubelet.ts';

const TARGET = { namespace: 'kube-system', pod: 'cilium-x', container: 'cilium-agent', command: ['cat'] };
async function running(onSocket: SocketHandler, protocol?: string) {
  const server = await serveKube((_, response) => void response.writeHead(404).end(), onSocket, { protocol });
  const client = await kubeClient(server);
  return {
    client,
    server,
    run: (...command: string[]) => exec(client, { ...TARGET, command }),
    [Symbol.asyncDispose]: async () => {
      await client[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe('a command in a container', () => {
  test.each([
    [['sh', '-c', 'printf out; printf err >&2'], 0, 'out', 'err'],
    [['sh', '-c', 'exit 7'], 7, '', ''],
    [['sh', '-c', 'kill -9 $$'], 1, '', ''],
  ])('%j ends with exit code %i', async (command, exitCode, stdout, stderr) => {
    await using kubelet = await running(spawning());
    const result = await kubelet.run(...command);
    expect({ ...result, stdout: result.stdout.toString() }).toEqual({ exitCode, stdout, stderr });
  });

  test('is asked for with its words, its container and its streams', async () => {
    let asked = '';
    await using kubelet = await running((socket, url) => {
      asked = `${url.pathname}?${url.searchParams}`;
      end(socket, SUCCESS);
    });
    await kubelet.run('cilium-dbg', 'status', '--all addresses');
    expect(asked).toBe(
      '/api/v1/namespaces/kube-system/pods/cilium-x/exec?container=cilium-agent&stdout=true&stderr=true&command=cilium-dbg&command=status&command=--all+addresses',
    );
  });

  test('may be held back for longer than a ping takes', async () => {
    const timers = jest.spyOn(globalThis, 'setInterval');
    await using kubelet = await running((socket) => {
      say(socket, 1, 'held');
      setTimeout(() => end(socket, SUCCESS), 50);
    });
    const held = Promise.withResolvers<void>();
    const read = Promise.withResolvers<void>();
    const told = execStream(kubelet.client, TARGET, () => {
      held.resolve();
      return read.promise;
    });
    await held.promise;
    const pings = timers.mock.calls.filter(([, ms]) => ms === 15_000);
    timers.mockRestore();
    expect(pings).toHaveLength(1);
    for (let i = 0; i < 3; i++) pings[0]?.[0]();
    read.resolve();
    expect((await told).exitCode).toBe(0);
  });

  test('that is not there is told apart from one that fails', async () => {
    await using kubelet = await running(spawning());
    await expect(kubelet.run('no-such-program')).rejects.toMatchObject({ name: 'ExecNotStarted' });
  });

  test.each<[string, SocketHandler, RegExp]>([
    ['the connection breaks', (socket) => socket.terminate(), /the connection broke \(1006\)/],
    [
      'it ends without a status',
      (socket) => socket.close(1000),
      /the connection ended before the command did/,
    ],
    [
      'the status says nothing of an exit code',
      (socket) => end(socket, { status: 'Failure', message: 'container not found ("x")' }),
      /exec of cat in kube-system\/cilium-x \(cilium-agent\): container not found \("x"\)/,
    ],
  ])('is no success when %s', async (_, onSocket, message) => {
    await using kubelet = await running((socket, url) => {
      say(socket, 1, 'half');
      onSocket(socket, url);
    });
    await expect(kubelet.run('cat')).rejects.toThrow(message);
  });

  test('takes its exit code from the text where the runtime tells it there alone', async () => {
    await using kubelet = await running((socket) =>
      end(socket, { status: 'Failure', message: 'error executing command: exit status 42' }),
    );
    expect((await kubelet.run('cat')).exitCode).toBe(42);
  });

  test('that is refused says why', async () => {
    await using server = await serveKube((_, response) =>
      answerJson(response, refusal(403, 'Forbidden', 'pods/exec is forbidden: User "u" cannot create'), 403),
    );
    await using client = await kubeClient(server);
    await expect(exec(client, TARGET)).rejects.toMatchObject({
      name: 'KubeRefusal',
      code: 403,
      message: expect.stringContaining('pods/exec is forbidden: User "u" cannot create') as never,
    });
  });

  test('is held back by a slow reader, and loses nothing', async () => {
    await using kubelet = await running(spawning());
    let size = 0;
    let waits = 0;
    const command = ['sh', '-c', 'head -c 20000000 /dev/zero'];
    const { exitCode } = await execStream(kubelet.client, { ...TARGET, command }, async (bytes) => {
      size += bytes.length;
      if (++waits % 50 === 0) await sleep(5);
    });
    expect([exitCode, size]).toEqual([0, 20_000_000]);
  });
});

describe('a command as a stream in both directions', () => {
  test.each(['v5.channel.k8s.io', 'v4.channel.k8s.io'])(
    'gives back what it is given (%s)',
    async (protocol) => {
      await using kubelet = await running(spawning(), protocol);
      const stream = await execDuplex(kubelet.client, { ...TARGET, command: ['sed', '-u', '2q'] });
      stream.write('one\n');
      const [first] = (await once(stream, 'data')) as [Buffer];
      expect(first.toString()).toBe('one\n');
      stream.write('two\n');
      let rest = '';
      for await (const part of stream) rest += String(part);
      expect(rest).toBe('two\n');
    },
  );

  test('ends its input alone, where the protocol can', async () => {
    await using kubelet = await running(spawning());
    const stream = await execDuplex(kubelet.client, { ...TARGET, command: ['sort'] });
    stream.end('b\na\n');
    let text = '';
    for await (const part of stream) text += String(part);
    expect(text).toBe('a\nb\n');
  });

  test('fails as the command does, with what it said last', async () => {
    await using kubelet = await running(spawning());
    const command = ['sh', '-c', 'echo no such socket >&2; exit 69'];
    const stream = await execDuplex(kubelet.client, { ...TARGET, command });
    await expect(Array.fromAsync(stream)).rejects.toMatchObject({
      code: 69,
      message: expect.stringMatching(/exit code 69: no such socket$/) as never,
    });
  });

  test('fails when the connection breaks', async () => {
    await using kubelet = await running((socket) => socket.on('message', () => socket.terminate()));
    const stream = await execDuplex(kubelet.client, TARGET);
    stream.write('x');
    await expect(Array.fromAsync(stream)).rejects.toThrow('the connection broke');
  });
});

describe('a port of a pod', () => {
  /** Forwards to a port of this machine, as a kubelet does: each channel begins with the number of the port. */
  const forwarding: SocketHandler = (socket, url) => {
    const port = Number(url.searchParams.get('ports'));
    const head = Buffer.alloc(2);
    head.writeUInt16LE(port);
    say(socket, 0, head);
    say(socket, 1, head);
    socket.on('message', (data: Buffer) => say(socket, 0, data.subarray(1).toString().toUpperCase()));
    if (port === 1) say(socket, 1, 'dial tcp4 127.0.0.1:1: connect: connection refused');
  };

  test('is a connection in both directions', async () => {
    await using kubelet = await running(forwarding, 'v4.channel.k8s.io');
    const stream = await forwardPort(kubelet.client, { namespace: 'n', pod: 'p', port: 4245 });
    stream.write('hello');
    const [answer] = (await once(stream, 'data')) as [Buffer];
    expect(answer.toString()).toBe('HELLO');
    stream.destroy();
  });

  test('that nobody listens on says so', async () => {
    await using kubelet = await running(forwarding, 'v4.channel.k8s.io');
    const stream = await forwardPort(kubelet.client, { namespace: 'n', pod: 'p', port: 1 });
    await expect(Array.fromAsync(stream)).rejects.toThrow(
      'port 1 of n/p: dial tcp4 127.0.0.1:1: connect: connection refused',
    );
  });
});

test('a unix socket in a container is reached through perl', async () => {
  const path = join(tmpdir(), `relay-${process.pid}.sock`);
  const agent = createServer((socket) => socket.on('data', (bytes) => socket.end(`got ${bytes}`))).listen(
    path,
  );
  await once(agent, 'listening');
  await using kubelet = await running(spawning(), 'v4.channel.k8s.io');
  const stream = await dialWithin(kubelet.client, TARGET, path);
  stream.write('hello');
  let text = '';
  for await (const part of stream) text += String(part);
  expect(text).toBe('got hello');
  await expect(dialWithin(kubelet.client, TARGET, '/nonexistent')).rejects.toMatchObject({ code: 'ENOENT' });
  agent.close();
});

test('the relay ends by itself when its client is gone and the socket stays silent', async () => {
  const path = join(tmpdir(), `silent-${process.pid}.sock`);
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket.on('error', () => {}).resume());
  });
  server.listen(path);
  await once(server, 'listening');
  await using kubelet = await running(spawning((word) => word.replace('$limit = 60', '$limit = 0.3')));
  const stream = await dialWithin(kubelet.client, TARGET, path);
  // Its silence alone is no end.
  const ended = once(stream.resume(), 'end').then(() => 'ended');
  expect(await Promise.race([ended, sleep(800, 'open')])).toBe('open');
  stream.end();
  expect(await Promise.race([ended, sleep(60_000, 'open', { ref: false })])).toBe('ended');
  for (const socket of sockets) socket.destroy();
  server.close();
});
