import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { ArchiveIndex } from '../src/archive/layout.ts';
import { unzipped } from '../test/helpers/dump-cluster.ts';
import { startTestLab, type TestLab } from '../test/helpers/lab.ts';
import { run } from '../test/helpers/run.ts';
import { type ApiServer, startApiServer } from './api-server.ts';
import { addNode, addPod } from './kubelet.ts';
import { allRun, type Kwok, startKwok } from './kwok.ts';

let server: ApiServer;
let lab: TestLab;
let kwok: Kwok;
let folder = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sysdump-e2e-'));
  [server, lab] = await Promise.all([startApiServer(), startTestLab({ scenario: 'shop' })]);
  kwok = await startKwok(server, { lab });
  for (const node of ['n1', 'n2']) {
    await addNode(server, node);
    await addPod(server, {
      name: `cilium-${node}`,
      node,
      labels: { 'k8s-app': 'cilium' },
      container: 'cilium-agent',
    });
  }
  await allRun(server);
});
afterAll(async () => {
  await kwok[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await lab[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

test('what is collected of a real API server is read again as the cluster answers', async () => {
  const env = { KUBECONFIG: server.kubeconfig('admin') };
  const dump = await run(
    ['sysdump', '--only', 'kubernetes,cilium,agents', '--cilium-namespace', 'kube-system', '--quick'],
    { env, cwd: folder },
  );
  const [name = ''] = readdirSync(folder);
  expect(name).toMatch(/^cilium-sysdump-.*\.zip$/);
  const archive = join(folder, name);
  const files = await unzipped(archive);
  const index = JSON.parse(String(files.get('index.json'))) as ArchiveIndex;
  expect(index.nodes.toSorted()).toEqual(['n1', 'n2']);
  // What the API server has answered or does not have; agents of the lab have no program of their own.
  const failed = index.tasks.filter(({ status, group }) => status === 'failed' && group !== 'agents');
  expect(failed).toEqual([]);
  expect(dump.code).toBe(index.isComplete ? 0 : 3);
  const nodes = [...files].find(([file]) => file.startsWith('k8s-nodes-'))?.[1];
  expect(String(nodes).match(/^ {4}name: n\d$/gm)).toEqual(['    name: n1', '    name: n2']);
  const live = await run(['endpoint', 'list', '--node', 'n1'], { env });
  const read = await run(['endpoint', 'list', '--node', 'n1', '--from', archive], { env: {} });
  expect(live.code).toBe(0);
  expect(read.stdout).toBe(live.stdout);
  const all = await run(['endpoint', 'list', '--all-nodes', '--from', archive], { env: {} });
  expect(new Set(all.stdout.match(/^n\d(?= )/gm))).toEqual(new Set(['n1', 'n2']));
});
