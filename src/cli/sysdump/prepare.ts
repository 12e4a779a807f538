import { detectFeatures, featuresText } from '../../cluster/sysdump/features.ts';
import type { DumpOptions } from '../../cluster/sysdump/options.ts';
import { UserError } from '../../errors.ts';
import { type KubeClient, type KubeObject, KubeRefusal, wordsOf } from '../../kube/client.ts';
import { configMapPath } from '../../kube/config-map.ts';
import { listAll } from '../../kube/pages.ts';
import { parseQuantity } from '../../lib/quantity.ts';
import type { NodeFacts, Place } from './place.ts';

/** Where Cilium usually is. */
const NAMESPACES = ['kube-system', 'cilium'];
const SPIRE_NAMESPACES = [...NAMESPACES, 'cilium-spire'];
const MANY_NODES = 20;
const ABORT_MS = 5000;
/** Without a word these are a year and a GiB. */
export const DEFAULT_SINCE_MS = 8760 * 3_600_000;
export const DEFAULT_LOG_BYTES = 1024 ** 3;

/** What is found out before anything is collected. */
export type Findings = Pick<Place, 'namespaces' | 'nodes' | 'chosen' | 'config' | 'features'> & {
  /** Why the nodes are not known, where they are not. */
  nodesUnread?: string;
};

/** Finds Cilium, the nodes and what is turned on, and says it as cilium-cli does. */
export async function prepare(
  client: KubeClient,
  options: DumpOptions,
  say: (line: string) => void,
  sleep: (ms: number) => Promise<void>,
): Promise<Findings> {
  const namespaces = await findNamespaces(client, options, say);
  say('🔍 Collecting Kubernetes nodes');
  const { nodes, nodesUnread } = await readNodes(client);
  if (nodes.length === 0 && nodesUnread === undefined)
    throw new UserError('failed to create sysdump collector: no nodes found in the current cluster');
  if (nodes.length > MANY_NODES && !isNarrowed(options)) {
    for (const line of largeWarning(nodes.length)) say(`⚠️ ${line}`);
    await sleep(ABORT_MS);
  }
  const chosen = chosenNodes(nodes, options.nodeList);
  const config = await readConfig(client, namespaces.cilium);
  const features = detectFeatures(config?.data ?? {});
  if (config) say(`🔮 Detected Cilium features: ${featuresText(features)}`);
  else say(`ℹ️  cilium-config ConfigMap not found in ${namespaces.cilium} namespace`);
  return { namespaces, nodes, chosen, config, features, ...(nodesUnread !== undefined && { nodesUnread }) };
}

async function findNamespaces(
  client: KubeClient,
  options: DumpOptions,
  say: (line: string) => void,
): Promise<Place['namespaces']> {
  const namespaces: Place['namespaces'] = {
    'kube-system': 'kube-system',
    tetragon: options.tetragonNamespace,
  };
  const q = JSON.stringify;
  const { ciliumNamespace, ciliumOperatorNamespace, ciliumSpireNamespace } = options;
  const cilium = ciliumNamespace ?? (await find(client, 'daemonsets', options.ciliumDaemonSetLabelSelector));
  if (ciliumNamespace !== undefined) say(`ℹ️  Cilium namespace: ${cilium}`);
  else if (cilium !== undefined) say(`🔮 Detected Cilium installation in namespace: ${q(cilium)}`);
  else say('⚠️ Failed to detect Cilium installation');
  const operator =
    ciliumOperatorNamespace ??
    (await find(client, 'deployments', options.ciliumOperatorLabelSelector, cilium));
  if (ciliumOperatorNamespace !== undefined) say(`ℹ️  Cilium operator namespace: ${operator}`);
  else if (operator !== undefined) say(`🔮 Detected Cilium operator in namespace: ${q(operator)}`);
  else say('⚠️ Failed to detect Cilium operator');
  for (const [of, given] of [
    ['Cilium', options.ciliumHelmReleaseName],
    ['Tetragon', options.tetragonHelmReleaseName],
  ] as const)
    say(
      given === undefined
        ? `ℹ️ Using default ${of} Helm release name: ${q(of.toLowerCase())}`
        : `ℹ️ ${of} Helm release name: ${q(given)}`,
    );
  const spire = ciliumSpireNamespace ?? (await findSpire(client));
  if (ciliumSpireNamespace !== undefined) say(`ℹ️  Cilium SPIRE namespace: ${q(spire)}`);
  else if (spire !== undefined) say(`🔮 Detected Cilium SPIRE installation in namespace: ${q(spire)}`);
  else if (operator !== undefined)
    say(
      `ℹ️ Failed to detect Cilium SPIRE installation - using Cilium namespace as Cilium SPIRE namespace: ${q(operator)}`,
    );
  const found = { cilium, operator, spire: spire ?? operator };
  for (const [scope, namespace] of Object.entries(found))
    if (namespace !== undefined) namespaces[scope as 'cilium'] = namespace;
  return namespaces;
}

/** The namespace of workloads with these labels: one of the usual ones, else the only one that has any. */
async function find(
  client: KubeClient,
  plural: string,
  labelSelector: string,
  first?: string,
): Promise<string | undefined> {
  const found = await refusable(() =>
    listAll<KubeObject, string>(
      client,
      `/apis/apps/v1/${plural}`,
      { labelSelector },
      ({ metadata }) => metadata?.namespace,
    ),
  );
  // Who may not list all may look into the usual ones.
  if (found === undefined) return first ?? (await firstWith(client, plural, labelSelector));
  const usual = [first, ...NAMESPACES].find((one) => one !== undefined && found.includes(one));
  if (usual !== undefined) return usual;
  const all = [...new Set(found)];
  return all.length === 1 ? all[0] : undefined;
}

async function firstWith(
  client: KubeClient,
  plural: string,
  labelSelector: string,
): Promise<string | undefined> {
  for (const namespace of NAMESPACES) {
    const path = `/apis/apps/v1/namespaces/${namespace}/${plural}`;
    const found = await refusable(() =>
      client.json<{ items?: unknown[] }>({ path, query: { labelSelector, limit: 1 } }),
    );
    if (found?.items?.length) return namespace;
  }
  return undefined;
}

async function findSpire(client: KubeClient): Promise<string | undefined> {
  for (const namespace of SPIRE_NAMESPACES) {
    const path = `/apis/apps/v1/namespaces/${namespace}/statefulsets/spire-server`;
    if (await refusable(() => client.find({ path }))) return namespace;
  }
  return undefined;
}

/** Undefined where it is not allowed, or the cluster does not have it. */
async function refusable<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof KubeRefusal && [403, 404].includes(error.code)) return undefined;
    throw error;
  }
}

interface Node extends KubeObject {
  spec?: { providerID?: unknown };
  status?: { addresses?: { address?: string }[]; allocatable?: { cpu?: string; memory?: string } };
}

async function readNodes(client: KubeClient): Promise<{ nodes: NodeFacts[]; nodesUnread?: string }> {
  try {
    const nodes = await listAll<Node, NodeFacts>(
      client,
      '/api/v1/nodes',
      { limit: 100 },
      ({ metadata, spec, status }) => ({
        name: metadata?.name ?? '',
        addresses: (status?.addresses ?? []).map(({ address = '' }) => address),
        provider: typeof spec?.providerID === 'string' ? spec.providerID : '',
        cpu: parseQuantity(status?.allocatable?.cpu ?? ''),
        memory: parseQuantity(status?.allocatable?.memory ?? ''),
        labels: metadata?.labels ?? {},
      }),
    );
    return { nodes };
  } catch (error) {
    if (!(error instanceof KubeRefusal)) throw error;
    return { nodes: [], nodesUnread: wordsOf(error) };
  }
}

async function readConfig(client: KubeClient, namespace: string | undefined): Promise<Place['config']> {
  if (namespace === undefined) return undefined;
  const path = configMapPath(namespace);
  const object = await refusable(() => client.find<KubeObject & { data?: Record<string, string> }>({ path }));
  return object && { object, data: object.data ?? {} };
}

function isNarrowed({
  nodeList,
  logsLimitBytes,
  logsSinceTime,
  since,
  maxSize,
  quick,
}: DumpOptions): boolean {
  const isLog = logsLimitBytes !== DEFAULT_LOG_BYTES || logsSinceTime !== DEFAULT_SINCE_MS;
  return nodeList !== '' || isLog || since !== undefined || maxSize !== undefined || quick;
}

function largeWarning(nodes: number): string[] {
  return [
    `Detected a large cluster (${nodes} nodes, threshold is ${MANY_NODES})`,
    'Consider using a node filter (--node-list option, default=""),',
    'a custom log size limit (--logs-limit-bytes option, default=1GiB)',
    'and/or a custom log time range (--logs-since-time option, default=1y)',
    'to decrease the size of the sysdump',
    `Waiting for ${ABORT_MS / 1000}s before continuing, press control+c to abort and adjust your options`,
  ];
}

/** The nodes that a list of names and addresses means. Throws UserError where one is of none. */
function chosenNodes(nodes: readonly NodeFacts[], list: string): ReadonlySet<string> | undefined {
  const wanted = list
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
  if (wanted.length === 0) return undefined;
  const found = wanted.map((word) =>
    nodes.find(({ name, addresses }) => name === word || addresses.includes(word)),
  );
  const unknown = wanted.filter((_, i) => found[i] === undefined);
  // Where the nodes may not be listed, names are taken as they are.
  if (nodes.length === 0) return new Set(wanted);
  if (unknown.length > 0)
    throw new UserError(`the cluster has no node ${unknown.join(', ')}`, {
      hint: 'Its nodes: kubectl get nodes -o wide',
    });
  return new Set(found.flatMap((node) => (node ? [node.name] : [])));
}
