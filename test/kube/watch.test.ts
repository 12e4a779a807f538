import type { ServerResponse } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import { listAll, pages } from '../../src/kube/pages.ts';
import { watch } from '../../src/kube/watch.ts';
import { answerJson, kubeClient, refusal, serveKube } from '../helpers/kube.ts';

const PATH = '/api/v1/pods';
const pod = (name: string, resourceVersion: string) => ({ metadata: { name, resourceVersion } });
const names = (items: { metadata?: { name?: string } }[]) => items.map(({ metadata }) => metadata?.name);

describe('a list', () => {
  test('comes page by page', async () => {
    const asked: string[] = [];
    await using server = await serveKube((request, response) => {
      const query = new URL(request.url ?? '', 'http://x').searchParams;
      asked.push(query.toString());
      const more = query.get('continue');
      answerJson(response, {
        metadata: { resourceVersion: '7', ...(more ? {} : { continue: 'c1', remainingItemCount: 1 }) },
        items: [pod(more ? 'b' : 'a', '1')],
      });
    });
    await using client = await kubeClient(server);
    const found = await Array.fromAsync(pages(client, PATH, { labelSelector: 'x=y' }));
    expect(found.map(({ items, remaining, restarted }) => [names(items), remaining, restarted])).toEqual([
      [['a'], 1, false],
      [['b'], undefined, false],
    ]);
    expect(asked).toEqual(['labelSelector=x%3Dy&limit=500', 'labelSelector=x%3Dy&limit=500&continue=c1']);
  });

  test.each([
    [1, ['a', 'b']],
    [2, undefined],
  ])('begins anew when its state is gone, once (gone %i times)', async (times, expected) => {
    let gone = 0;
    await using server = await serveKube((request, response) => {
      const more = new URL(request.url ?? '', 'http://x').searchParams.get('continue');
      if (more && gone++ < times) return answerJson(response, refusal(410, 'Expired', 'too old'), 410);
      answerJson(response, {
        metadata: more ? {} : { continue: 'c' },
        items: [pod(more ? 'b' : 'a', '1')],
      });
    });
    await using client = await kubeClient(server);
    const list = listAll(client, PATH, {}, (object) => object);
    if (expected) expect(names(await list)).toEqual(expected);
    else await expect(list).rejects.toThrow('too old');
  });

  test('without items is empty, and keeps of each what is asked for', async () => {
    await using server = await serveKube((request, response) =>
      answerJson(response, {
        items: request.url?.startsWith('/none') ? null : [pod('a', '1'), pod('b', '2')],
      }),
    );
    await using client = await kubeClient(server);
    expect(await listAll(client, '/none', {}, (object) => object)).toEqual([]);
    expect(
      await listAll(client, PATH, {}, ({ metadata }) =>
        metadata?.name === 'a' ? undefined : metadata?.name,
      ),
    ).toEqual(['b']);
  });
});

/** A server that answers lists with one pod, and watches as told, one after the other. */
async function watched(steps: ((response: ServerResponse, query: URLSearchParams) => void)[]) {
  const queries: URLSearchParams[] = [];
  let lists = 0;
  const server = await serveKube((request, response) => {
    const query = new URL(request.url ?? '', 'http://x').searchParams;
    if (!query.has('watch')) {
      lists++;
      return answerJson(response, {
        metadata: { resourceVersion: `${lists}0` },
        items: [pod(`l${lists}`, '1')],
      });
    }
    queries.push(query);
    const step = steps.shift();
    if (step) step(response, query);
  });
  return { server, queries };
}

/** Follows until so many events came; every one in a word. */
async function follow(steps: Parameters<typeof watched>[0], count: number, serverMs = 60_000) {
  const stop = new AbortController();
  const { server, queries } = await watched(steps);
  await using _ = server;
  await using client = await kubeClient(server, { signal: stop.signal });
  const timing = { serverMs, graceMs: 0, firstWaitMs: 1, longestWaitMs: 1 };
  const seen: string[] = [];
  for await (const event of watch(client, PATH, {}, timing)) {
    seen.push('object' in event ? `${event.type} ${event.object.metadata?.name}` : event.type);
    if (seen.length === count) break;
  }
  stop.abort();
  return { seen, versions: queries.map((query) => query.get('resourceVersion')), queries };
}

const send = (response: ServerResponse, ...events: [string, object][]) => {
  response.writeHead(200);
  for (const [type, object] of events) response.write(`${JSON.stringify({ type, object })}\n`);
};

describe('a watch', () => {
  test('tells what is there, then what changes, and goes on when the server ends it at its time', async () => {
    const { seen, versions, queries } = await follow(
      [
        (response) => {
          send(response, ['MODIFIED', pod('l1', '11')], ['BOOKMARK', pod('', '15')]);
          response.end();
        },
        (response) => send(response, ['DELETED', pod('l1', '16')]),
      ],
      4,
    );
    expect(seen).toEqual(['ADDED l1', 'SYNCED', 'MODIFIED l1', 'DELETED l1']);
    expect(versions).toEqual(['10', '15']);
    expect(queries[0]?.toString()).toBe(
      'watch=true&resourceVersion=10&allowWatchBookmarks=true&timeoutSeconds=60',
    );
  });

  test.each<[string, (response: ServerResponse) => void]>([
    ['the connection breaks', (response) => void response.destroy()],
    [
      'it breaks in the middle of an object',
      (response) => {
        response.writeHead(200);
        response.write('{"type":"ADDED","obj', () => response.destroy());
      },
    ],
    [
      'it ends in the middle of an object',
      (response) => void response.writeHead(200).end('{"type":"ADDED","obj'),
    ],
    [
      'the server is overloaded',
      (response) => answerJson(response, refusal(429, 'TooManyRequests', 'slow'), 429),
    ],
    ['the server restarts', (response) => answerJson(response, refusal(503, 'ServiceUnavailable', 'x'), 503)],
  ])('goes on where it was when %s', async (_, breaks) => {
    const { seen, versions } = await follow(
      [breaks, breaks, (response) => send(response, ['ADDED', pod('new', '12')])],
      4,
    );
    expect(seen).toEqual(['ADDED l1', 'SYNCED', 'RESUMED', 'ADDED new']);
    expect(versions).toEqual(['10', '10', '10']);
  });

  test.each<[string, (response: ServerResponse) => void]>([
    ['as an answer', (response) => answerJson(response, refusal(410, 'Gone', 'too old'), 410)],
    ['as an event', (response) => send(response, ['ERROR', refusal(410, 'Expired', 'too old')])],
  ])('lists anew when the server no longer knows where it was: %s', async (_, gone) => {
    const { seen, versions } = await follow([gone, () => {}], 5);
    expect(seen).toEqual(['ADDED l1', 'SYNCED', 'RESTARTED', 'ADDED l2', 'SYNCED']);
    expect(versions[0]).toBe('10');
  });

  test('lists anew from its beginning when a later list breaks', async () => {
    const stop = new AbortController();
    let lists = 0;
    await using server = await serveKube((request, response) => {
      const query = new URL(request.url ?? '', 'http://x').searchParams;
      if (query.has('watch')) {
        if (lists === 1) answerJson(response, refusal(410, 'Gone', 'too old'), 410);
      } else if (query.has('continue')) {
        response.destroy();
      } else {
        lists++;
        const metadata = { resourceVersion: '7', ...(lists === 2 && { continue: 'c' }) };
        answerJson(response, { metadata, items: [pod(`l${lists}`, '1')] });
      }
    });
    await using client = await kubeClient(server, { signal: stop.signal });
    const seen: string[] = [];
    const timing = { serverMs: 60_000, graceMs: 0, firstWaitMs: 1, longestWaitMs: 1 };
    for await (const event of watch(client, PATH, {}, timing)) {
      seen.push('object' in event ? `${event.type} ${event.object.metadata?.name}` : event.type);
      if (seen.filter((type) => type === 'SYNCED').length === 2) break;
    }
    stop.abort();
    expect(seen.join(' ')).toBe('ADDED l1 SYNCED RESTARTED ADDED l2 RESTARTED ADDED l3 SYNCED');
  });

  test('is asked for anew when it is silent for longer than it may be', async () => {
    const { seen } = await follow(
      [() => {}, (response) => send(response, ['ADDED', pod('new', '2')])],
      4,
      300,
    );
    expect(seen).toEqual(['ADDED l1', 'SYNCED', 'RESUMED', 'ADDED new']);
  });

  test('ends where the server says no', async () => {
    const denied = (response: ServerResponse) =>
      answerJson(response, refusal(403, 'Forbidden', 'cannot watch'), 403);
    await expect(follow([denied], 9)).rejects.toThrow('cannot watch');
  });
});
