import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { EtcdClient } from '../../src/kvstore/etcd.ts';

interface Call {
  path: string;
  body: Record<string, string>;
  token: string | undefined;
}
type Answer = { status?: number; text: string } | object | 'broken off';

const b64 = (text: string) => Buffer.from(text).toString('base64');
const kv = (key: string, more: object = {}) => ({ key: b64(key), value: b64('v'), ...more });

async function bodyOf(request: IncomingMessage): Promise<Record<string, string>> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  return JSON.parse(Buffer.concat(parts).toString());
}

/** A member that answers as the function says; one without a function breaks every connection off. */
async function member(answer?: (call: Call) => Answer) {
  const calls: Call[] = [];
  const server = createServer(async (request, response) => {
    const call = {
      path: request.url ?? '',
      body: await bodyOf(request),
      token: request.headers.authorization,
    };
    calls.push(call);
    const found = answer?.(call) ?? 'broken off';
    if (found === 'broken off') return request.socket.destroy();
    const text = 'text' in found ? String(found.text) : JSON.stringify(found);
    response.writeHead('status' in found ? Number(found.status) : 200).end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A member that sends a byte now and then, and never the last. */
async function slowMember() {
  const server = createServer((_, response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write(' '), 50);
    response.on('close', () => clearInterval(timer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Runs something on a client of these members. */
async function on<T>(
  endpoints: string[],
  use: (etcd: EtcdClient) => Promise<T>,
  config: object = {},
): Promise<T> {
  const signal = new AbortController().signal;
  const etcd = new EtcdClient({ endpoints, ...config }, { timeoutMs: 5000, signal });
  try {
    return await use(etcd);
  } finally {
    await etcd.close();
  }
}

const NOBODY = 'http://127.0.0.1:1';

describe('keys', () => {
  test('are read one at a time, decoded', async () => {
    await using etcd = await member(({ body }) =>
      body.key === b64('a') ? { kvs: [kv('a', { mod_revision: '7', lease: '9' })] } : {},
    );
    const [found, none] = await on([etcd.url], async (e) => [await e.get('a'), await e.get('b')]);
    expect(found).toEqual({ key: 'a', value: Buffer.from('v'), modRevision: 7, lease: '9' });
    expect(none).toBeUndefined();
    expect(etcd.calls[0]).toEqual({ path: '/v3/kv/range', body: { key: b64('a') }, token: undefined });
  });

  test('lack what the gateway leaves out when it is zero', async () => {
    await using etcd = await member(() => ({ kvs: [{}] }));
    expect(await on([etcd.url], (e) => e.get('a'))).toEqual({
      key: '',
      value: Buffer.alloc(0),
      modRevision: 0,
      lease: '0',
    });
  });

  test('of a prefix come page by page, each from behind the last key', async () => {
    const keys = Array.from({ length: 1001 }, (_, i) => `p/${String(i).padStart(4, '0')}`);
    await using etcd = await member(({ body }) => {
      const from = Buffer.from(body.key ?? '', 'base64').toString();
      return {
        kvs: keys
          .filter((key) => key >= from)
          .slice(0, Number(body.limit))
          .map((key) => kv(key)),
      };
    });
    const pages = await on([etcd.url], (e) => Array.fromAsync(e.list('p/')));
    expect(pages.map((page) => page.length)).toEqual([1000, 1]);
    expect(pages.flat().map(({ key }) => key)).toEqual(keys);
    expect(etcd.calls.map(({ body }) => [body.key, body.range_end])).toEqual([
      [b64('p/'), b64('p0')],
      [b64('p/0999\0'), b64('p0')],
    ]);
  });

  test('of an empty prefix yield no page, and full pages end with an empty one', async () => {
    await using empty = await member(() => ({}));
    expect(await on([empty.url], (e) => Array.fromAsync(e.list('x')))).toEqual([]);
    let calls = 0;
    await using full = await member(() => ({
      kvs: calls++ === 0 ? Array.from({ length: 1000 }, (_, i) => kv(`k${String(i).padStart(4, '0')}`)) : [],
    }));
    expect((await on([full.url], (e) => Array.fromAsync(e.list('k')))).length).toBe(1);
    expect(calls).toBe(2);
  });

  test.each([
    ['', '\0', '\0'],
    ['a', 'a', 'b'],
    ['a\u007f', 'a\u007f', 'a\u0080'],
  ])('that begin with %j lie between two keys', async (prefix, first, behind) => {
    await using etcd = await member(() => ({}));
    await on([etcd.url], (e) => Array.fromAsync(e.list(prefix)));
    const raw = (text: string) => Buffer.from(text, 'latin1').toString('base64');
    expect(etcd.calls[0]?.body).toEqual({ key: raw(first), range_end: raw(behind), limit: '1000' });
  });

  test('are written and deleted, alone or with all that begin with them', async () => {
    await using etcd = await member(({ path }) => (path.endsWith('deleterange') ? { deleted: '3' } : {}));
    const counts = await on([etcd.url], async (e) => {
      await e.put('k', 'v');
      return [await e.delete('k', false), await e.delete('k', true), await e.delete('', true)];
    });
    expect(counts).toEqual([3, 3, 3]);
    expect(etcd.calls.map(({ path, body }) => [path, body])).toEqual([
      ['/v3/kv/put', { key: b64('k'), value: b64('v') }],
      ['/v3/kv/deleterange', { key: b64('k') }],
      ['/v3/kv/deleterange', { key: b64('k'), range_end: b64('l') }],
      ['/v3/kv/deleterange', { key: b64('\0'), range_end: b64('\0') }],
    ]);
    await using none = await member(() => ({}));
    expect(await on([none.url], (e) => e.delete('k', false))).toBe(0);
  });
});

describe('an answer that no etcd gives', () => {
  const full = (key: (i: number) => string) => ({
    kvs: Array.from({ length: 1000 }, (_, i) => ({ key: key(i), value: '' })),
  });
  test.each<[string, Answer, RegExp]>([
    ['the same page for ever', full(() => b64('p/a')), /key "p\/a" was not asked for, or comes out of order/],
    ['keys from before the prefix', { kvs: [kv('a')] }, /key "a" was not asked for/],
    [
      'keys backwards',
      { kvs: [kv('p/b'), kv('p/a')] },
      /key "p\/a" was not asked for, or comes out of order/,
    ],
    ['a key that is a number', { kvs: [{ key: 1 }] }, /key should be a text/],
    ['a lease that is none', { kvs: [kv('p/a', { lease: {} })] }, /lease should be a number/],
    [
      'a revision that is none',
      { kvs: [kv('p/a', { mod_revision: 'x' })] },
      /mod_revision should be a number/,
    ],
    ['pairs that are none', { kvs: {} }, /kvs should be a list/],
    ['a body that is no JSON', { status: 200, text: '\u001b[2J' }, /the answer of status 200 is not JSON/],
    ['JSON that is too deep', { status: 200, text: '['.repeat(100_000) }, /is not JSON/],
  ])('%s is an error', async (_what, answer, error) => {
    await using etcd = await member(() => answer);
    await expect(on([etcd.url], (e) => Array.fromAsync(e.list('p/')))).rejects.toThrow(error);
    expect(etcd.calls.length).toBeLessThanOrEqual(2);
  });

  test('is one as a count or an id, too', async () => {
    await using etcd = await member(() => ({ deleted: 'many', header: { cluster_id: 'x' } }));
    await expect(on([etcd.url], (e) => e.delete('k', false))).rejects.toThrow('deleted should be a number');
    await expect(on([etcd.url], (e) => e.status())).rejects.toThrow('cluster_id should be a number');
  });

  test('larger than 64 MiB, or slower than the limit, ends', async () => {
    await using large = await member(() => ({ status: 200, text: ' '.repeat((64 << 20) + 1) }));
    await expect(on([large.url], (e) => e.get('k'))).rejects.toThrow('larger than 64 MiB');
    await using slow = await slowMember();
    const etcd = new EtcdClient(
      { endpoints: [slow.url] },
      { timeoutMs: 300, signal: new AbortController().signal },
    );
    await expect(etcd.get('k')).rejects.toThrow(/no answer within/);
    await etcd.close();
  });
});

test('keys that are no UTF-8 are gone on from by their bytes', async () => {
  const raw = (i: number) =>
    Buffer.concat([Buffer.from('p/'), Buffer.of(0xff), Buffer.from(String(i).padStart(4, '0'))]);
  const keys = Array.from({ length: 1500 }, (_, i) => raw(i));
  await using etcd = await member(({ body }) => {
    const from = Buffer.from(body.key ?? '', 'base64');
    const rest = keys.filter((key) => Buffer.compare(key, from) >= 0).slice(0, Number(body.limit));
    return { kvs: rest.map((key) => ({ key: key.toString('base64'), value: '' })) };
  });
  const pages = await on([etcd.url], (e) => Array.fromAsync(e.list('p/')));
  expect(pages.map((page) => page.length)).toEqual([1000, 500]);
});

test('the status has the id of the cluster as hex', async () => {
  await using etcd = await member(() => ({
    header: { cluster_id: '14841639068965178418' },
    version: '3.5.1',
  }));
  expect(await on([etcd.url], (e) => e.status())).toEqual({
    clusterId: 'cdf818194e3a8c32',
    version: '3.5.1',
  });
  await using bare = await member(() => ({}));
  expect(await on([bare.url], (e) => e.status())).toEqual({ clusterId: '0', version: '' });
});

describe('members', () => {
  test('are tried in order, and the one that answered is kept', async () => {
    await using first = await member();
    await using second = await member(() => ({ kvs: [kv('a')] }));
    const got = await on([first.url, second.url], async (e) => [await e.get('a'), await e.get('a')]);
    expect(got.map((found) => found?.key)).toEqual(['a', 'a']);
    expect([first.calls.length, second.calls.length]).toEqual([1, 2]);
  });

  test('that may have written are not followed by another, one that cannot be reached is', async () => {
    await using first = await member();
    await using second = await member(() => ({}));
    await expect(on([first.url, second.url], (e) => e.put('k', 'v'))).rejects.toThrow();
    await expect(on([first.url, second.url], (e) => e.delete('k', true))).rejects.toThrow();
    expect(second.calls).toEqual([]);
    await on([NOBODY, second.url], (e) => e.put('k', 'v'));
    expect(second.calls).toHaveLength(1);
  });

  test('that refuse end the search; those that are all away are told', async () => {
    await using first = await member(() => ({ status: 400, text: '{"message":"no"}' }));
    await using second = await member(() => ({}));
    await expect(on([first.url, second.url], (e) => e.get('k'))).rejects.toThrow('etcd: no');
    expect(second.calls).toEqual([]);
    await expect(on([NOBODY], (e) => e.get('k'))).rejects.toThrow(/127\.0\.0\.1:1/);
    await expect(on([], (e) => e.get('k'))).rejects.toThrow('the etcd configuration names no endpoints');
  });

  test('are given the token for a name and password, asked for once', async () => {
    await using etcd = await member(({ path }) =>
      path === '/v3/auth/authenticate' ? { token: 'secret' } : {},
    );
    const config = { username: 'u', password: 'p' };
    await on(
      [etcd.url],
      async (e) => {
        await e.get('a');
        await e.get('b');
      },
      config,
    );
    expect(etcd.calls.map(({ path, token }) => [path, token])).toEqual([
      ['/v3/auth/authenticate', undefined],
      ['/v3/kv/range', 'secret'],
      ['/v3/kv/range', 'secret'],
    ]);
    expect(etcd.calls[0]?.body).toEqual({ name: 'u', password: 'p' });
  });

  test('know each other’s tokens: the next one is not asked for another', async () => {
    await using first = await member(({ path }) =>
      path === '/v3/auth/authenticate' ? { token: 'secret' } : 'broken off',
    );
    await using second = await member(() => ({}));
    await on([first.url, second.url], (e) => e.get('a'), { username: 'u', password: 'p' });
    expect(second.calls.map(({ path, token }) => [path, token])).toEqual([['/v3/kv/range', 'secret']]);
  });
});

test.each([
  [{ status: 404, text: 'not found' }, 'This looks like an etcd before 3.4, or none at all.'],
  [{ status: 200, text: '<html>' }, 'Is this the client address of an etcd member?'],
])('an answer that is not JSON is refused: %j', async (answer, hint) => {
  await using etcd = await member(() => answer);
  await expect(on([etcd.url], (e) => e.get('k'))).rejects.toMatchObject({
    message: `/v3/kv/range: the answer of status ${answer.status} is not JSON`,
    hint,
  });
});

test.each([
  [{ status: 500, text: '{"message":"m","error":"e"}' }, 'etcd: m'],
  [{ status: 500, text: '{"error":"e"}' }, 'etcd: e'],
  [{ status: 503, text: '{}' }, 'etcd: status 503'],
  [{ status: 503, text: 'null' }, 'etcd: status 503'],
  [{ kvs: 5 }, 'etcd: kvs should be a list'],
])('an answer that is an error says so: %j', async (answer, message) => {
  await using etcd = await member(() => answer);
  await expect(on([etcd.url], (e) => e.get('k'))).rejects.toThrow(message);
});
