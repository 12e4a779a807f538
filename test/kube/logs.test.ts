import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type LogQuery, readLog } from '../../src/kube/logs.ts';
import { answerJson, kubeClient, serveKube } from '../helpers/kube.ts';
import { LogCluster } from '../helpers/log-cluster.ts';

const SOURCE = {
  node: 'n1',
  namespace: 'kube-system',
  pod: 'cilium-a',
  uid: 'uid-1',
  container: 'cilium-agent',
};

let cluster: LogCluster;
beforeEach(async () => {
  cluster = new LogCluster();
  await cluster.start();
  cluster.add('cilium-a', 'n1');
});
afterEach(async () => {
  await cluster[Symbol.asyncDispose]();
});

/** Reads a log; `onWait` is called instead of waiting. */
async function read(
  query: Partial<LogQuery>,
  onWait: (ms: number) => void | Promise<void> = () => {},
  onLines = () => {},
) {
  const said: string[] = [];
  await using client = await kubeClient(cluster as never, { timeoutMs: 20_000 });
  const records = readLog(
    client,
    SOURCE,
    { follow: false, previous: false, ...query },
    { say: (text) => said.push(text), sleep: async (ms) => onWait(ms), timeoutMs: 20_000 },
  );
  const lines: { text: string; omitted: number }[] = [];
  try {
    for await (const batch of records) {
      lines.push(...batch);
      onLines();
    }
    return { lines, said };
  } catch (error) {
    return { lines, said, error };
  }
}

describe('a log', () => {
  test('is asked for with what is wanted of it', async () => {
    await read({ tail: 5 });
    await read({ since: { seconds: 60 } });
    await read({ since: { time: '2026-01-01T00:00:00Z' }, tail: 3 });
    expect(
      cluster.asked.map((one) => one.replace('cilium-a?container=cilium-agent&timestamps=true', '')),
    ).toEqual(['&tailLines=5', '&sinceSeconds=60', '&sinceTime=2026-01-01T00%3A00%3A00Z&tailLines=3']);
  });

  test('has lines of any length, of which the first 256 KiB are kept, and bytes that are no text', async () => {
    cluster.write('cilium-a', 'x'.repeat(300_000));
    cluster.write('cilium-a', 'short\r');
    cluster.write('cilium-a', '');
    const { lines } = await read({});
    expect(lines.map(({ text, omitted }) => [text.length + omitted, omitted > 0])).toEqual([
      [300_000, true],
      [5, false],
      [0, false],
    ]);
  });

  test('that is not followed is asked for six times before it is given up', async () => {
    await cluster.kill();
    const waits: number[] = [];
    const { error, said } = await read({}, (ms) => void waits.push(ms));
    expect(waits).toEqual([200, 400, 800, 1600, 3200]);
    expect(String(error)).toContain('connection refused');
    expect(said).toHaveLength(1);
    await cluster.start();
  });

  test('of a container that stays down is asked for ever more seldom', async () => {
    cluster.write('cilium-a', 'last words');
    cluster.end('cilium-a');
    const waits: number[] = [];
    const { lines } = await read({ follow: true }, (ms) => {
      waits.push(ms);
      if (waits.length === 9) throw new Error('enough');
    });
    expect(waits).toEqual([200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000]);
    expect(lines.map(({ text }) => text)).toEqual(['last words']);
  });

  test('that is quiet begins with its first line, however late, when it is followed', async () => {
    await using server = await serveKube((request, response) => {
      if (!request.url?.includes('/log?')) return answerJson(response, { metadata: { uid: 'uid-1' } });
      setTimeout(() => response.end('2026-11-29T00:00:00.5Z first\n'), 3000);
    });
    await using client = await kubeClient(server, { timeoutMs: 2000 });
    const said: string[] = [];
    const options = { say: (text: string) => void said.push(text), sleep: async () => {}, timeoutMs: 2000 };
    for await (const [record] of readLog(client, SOURCE, { follow: true, previous: false }, options)) {
      expect(record?.text).toBe('first');
      break;
    }
    expect(said).toEqual([]);
  });

  test('goes on after a break where it was, though the rights are not known yet', async () => {
    cluster.write('cilium-a', 'one');
    let waits = 0;
    const onWait = async () => {
      waits++;
      if (waits === 1) {
        cluster.refuse = () => ({ code: 403, message: 'the rights are not known yet' });
        await cluster.start();
      } else if (waits === 3) {
        cluster.refuse = () => undefined;
        cluster.write('cilium-a', 'two');
        cluster.end('cilium-a');
      } else if (waits === 4) throw new Error('enough');
    };
    const { lines, said } = await read({ follow: true }, onWait, () => waits === 0 && void cluster.kill());
    expect(lines.map(({ text }) => text)).toEqual(['one', 'two']);
    expect(said).toEqual([expect.stringMatching(/^its log broke off \(/), 'its log goes on where it was']);
  });
});
