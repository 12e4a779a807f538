import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { listEndpoints } from '../../src/agent/decode/endpoints.ts';
import { ELSEWHERE_GLOBALS } from '../../src/cli/global-flags.ts';
import type { Verb } from '../../src/cli/tree.ts';
import { TREE } from '../../src/commands/index.ts';
import { answerJson, type KubeServer, refusal, serveKube } from '../helpers/kube.ts';
import { spawning } from '../helpers/kubelet.ts';
import { startTestLab, type TestLab } from '../helpers/lab.ts';
import { run, testContext } from '../helpers/run.ts';

const AGENT = {
  metadata: { name: 'cilium-1', namespace: 'kube-system', labels: { 'k8s-app': 'cilium' } },
  spec: { nodeName: 'n1' },
  status: { phase: 'Running', containerStatuses: [{ name: 'cilium-agent', state: { running: {} } }] },
};
const WAITING = {
  ...AGENT,
  metadata: { ...AGENT.metadata, name: 'cilium-2' },
  spec: { nodeName: 'n2' },
  status: {
    phase: 'Running',
    containerStatuses: [{ name: 'cilium-agent', state: { waiting: { reason: 'CrashLoopBackOff' } } }],
  },
};

/** A pod of somebody's that has the agent's label. */
const FALSE = {
  ...AGENT,
  metadata: { ...AGENT.metadata, name: 'mine', namespace: 'dev' },
  spec: { nodeName: 'n5' },
};
const REAL = { ...AGENT, metadata: { ...AGENT.metadata, name: 'cilium-5' }, spec: { nodeName: 'n5' } };

const SECOND = { ...AGENT, metadata: { ...AGENT.metadata, name: 'cilium-10' }, spec: { nodeName: 'n10' } };

/**
 * A cluster of two nodes whose agents run, one whose agent does not, one without an agent, and a fifth one that two pods are
 * told of.
 */
function cluster(request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '', 'http://x');
  const pods: Record<string, unknown> = {
    '/api/v1/namespaces/shop/pods/web': { spec: { nodeName: 'n1' } },
    '/api/v1/namespaces/shop/pods/pending': { spec: {} },
    '/api/v1/nodes/n3': {},
    '/api/v1/nodes': { items: ['n10', 'n2', 'n1', 'n3'].map((name) => ({ metadata: { name } })) },
  };
  if (url.pathname === '/api/v1/nodes' && url.searchParams.get('labelSelector') === 'zone=a')
    pods[url.pathname] = { items: [{ metadata: { name: 'n1' } }] };
  if (url.pathname === '/api/v1/nodes' && url.searchParams.get('labelSelector') === 'agents=yes')
    pods[url.pathname] = { items: ['n1', 'n10'].map((name) => ({ metadata: { name } })) };
  if (url.pathname === '/api/v1/pods' || url.pathname === '/api/v1/namespaces/kube-system/pods') {
    expect(url.searchParams.get('labelSelector')).toBe('k8s-app=cilium');
    const node = /^spec\.nodeName=(.*)$/.exec(url.searchParams.get('fieldSelector') ?? '')?.[1];
    const there = [AGENT, WAITING, SECOND, FALSE, REAL].filter(
      ({ metadata: { namespace } }) => url.pathname === '/api/v1/pods' || namespace === 'kube-system',
    );
    answerJson(response, { items: there.filter(({ spec }) => node === undefined || spec.nodeName === node) });
    return;
  }
  const found = pods[url.pathname];
  answerJson(response, found ?? refusal(404, 'NotFound', 'not found'), found ? 200 : 404);
}

let lab: TestLab;
let kube: KubeServer;
let env: Record<string, string>;

beforeAll(async () => {
  lab = await startTestLab({ scenario: 'shop' });
  const { sockets } = lab.lab.info;
  const within: Record<string, string> = {
    '/var/run/cilium/cilium.sock': sockets.agent,
    '/var/run/cilium/health.sock': sockets.health,
    '/var/run/cilium/shell.sock': sockets.shell,
    '/var/run/cilium/monitor1_2.sock': sockets.monitor,
  };
  kube = await serveKube(
    cluster,
    spawning((word) => within[word] ?? word),
  );
  env = {
    CILIUM_SOCK: sockets.agent,
    CILIUM_HEALTH_SOCK: sockets.health,
    CILIUM_SHELL_SOCK: sockets.shell,
    CILIUM_MONITOR_SOCK: sockets.monitor,
  };
});
afterAll(async () => {
  await kube[Symbol.asyncDispose]();
  await lab[Symbol.asyncDispose]();
});

/** All nodes, and more time for each than any machine takes. */
const ALL = ['--all-nodes', '--namespace', 'kube-system', '--timeout', '60s'];
const elsewhere = (...argv: string[]) => run(argv, { env: { KUBECONFIG: kube.kubeconfig } });

/** The verbs that take --node, as command lines, and whether they change the agent. */
function verbsOf(verb: Verb, path: string[], inside: boolean): { path: string[]; changes: boolean }[] {
  const takes = (inside || verb.globals === ELSEWHERE_GLOBALS) && verb.asks !== 'cluster';
  return [
    ...(takes && verb.load && path.length > 0 ? [{ path, changes: Boolean(verb.changes) }] : []),
    ...Object.entries(verb.verbs ?? {}).flatMap(([name, child]) => verbsOf(child, [...path, name], takes)),
  ];
}

/** What a verb is given where it needs it, and why one is not in the comparison. `ID` is an endpoint of the lab. */
const WORDS: Readonly<Record<string, string[] | string>> = {
  monitor: 'goes on for ever: below',
  shell: 'needs a conversation: below',
  'map events': 'goes on for ever',
  statedb: 'has times in it that go on',
  'statedb dump': 'has times in it that go on',
  'endpoint disconnect': 'changes the agent',
  'endpoint regenerate': 'changes the agent',
  'policy delete': 'changes the agent',
  'prefilter delete': 'changes the agent',
  'prefilter update': 'changes the agent',
  'service delete': 'changes the agent',
  'service update': 'changes the agent',
  'recorder delete': 'changes the agent',
  'recorder update': 'changes the agent',
  'fqdn cache clean': 'changes the agent',
  'envoy admin logging set global': 'changes Envoy',
  'envoy admin logging set loggers': 'changes Envoy',
  'config get': ['PolicyEnforcement'],
  'endpoint config': ['ID'],
  'endpoint get': ['ID'],
  'endpoint health': ['ID'],
  'endpoint labels': ['ID'],
  'endpoint log': ['ID'],
  'identity get': ['1'],
  'ip get': ['IP'],
  'map get': ['cilium_ipcache_v2'],
  'policy trace': ['-s', 'any:app=web', '-d', 'any:app=api', '--dport', '80'],
  'policy wait': ['1'],
  'recorder get': ['1'],
  'service get': ['1'],
};

/** Of these the lab has none: the error is the same. */
const FAILS = /^(?:envoy admin |recorder get)/;

describe('a verb', () => {
  const verbs = verbsOf(TREE, [], false)
    .filter(({ path }) => typeof WORDS[path.join(' ')] !== 'string')
    .map((verb): [string, typeof verb] => [verb.path.join(' '), verb]);
  /** The command lines of a verb: as it is, and with -o json where it has that. */
  const linesOf = async (name: string, path: readonly string[]): Promise<string[][]> => {
    const [one] = (await lab.rest('GET', '/v1/endpoint')).json;
    const given: Record<string, string> = {
      ID: String(one.id),
      IP: `${one.status.networking.addressing[0].ipv4}/32`,
    };
    const words = WORDS[name];
    const argv = [...path, ...(Array.isArray(words) ? words : []).map((word) => given[word] ?? word)];
    const help = (await run([...path, '--help'], { env })).stdout;
    return /^ +-o, --output/m.test(help) ? [argv, [...argv, '-o', 'json']] : [argv];
  };
  /** Counters of a lab that runs go on between two runs. */
  const still = (name: string, text: string) =>
    text
      .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
      .replace(/^(?:status|metrics list)$/.test(name) ? /\d+/g : /\d+(?:\.\d+)?(?:ms|s|µs)\b/g, 'N');

  test('is compared for so many of them', () => {
    expect(verbs.length).toBeGreaterThan(40);
  });

  test.each(verbs)(
    '%s prints of an agent in a cluster what it prints of the agent here',
    async (name, { path }) => {
      for (const argv of await linesOf(name, path)) {
        const here = await run(argv, { env });
        const there = await elsewhere(...argv, '--node', 'n1');
        expect(still(name, JSON.stringify(there))).toBe(still(name, JSON.stringify(here)));
        // Otherwise only its usage is compared: give it words above.
        expect([argv, here.code !== 0]).toEqual([argv, FAILS.test(name)]);
      }
    },
  );

  const reading = verbs.filter(([, { changes }]) => !changes);
  test.each(reading)('%s prints of all nodes the lines of the single ones', async (name, { path }) => {
    for (const argv of await linesOf(name, path)) {
      const nodes = ['n1', 'n10'];
      const singles = await Promise.all(nodes.map((node) => elsewhere(...argv, '--node', node)));
      const flags = ['--limit-nodes', 'agents=yes', '--namespace', 'kube-system', '--timeout', '60s'];
      const all = await elsewhere(...argv, ...flags);
      const failed = singles.filter(({ code }) => code !== 0).length;
      expect(all.code).toBe(failed === 0 ? 0 : failed === 2 ? 1 : 3);
      const isJson = argv.at(-1) === 'json';
      if (isJson && failed === 0) {
        const values = singles.map(({ stdout }, i) => ({
          node: nodes[i],
          pod: i === 0 ? 'cilium-1' : 'cilium-10',
          value: parsed(stdout),
        }));
        expect(still(name, JSON.stringify(parsed(all.stdout)))).toBe(still(name, JSON.stringify(values)));
        continue;
      }
      if (isJson) continue;
      const lines = all.stdout.split('\n');
      const header = lines.filter((line) => !/^n10? /.test(line) && line !== '').map((line) => line.slice(6));
      for (const [i, { stdout }] of singles.entries()) {
        const own = lines.filter((line) => line.startsWith(`${nodes[i]} `)).map((line) => line.slice(6));
        const single = stdout.split('\n').filter((line) => line !== '');
        expect(still(name, [...header, ...own].join('\n'))).toBe(still(name, single.join('\n')));
      }
    }
  });
});

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

describe('an agent of a cluster', () => {
  test('is found by a pod of its node, in a namespace or wherever it is', async () => {
    const wanted = await run(['endpoint', 'list'], { env });
    expect(await elsewhere('endpoint', 'list', '--pod', 'shop/web')).toEqual(wanted);
    expect(await elsewhere('endpoint', 'list', '--node', 'n1', '-n', 'kube-system')).toEqual(wanted);
    expect(await elsewhere('endpoint', 'list', '--node', 'n5', '-n', 'kube-system')).toEqual(wanted);
  });

  test.each([
    [
      ['--node', 'n2'],
      'the agent kube-system/cilium-2 of node n2 cannot be asked: the container waits: CrashLoopBackOff',
    ],
    [['--node', 'n3'], 'no agent of Cilium runs on node n3'],
    [['--node', 'n4'], 'the cluster has no node n4'],
    [['--pod', 'shop/none'], 'there is no pod shop/none'],
    [['--pod', 'shop/pending'], 'the pod shop/pending runs on no node yet'],
    [['--node', 'n5'], 'pods with the label k8s-app=cilium are in several namespaces: dev, kube-system'],
    [['--node', ''], '--node needs the name of a node'],
    [['--limit-nodes', ''], '--limit-nodes needs labels'],
    [['--pod', 'shop/'], '--pod needs the name of a pod, as NAMESPACE/NAME: "shop/"'],
    [['--pod', 'a/b/c'], '--pod needs the name of a pod'],
    [
      ['--context', 'other'],
      '--context needs --node, --pod or --all-nodes: without them the agent of this machine is asked',
    ],
    [['-n', 'kube-system'], '--namespace needs --node, --pod or --all-nodes'],
    [['--as-group', 'dev'], '--as-group needs --node, --pod or --all-nodes'],
    [['--node', 'n1', '--pod', 'shop/web'], '--node and --pod cannot be used together'],
    [['--node', 'n1', '--host', 'unix:///x'], '--node and --host cannot be used together'],
    [['--node', 'n1', '--as-group', 'dev'], '--as-group needs --as'],
    [['--node', 'n1', '--context', 'other'], 'the kubeconfig has no context "other"'],
  ])('that is not there is told: %j', async (flags, message) => {
    const { stdout, stderr, code } = await elsewhere('service', 'list', ...flags);
    expect([stdout.includes('Frontend'), code]).toEqual([false, 1]);
    expect(stderr).toContain(message);
  });

  test.each([
    ['monitor', '--node', 'n4', '--namespace', 'kube-system'],
    ['shell', 'help', '--node', 'n4'],
    ['metrics', 'list', '--node', 'n4'],
  ])('that is not there is an error at once, of %s too', async (...argv) => {
    const { stderr, code } = await elsewhere(...argv);
    expect(stderr).toContain('the cluster has no node n4\nIts nodes: kubectl get nodes\n');
    expect(code).toBe(1);
  });

  test('is asked as an agent of this machine is where a socket of it is not there', async () => {
    await using old = await serveKube(
      cluster,
      spawning((word) => ({ '/var/run/cilium/cilium.sock': lab.lab.info.sockets.agent })[word] ?? word),
    );
    const { stdout, code } = await run(['metrics', 'list', '--node', 'n1'], {
      env: { KUBECONFIG: old.kubeconfig },
    });
    expect(stdout).toContain('cilium_endpoint_state');
    expect(code).toBe(0);
    const monitor = await run(['monitor', '--node', 'n1'], { env: { KUBECONFIG: old.kubeconfig } });
    expect(monitor.stderr).toContain("cannot open the agent's monitor socket");
  });

  test('is looked up again when its pod has been replaced', async () => {
    let name = 'cilium-1';
    await using moved = await serveKube(
      (_, response) => answerJson(response, { items: [{ ...AGENT, metadata: { ...AGENT.metadata, name } }] }),
      spawning((word) => (word === '/var/run/cilium/cilium.sock' ? lab.lab.info.sockets.agent : word)),
      { isThere: (url) => url.pathname.endsWith(`/${name}/exec`) },
    );
    const ctx = testContext({ env: { KUBECONFIG: moved.kubeconfig } });
    Object.assign(ctx.globals, { elsewhere: { target: { node: 'n1' } } });
    for (name of ['cilium-1', 'cilium-2'])
      expect((await listEndpoints(await ctx.agent())).decode().length).toBeGreaterThan(0);
  });

  test('sends its monitor events', async () => {
    const stop = new AbortController();
    const { stdout, stderr } = await run(['monitor', '--node', 'n1'], {
      env: { KUBECONFIG: kube.kubeconfig },
      signal: stop.signal,
      onStdout: (text) => text.includes('->') && stop.abort(new DOMException('enough', 'AbortError')),
    });
    expect(stdout).toContain('->');
    expect(stderr).toContain('Listening for events');
  });

  test('talks through its shell', async () => {
    const { stdout, code } = await elsewhere('shell', 'help', '--node', 'n1');
    expect(code).toBe(0);
    expect(stdout).not.toBe('');
  });
});

describe('all agents of a cluster', () => {
  const TROUBLE = [
    'n2: the container waits: CrashLoopBackOff',
    'n3: no agent of Cilium runs there',
    '2 of 4 nodes failed',
  ];

  test('print the lines of the single nodes, each behind the name of its node', async () => {
    const one = (await elsewhere('endpoint', 'list', '--node', 'n1')).stdout.split('\n');
    const header = one.slice(0, 2);
    const rows = one.slice(2, -1);
    const { stdout, stderr, code } = await elsewhere('endpoint', 'list', ...ALL);
    expect(stdout).toBe(
      `${[
        `NODE  ${header[0]}`,
        `      ${header[1]}`,
        ...rows.map((row) => (row === '' ? row : `n1    ${row}`)),
        ...rows.map((row) => (row === '' ? row : `n10   ${row}`)),
      ].join('\n')}\n`,
    );
    expect(stderr.trim().split('\n')).toEqual(TROUBLE);
    expect(code).toBe(3);
  });

  test('are values by node with -o json', async () => {
    const one = JSON.parse(
      (await elsewhere('identity', 'list', '-o', 'json', '--node', 'n1')).stdout,
    ) as unknown;
    const { stdout, code } = await elsewhere('identity', 'list', ...ALL, '-o', 'json');
    expect(JSON.parse(stdout)).toEqual([
      { node: 'n1', pod: 'cilium-1', value: one },
      { node: 'n2', pod: 'cilium-2', error: 'the container waits: CrashLoopBackOff' },
      { node: 'n3', error: 'no agent of Cilium runs there' },
      { node: 'n10', pod: 'cilium-10', value: one },
    ]);
    expect(code).toBe(3);
  });

  test.each([
    [['--limit-nodes', 'zone=a'], 0],
    [['--limit-nodes=zone=a', '--concurrency', '1'], 0],
    [['--all-nodes', '--concurrency=1'], 3],
  ])('are chosen by %j', async (flags, expected) => {
    const { stdout, code } = await elsewhere(
      'policy',
      'get',
      '-n',
      'kube-system',
      '--timeout',
      '60s',
      ...flags,
    );
    expect(code).toBe(expected);
    expect(stdout).toContain('n1');
  });

  test('that hang end at their time, and the others are told', async () => {
    const hanging = await serveKube(cluster, (socket, url) => {
      if (url.pathname.includes('cilium-10')) return;
      spawning((word) => (word === '/var/run/cilium/cilium.sock' ? lab.lab.info.sockets.agent : word))(
        socket,
        url,
      );
    });
    await using _ = hanging;
    const { stdout, stderr, code } = await run(
      ['ip', 'list', '--all-nodes', '--namespace', 'kube-system', '--timeout', '30s'],
      {
        env: { KUBECONFIG: hanging.kubeconfig },
      },
    );
    expect(code).toBe(3);
    expect(stdout).toMatch(/^n1 /m);
    expect(stderr).toContain('n10: no answer within 30 s');
  });

  test('whose connection breaks are asked again, and what is told is told once', async () => {
    let broken = 0;
    const serve = spawning((word) =>
      word === '/var/run/cilium/cilium.sock' ? lab.lab.info.sockets.agent : word,
    );
    await using breaking = await serveKube(cluster, (socket, url) => {
      if (url.pathname.includes('cilium-10') && broken++ === 0) socket.terminate();
      else serve(socket, url);
    });
    const argv = ['ip', 'list', ...ALL];
    const { stdout, stderr, code } = await run(argv, { env: { KUBECONFIG: breaking.kubeconfig } });
    expect(stdout).toBe((await elsewhere(...argv)).stdout);
    expect(stderr).toMatch(
      /^node n10: GET \S+: the connection broke \(1006\)\nWhat was not answered yet is asked again when the API server answers\.\nThe API server answers\.\n/,
    );
    expect(stderr.trim().split('\n').slice(3)).toEqual(TROUBLE);
    expect([broken > 1, code]).toEqual([true, 3]);
  });

  test('whose connection breaks each time are told after the third', async () => {
    let broken = 0;
    const serve = spawning((word) =>
      word === '/var/run/cilium/cilium.sock' ? lab.lab.info.sockets.agent : word,
    );
    await using breaking = await serveKube(cluster, (socket, url) => {
      if (!url.pathname.includes('cilium-10')) return serve(socket, url);
      broken++;
      socket.terminate();
    });
    const { stdout, stderr, code } = await run(['ip', 'list', ...ALL], {
      env: { KUBECONFIG: breaking.kubeconfig },
    });
    expect(stdout).toMatch(/^n1 /m);
    expect(stderr).toMatch(/^n10: Error: .*: the connection broke \(1006\)$/m);
    expect([broken, code]).toEqual([3, 3]);
  });

  test('whose events break off send them again, and what is missing is said', async () => {
    const stop = new AbortController();
    let [connections, isBack] = [0, false];
    let first: { terminate: () => void } | undefined;
    const serve = spawning(
      (word) =>
        ({
          '/var/run/cilium/cilium.sock': lab.lab.info.sockets.agent,
          '/var/run/cilium/monitor1_2.sock': lab.lab.info.sockets.monitor,
        })[word] ?? word,
    );
    await using breaking = await serveKube(cluster, (socket, url) => {
      serve(socket, url);
      const isMonitor = url.searchParams.getAll('command').some((word) => word.includes('monitor'));
      if (!isMonitor) return;
      connections++;
      if (connections === 1) first = socket;
      if (connections === 2) socket.terminate();
    });
    const { stderr, code } = await run(['monitor', '--node', 'n1'], {
      env: { KUBECONFIG: breaking.kubeconfig },
      signal: stop.signal,
      onStderr: (text) => {
        isBack ||= text.includes('connected again');
      },
      onStdout: (text) => {
        if (!text.includes('->')) return;
        if (isBack) stop.abort(new DOMException('enough', 'AbortError'));
        else first?.terminate();
      },
    });
    expect(stderr.match(/what happens meanwhile is not shown\.\n/g)).toHaveLength(1);
    expect(stderr.match(/The agent is connected again\.\n/g)).toHaveLength(1);
    expect([connections, code]).toEqual([3, 0]);
  });

  test('send their events as they come, each node in its colour on a terminal', async () => {
    const stop = new AbortController();
    let text = '';
    let told = '';
    await run(['monitor', '--all-nodes', '--namespace', 'kube-system'], {
      env: { KUBECONFIG: kube.kubeconfig },
      signal: stop.signal,
      columns: 200,
      onStderr: (part) => {
        told += part;
      },
      onStdout: (part) => {
        text += part;
        if (/mn1 .*->/.test(text) && /mn10.*->/.test(text))
          stop.abort(new DOMException('enough', 'AbortError'));
      },
    });
    expect(text).toMatch(/^\u001b\[\d+mn10 \u001b\[39m {2}.*->/m);
    expect(text).toMatch(/^\u001b\[\d+mn1 {2}\u001b\[39m {2}.*->/m);
    // What is wrong with one is not kept until the others end.
    expect(told).toContain('n2: the container waits: CrashLoopBackOff\n');
  });

  test('cannot be meant together with one', async () => {
    const { stderr, code } = await elsewhere('ip', 'list', '--all-nodes', '--node', 'n1');
    expect(code).toBe(1);
    expect(stderr).toContain('--node and --all-nodes cannot be used together');
  });

  test.each([
    ['policy', 'delete', '--all', '--all-nodes'],
    ['endpoint', 'disconnect', '1', '--limit-nodes', 'zone=a'],
  ])('are not changed at once: %j', async (...argv) => {
    const { stderr, code } = await elsewhere(...argv);
    expect(code).toBe(1);
    expect(stderr).toContain('are for verbs that read: this one changes the agent');
  });

  test('are meant by --all-nodes=true as well, and words behind -- stay what they are', async () => {
    const { stdout, code } = await elsewhere(
      'identity',
      'get',
      '--all-nodes=true',
      '--namespace',
      'kube-system',
      '--',
      '1',
    );
    expect(code).toBe(3);
    expect(stdout).toContain('n10');
  });

  test('with none that is meant is an error', async () => {
    const none = await serveKube((_, response) => answerJson(response, { items: [] }));
    await using _ = none;
    const { stderr, code } = await run(['ip', 'list', '--limit-nodes', 'a=b'], {
      env: { KUBECONFIG: none.kubeconfig },
    });
    expect(code).toBe(1);
    expect(stderr).toContain('no node of the cluster is meant');
  });
});
