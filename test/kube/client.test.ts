import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Channels } from '../../src/kube/channels.ts';
import { KubeClient, type KubeRequest } from '../../src/kube/client.ts';
import { answerJson, kubeClient, refusal, serveKube } from '../helpers/kube.ts';
import { fixturePath } from '../helpers/recordings.ts';

const PODS = '/api/v1/pods';

test('a request carries its query, its body and as whom it is made', async () => {
  const seen: { line: string; body: string; as: unknown; groups: unknown; type: unknown }[] = [];
  await using server = await serveKube(async (request, response) => {
    let body = '';
    for await (const part of request) body += String(part);
    const { headers } = request;
    seen.push({
      line: `${request.method} ${request.url}`,
      body,
      as: headers['impersonate-user'],
      groups: headers['impersonate-group'],
      type: headers['content-type'],
    });
    answerJson(response, { kind: 'Pod' });
  });
  await using client = await kubeClient(server, { as: { user: 'jane', groups: ['dev', 'ops'] } });
  expect(
    await client.json({ path: PODS, query: { limit: 5, labelSelector: 'a=b,c', continue: undefined } }),
  ).toEqual({
    kind: 'Pod',
  });
  await client.json({
    method: 'PATCH',
    path: PODS,
    body: { a: 1 },
    contentType: 'application/merge-patch+json',
  });
  expect(seen).toEqual([
    {
      line: `GET ${PODS}?limit=5&labelSelector=a%3Db%2Cc`,
      body: '',
      as: 'jane',
      groups: 'dev, ops',
      type: undefined,
    },
    {
      line: `PATCH ${PODS}`,
      body: '{"a":1}',
      as: 'jane',
      groups: 'dev, ops',
      type: 'application/merge-patch+json',
    },
  ]);
});

describe('what the server says instead is told', () => {
  const html = (response: ServerResponse) =>
    void response.writeHead(502, { 'content-type': 'text/html' }).end('<p>Bad');
  test.each<
    [string, (response: ServerResponse, request: IncomingMessage) => void, string, string | undefined]
  >([
    [
      'a refusal of RBAC',
      (response) =>
        answerJson(response, refusal(403, 'Forbidden', 'pods is forbidden: User "u" cannot list'), 403),
      'pods is forbidden: User "u" cannot list',
      'The message names the verb and the resource that the user or service account lacks.',
    ],
    [
      'an expired token',
      (response) => answerJson(response, refusal(401, 'Unauthorized', 'Unauthorized'), 401),
      'Unauthorized',
      'The credentials are not accepted: has a token or certificate of the kubeconfig expired?',
    ],
    ['a page of a proxy', html, 'the API server answered 502: <p>Bad', undefined],
    ['nothing', (response) => void response.writeHead(500).end(), 'the API server answered 500', undefined],
    [
      'what is no JSON',
      (response) => void response.writeHead(200).end('hello'),
      'the answer is not JSON',
      'Is this the address of a Kubernetes API server?',
    ],
    [
      'half an answer',
      (response) => {
        response.writeHead(200, { 'content-length': 100 });
        response.write('{"kind":', () => response.destroy());
      },
      'the connection broke',
      'Is the API server restarting?',
    ],
    [
      'no answer',
      () => {},
      'no answer within 0.2 s',
      'Is the API server overloaded? A longer --timeout may help.',
    ],
    [
      'an answer that does not end',
      (response) => void response.writeHead(200).write('{'),
      'no answer within 0.2 s',
      'Is the API server overloaded? A longer --timeout may help.',
    ],
  ])('%s', async (_, answer, message, hint) => {
    await using server = await serveKube((request, response) => answer(response, request));
    await using client = await kubeClient(server, { timeoutMs: message.includes('0.2 s') ? 200 : 20_000 });
    await expect(client.json({ path: PODS })).rejects.toMatchObject({
      message: `GET ${server.url}${PODS}: ${message}`,
      hint,
    });
  });

  test('a server that is away', async () => {
    const server = await serveKube(() => {});
    await using client = await kubeClient(server);
    await client.config.getCurrentCluster();
    await server[Symbol.asyncDispose]();
    await expect(client.json({ path: PODS })).rejects.toThrow(`GET ${server.url}${PODS}: connection refused`);
  });
});

test('what is not found is nothing, and any other refusal stays one', async () => {
  await using server = await serveKube((request, response) => {
    const code = request.url === '/none' ? 404 : 403;
    answerJson(response, refusal(code, 'x', 'no'), code);
  });
  await using client = await kubeClient(server);
  expect(await client.find({ path: '/none' } satisfies KubeRequest)).toBeUndefined();
  await expect(client.find({ path: '/denied' })).rejects.toThrow('/denied: no');
});

test('a request ends with the signal', async () => {
  const stop = new AbortController();
  await using server = await serveKube(() => stop.abort(new Error('stopped')));
  await using client = await kubeClient(server, { signal: stop.signal });
  await expect(client.json({ path: PODS })).rejects.toThrow('stopped');
});

test('a proxy that does not answer is named, without its password', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'kube-')), 'config');
  const cluster = { server: 'https://127.0.0.1:6443', 'proxy-url': 'http://me:secret@127.0.0.1:1' };
  writeFileSync(
    path,
    JSON.stringify({
      clusters: [{ name: 'c', cluster }],
      contexts: [{ name: 'k', context: { cluster: 'c', user: 'u' } }],
      users: [{ name: 'u', user: {} }],
      'current-context': 'k',
    }),
  );
  const options = { env: {}, kubeconfig: path, signal: new AbortController().signal };
  await using client = await KubeClient.open(options);
  await expect(client.json({ path: PODS })).rejects.toMatchObject({
    message: `GET https://127.0.0.1:6443${PODS}: connection refused`,
    hint: 'It is asked through the proxy of the kubeconfig: http://127.0.0.1:1',
  });
});

test('credentials are asked for each request, and connections are pooled once', async () => {
  const seen: unknown[] = [];
  await using server = await serveKube((request, response) => {
    seen.push(request.headers.authorization);
    answerJson(response, {});
  });
  await using client = await kubeClient(server);
  const [user] = client.config.users;
  let pools = 0;
  const { config } = client as unknown as { config: { createDispatcher: (...given: unknown[]) => unknown } };
  const create = config.createDispatcher.bind(config);
  config.createDispatcher = (...given) => {
    pools++;
    return create(...given);
  };
  for (const token of ['a', 'b', 'c']) {
    Object.assign(user ?? {}, { token });
    await client.json({ path: PODS });
  }
  Object.assign(user ?? {}, { token: undefined, username: 'ann', password: 'secret' });
  await client.json({ path: PODS });
  expect(seen).toEqual(['Bearer a', 'Bearer b', 'Bearer c', `Basic ${btoa('ann:secret')}`]);
  expect(pools).toBe(1);
});

test('a mistake of this program is not told as a cluster that is out of reach', async () => {
  await using server = await serveKube((_, response) => answerJson(response, {}));
  await using client = await kubeClient(server);
  const mistake = new TypeError("cannot read properties of undefined (reading 'x')");
  expect(client.explain(mistake, { path: PODS })).toBe(mistake);
  const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
  expect(client.explain(refused, { path: PODS }).message).toContain('connection refused');
});

describe('a server with a certificate of the authority of the kubeconfig', () => {
  const file = (name: string) => readFileSync(fixturePath(`tls/${name}`));
  const own = { cert: file('common-name.crt'), key: file('common-name.key') };
  const named = { cert: file('server.crt'), key: file('server.key') };

  test.each([
    ['a common name alone', own, own.cert, 'kube.example.com', 'relies on legacy Common Name field'],
    ['another name', named, file('ca.crt'), 'kube.example.com', 'is valid for relay.example.com'],
    ['the name', named, file('ca.crt'), 'relay.example.com', undefined],
  ])(
    'that has %s is taken as client-go takes it, also for commands in pods',
    async (_, tls, ca, name, said) => {
      const reached: string[] = [];
      const server = createServer(tls, (request, response) => {
        reached.push(request.url ?? '');
        answerJson(response, { items: [] });
      });
      server.on('tlsClientError', () => {});
      server.on('upgrade', (request, socket) => {
        reached.push(request.url ?? '');
        socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\n{}');
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      const cluster = {
        server: `https://127.0.0.1:${port}`,
        'certificate-authority-data': ca.toString('base64'),
        'tls-server-name': name,
      };
      const kubeconfig = join(mkdtempSync(join(tmpdir(), 'kube-')), 'config');
      writeFileSync(
        kubeconfig,
        JSON.stringify({
          clusters: [{ name: 'c', cluster }],
          contexts: [{ name: 'k', context: { cluster: 'c', user: 'u' } }],
          users: [{ name: 'u', user: {} }],
          'current-context': 'k',
        }),
      );
      try {
        await using client = await KubeClient.open({
          env: {},
          kubeconfig,
          signal: new AbortController().signal,
        });
        const list = client.json({ path: PODS });
        const exec = Channels.open(
          client,
          `${PODS}/x/exec`,
          new URLSearchParams(),
          ['v5.channel.k8s.io'],
          () => undefined,
        );
        if (said === undefined) {
          expect(await list).toEqual({ items: [] });
          await expect(exec).rejects.toThrow(/403/);
        } else {
          await expect(list).rejects.toThrow(said);
          await expect(exec).rejects.toThrow(said);
        }
        expect(reached).toHaveLength(said === undefined ? 2 : 0);
      } finally {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  );
});

test('a server that goes away after it has answered is asked once more, if that is wanted, and only for what is read', async () => {
  let [asked, isAway] = [0, true];
  await using kube = await serveKube((request, response) => {
    asked++;
    if (isAway) request.socket.destroy();
    else answerJson(response, { metadata: { name: 'a' } });
  });
  await using client = await kubeClient(kube);
  const told: string[] = [];
  client.onOutage = async (why) => {
    told.push(why);
    isAway = false;
    return told.length < 2;
  };
  // It may never have been there.
  await expect(client.json({ path: '/api/v1/x' })).rejects.toThrow('the connection broke');
  isAway = false;
  await client.json({ path: '/api/v1/x' });
  isAway = true;
  await expect(client.json({ method: 'POST', path: '/api/v1/x' })).rejects.toThrow('the connection broke');
  expect(told).toEqual([]);
  expect(await client.json({ path: '/api/v1/x' })).toEqual({ metadata: { name: 'a' } });
  expect(told).toEqual([expect.stringMatching(/^GET .*: the connection broke$/)]);
  isAway = true;
  await expect(client.json({ path: '/api/v1/x' })).rejects.toThrow('the connection broke');
  expect(asked).toBe(6);
});
