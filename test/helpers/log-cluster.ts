import { copyFileSync, mkdtempSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { answerJson, type KubeServer, refusal, serveKube } from './kube.ts';

interface Container {
  id: string;
  lines: { time: string; text: string }[];
  /** Why it ended; undefined while it runs. */
  ended?: { reason: string; exitCode: number };
}

interface LoggingPod {
  name: string;
  uid: string;
  node: string;
  component: 'agent' | 'operator' | 'relay' | 'envoy';
  /** The one that runs, or ran last, is the last; none while the pod starts. */
  containers: Container[];
}

const LABELS = {
  agent: { label: 'k8s-app=cilium', container: 'cilium-agent' },
  operator: { label: 'io.cilium/app=operator', container: 'cilium-operator' },
  relay: { label: 'k8s-app=hubble-relay', container: 'hubble-relay' },
  envoy: { label: 'k8s-app=cilium-envoy', container: 'cilium-envoy' },
};

/** A cluster whose pods write logs, and whose API server can be killed. */
export class LogCluster implements AsyncDisposable {
  pods: LoggingPod[] = [];
  /** Requests for logs that came: the pod and its query. */
  asked: string[] = [];
  /** Answers instead of the cluster, where it returns a refusal. */
  refuse: (url: URL) => object | undefined = () => undefined;
  kubeconfig = '';
  /** How long a log takes to come; and so many came at the same time. */
  delayMs = 0;
  mostAtOnce = 0;
  #atOnce = 0;
  #server: KubeServer | undefined;
  #port: number | undefined;
  #clockNs = 1_790_000_000_000_000_000n;
  #uids = 0;
  #followers = new Set<{ pod: LoggingPod; container: Container; response: ServerResponse }>();
  #watchers = new Set<{ label: string; response: ServerResponse }>();
  /** What was told of pods; its length is the version of the state. */
  #events: { label: string; line: string }[] = [];

  async start(): Promise<void> {
    this.#server = await serveKube((request, response) => this.#answer(request, response), undefined, {
      port: this.#port,
    });
    this.#port = Number(new URL(this.#server.url).port);
    if (this.kubeconfig !== '') return;
    this.kubeconfig = join(mkdtempSync(join(tmpdir(), 'kube-')), 'config');
    copyFileSync(this.#server.kubeconfig, this.kubeconfig);
  }

  /** Breaks all connections, those of followers in the middle of a line, and serves no more until it is started again. */
  async kill(): Promise<void> {
    for (const { response } of this.#followers) {
      response.write('2026-09-21T14:13:20.9');
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (const { response } of [...this.#followers, ...this.#watchers]) response.socket?.destroy();
    this.#followers.clear();
    this.#watchers.clear();
    await this.#server?.[Symbol.asyncDispose]();
    this.#server = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  /** Adds a pod whose container runs, or with `isStarting` does not yet. */
  add(name: string, node: string, component: LoggingPod['component'] = 'agent', isStarting = false): void {
    const pod = { name, node, component, uid: `uid-${++this.#uids}`, containers: [] };
    this.pods.push(pod);
    if (!isStarting) this.run(name);
    this.#tell('ADDED', pod);
  }

  /** Starts a container in a pod: the first, or one after the last has ended. */
  run(name: string): void {
    const pod = this.#pod(name);
    pod.containers.push({ id: `containerd://${pod.uid}-${pod.containers.length}`, lines: [] });
    this.#tell('MODIFIED', pod);
  }

  /** Ends the container of a pod. */
  end(name: string, ended = { reason: 'Error', exitCode: 1 }): void {
    const pod = this.#pod(name);
    const container = pod.containers.at(-1);
    if (!container) return;
    container.ended = ended;
    for (const follower of this.#followers)
      if (follower.container === container) {
        this.#followers.delete(follower);
        follower.response.end();
      }
    this.#tell('MODIFIED', pod);
  }

  /** Removes a pod. */
  remove(name: string): void {
    this.end(name);
    const pod = this.#pod(name);
    this.pods = this.pods.filter((other) => other !== pod);
    this.#tell('DELETED', pod);
  }

  /** Writes a line; `afterMs` after the one before it, of whatever pod. */
  write(name: string, text: string, afterMs = 7): void {
    const pod = this.#pod(name);
    const container = pod.containers.at(-1);
    this.#clockNs += BigInt(Math.round(afterMs * 1e6));
    const line = { time: timeOf(this.#clockNs), text };
    container?.lines.push(line);
    for (const follower of this.#followers)
      if (follower.container === container) follower.response.write(`${line.time} ${line.text}\n`);
  }

  #pod(name: string): LoggingPod {
    const found = this.pods.find((pod) => pod.name === name);
    if (!found) throw new Error(`no pod ${name}`);
    return found;
  }

  #tell(type: string, pod: LoggingPod): void {
    const object = objectOf(pod, this.#events.length + 1);
    const event = { label: LABELS[pod.component].label, line: `${JSON.stringify({ type, object })}\n` };
    this.#events.push(event);
    for (const { label, response } of this.#watchers) if (label === event.label) response.write(event.line);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '', 'http://x');
    const query = url.searchParams;
    const refused = this.refuse(url) as { code?: number } | undefined;
    const [, name, isLog] =
      /^\/api\/v1\/namespaces\/kube-system\/pods\/([^/]+)(\/log)?$/.exec(url.pathname) ?? [];
    const label = query.get('labelSelector') ?? '';
    if (refused) answerJson(response, refused, refused.code);
    else if (url.pathname === '/apis/apps/v1/daemonsets')
      answerJson(response, { items: [{ metadata: { name: 'cilium', namespace: 'kube-system' } }] });
    else if (url.pathname === '/api/v1/nodes')
      answerJson(response, {
        items: [...new Set(this.pods.map(({ node }) => node))]
          .filter((node) => label === '' || label === `name=${node}`)
          .map((node) => ({ metadata: { name: node } })),
      });
    else if (url.pathname === '/api/v1/namespaces/kube-system/pods' && query.has('watch')) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.flushHeaders();
      for (const event of this.#events.slice(Number(query.get('resourceVersion'))))
        if (event.label === label) response.write(event.line);
      this.#watchers.add({ label, response });
    } else if (url.pathname === '/api/v1/namespaces/kube-system/pods')
      answerJson(response, {
        metadata: { resourceVersion: String(this.#events.length) },
        items: this.pods
          .filter(({ component }) => LABELS[component].label === label)
          .map((pod) => objectOf(pod, 1)),
      });
    else if (url.pathname.endsWith('/pods')) answerJson(response, { items: [] });
    else {
      const pod = this.pods.find((one) => one.name === name);
      if (!pod) answerJson(response, refusal(404, 'NotFound', `pods "${name}" not found`), 404);
      else if (isLog) {
        this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#atOnce);
        response.on('close', () => this.#atOnce--);
        if (this.delayMs === 0) this.#log(pod, query, response);
        else setTimeout(() => this.#log(pod, query, response), this.delayMs);
      } else answerJson(response, objectOf(pod, 1));
    }
  }

  #log(pod: LoggingPod, query: URLSearchParams, response: ServerResponse): void {
    this.asked.push(`${pod.name}?${query}`);
    const container = pod.containers.at(query.has('previous') ? -2 : -1);
    if (!container) {
      const { container: called } = LABELS[pod.component];
      const message = `container "${called}" in pod "${pod.name}" is waiting to start: PodInitializing`;
      answerJson(response, refusal(400, 'BadRequest', message), 400);
      return;
    }
    const since = query.get('sinceTime');
    const seconds = query.get('sinceSeconds');
    const tail = query.get('tailLines');
    const fromMs = since
      ? Date.parse(since)
      : seconds
        ? Number(this.#clockNs / 1_000_000n) - Number(seconds) * 1000
        : 0;
    let lines = container.lines.filter(({ time }) => Date.parse(time) >= fromMs);
    if (tail !== null) lines = lines.slice(lines.length - Math.min(Number(tail), lines.length));
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.flushHeaders();
    for (const { time, text } of lines) response.write(`${time} ${text}\n`);
    if (!query.has('follow') || container.ended) response.end();
    else {
      const follower = { pod, container, response };
      this.#followers.add(follower);
      response.on('close', () => this.#followers.delete(follower));
    }
  }
}

function timeOf(ns: bigint): string {
  const seconds = new Date(Number(ns / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  return `${seconds}.${String(ns % 1_000_000_000n).padStart(9, '0')}Z`;
}

function objectOf({ name, uid, node, component, containers }: LoggingPod, version: number): object {
  const now = containers.at(-1);
  const before = now?.ended ? undefined : containers.at(-2)?.ended;
  return {
    metadata: { name, uid, namespace: 'kube-system', resourceVersion: String(version) },
    spec: { nodeName: node },
    status: {
      phase: now ? 'Running' : 'Pending',
      containerStatuses: [
        {
          name: LABELS[component].container,
          restartCount: Math.max(0, containers.length - 1),
          ...(now && { containerID: now.id }),
          state: !now
            ? { waiting: { reason: 'PodInitializing' } }
            : now.ended
              ? { terminated: now.ended }
              : { running: {} },
          ...(before && { lastState: { terminated: before } }),
        },
      ],
    },
  };
}
