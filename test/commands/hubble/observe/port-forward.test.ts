import { copyFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startTestLab, type TestLab } from '../../../helpers/lab.ts';
import { type RelayCluster, serveRelayCluster } from '../../../helpers/relay-cluster.ts';
import { run } from '../../../helpers/run.ts';

let lab: TestLab;
beforeAll(async () => {
  lab = await startTestLab({ scenario: 'shop' });
});
afterAll(async () => {
  await lab[Symbol.asyncDispose]();
});

/** Flows that the lab still holds, as lines. */
const held = async () =>
  (
    await run([
      'hubble',
      'observe',
      '--all',
      '-o',
      'json',
      '--server',
      `unix://${lab.lab.info.sockets.hubble}`,
    ])
  ).stdout
    .trim()
    .split('\n');

const flowOf = (line: string) => (JSON.parse(line) as { flow: { uuid: string; time: string } }).flow;

/** Follows flows through a cluster while `interrupt` does its work, until so many lines came after it. */
async function follow(
  cluster: Pick<RelayCluster, 'kubeconfig'>,
  interrupt: () => Promise<void>,
): Promise<{ lines: string[]; stderr: string }> {
  const stop = new AbortController();
  let count = 0;
  let back: number | undefined;
  const words = ['hubble', 'observe', '-f', '-o', 'json', '-P', '--kubeconfig', cluster.kubeconfig];
  const { stdout, stderr } = await run(words, {
    signal: stop.signal,
    onStdout: (text) => {
      const before = count;
      count += text.split('\n').length - 1;
      if (before < 30 && count >= 30)
        void interrupt().then(() => {
          back = count;
        });
      if (back !== undefined && count >= back + 30) stop.abort();
    },
  });
  return { lines: stdout.trim().split('\n'), stderr };
}

/** Every flow between the first and the last of these lines is among them, once. */
async function expectWhole(lines: readonly string[]): Promise<void> {
  const got = lines.map(flowOf);
  const times = got.map(({ time }) => Date.parse(time));
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const uuids = got.map(({ uuid }) => uuid).toSorted();
  const meant = (await held())
    .map(flowOf)
    .filter(({ time }) => Date.parse(time) > first && Date.parse(time) < last);
  expect(uuids).toEqual([...new Set(uuids)]);
  expect(meant.filter(({ uuid }) => !uuids.includes(uuid))).toEqual([]);
  expect(meant.length).toBeGreaterThan(50);
}

test('a followed stream survives that the pod of the relay is replaced', async () => {
  const { hubble } = lab.lab.info.sockets;
  let cut = () => {};
  await using cluster = await serveRelayCluster({ 'relay-1': hubble });
  cut = cluster.breakForwards;
  const { lines, stderr } = await follow(cluster, async () => {
    cluster.pods = {
      'relay-2': {
        status: {
          phase: 'Pending',
          containerStatuses: [{ name: 'hubble-relay', state: { waiting: { reason: 'ContainerCreating' } } }],
        },
      },
    };
    cut();
    await new Promise((resolve) => setTimeout(resolve, 300));
    cluster.pods = { 'relay-2': hubble };
  });
  await expectWhole(lines);
  expect(stderr).toMatch(/^The stream broke \(/);
  expect(stderr).toMatch(/The stream is back after .*; nothing is missing\.\n$/);
  expect(cluster.seen.at(-1)).toContain('/pods/relay-2/portforward');
});

test('a followed stream survives that the API server is killed and started again', async () => {
  const { hubble } = lab.lab.info.sockets;
  const first = await serveRelayCluster({ 'relay-1': hubble });
  const kubeconfig = join(mkdtempSync(join(tmpdir(), 'kube-')), 'config');
  copyFileSync(first.kubeconfig, kubeconfig);
  let second: RelayCluster | undefined;
  const { lines, stderr } = await follow({ ...first, kubeconfig }, async () => {
    await first[Symbol.asyncDispose]();
    await new Promise((resolve) => setTimeout(resolve, 300));
    second = await serveRelayCluster({ 'relay-1': hubble }, { port: Number(new URL(first.url).port) });
  });
  await second?.[Symbol.asyncDispose]();
  await expectWhole(lines);
  expect(stderr).toMatch(/The stream is back after .*; nothing is missing\.\n$/);
});
