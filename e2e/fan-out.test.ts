import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startTestLab, type TestLab } from '../test/helpers/lab.ts';
import { type RunOptions, run } from '../test/helpers/run.ts';
import { type ApiServer, startApiServer } from './api-server.ts';
import { addNode, addPod, grant } from './kubelet.ts';
import { allRun, type Kwok, startKwok } from './kwok.ts';

const NODES = ['n1', 'n2', 'n3', 'n4', 'n5', 'n6'];

let server: ApiServer;
let lab: TestLab;
let kwok: Kwok;
const as = (user: string, argv: readonly string[], options: RunOptions = {}) =>
  run(argv, { ...options, env: { KUBECONFIG: server.kubeconfig(user) } });

beforeAll(async () => {
  [server, lab] = await Promise.all([startApiServer(), startTestLab({ scenario: 'shop' })]);
  kwok = await startKwok(server, { lab });
  for (const node of NODES) {
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
/** Waits until so many connections more have been asked for. */
async function asked({ started }: Kwok, more: number): Promise<void> {
  for (const until = started() + more; started() < until; ) await sleep(10);
}
afterAll(async () => {
  await kwok[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await lab[Symbol.asyncDispose]();
});

test('a node prints what it prints by itself', async () => {
  const here = await run(['endpoint', 'list'], { env: { CILIUM_SOCK: lab.lab.info.sockets.agent } });
  expect(await as('admin', ['endpoint', 'list', '--node', 'n3'])).toEqual(here);
});

test('what a user lacks is named', async () => {
  await grant(server, [{ apiGroups: [''], resources: ['pods'], verbs: ['list'] }]);
  const { stderr, code } = await as('viewer', ['ip', 'list', '--node', 'n1', '--namespace', 'kube-system']);
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /User "viewer" cannot (?:get|create) resource "pods\/exec" in API group "" in the namespace "kube-system"/,
  );
});

test.each<[string, string[]]>([
  ['one after the other', ['--concurrency', '1']],
  ['all at once', ['--concurrency', '6']],
])(
  'of nodes that are asked %s nothing is lost or doubled when the API server is killed',
  async (_, flags) => {
    const argv = ['endpoint', 'list', '--all-nodes', '--timeout', '30s', ...flags];
    const whole = await as('admin', argv);
    expect([whole.stdout.match(/^n\d /gm)?.length, whole.stderr, whole.code]).toEqual([
      expect.any(Number),
      '',
      0,
    ]);
    let restarted: Promise<void> | undefined;
    const restart = async () => {
      writeFileSync(kwok.hold, '');
      // So that some have been asked, and none of these has answered.
      await asked(kwok, 1);
      await server.kill();
      rmSync(kwok.hold);
      await server.start();
    };
    const isFirst = flags[1] === '1';
    if (!isFirst) restarted = restart();
    const { stdout, stderr, code } = await as('admin', argv, {
      onStdout: () => {
        if (isFirst) restarted ??= restart();
      },
    });
    await restarted;
    expect(existsSync(kwok.hold)).toBe(false);
    expect(stdout).toBe(whole.stdout);
    expect(stderr).toMatch(
      /^node n\d: GET \S+: .*\nWhat was not answered yet is asked again when the API server answers\.\nThe API server answers\.\n$/,
    );
    expect(code).toBe(0);
  },
);

test('the status of all nodes loses and doubles nothing when the API server is killed', async () => {
  const argv = ['status', '--cluster', '-o', 'json', '--worker-count', '2', '--timeout', '30s'];
  const whole = await as('admin', argv);
  const answers = (text: string) => {
    const { cilium_status, cilium_endpoints } = JSON.parse(text) as Record<string, Record<string, unknown>>;
    return [cilium_status, cilium_endpoints].map((of) =>
      Object.entries(of ?? {}).map(([pod, answer]) => [pod, answer !== null]),
    );
  };
  writeFileSync(kwok.hold, '');
  const restarted = asked(kwok, 1).then(async () => {
    await server.kill();
    rmSync(kwok.hold);
    await server.start();
  });
  const { stdout, stderr } = await as('admin', argv);
  await restarted;
  expect(answers(stdout)).toEqual(answers(whole.stdout));
  expect(answers(stdout)[0]).toHaveLength(NODES.length);
  expect(JSON.parse(stdout).errors).toEqual(JSON.parse(whole.stdout).errors);
  expect(
    stderr.match(/is asked again when the API server answers\.\nThe API server answers\.\n/g),
  ).toHaveLength(1);
});

test('events go on after it, and what is missing is said', async () => {
  const stop = new AbortController();
  let [out, err] = ['', ''];
  const done = as('admin', ['monitor', '--all-nodes'], {
    signal: stop.signal,
    onStdout: (text) => {
      out += text;
    },
    onStderr: (text) => {
      err += text;
    },
  });
  const all = async (seen: () => boolean) => {
    for (let tries = 0; !seen(); tries++) {
      if (tries > 3000) throw new Error(`not seen:\n${out.slice(-1000)}\n${err}`);
      await sleep(20);
    }
  };
  const fromAll = () => NODES.every((node) => new RegExp(`^${node} .*->`, 'm').test(out));
  await all(fromAll);
  await server.kill();
  await all(() => NODES.every((node) => err.includes(`${node}: The connection to the agent broke`)));
  out = '';
  await server.start();
  await all(fromAll);
  stop.abort(new DOMException('enough', 'AbortError'));
  expect((await done).code).toBe(0);
  for (const node of NODES) {
    const told = err.split('\n').filter((line) => line.startsWith(`${node}: `));
    expect(told.filter((line) => line.includes('what happens meanwhile is not shown'))).toHaveLength(1);
    expect(told.filter((line) => line.includes('is connected again'))).toHaveLength(1);
  }
});

test('one that does not come back is said once, and all nodes fail', async () => {
  writeFileSync(kwok.hold, '');
  const gone = asked(kwok, 1).then(() => server.kill());
  const { stdout, stderr, code } = await as('admin', [
    ...['ip', 'list', '--all-nodes', '--timeout', '2s', '-o', 'json'],
  ]);
  await gone;
  const answers = JSON.parse(stdout) as { node: string; error?: string }[];
  expect(answers.map(({ node, error }) => [node, typeof error])).toEqual(
    NODES.map((node) => [node, 'string']),
  );
  expect(stderr.match(/The API server does not answer\./g)).toHaveLength(1);
  expect(stderr).toContain('6 of 6 nodes failed\n');
  expect(code).toBe(1);
});
