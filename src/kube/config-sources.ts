import type { CoreV1Api, CustomObjectsApi } from '@kubernetes/client-node';
import { UserError } from '../errors.ts';
import { compareBytes } from '../lib/order.ts';
import { accepts, type LabelSelector, termsOf } from '../model/selector.ts';
import { found } from './answer.ts';
import { loadKubeConfig } from './config.ts';

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
export interface ConfigReader {
  /** Undefined when the source does not exist. Notes go to `note`. */
  read(source: ConfigSource): Promise<ConfigValues | undefined>;
}

/** Annotations and labels of a node that hold configuration start with this. */
const NODE_PREFIX = 'config.cilium.io/';
const NODE_CONFIG_VERSIONS = ['v2', 'v2alpha1'];
const KEY = /^[-._a-zA-Z0-9]+$/;

interface NodeConfig {
  metadata?: { name?: string };
  spec?: { defaults?: Record<string, string>; nodeSelector?: LabelSelector };
}

/** Connects to the cluster that the kubeconfig or the pod's service account names. */
export async function connectConfigReader(options: {
  env: Readonly<Record<string, string | undefined>>;
  kubeconfig?: string | undefined;
  server?: string | undefined;
  nodeName: string;
  note: (text: string) => Promise<void>;
}): Promise<ConfigReader> {
  const config = await loadKubeConfig(options.env, options);
  const { CoreV1Api: Core, CustomObjectsApi: Custom } = await import('@kubernetes/client-node');
  const core = config.makeApiClient(Core);
  const custom = config.makeApiClient(Custom);
  const { nodeName, note } = options;
  return {
    read: (source) => {
      if (source.kind === 'config-map') return readConfigMap(core, source);
      if (source.kind === 'node') return readNode(core, source, note);
      return readNodeConfigs(core, custom, source, nodeName, note);
    },
  };
}

async function readConfigMap(core: CoreV1Api, source: ConfigSource): Promise<ConfigValues | undefined> {
  const { namespace, name } = source;
  const map = await found(
    core.readNamespacedConfigMap({ name, namespace }),
    `ConfigMap ${namespace}/${name}`,
  );
  return map && { from: [source], values: map.data ?? {} };
}

async function readNode(
  core: CoreV1Api,
  source: ConfigSource,
  note: (text: string) => Promise<void>,
): Promise<ConfigValues> {
  const node = await found(core.readNode({ name: source.name }), `Node ${source.name}`);
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
  core: CoreV1Api,
  custom: CustomObjectsApi,
  source: ConfigSource,
  nodeName: string,
  note: (text: string) => Promise<void>,
): Promise<ConfigValues | undefined> {
  const matching = await listNodeConfigs(custom, source);
  if (matching.length === 0) return undefined;
  const node = await found(core.readNode({ name: nodeName }), `Node ${nodeName}`);
  if (!node)
    throw new UserError(`Node ${nodeName || '""'}: not found`, {
      hint: 'Name the node with --node-name or K8S_NODE_NAME.',
    });
  const labels = node.metadata?.labels ?? {};
  const from: ConfigSource[] = [];
  const values: Record<string, string> = {};
  // Within one source the names decide: the last one wins.
  for (const { metadata, spec } of matching.toSorted((a, b) => compareBytes(nameOf(a), nameOf(b)))) {
    const entries = Object.entries(spec?.defaults ?? {});
    if (entries.length === 0) continue;
    if (source.name === '' && !(spec?.nodeSelector && selects(spec.nodeSelector, labels))) continue;
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

/** Objects of the newest version of the resource that holds any. */
async function listNodeConfigs(custom: CustomObjectsApi, source: ConfigSource): Promise<NodeConfig[]> {
  const { namespace, name } = source;
  for (const version of NODE_CONFIG_VERSIONS) {
    const where = { group: 'cilium.io', version, namespace, plural: 'ciliumnodeconfigs' };
    const what = `CiliumNodeConfigs (${version}) in ${namespace}`;
    const answer: unknown = name
      ? await found(custom.getNamespacedCustomObject({ ...where, name }), what)
      : await found(custom.listNamespacedCustomObject(where), what);
    if (answer === undefined) continue;
    const items = name ? [answer as NodeConfig] : ((answer as { items?: NodeConfig[] }).items ?? []);
    if (items.length > 0) return items;
  }
  return [];
}

function selects(selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  return termsOf(selector).every((term) => accepts(term, labels[term.name]));
}
