import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerJson, type KubeServer, refusal, serveKube } from './kube.ts';
import { forwarding } from './kubelet.ts';

/** What a cluster says of Hubble Relay; tests change it while it runs. */
export interface RelayCluster extends KubeServer {
  /** Pods by name: the port or socket of this machine that each leads to, or what is wrong with it. */
  pods: Record<string, number | string | { status: object; deleted?: boolean }>;
  /** Secrets by name, their values as text. */
  secrets: Record<string, Record<string, string>>;
  /** Paths whose requests are refused with 403, as RBAC words it. */
  forbidden: RegExp | undefined;
  /** Requests that came: method and path, with what follows `?`. */
  seen: string[];
  namespace: string;
  /** The service that its pods are of, which its container is called after. */
  service: string;
  /** Ends all connections that lead to pods. */
  breakForwards(): void;
}

/** The container whose readiness counts, by service. */
const CONTAINERS: Readonly<Record<string, string>> = {
  'hubble-relay': 'hubble-relay',
  'hubble-ui': 'frontend',
};
const ready = (container: string) => ({
  phase: 'Running',
  containerStatuses: [{ name: container, ready: true, state: { running: {} } }],
});

/** Serves one. Without pods the relay is not installed. */
export async function serveRelayCluster(
  pods: RelayCluster['pods'],
  {
    port,
    namespace = 'kube-system',
    service = 'hubble-relay',
  }: { port?: number; namespace?: string; service?: string } = {},
): Promise<RelayCluster> {
  const forwards = new Set<() => void>();
  const state: Omit<RelayCluster, keyof KubeServer> = {
    pods,
    secrets: {},
    forbidden: undefined,
    seen: [],
    namespace,
    service,
    breakForwards: () => {
      for (const end of forwards) end();
    },
  };
  const forward = forwarding((url) => {
    state.seen.push(`WS ${url.pathname}${url.search}`);
    const pod = state.pods[url.pathname.split('/').at(-2) ?? ''];
    return typeof pod === 'object' || pod === undefined ? new Error('the pod does not run') : pod;
  });
  const server = await serveKube(
    (request, response) => answer(state, request, response),
    (socket, url) => {
      const end = () => socket.close(1000);
      forwards.add(end);
      socket.on('close', () => forwards.delete(end));
      forward(socket, url);
    },
    {
      protocol: 'v4.channel.k8s.io',
      isThere: (url) => Object.hasOwn(state.pods, url.pathname.split('/').at(-2) ?? ''),
      port,
    },
  );
  return Object.assign(state, server);
}

function answer(
  { pods, secrets, forbidden, seen, namespace, service }: Omit<RelayCluster, keyof KubeServer>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const url = new URL(request.url ?? '', 'http://x');
  seen.push(`${request.method} ${url.pathname}${url.search}`);
  const [kind = '', name = ''] = url.pathname.split(`/namespaces/${namespace}/`)[1]?.split('/') ?? [];
  const refuse = (code: number, reason: string, message: string) =>
    answerJson(response, refusal(code, reason, message), code);
  const secret = kind === 'secrets' ? secrets[name] : undefined;
  const isOfRelay = url.searchParams.get('labelSelector') === `k8s-app=${service}`;
  if (forbidden?.test(url.pathname))
    refuse(
      403,
      'Forbidden',
      `${kind} "${name}" is forbidden: User "jane" cannot get resource "${kind}" in API group "" in the namespace "${namespace}"`,
    );
  else if (url.pathname === '/apis/apps/v1/daemonsets')
    answerJson(response, { items: [{ metadata: { name: 'cilium', namespace } }] });
  else if (kind === 'services' && name === service && Object.keys(pods).length > 0)
    answerJson(response, {
      spec: {
        selector: { 'k8s-app': service },
        ports: [{ port: 80, protocol: 'TCP', targetPort: 'grpc' }],
      },
    });
  else if (kind === 'pods' && isOfRelay)
    answerJson(response, {
      items: Object.entries(pods).map((each) => podOf(each, CONTAINERS[service] ?? '')),
    });
  else if (secret) {
    const data = Object.entries(secret).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
    answerJson(response, { data: Object.fromEntries(data) });
  } else {
    const wanted = url.pathname.split('/').slice(-2);
    refuse(404, 'NotFound', `${wanted[0]} "${wanted[1]}" not found`);
  }
}

function podOf([name, pod]: [string, RelayCluster['pods'][string]], container: string): object {
  const told = typeof pod === 'object' ? pod : { status: ready(container) };
  return {
    metadata: {
      name,
      namespace: 'kube-system',
      ...('deleted' in told && told.deleted && { deletionTimestamp: '2026-11-01T00:00:00Z' }),
    },
    spec: {
      containers: [{ name: container, ports: [{ name: 'grpc', containerPort: 4245 }] }],
    },
    status: told.status,
  };
}
