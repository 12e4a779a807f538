import type { Duplex } from 'node:stream';
import { UserError } from '../errors.ts';
import { type KubeClient, type KubeObject, KubeRefusal } from './client.ts';
import { SERVICE as SERVICE_FORM } from './forms.ts';
import { forwardPort } from './forward.ts';
import { listAll } from './pages.ts';
import { pathIn } from './paths.ts';
import { type Pod, podsPath, unreadyOf } from './pods.ts';

/** A service that is reached, by names that the chart gives in every release. */
export interface ServiceTarget {
  service: string;
  /** The container whose readiness counts. */
  container: string;
  /** What people call it. */
  title: string;
  /** What installs it. */
  remedy: string;
}

/** A pod of a service that is ready, and the port that its first port leads to. */
export interface ServicePod {
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

/** Throws NoService where it is not installed, UserError where none of its pods is ready, and as `KubeClient.json` does. */
export async function findServicePod(
  client: KubeClient,
  namespace: string,
  target: ServiceTarget,
): Promise<ServicePod> {
  const { service: named, container } = target;
  const path = pathIn(namespace, 'services', named);
  const service = await client.json<Service>({ path, form: SERVICE_FORM }).catch((error: unknown) => {
    throw error instanceof KubeRefusal && error.code === 404 ? notInstalled(error, namespace, target) : error;
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
    throw new UserError(`no pods found for service: ${named}`, {
      hint: `See: kubectl -n ${namespace} describe deployment ${named}`,
    });
  const ready = pods.find((pod) => unreadyOf(pod, container) === undefined);
  if (!ready) throw notReady(pods, namespace, target);
  return { namespace, pod: ready.metadata?.name ?? '', port: portOf(service, ready, named) };
}

/** The service is not there: the error of a namespace that has none. */
export class NoService extends UserError {
  override name = 'NoService';
}

function notInstalled(error: KubeRefusal, namespace: string, target: ServiceTarget): NoService {
  return new NoService(`failed to get service "${target.service}": ${error.status.message ?? 'not found'}`, {
    hint: `${target.title} is not installed in the namespace ${namespace}: ${target.remedy}`,
    cause: error,
  });
}

function notReady(pods: readonly Pod[], namespace: string, { title, container }: ServiceTarget): UserError {
  const [first] = pods;
  const name = first?.metadata?.name ?? '';
  const why = first && unreadyOf(first, container);
  const others = pods.length > 1 ? ` (and ${pods.length - 1} more)` : '';
  return new UserError(`${title} is not ready: pod ${namespace}/${name}: ${why}${others}`, {
    hint: `See: kubectl -n ${namespace} describe pod ${name}`,
  });
}

/** The port of a pod that the first port of the service leads to. */
function portOf({ spec }: Service, pod: Pod, named: string): number {
  const [first] = spec?.ports ?? [];
  if (first?.port === undefined) throw new UserError(`service "${named}" doesn't have any ports`);
  const { port, targetPort, protocol = 'TCP' } = first;
  if (spec?.clusterIP === 'None') return port;
  if (typeof targetPort !== 'string') return targetPort || port;
  const found = pod.spec?.containers
    ?.flatMap(({ ports }) => ports ?? [])
    .find(({ name, protocol: own = 'TCP' }) => name === targetPort && own === protocol)?.containerPort;
  if (found !== undefined) return found;
  throw new UserError(
    `failed to lookup container port with service port ${port}: no port of the pod is called ${targetPort}`,
  );
}

/** What happens to the way to a service. */
export interface ServiceEvents {
  /** A connection was ended by the far end, or broke. */
  onLost?: (pod: ServicePod, error: Error | undefined) => void;
}

/** Connections to a service, through one of its pods. The pod is looked up again when one to it failed or was ended there. */
export class ServiceRoad {
  #at: ServicePod | undefined;

  constructor(
    private readonly client: KubeClient,
    private readonly namespace: string,
    private readonly target: ServiceTarget,
    private readonly events: ServiceEvents = {},
  ) {}

  /** The pod that connections lead to. */
  async find(): Promise<ServicePod> {
    this.#at ??= await findServicePod(this.client, this.namespace, this.target);
    return this.#at;
  }

  /** Throws as `findServicePod` and `forwardPort` do. */
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
