import { UserError } from '../errors.ts';
import { compareBytes } from '../lib/order.ts';
import { type LabelSelector, selectsLabels } from '../model/selector.ts';
import { KubeClient, type KubeObject, type KubeOptions } from './client.ts';
import { listOf, NODE_CONFIG } from './forms.ts';
import { pathIn } from './paths.ts';

/** Where a part of the agent's configuration comes from. */
export interface ConfigSource {
  kind: 'config-map' | 'cilium-node-config' | 'node';
  namespace: string;
  /** Empty for all node configurations of the namespace. */
  name: string;
}

/** Where the values of one source came from, and the values. */
export interface ConfigValues {
  from: ConfigSource[];
  values: Record<string, string>;
}

/** Reads sources through the Kubernetes API. */
export interface ConfigReader extends AsyncDisposable {
  /** Undefined when the source does not exist. Notes go to `note`. */
  read(source: ConfigSource): Promise<ConfigValues | undefined>;
}

/** Annotations and labels of a node that hold configuration start with this. */
const NODE_PREFIX = 'config.cilium.io/';
const NODE_CONFIG_VERSIONS = ['v2', 'v2alpha1'];
const KEY = /^[-._a-zA-Z0-9]+$/;

/** A CiliumNodeConfig, as far as it is looked at. */
export interface NodeConfig extends KubeObject {
  spec?: { defaults?: Record<string, string>; nodeSelector?: LabelSelector };
}

/** Connects to the cluster that the kubeconfig or the pod's service account names. */
export async function connectConfigReader(
  options: KubeOptions & { nodeName: string; note: (text: string) => Promise<void> },
): Promise<ConfigReader> {
  const client = await KubeClient.open(options);
  const { nodeName, note } = options;
  return {
    read: (source) => {
      if (source.kind === 'config-map') return readConfigMap(client, source);
      if (source.kind === 'node') return readNode(client, source, note);
      return readNodeConfigs(client, source, nodeName, note);
    },
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

async function readConfigMap(client: KubeClient, source: ConfigSource): Promise<ConfigValues | undefined> {
  const { namespace, name } = source;
  const map = await client.find<{ data?: Record<string, string> }>({
    path: pathIn(namespace, 'configmaps', name),
  });
  return map && { from: [source], values: map.data ?? {} };
}

async function readNode(
  client: KubeClient,
  source: ConfigSource,
  note: (text: string) => Promise<void>,
): Promise<ConfigValues> {
  const node = await findNode(client, source.name);
  if (!node) throw new UserError(`Node ${source.name}: not found`);
  const values: Record<string, string> = {};
  const pairs = { ...node.metadata?.labels, ...node.metadata?.annotations };
  for (const [name, value] of Object.entries(pairs)) {
    if (!name.startsWith(NODE_PREFIX)) continue;
    const key = name.slice(NODE_PREFIX.length);
    if (KEY.test(key)) values[key] = value;
    else await note(`Node ${source.name}: "${name}" does not name a configuration key: left out`);
  }
  return { from: Object.keys(values).length > 0 ? [source] : [], values };
}

async function readNodeConfigs(
  client: KubeClient,
  source: ConfigSource,
  nodeName: string,
  note: (text: string) => Promise<void>,
): Promise<ConfigValues | undefined> {
  const matching = await listNodeConfigs(client, source);
  if (matching.length === 0) return undefined;
  const node = await findNode(client, nodeName);
  if (!node)
    throw new UserError(`Node ${nodeName || '""'}: not found`, {
      hint: 'Name the node with --node-name or K8S_NODE_NAME.',
    });
  return mergeNodeConfigs(matching, node.metadata?.labels ?? {}, source, note);
}

/** The values that a node with these labels takes from node configurations. */
export async function mergeNodeConfigs(
  configs: readonly NodeConfig[],
  labels: Readonly<Record<string, string>>,
  source: ConfigSource,
  note: (text: string) => Promise<void>,
): Promise<ConfigValues> {
  const from: ConfigSource[] = [];
  const values: Record<string, string> = {};
  // Within one source the names decide: the last one wins.
  for (const { metadata, spec } of configs.toSorted((a, b) => compareBytes(nameOf(a), nameOf(b)))) {
    const entries = Object.entries(spec?.defaults ?? {});
    if (entries.length === 0) continue;
    if (source.name === '' && !(spec?.nodeSelector && selectsLabels(spec.nodeSelector, labels))) continue;
    from.push({ ...source, name: metadata?.name ?? '' });
    for (const [key, value] of entries) {
      if (!KEY.test(key)) await note(`CiliumNodeConfig ${metadata?.name}: "${key}" is no key: left out`);
      else {
        if (Object.hasOwn(values, key)) await note(`${key} is set by more than one CiliumNodeConfig`);
        values[key] = String(value);
      }
    }
  }
  return { from, values };
}

function nameOf({ metadata }: NodeConfig): string {
  return metadata?.name ?? '';
}

function findNode(client: KubeClient, name: string): Promise<KubeObject | undefined> {
  return client.find<KubeObject>({ path: `/api/v1/nodes/${encodeURIComponent(name)}` });
}

/** Objects of the newest version of the resource that holds any. */
export async function listNodeConfigs(client: KubeClient, source: ConfigSource): Promise<NodeConfig[]> {
  const { namespace, name } = source;
  for (const version of NODE_CONFIG_VERSIONS) {
    const path = `/apis/cilium.io/${version}/namespaces/${encodeURIComponent(namespace)}/ciliumnodeconfigs`;
    const answer = await client.find<NodeConfig | { items?: NodeConfig[] }>({
      path: name ? `${path}/${encodeURIComponent(name)}` : path,
      form: name ? NODE_CONFIG : listOf(NODE_CONFIG),
    });
    if (answer === undefined) continue;
    const items = name ? [answer as NodeConfig] : ((answer as { items?: NodeConfig[] }).items ?? []);
    if (items.length > 0) return items;
  }
  return [];
}
