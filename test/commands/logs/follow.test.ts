import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { main } from '../../../src/main.ts';
import { refusal } from '../../helpers/kube.ts';
import { LogCluster } from '../../helpers/log-cluster.ts';
import fc from '../../helpers/properties.ts';
import { type RunResult, run, testContext } from '../../helpers/run.ts';
import { until } from '../../helpers/until.ts';

let cluster: LogCluster;
beforeEach(async () => {
  cluster = new LogCluster();
  await cluster.start();
});
afterEach(async () => {
  await cluster[Symbol.asyncDispose]();
});

/** Follows logs in the background. */
function follow(...words: string[]) {
  const stop = new AbortController();
  let out = '';
  let err = '';
  const done: Promise<RunResult> = run(['logs', '-f', ...words], {
    env: { KUBECONFIG: cluster.kubeconfig },
    signal: stop.signal,
    onStdout: (text) => {
      out += text;
    },
    onStderr: (text) => {
      err += text;
    },
  });
  return {
    /** Resolves when a text was printed. */
    async see(text: string) {
      await until(async () => out.includes(text) || err.includes(text)).catch(() => {
        throw new Error(`never seen: ${text}\n${out.slice(-500)}\n${err}`);
      });
    },
    async end() {
      stop.abort(new DOMException('enough', 'AbortError'));
      return { ...(await done), lines: out.split('\n').filter((line) => line !== '') };
    },
    done,
  };
}

const numbered = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => `line ${from + i}`);
const writeAll = (name: string, from: number, to: number, afterMs?: number) => {
  for (const line of numbered(from, to)) cluster.write(name, line, afterMs);
};

test('lines of all nodes come as they are written, behind their nodes', async () => {
  cluster.add('cilium-a', 'n1');
  cluster.add('cilium-b', 'node-2');
  cluster.write('cilium-a', 'time="2026-01-01T00:00:00Z" level=info msg=old subsys=daemon');
  const logs = follow();
  await logs.see('old');
  cluster.write('cilium-b', 'time="2026-01-01T00:00:00Z" level=warning msg="new words" subsys=proxy n=1');
  await logs.see('new words');
  const { lines, stderr, code } = await logs.end();
  expect(lines).toEqual([
    'n1      2026-09-21T14:13:20.007Z  info   [daemon] old',
    'node-2  2026-09-21T14:13:20.014Z  warn   [proxy] new words n=1',
  ]);
  expect([stderr, code]).toEqual(['', 0]);
});

test('what logs begin with stands in the order of their times', async () => {
  const names = ['n1', 'n2', 'n3'];
  for (const node of names) cluster.add(node, node);
  for (let i = 0; i < 300; i++) cluster.write(names[i % 3] ?? '', `line ${i}`);
  // Real time: a moment is waited for them.
  const stop = new AbortController();
  const out: Buffer[] = [];
  const ctx = testContext({ env: { KUBECONFIG: cluster.kubeconfig }, signal: stop.signal }, out);
  const done = main(['logs', '-f', '-o', 'raw', '--tail', '-1'], {
    ...ctx,
    clock: { ...ctx.clock, sleep: (ms, signal) => sleep(ms, undefined, { signal }) },
  });
  await until(async () => Buffer.concat(out).includes('line 299'));
  stop.abort(new DOMException('enough', 'AbortError'));
  expect(await done).toBe(0);
  expect(Buffer.concat(out).toString()).toBe(`${numbered(0, 300).join('\n')}\n`);
});

describe('nothing is lost and nothing comes twice', () => {
  // Many lines fall into the second that the log is asked for from on, some of them at the same moment.
  test.each([0, 7, 250])(
    'when the API server is killed and started again, with lines %i ms apart',
    async (afterMs) => {
      cluster.add('cilium-a', 'n1');
      cluster.add('cilium-b', 'n2');
      const logs = follow('-o', 'raw', '--tail', '-1');
      await sleep(50);
      for (let round = 0; round < 3; round++) {
        writeAll('cilium-a', round * 40, round * 40 + 20, afterMs);
        await logs.see(`line ${round * 40 + 19}`);
        await cluster.kill();
        writeAll('cilium-a', round * 40 + 20, round * 40 + 40, afterMs);
        await sleep(50);
        await cluster.start();
        await logs.see(`line ${round * 40 + 39}`);
      }
      const { lines, stderr, code } = await logs.end();
      expect(lines).toEqual(numbered(0, 120));
      expect(stderr).toMatch(/^n1: its log broke off \(.+\)$/m);
      expect(stderr).toMatch(/^n1: its log goes on where it was$/m);
      expect(code).toBe(0);
    },
  );

  test('when the container is restarted, once while nobody could read', async () => {
    cluster.add('cilium-a', 'n1');
    const logs = follow('-o', 'raw');
    writeAll('cilium-a', 0, 10);
    await logs.see('line 9');
    writeAll('cilium-a', 10, 20);
    cluster.end('cilium-a', { reason: 'OOMKilled', exitCode: 137 });
    cluster.run('cilium-a');
    writeAll('cilium-a', 20, 30);
    await logs.see('line 29');
    await cluster.kill();
    writeAll('cilium-a', 30, 40);
    cluster.end('cilium-a');
    cluster.run('cilium-a');
    writeAll('cilium-a', 40, 50);
    await cluster.start();
    await logs.see('line 49');
    const { lines, stderr } = await logs.end();
    expect(lines).toEqual(numbered(0, 50));
    expect(stderr).toContain('n1: the container cilium-agent was restarted (OOMKilled, exit code 137)\n');
    expect(stderr).not.toContain('missing');
  });

  test('whatever happens in whatever order', async () => {
    const gapMs = fc.constantFrom(0, 1, 400, 1100, -1500);
    const write = fc.record({
      kind: fc.constant('write' as const),
      count: fc.integer({ min: 1, max: 6 }),
      gapMs,
    });
    const other = fc.record({ kind: fc.constantFrom('restart', 'break', 'break and restart') });
    let name = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(write, write, other), { maxLength: 8 }), async (steps) => {
        const pod = `cilium-${++name}`;
        cluster.pods = [];
        cluster.add(pod, 'n1');
        const logs = follow('-o', 'raw', '--tail', '-1');
        let written = 0;
        const put = (count: number, afterMs: number) => {
          writeAll(pod, written, written + count, afterMs);
          written += count;
        };
        // What a container wrote is kept by the node until the restart after the next.
        const settle = async () => {
          put(1, 3);
          await logs.see(`line ${written - 1}\n`);
        };
        for (const step of steps) {
          if (step.kind === 'write') {
            put(step.count, step.gapMs);
            continue;
          }
          await settle();
          if (step.kind !== 'restart') await cluster.kill();
          put(2, 1);
          if (step.kind !== 'break') {
            cluster.end(pod);
            cluster.run(pod);
            put(2, 1);
          }
          if (step.kind !== 'restart') await cluster.start();
          await settle();
        }
        await settle();
        const { lines, stderr } = await logs.end();
        expect(lines).toEqual(numbered(0, written));
        expect(stderr).not.toContain('missing');
      }),
      { numRuns: 25 },
    );
  });

  test('when the pod is replaced', async () => {
    cluster.add('cilium-a', 'n1');
    const logs = follow('-o', 'raw');
    writeAll('cilium-a', 0, 10);
    await logs.see('line 9');
    cluster.remove('cilium-a');
    cluster.add('cilium-new', 'n1', 'agent', true);
    await logs.see('pod cilium-new is there');
    await logs.see('its log cannot be read yet (');
    cluster.run('cilium-new');
    writeAll('cilium-new', 10, 20);
    await logs.see('line 19');
    const { lines, stderr } = await logs.end();
    expect(lines).toEqual(numbered(0, 20));
    expect(stderr).toContain('n1: pod kube-system/cilium-a is gone\n');
    expect(stderr).toContain('n1: pod cilium-new is there; its log is followed from its beginning\n');
    expect(stderr).toContain('n1: its log cannot be read yet (');
    expect(stderr).toContain('is waiting to start: PodInitializing)\n');
  });
});

test('what is missing is said: restarts that nobody saw, and a pod that went meanwhile', async () => {
  cluster.add('cilium-a', 'n1');
  cluster.add('cilium-b', 'n2');
  const logs = follow('-o', 'raw');
  cluster.write('cilium-a', 'a first');
  await logs.see('a first');
  await cluster.kill();
  for (let i = 0; i < 3; i++) {
    cluster.end('cilium-a');
    cluster.run('cilium-a');
  }
  cluster.write('cilium-a', 'a last');
  cluster.pods = cluster.pods.filter(({ name }) => name !== 'cilium-b');
  await cluster.start();
  await logs.see('a last');
  await logs.see('cilium-b is gone');
  const { stderr } = await logs.end();
  expect(stderr).toContain('n1: it was restarted 3 times since: what it wrote between is missing\n');
  expect(stderr).toContain(
    'n2: what it wrote last may be missing, as its pod went while its log could not be read\n',
  );
});

test('pods that may not be watched are listed instead', async () => {
  cluster.refuse = ({ searchParams }) =>
    searchParams.has('watch') ? refusal(403, 'Forbidden', 'pods is forbidden: cannot watch') : undefined;
  cluster.add('cilium-a', 'n1');
  const logs = follow('-o', 'raw');
  await logs.see('New pods are looked for every 10 s:');
  cluster.add('cilium-b', 'n2');
  cluster.write('cilium-b', 'hello');
  await logs.see('hello');
  expect((await logs.end()).code).toBe(0);
});

test('it ends where no log can be read', async () => {
  cluster.refuse = ({ pathname }) =>
    pathname.endsWith('/log')
      ? refusal(
          403,
          'Forbidden',
          'pods "x" is forbidden: User "v" cannot get resource "pods/log" in the namespace "kube-system"',
        )
      : undefined;
  cluster.add('cilium-a', 'n1');
  cluster.add('cilium-b', 'n2');
  const { stderr, code } = await follow().done;
  expect(stderr).toMatch(
    /^n1: GET .*cannot get resource "pods\/log" in the namespace "kube-system"\n.*\n2 of 2 logs failed\n$/,
  );
  expect(code).toBe(1);
});
