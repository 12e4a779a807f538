import type { Duplex } from 'node:stream';
import { UserError } from '../errors.ts';
import { type KubeClient, type KubeObject, KubeRefusal } from './client.ts';
import { SERVICE as SERVICE_FORM } from './forms.ts';
import { forwardPort } from './forward.ts';
import { listAll } from './pages.ts';
import { type Pod, podsPath, unreadyOf } from './pods.ts';

/** Names that the chart gives, in every release. */
const SERVICE = 'hubble-relay';
const CONTAINER = 'hubble-relay';
/** Secrets with the authority of the relay's certificate, after the one with the client's. */
const CLIENT_SECRET = 'hubble-relay-client-certs';
const CA_SECRETS = ['hubble-relay-server-certs', 'hubble-server-certs', 'cilium-ca'];

/** A pod of Hubble Relay that is ready, and the port that its service leads to. */
export interface RelayPod {
  namespace: string;
  pod: string;
  port: number;
}

interface ServicePort {
  port?: number;
  protocol?: string;
  targetPort?: number | string;
}

interface Service extends KubeObject {
  spec?: { clusterIP?: string; selector?: Record<string, string>; ports?: ServicePort[] };
}

/** Throws UserError where the relay is not installed or none of its pods is ready, and as `KubeClient.json` does. */
export async function findRelay(client: KubeClient, namespace: string): Promise<RelayPod> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/services/${SERVICE}`;
  const service = await client.json<Service>({ path, form: SERVICE_FORM }).catch((error: unknown) => {
    throw error instanceof KubeRefusal && error.code === 404 ? notInstalled(error, namespace) : error;
  });
  const labels = Object.entries(service.spec?.selector ?? {}).map(([key, value]) => `${key}=${value}`);
  const pods =
    labels.length === 0
      ? []
      : await listAll<Pod, Pod>(
          client,
          podsPath(namespace),
          { labelSelector: labels.join(',') },
          (pod) => pod,
        );
  if (pods.length === 0)
    throw new UserError(`no pods found for service: ${SERVICE}`, {
      hint: `See: kubectl -n ${namespace} describe deployment hubble-relay`,
    });
  const ready = pods.find((pod) => unreadyOf(pod, CONTAINER) === undefined);
  if (!ready) throw notReady(pods, namespace);
  return { namespace, pod: ready.metadata?.name ?? '', port: portOf(service, ready) };
}

/** The service is not there: the error of a namespace that has none. */
export class NoRelay extends UserError {
  override name = 'NoRelay';
}

function notInstalled(error: KubeRefusal, namespace: string): NoRelay {
  return new NoRelay(`failed to get service "${SERVICE}": ${error.status.message ?? 'not found'}`, {
    hint: `Hubble Relay is not installed in the namespace ${namespace}: Helm's hubble.relay.enabled=true installs it.`,
    cause: error,
  });
}

function notReady(pods: readonly Pod[], namespace: string): UserError {
  const [first] = pods;
  const name = first?.metadata?.name ?? '';
  const why = first && unreadyOf(first, CONTAINER);
  const others = pods.length > 1 ? ` (and ${pods.length - 1} more)` : '';
  return new UserError(`Hubble Relay is not ready: pod ${namespace}/${name}: ${why}${others}`, {
    hint: `See: kubectl -n ${namespace} describe pod ${name}`,
  });
}

/** The port of a pod that the first port of the service leads to. */
function portOf({ spec }: Service, pod: Pod): number {
  const [first] = spec?.ports ?? [];
  if (first?.port === undefined) throw new UserError(`service "${SERVICE}" doesn't have any ports`);
  const { port, targetPort, protocol = 'TCP' } = first;
  if (spec?.clusterIP === 'None') return port;
  if (typeof targetPort !== 'string') return targetPort || port;
  const named = pod.spec?.containers
    ?.flatMap(({ ports }) => ports ?? [])
    .find(({ name, protocol: own = 'TCP' }) => name === targetPort && own === protocol)?.containerPort;
  if (named !== undefined) return named;
  throw new UserError(
    `failed to lookup container port with service port ${port}: no port of the pod is called ${targetPort}`,
  );
}

/** What happens to the way to the relay. */
export interface RelayEvents {
  /** A connection was ended by the far end, or broke. */
  onLost?: (pod: RelayPod, error: Error | undefined) => void;
}

/** Connections to Hubble Relay. The pod is looked up again when one to it failed or was ended there. */
export class RelayRoad {
  #at: RelayPod | undefined;

  constructor(
    private readonly client: KubeClient,
    private readonly namespace: string,
    private readonly events: RelayEvents = {},
  ) {}

  /** The pod that connections lead to. */
  async find(): Promise<RelayPod> {
    this.#at ??= await findRelay(this.client, this.namespace);
    return this.#at;
  }

  /** Throws as `findRelay` and `forwardPort` do. */
  async dial(): Promise<Duplex> {
    const isKnown = this.#at !== undefined;
    const at = await this.find();
    const forget = (error?: Error) => {
      if (this.#at !== at) return;
      this.#at = undefined;
      this.events.onLost?.(at, error);
    };
    let stream: Duplex;
    try {
      stream = await forwardPort(this.client, at);
    } catch (error) {
      if (this.#at === at) this.#at = undefined;
      if (!isKnown) throw error;
      return this.dial();
    }
    stream.once('end', () => forget()).once('error', forget);
    return stream;
  }
}

/** What the cluster's own secrets hold of TLS for clients of the relay. */
export interface RelayCredentials {
  /** PEM. */
  ca?: string;
  cert?: Buffer;
  key?: Buffer;
  /** Why something of it is missing. */
  trouble?: string;
}

interface Secret extends KubeObject {
  data?: Record<string, string>;
}

/** Reads what is there and may be read. */
export async function readRelayCredentials(client: KubeClient, namespace: string): Promise<RelayCredentials> {
  const found: RelayCredentials = {};
  const troubles: string[] = [];
  for (const name of [CLIENT_SECRET, ...CA_SECRETS]) {
    if (found.ca !== undefined) break;
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets/${name}`;
    try {
      const { data = {} } = await client.json<Secret>({ path });
      const part = (key: string) => (data[key] ? Buffer.from(data[key], 'base64') : undefined);
      const ca = part('ca.crt');
      if (ca) found.ca = ca.toString('utf8');
      const [cert, key] = [part('tls.crt'), part('tls.key')];
      if (name === CLIENT_SECRET && cert && key) Object.assign(found, { cert, key });
    } catch (error) {
      if (!(error instanceof KubeRefusal)) throw error;
      troubles.push(error.status.message ?? `secret ${name}: ${error.code}`);
    }
  }
  if (troubles.length > 0 && (!found.ca || !found.cert)) found.trouble = troubles.join('; ');
  return found;
}
