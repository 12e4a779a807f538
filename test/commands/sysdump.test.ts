import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { ArchivedAgent, ArchiveIndex, TaskOutcome } from '../../src/archive/layout.ts';
import { Stopped } from '../../src/errors.ts';
import { startTestCluster } from '../helpers/cluster.ts';
import { agentName, type DumpCluster, serveDumpCluster, tarball, unzipped } from '../helpers/dump-cluster.ts';
import { type RunOptions, type RunResult, run } from '../helpers/run.ts';
import { until } from '../helpers/until.ts';

const NOW = Date.UTC(2026, 10, 29, 7, 5, 3);
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sysdump-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Result extends RunResult {
  files: Map<string, Buffer>;
  index: ArchiveIndex | undefined;
  /** An outcome by the beginning of its task, without its number. */
  task(begin: string): TaskOutcome | undefined;
}

async function opened(result: RunResult): Promise<Result> {
  const name = readdirSync(folder).find((file) => file.endsWith('.zip'));
  const files = name === undefined ? new Map<string, Buffer>() : await unzipped(join(folder, name));
  const index = files.has('index.json')
    ? (JSON.parse(String(files.get('index.json'))) as ArchiveIndex)
    : undefined;
  const task = (begin: string) =>
    index?.tasks.find((one) => one.task.replace(/^\[\d+\] /, '').startsWith(begin));
  return { ...result, files, index, task };
}

/** Runs against a stand-in. */
async function dumped(
  cluster: DumpCluster,
  argv: readonly string[] = [],
  options: RunOptions = {},
): Promise<Result> {
  await using server = await serveDumpCluster(cluster);
  const result = await run(['sysdump', ...argv], {
    nowMs: NOW,
    cwd: folder,
    ...options,
    env: { KUBECONFIG: server.kubeconfig, TZ: 'UTC' },
  });
  return await opened(result);
}

const only = (...groups: string[]) => ['--only', groups.join(',')];
const fileLike = ({ files }: Result, begin: string) => [...files].find(([name]) => name.startsWith(begin));

test('without a kubeconfig nothing is collected, whatever the flags', async () => {
  const { stdout, stderr, code } = await run(['sysdump', '--quick', '--no-such-flag'], { cwd: folder });
  expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
  expect(stderr).toContain('cilium debuginfo');
  expect(readdirSync(folder)).toEqual([]);
});

test("a lab's cluster: file names and lines of cilium-cli, the agents' answers, an index and a summary", async () => {
  await using cluster = await startTestCluster();
  const { stdout, stderr, code } = await cluster.run(
    ['sysdump', '--skip', 'flows', '--node-list', '192.168.51.13'],
    { cwd: folder },
  );
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
  expect(stdout).toMatch(
    /^🔍 Collecting sysdump with cilium-cli version: \S+, args: \[sysdump --skip=flows --node-list=192.168.51.13\]\n🔮 Detected Cilium installation in namespace: "kube-system"\n🔮 Detected Cilium operator in namespace: "kube-system"\nℹ️ Using default Cilium Helm release name: "cilium"\nℹ️ Using default Tetragon Helm release name: "tetragon"\n/,
  );
  expect(stdout).toContain(
    '\n🔮 Detected Cilium features: map[bpf-lb-external-clusterip:Disabled cidr-match-nodes:Disabled ',
  );
  expect(stdout).toContain(
    '⚠️ Daemonset "cilium-node-init" not found in namespace "kube-system" - this is expected if Node Init DaemonSet is not enabled\n',
  );
  expect(stdout).toMatch(
    /\n🗳 Compiling sysdump\n✅ The sysdump has been saved to cilium-sysdump-\d{8}-\d{6}\.zip\n$/,
  );
  const result = await opened({ stdout, stderr, code });
  const { files, index } = result;
  const time = index?.timestamp ?? '';
  for (const name of [
    `k8s-nodes-${time}.yaml`,
    `k8s-version-${time}.txt`,
    `k8s-pods-${time}.txt`,
    `k8s-events-${time}.html`,
    `ciliumidentities-${time}.yaml`,
    `cilium-daemonset-${time}.yaml`,
    `cilium-helm-values-${time}.yaml`,
    'cilium-sysdump.log',
    'SUMMARY.md',
    'redactions.json',
    'agents/node3/agent.json',
    'agents/node3/rest/healthz.body',
  ])
    expect([...files.keys()]).toContain(name);
  expect([...files.keys()].filter((name) => name.startsWith('agents/node1/'))).toEqual([]);
  expect(index).toMatchObject({
    format: 1,
    isComplete: true,
    isRedacted: true,
    namespace: 'kube-system',
    nodes: ['node3'],
  });
  // Sizes of the index are those of the files.
  for (const { file, bytes } of index?.tasks.flatMap((task) => task.files) ?? [])
    expect([file, files.get(file)?.length]).toEqual([file, bytes]);
  expect(stdout.startsWith(String(files.get('cilium-sysdump.log')))).toBe(true);
  const agent = JSON.parse(String(files.get('agents/node3/agent.json'))) as ArchivedAgent;
  expect(agent).toMatchObject({
    format: 1,
    node: 'node3',
    namespace: 'kube-system',
    version: expect.stringMatching(/^1\.20/),
  });
  const paths = agent.exchanges.map(({ path }) => path);
  expect(paths).toEqual(
    expect.arrayContaining([
      '/v1/healthz',
      '/v1/policy/selectors',
      '/v1/map/cilium_lxc',
      '/v1/debuginfo',
      '/v1beta/status',
    ]),
  );
  expect(paths.some((path) => /^\/v1\/endpoint\/\d+\/log$/.test(path))).toBe(true);
  for (const { file } of agent.exchanges)
    if (file) expect([...files.keys()]).toContain(`agents/node3/${file}`);
  const verbs = agent.commands
    .filter(({ exitCode }) => exitCode === 0)
    .map(({ argv }) => argv.slice(1).join(' '));
  expect(verbs).toEqual(expect.arrayContaining(['bpf ct list', 'bpf ct list -o json', 'bpf ct list global']));
  expect(String(files.get('SUMMARY.md'))).toContain('| complete | yes |');
  expect(result.task('Collecting Kubernetes leases')).toMatchObject({ status: 'absent' });
});

test('--no-redact keeps everything and says so', async () => {
  const secret = 'hunter2hunter2';
  const cluster: DumpCluster = { nodes: 1, log: () => `password=${secret}\n` };
  const result = await dumped(cluster, [...only('logs'), '--no-redact']);
  expect(String(fileLike(result, 'logs-')?.[1])).toContain(secret);
  expect(result.stdout).toContain('⚠️ Secrets were not replaced (--no-redact)\n');
  expect(result.index?.isRedacted).toBe(false);
});

// differs: sysdump-refusals, sysdump-exit
test('a refusal is a reason, the rest is collected, and the exit code is 3', async () => {
  const result = await dumped(
    {
      nodes: 2,
      lists: { '/apis/cilium.io/v2/ciliumnodes': 403 },
      log: (pod) => (pod === agentName(1) ? undefined : 'x\n'),
    },
    only('cilium', 'logs'),
  );
  expect(result.code).toBe(3);
  expect(result.task('Collecting Cilium nodes')).toMatchObject({
    status: 'failed',
    reason: '/apis/cilium.io/v2/ciliumnodes is forbidden',
  });
  expect(result.task(`logs-${agentName(1)}`)).toMatchObject({
    status: 'failed',
    node: 'n1',
    reason: 'no logs for you',
  });
  expect(result.task(`logs-${agentName(0)}`)).toMatchObject({ status: 'ok', node: 'n0' });
  expect(result.stdout).toMatch(
    /⚠️ The following tasks failed, the sysdump may be incomplete:\n⚠️ [^\n]*\n⚠️ [^\n]*\n⚠️ Please note that/,
  );
  expect(result.stdout).toContain(
    '⚠️ [23] Collecting Cilium nodes: /apis/cilium.io/v2/ciliumnodes is forbidden\n',
  );
  expect(result.index?.isComplete).toBe(false);
  expect(String(result.files.get('SUMMARY.md'))).toContain('## What is missing');
});

// differs: sysdump-absent
test('kinds that the cluster does not have are absent, and the archive is complete', async () => {
  const result = await dumped({ nodes: 1 }, only('cilium', 'kubernetes'));
  expect(result.code).toBe(0);
  expect(result.task('Collecting Cilium network policies')).toMatchObject({ status: 'absent' });
  expect(result.stdout).not.toContain('failed');
});

test('where nothing can be collected there is no archive', async () => {
  const result = await dumped({ nodes: 1, log: () => undefined }, only('logs'));
  expect(result.code).toBe(1);
  expect(result.stderr).toContain('nothing was collected');
  expect(readdirSync(folder)).toEqual([]);
});

test('a node that hangs ends by time-out, and is not asked for ever', async () => {
  const result = await dumped(
    { nodes: 2, run: (_, pod) => (pod === agentName(0) ? { hangs: true } : { stdout: 'fine\n' }) },
    [...only('gops', 'cni'), '--node-timeout', '5s', '--worker-count', '2'],
  );
  expect(result.code).toBe(3);
  const of = (node: string) => result.index?.tasks.filter((task) => task.node === node) ?? [];
  expect(of('n0').map(({ reason }) => reason)).toEqual(
    expect.arrayContaining(['no end within 5 s', 'not asked: the node had let the time pass before']),
  );
  expect(of('n0').every(({ status }) => status === 'failed')).toBe(true);
  expect(of('n1').every(({ status }) => status === 'ok')).toBe(true);
});

test('flows are cut off at their time and kept', async () => {
  const result = await dumped({ nodes: 1, run: () => ({ stdout: '{"flow":{}}\n', hangs: true }) }, [
    ...only('flows'),
    '--hubble-flows-timeout',
    '3s',
    '--hubble-flows-count',
    '7',
  ]);
  expect(String(fileLike(result, 'hubble-flows-')?.[1])).toBe('{"flow":{}}\n');
  expect(result.task('hubble-flows')).toMatchObject({
    status: 'ok',
    reason: expect.stringContaining('3 s'),
  });
});

test('bugtool is unpacked, and taken away in the pod', async () => {
  const ran: string[] = [];
  const long = `b/${'d/'.repeat(10)}file.txt`;
  const result = await dumped(
    {
      nodes: 1,
      run: (argv) => {
        ran.push(argv.join(' '));
        if (argv[0] === 'cilium-bugtool')
          return { stdout: 'a\nARCHIVE\nGZIP at /tmp/cilium-bugtool-1.tar.gz\n' };
        if (argv[0] === 'tail')
          return {
            stdout: tarball({
              'b/cmd/a.md': 'hello\n',
              [long]: 'x'.repeat(300_000),
              'b/../../../etc/passwd': 'no\n',
            }),
          };
        return {};
      },
    },
    [...only('bugtool'), '--cilium-bugtool-flags', '--dry'],
  );
  expect(result.code).toBe(0);
  const names = [...result.files.keys()].filter((name) => name.startsWith('cilium-bugtool-'));
  const top = `cilium-bugtool-${agentName(0)}-${result.index?.timestamp}`;
  expect(names).toEqual([`${top}/cmd/a.md`, `${top}/${long.slice(2)}`, `${top}/_/_/_/etc/passwd`]);
  expect(ran).toEqual([
    'cilium-bugtool --archiveType=gz --exclude-object-files --dry',
    'tail -c +1 /tmp/cilium-bugtool-1.tar.gz',
    'rm -f /tmp/cilium-bugtool-1.tar.gz',
  ]);
});

test('--max-size keeps the newest lines, as much of each pod', async () => {
  const log = (pod: string) =>
    Array.from({ length: 5000 }, (_, i) => `${String(i).padStart(6, '0')} of ${pod}\n`).join('');
  const result = await dumped({ nodes: 2, log }, [...only('logs'), '--max-size', '20k']);
  const logs = [...result.files].filter(([name]) => name.startsWith('logs-'));
  expect(logs.length).toBe(2);
  for (const [name, bytes] of logs) {
    expect(bytes.length).toBeGreaterThan(9000);
    expect(bytes.length).toBeLessThanOrEqual(10_000);
    expect(String(bytes)).toMatch(/^\d{6} of .*\n004999 of cilium-\d+\n$/s);
    expect(result.task(name.split('-2026')[0] ?? '')?.reason).toMatch(
      /the oldest \d+ bytes of cilium-agent are left out/,
    );
  }
});

test('--since narrows logs and events', async () => {
  const seen: string[] = [];
  const at = (minutes: number) => new Date(NOW - minutes * 60_000).toISOString();
  const result = await dumped(
    {
      nodes: 1,
      log: (_, url) => {
        seen.push(url.searchParams.get('sinceTime') ?? '');
        return 'x\n';
      },
      lists: {
        '/api/v1/events': {
          kind: 'EventList',
          items: [
            { metadata: { name: 'old' }, lastTimestamp: at(200) },
            { metadata: { name: 'new' }, lastTimestamp: at(5), message: '<b>&' },
          ],
        },
      },
    },
    [...only('logs', 'kubernetes'), '--since', '2h'],
  );
  expect(seen).toEqual(['2026-11-29T05:05:03Z']);
  expect(String(fileLike(result, 'k8s-events-2026')?.[1])).not.toContain('old');
  const page = [...result.files].find(([name]) => name.endsWith('.html'))?.[1];
  expect(String(page)).toContain('&#60;b&#62;&#38;');
});

test('--estimate collects nothing', async () => {
  const stats = (pod: string, bytes: number) => ({
    pods: [
      {
        podRef: { name: pod, namespace: 'kube-system' },
        containers: [{ name: 'cilium-agent', logs: { usedBytes: bytes } }],
      },
    ],
  });
  const result = await dumped(
    {
      nodes: 2,
      answers: {
        '/api/v1/nodes/n0/proxy/stats/summary': stats(agentName(0), 3 * 1024 * 1024),
        '/api/v1/nodes/n1/proxy/stats/summary': 403,
      },
    },
    ['--estimate', ...only('logs')],
  );
  expect(result.stdout).toMatch(
    /\nTasks: 1\d\nNodes: 2\nLogs, unpacked: 3.0 MiB, and 1 logs of unknown size\n\nLOGS OF {2,}PODS {3}CONTAINERS {3}BYTES\nCilium {3,}2 +2 +3.0 MiB, and 1 logs of unknown size\nall /,
  );
  expect(result.stderr).toContain('size of logs on n1 unknown');
  expect(result.code).toBe(3);
  expect(readdirSync(folder)).toEqual([]);
});

test('Ctrl-C ends it with what is there', async () => {
  const stop = new AbortController();
  const listed = () =>
    readdirSync(folder).some((name) =>
      spawnSync('unzip', ['-Z1', join(folder, name)]).stdout.includes('k8s-nodes-'),
    );
  let isRun = false;
  void until(async () => isRun && listed()).then(() => stop.abort(new Stopped('SIGINT', 130)));
  const result = await dumped(
    {
      nodes: 3,
      run: () => {
        isRun = true;
        return { stdout: 'part\n', hangs: true };
      },
    },
    [...only('kubernetes', 'bugtool', 'gops', 'logs'), '--worker-count', '6'],
    { signal: stop.signal },
  );
  expect(result.code).toBe(130);
  expect(result.stdout).toContain('⚠️ Interrupted: ');
  expect(result.stdout).toContain('✅ The sysdump has been saved to ');
  expect(result.index?.isComplete).toBe(false);
  expect(result.task('Collect Kubernetes nodes')).toMatchObject({ status: 'ok' });
  expect(result.index?.tasks.some(({ reason }) => reason === 'it was interrupted')).toBe(true);
});

test('an archive of that name is left alone; groups and nodes that are unknown are refused', async () => {
  const first = await dumped({ nodes: 1 }, [...only('logs'), '--output-filename', 'mine']);
  expect([first.code, readdirSync(folder)]).toEqual([0, ['mine.zip']]);
  const before = statSync(join(folder, 'mine.zip')).mtimeMs;
  const second = await dumped({ nodes: 1 }, [...only('logs'), '--output-filename', 'mine']);
  expect(second.code).toBe(1);
  expect(second.stderr).toContain('mine.zip cannot be made');
  expect(statSync(join(folder, 'mine.zip')).mtimeMs).toBe(before);
  expect((await dumped({ nodes: 1 }, only('nonsense'))).stderr).toContain('Groups: kubernetes, cilium,');
  expect((await dumped({ nodes: 1 }, ['--node-list', 'n0,n9'])).stderr).toContain(
    'the cluster has no node n9',
  );
  expect((await dumped({ nodes: 1 }, ['--no-such-flag'])).stderr).toContain(
    "unknown option '--no-such-flag'",
  );
  expect((await dumped({ nodes: 0 })).stderr).toContain('no nodes found in the current cluster');
});

// differs: sysdump-objects
test('a list that begins anew is written once, and objects as they come', async () => {
  let gone = 0;
  const items = Array.from({ length: 250 }, (_, i) => ({ metadata: { name: `ns-${i}` }, isNew: i === 0 }));
  await using server = await serveDumpCluster({
    nodes: 1,
    lists: { '/api/v1/namespaces': { kind: 'NamespaceList', items } },
  });
  const { createServer, request } = await import('node:http');
  const front = createServer((incoming, response) => {
    if (incoming.url?.includes('/namespaces?') && incoming.url.includes('continue=200') && gone++ === 0) {
      response
        .writeHead(410)
        .end(JSON.stringify({ kind: 'Status', code: 410, reason: 'Expired', message: 'gone' }));
      return;
    }
    incoming.pipe(
      request(`${server.url}${incoming.url}`, { method: incoming.method }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      }),
    );
  }).listen(0);
  const { readFileSync, writeFileSync } = await import('node:fs');
  const port = (front.address() as { port: number }).port;
  const kubeconfig = join(folder, 'kc');
  writeFileSync(
    kubeconfig,
    readFileSync(server.kubeconfig, 'utf8').replace(server.url, `http://127.0.0.1:${port}`),
  );
  const result = await opened(
    await run(['sysdump', ...only('kubernetes')], {
      nowMs: NOW,
      cwd: folder,
      env: { KUBECONFIG: kubeconfig },
    }),
  );
  front.closeAllConnections();
  front.close();
  const text = String(fileLike(result, 'k8s-namespaces-')?.[1]);
  expect(text.match(/name: ns-/g)?.length).toBe(250);
  expect(text).toMatch(
    /^apiVersion: v1\nitems:\n- isNew: true\n {2}metadata:\n {4}name: ns-0\n.*\nkind: NamespaceList\nmetadata:\n {2}resourceVersion: "7"\n$/s,
  );
  expect(result.task('Collecting Kubernetes namespaces')).toMatchObject({
    status: 'ok',
    reason: expect.stringContaining('begun again'),
  });
});

// differs: sysdump-dead-agents
test('an agent that does not run is a reason, and nothing is started for it', async () => {
  const methods = new Set<string>();
  const result = await dumped(
    {
      nodes: 2,
      change: ({ metadata, status }) => {
        if ((metadata as { name: string }).name !== agentName(1)) return;
        const waiting = { reason: 'CrashLoopBackOff' };
        Object.assign(status as object, {
          containerStatuses: [{ name: 'cilium-agent', ready: false, restartCount: 3, state: { waiting } }],
        });
      },
      run: () => ({ stdout: 'x\n' }),
      onRequest: (_, method) => methods.add(method),
    },
    only('gops', 'logs'),
  );
  expect(result.code).toBe(3);
  expect(result.task(`gops-${agentName(1)}-stack`)).toMatchObject({
    status: 'failed',
    reason: `cilium-agent of kube-system/${agentName(1)}: the container waits: CrashLoopBackOff`,
  });
  const logs = [...result.files.keys()].filter((name) => name.startsWith(`logs-${agentName(1)}`));
  expect(logs.map((name) => name.endsWith('-prev.log'))).toEqual([false, true]);
  expect([...methods]).toEqual(['GET']);
});

test('the archive is one for Info-ZIP', async () => {
  await dumped({ nodes: 1 }, [...only('logs'), '--output-filename', 'a']);
  execFileSync('unzip', ['-tqq', join(folder, 'a.zip')]);
});
