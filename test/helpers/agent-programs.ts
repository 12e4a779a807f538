import { answerJson, type KubeServer, refusal, serveKube } from './kube.ts';
import { end, SUCCESS, say } from './kubelet.ts';

/** What the program of a container does with its words: it prints, and ends with a code. */
export interface Ran {
  stdout?: string;
  stderr?: string;
  code?: number;
}

/** A pod of Cilium, as others have it: of our own nothing runs in it. */
export interface ProgramPod {
  name: string;
  node: string;
  /** Default: the agent's. */
  labels?: Record<string, string>;
  container?: string;
  command?: string[];
  /** Undefined where there is no such program. */
  run: (argv: readonly string[]) => Ran | undefined;
  /** Why its container does not run. */
  waiting?: string;
}

/** A cluster with agents whose own command line is all that can be asked. */
export interface ProgramCluster extends KubeServer {
  /** Command lines that were run, as `pod: words`. */
  ran: string[];
  env: Record<string, string>;
}

/** `objects` are what else the API server has, by path. */
export async function servePrograms(
  pods: readonly ProgramPod[],
  objects: Readonly<Record<string, unknown>> = {},
): Promise<ProgramCluster> {
  const ran: string[] = [];
  const server = await serveKube(
    (request, response) => {
      const url = new URL(request.url ?? '', 'http://x');
      const path = decodeURIComponent(url.pathname);
      if (path === '/api/v1/pods' || path === '/api/v1/namespaces/kube-system/pods') {
        const labels = selectorOf(url.searchParams.get('labelSelector'));
        const node = /^spec\.nodeName=(.*)$/.exec(url.searchParams.get('fieldSelector') ?? '')?.[1];
        const found = pods
          .map(objectOf)
          .filter((pod) => labels.every(([key = '', value]) => pod.metadata.labels[key] === value))
          .filter((pod) => node === undefined || pod.spec.nodeName === node);
        return answerJson(response, { kind: 'PodList', apiVersion: 'v1', metadata: {}, items: found });
      }
      const found = objects[path] ?? objects[`${path}${url.search}`];
      if (found !== undefined) return answerJson(response, found);
      if (path.endsWith('/daemonsets') || path.endsWith('/secrets'))
        return answerJson(response, { metadata: {}, items: [] });
      answerJson(response, refusal(404, 'NotFound', `${path} not found`), 404);
    },
    (socket, url) => {
      const name = /\/pods\/([^/]+)\/exec$/.exec(url.pathname)?.[1];
      const argv = url.searchParams.getAll('command');
      const pod = pods.find((one) => one.name === name);
      const done = pod?.run(argv);
      if (done) ran.push(`${name}: ${argv.join(' ')}`);
      else
        return end(socket, {
          status: 'Failure',
          reason: 'InternalError',
          code: 500,
          message: `exec: "${argv[0]}": executable file not found in $PATH`,
        });
      if (done.stdout) say(socket, 1, done.stdout);
      if (done.stderr) say(socket, 2, done.stderr);
      const { code = 0 } = done;
      end(
        socket,
        code === 0
          ? SUCCESS
          : {
              kind: 'Status',
              status: 'Failure',
              reason: 'NonZeroExitCode',
              message: `command terminated with non-zero exit code: exit status ${code}`,
              details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
            },
      );
    },
  );
  return { ...server, ran, env: { KUBECONFIG: server.kubeconfig, CILIUM_TARGET: 'cluster' } };
}

function selectorOf(text: string | null): string[][] {
  return text ? text.split(',').map((term) => term.split('=')) : [];
}

function objectOf({
  name,
  node,
  labels = { 'k8s-app': 'cilium' },
  container = 'cilium-agent',
  command,
  waiting,
}: ProgramPod) {
  const state = waiting === undefined ? { running: {} } : { waiting: { reason: waiting } };
  return {
    metadata: { name, namespace: 'kube-system', labels },
    spec: {
      nodeName: node,
      containers: [{ name: container, image: 'cilium:v1.20.0', ...(command && { command }) }],
    },
    status: {
      phase: 'Running',
      containerStatuses: [{ name: container, ready: waiting === undefined, restartCount: 0, state }],
    },
  };
}
