import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { answerJson, serveKube } from '../helpers/kube.ts';
import { run } from '../helpers/run.ts';
import { mutateJson, mutateText, STEERING } from './mutate.ts';
import { type OpenTarget, packed, unpacked } from './target.ts';

const COMPONENTS = [
  { label: 'k8s-app=cilium', container: 'cilium-agent' },
  { label: 'io.cilium/app=operator', container: 'cilium-operator' },
  { label: 'k8s-app=hubble-relay', container: 'hubble-relay' },
  { label: 'k8s-app=cilium-envoy', container: 'cilium-envoy' },
];
const pod = (name: string, node: string, container: string) => ({
  metadata: { name, namespace: 'kube-system', uid: `uid-${name}`, resourceVersion: '3' },
  spec: { nodeName: node },
  status: {
    phase: 'Running',
    containerStatuses: [
      {
        name: container,
        restartCount: 1,
        containerID: `containerd://${name}`,
        state: { running: {} },
        lastState: { terminated: { reason: 'Error', exitCode: 1 } },
      },
    ],
  },
});
const podsOf = (container: string) => ({
  metadata: { resourceVersion: '3' },
  items: [pod(`${container}-1`, 'n1', container), pod(`${container}-2`, 'n10', container)],
});
/** As the agent of several releases, the operator, the relay and Envoy write them. */
const LINES: readonly string[] = [
  'time="2026-01-01T00:00:00Z" level=info msg="first words" subsys=daemon file="a b"',
  'time=2026-01-01T00:00:00Z level=error source=/go/x.go:7 msg="third \\"quoted\\"" module=agent.daemon error="a=b"',
  '{"time":"2026-01-01T00:00:00Z","level":"WARN","msg":"second","module":"agent.k8s","n":18446744073709551615}',
  '{"level":"info","ts":"2026-01-01T00:00:00Z","logger":"x","msg":"m","object":{"a":[1,{"b":null}]}}',
  'panic: runtime error: index out of range',
  'goroutine 1 [running]:',
  '\tmain.go:3 +0x1',
  'I0921 14:13:20.000000       1 lease.go:3] leading',
  '[2026-09-21 14:13:20.000][12][warning][config] [source/x.cc:9] slow',
  `level=warning msg="\\x1b[2J\\u202e\\U0010ffff" subsys="${'x'.repeat(300)}"`,
  `level=info msg="${STEERING}"`,
];
const VERBS: readonly string[][] = [
  [],
  [],
  ['--component', 'all'],
  ['--component', 'all', '-o', 'json'],
  ['-o', 'json'],
  ['-o', 'raw'],
  ['--color', 'always'],
  ['--level', 'warn'],
  ['--subsys', 'daemon,agent'],
  ['--grep', '(a|b)+ w'],
  ['--previous', '--tail', '-1'],
  ['--since', '5m'],
  ['--tail', '1', '--node', 'n1'],
  ['--limit-nodes', 'a=b'],
  ['--follow'],
];
/** So long a log is followed. */
const FOLLOW_MS = 150;

/** Logs of a cluster: lines, their times, the pods that write them. */
export const openLogs: OpenTarget = async (folder, onClose) => {
  let data: Readonly<Record<string, string>> = {};
  const server = onClose.use(
    await serveKube((request, response) => {
      request.resume();
      const url = new URL(request.url ?? '', 'http://x');
      const label = url.searchParams.get('labelSelector') ?? '';
      const at = COMPONENTS.findIndex((component) => component.label === label);
      const name = /\/pods\/([^/]+)(\/log)?$/.exec(url.pathname);
      if (name?.[2]) response.writeHead(200, { 'content-type': 'text/plain' }).end(unpacked(data.log));
      else if (url.searchParams.has('watch')) response.writeHead(200).end(unpacked(data.watch));
      else if (url.pathname.endsWith('/nodes'))
        response.writeHead(200, { 'content-type': 'application/json' }).end(unpacked(data.nodes));
      else if (url.pathname.endsWith('/daemonsets'))
        answerJson(response, { items: [{ metadata: { name: 'cilium', namespace: 'kube-system' } }] });
      else if (name)
        response.writeHead(200, { 'content-type': 'application/json' }).end(unpacked(data.pod ?? '{}'));
      else
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(unpacked(data[`pods ${Math.max(0, at)}`]));
    }),
  );
  const config = join(folder, 'logs-kubeconfig');
  writeFileSync(
    config,
    JSON.stringify({
      clusters: [{ name: 'c', cluster: { server: server.url } }],
      contexts: [{ name: 'k', context: { cluster: 'c', user: 'u' } }],
      users: [{ name: 'u', user: {} }],
      'current-context': 'k',
    }),
  );
  return {
    make(random) {
      const time = () =>
        random.chance(0.9)
          ? `2026-09-21T14:13:${String(random.below(60)).padStart(2, '0')}.${random.below(1e9)}Z `
          : random.pick(['', ' ', '9999999999-99-99T99:99:99Z ', '2026-13-41T25:61:61Z ', STEERING]);
      const line = () => {
        const text = random.pick(LINES);
        if (random.chance(0.5)) return text;
        return text.startsWith('{') ? mutateJson(text, random) : mutateText(text, random);
      };
      const lines = Array.from({ length: random.below(8) }, () => `${time()}${line()}`);
      const log = lines.join(random.pick(['\n', '\n', '\n', '\r\n', '']));
      const spoil = (value: object, share: number) => {
        const text = JSON.stringify(value);
        return packed(Buffer.from(random.chance(share) ? mutateJson(text, random) : text));
      };
      const pods = COMPONENTS.map(({ container }, i) => [`pods ${i}`, spoil(podsOf(container), 0.25)]);
      const event = {
        type: random.pick(['MODIFIED', 'DELETED', 'ADDED', 'ERROR']),
        object: pod('a', 'n1', 'x'),
      };
      return {
        argv: ['logs', ...random.pick(VERBS)],
        data: {
          ...Object.fromEntries(pods),
          log: packed(Buffer.from(random.chance(0.8) ? `${log}\n` : log)),
          nodes: spoil({ items: [{ metadata: { name: 'n1' } }, { metadata: { name: 'n10' } }] }, 0.2),
          pod: spoil(pod('cilium-agent-1', 'n1', 'cilium-agent'), 0.3),
          watch: spoil(event, 0.5),
        },
      };
    },
    async run({ argv, data: given }, signal) {
      data = given;
      const stop = new AbortController();
      const timer = argv.includes('--follow') ? setTimeout(() => stop.abort(), FOLLOW_MS) : undefined;
      const result = await run([...argv, '--timeout', '2s'], {
        signal: AbortSignal.any([signal, stop.signal]),
        cwd: folder,
        nowMs: Date.UTC(2026, 8, 21, 14, 14),
        env: { KUBECONFIG: config, CILIUM_SOCK: '' },
      });
      clearTimeout(timer);
      return result;
    },
  };
};
