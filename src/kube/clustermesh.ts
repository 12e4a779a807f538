import { UserError } from '../errors.ts';
import { type KubeClient, type KubeObject, wordsOf } from './client.ts';
import { CONFIG_MAP, readConfigMap } from './config-map.ts';
import { SERVICE } from './forms.ts';
import { listAll } from './pages.ts';
import { pathIn } from './paths.ts';

/** Names of what the chart makes for a mesh. */
export const MESH = {
  deployment: 'clustermesh-apiserver',
  service: 'clustermesh-apiserver',
  /** Files that name the remote clusters, of agents and of KVStoreMesh. */
  agentSecret: 'cilium-clustermesh',
  kvstoremeshSecret: 'cilium-kvstoremesh',
  kvstoremesh: 'kvstoremesh',
  selector: 'k8s-app=clustermesh-apiserver',
} as const;

/** What others present themselves with; the second and third names are those of older charts and programs. */
export const REMOTE_SECRETS = [
  'clustermesh-apiserver-remote-cert',
  'clustermesh-apiserver-client-cert',
  'clustermesh-apiserver-client-certs',
] as const;
/** The authority of the cluster's certificates. */
export const CA_SECRET = 'cilium-ca';

interface SecretObject extends KubeObject {
  data?: Record<string, string>;
}

/** A Service of the mesh, as far as it says where it is. */
interface ServiceObject extends KubeObject {
  spec?: {
    type?: string;
    clusterIP?: string;
    ports?: { port?: number; nodePort?: number }[];
  };
  status?: { loadBalancer?: { ingress?: { ip?: string; hostname?: string }[] } };
}

type Log = (line: string) => Promise<void>;

function prefixed(what: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`${what}: ${wordsOf(error)}`, { hint: error.hint, cause: error });
  };
}

/** The keys of the ConfigMap. */
export async function meshConfig(client: KubeClient, namespace: string): Promise<Record<string, string>> {
  const { data } = await readConfigMap(client, namespace).catch(
    prefixed(`unable to retrieve ConfigMap "${CONFIG_MAP}"`),
  );
  return data;
}

/** The Service that others reach the mesh's API server by. */
export function meshService(client: KubeClient, namespace: string): Promise<ServiceObject> {
  return client
    .json<ServiceObject>({ path: pathIn(namespace, 'services', MESH.service), form: SERVICE })
    .catch(prefixed(`unable to get clustermesh service "${MESH.service}"`));
}

/** The authority of the cluster's certificates. What others present themselves with has to be there as well. */
export async function meshCa(client: KubeClient, namespace: string, log: Log): Promise<string> {
  const remote = await remoteSecret(client, namespace, log);
  const ca = await client
    .find<SecretObject>({ path: pathIn(namespace, 'secrets', CA_SECRET) })
    .catch(prefixed(`get secret "${CA_SECRET}" to retrieve CA`));
  // Certificates that cert-manager makes are kept by the second name.
  const found = ca?.data?.['ca.crt'] ?? ca?.data?.['tls.crt'] ?? remote.data?.['ca.crt'];
  if (found !== undefined) return Buffer.from(found, 'base64').toString('utf8');
  const why = ca
    ? `secret "${CA_SECRET}" does not contain the CA certificate`
    : `get secret "${CA_SECRET}" to retrieve CA: secrets "${CA_SECRET}" not found`;
  throw new UserError(`unable to retrieve the CA certificate: ${why}`);
}

async function remoteSecret(client: KubeClient, namespace: string, log: Log): Promise<SecretObject> {
  const [wanted] = REMOTE_SECRETS;
  for (const [i, name] of REMOTE_SECRETS.entries()) {
    const secret = await client
      .find<SecretObject>({ path: pathIn(namespace, 'secrets', name) })
      .catch(prefixed(`unable to get client secret to access clustermesh service: get secret "${name}"`));
    if (secret && name !== wanted)
      await log(`⚠️ Deprecated secret name "${name}", should be changed to "${wanted}"`);
    if (secret) return secret;
    const next = REMOTE_SECRETS[i + 1];
    if (next !== undefined) await log(`Trying to get secret ${name} by deprecated name ${next}`);
  }
  throw new UserError(
    `unable to get client secret to access clustermesh service: unable to get secret "${REMOTE_SECRETS.at(-1)}" and no deprecated names to try`,
  );
}

/** The files of a Secret of the mesh; none where it is not there, since no cluster has been connected yet. */
export async function meshFiles(
  client: KubeClient,
  namespace: string,
  name: string,
): Promise<Record<string, string>> {
  const secret = await client
    .find<SecretObject>({ path: pathIn(namespace, 'secrets', name) })
    .catch(prefixed('unable to retrieve configuration'));
  return Object.fromEntries(
    Object.entries(secret?.data ?? {}).map(([file, text]) => [
      file,
      Buffer.from(text, 'base64').toString('utf8'),
    ]),
  );
}

/** A node, where it is, and the addresses of its pods. */
export interface ListedNode {
  name: string;
  addresses: { type?: string; address?: string }[];
  podCIDRs: string[];
}

/** The nodes of a cluster, in the order in which the API server has them. */
export function meshNodes(client: KubeClient): Promise<ListedNode[]> {
  type NodeObject = KubeObject & {
    spec?: { podCIDRs?: string[] };
    status?: { addresses?: ListedNode['addresses'] };
  };
  return listAll<NodeObject, ListedNode>(client, '/api/v1/nodes', {}, ({ metadata, spec, status }) => ({
    name: metadata?.name ?? '',
    addresses: status?.addresses ?? [],
    podCIDRs: spec?.podCIDRs ?? [],
  })).catch(prefixed('unable to list nodes in cluster'));
}

/** The prefixes that the nodes of a cluster give their pods addresses from, as Cilium has them. */
export function podPrefixes(client: KubeClient): Promise<{ node: string; prefix: string }[]> {
  type CiliumNode = KubeObject & { spec?: { ipam?: { podCIDRs?: string[] } } };
  return listAll<CiliumNode, { node: string; prefix: string }[]>(
    client,
    '/apis/cilium.io/v2/ciliumnodes',
    {},
    ({ metadata, spec }) =>
      (spec?.ipam?.podCIDRs ?? []).map((prefix) => ({ node: metadata?.name ?? '', prefix })),
  ).then((lists) => lists.flat());
}

interface DeploymentObject extends KubeObject {
  spec?: { template?: { spec?: { containers?: { name?: string }[] } } };
  status?: {
    observedGeneration?: number;
    replicas?: number;
    availableReplicas?: number;
    readyReplicas?: number;
    updatedReplicas?: number;
  };
}

/** The Deployment of the mesh's API server: why it is not ready, undefined when it is; and whether it has KVStoreMesh. */
export async function meshDeployment(
  client: KubeClient,
  namespace: string,
): Promise<{ trouble: string | undefined; hasKvstoremesh: boolean }> {
  const path = pathIn(namespace, 'apps/v1/deployments', MESH.deployment);
  const { metadata, spec, status = {} } = await client.json<DeploymentObject>({ path });
  const {
    observedGeneration = 0,
    replicas = 0,
    availableReplicas: available = 0,
    readyReplicas: ready = 0,
    updatedReplicas: updated = 0,
  } = status;
  const generation = metadata?.generation ?? 0;
  const trouble =
    observedGeneration !== generation
      ? `observed generation (${observedGeneration}) is older than generation of the desired state (${generation})`
      : replicas === 0
        ? 'replicas count is zero'
        : available !== replicas
          ? `only ${available} of ${replicas} replicas are available`
          : ready !== replicas
            ? `only ${ready} of ${replicas} replicas are ready`
            : updated !== replicas
              ? `only ${updated} of ${replicas} replicas are up-to-date`
              : undefined;
  const containers = spec?.template?.spec?.containers ?? [];
  return { trouble, hasKvstoremesh: containers.some(({ name }) => name === MESH.kvstoremesh) };
}
