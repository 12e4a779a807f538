/** Parts of a sysdump that can be chosen by `--only` and `--skip`, each with what it holds. */
const GROUPS = {
  kubernetes: 'nodes, namespaces, pods, services, events and the like',
  cilium: "Cilium's objects: policies, endpoints, identities, nodes, pools",
  bgp: 'objects of the BGP control plane',
  envoy: 'Envoy configurations',
  gateway: 'objects of the Gateway API',
  workloads: "Cilium's DaemonSets, Deployments, CronJobs and ConfigMaps",
  helm: 'values and metadata of the Helm releases',
  agents: 'what the API of each agent answers, and its BPF maps',
  bugtool: 'cilium-bugtool of each agent',
  flows: 'flows that the agents remember',
  gops: 'statistics of the Go programs',
  profiles: 'profiles and traces of the Go programs',
  cni: 'CNI configuration of the nodes',
  logs: 'logs of all parts of Cilium',
  metrics: 'metrics of the operator and the Cluster Mesh API server',
  operator: 'state of the operators',
  clustermesh: 'state of the Cluster Mesh API server',
  kvstore: 'keys in etcd, where Cilium keeps its state there',
  spire: 'SPIRE server and agents',
  platform: 'what the cloud provider adds',
  tetragon: 'Tetragon',
} as const;
export type Group = keyof typeof GROUPS;
export const GROUP_NAMES = Object.keys(GROUPS) as Group[];

/** Labels by which pods and workloads are found; the names of flags. */
export interface Selectors {
  ciliumLabelSelector: string;
  ciliumDaemonSetLabelSelector: string;
  ciliumEnvoyLabelSelector: string;
  ciliumOperatorLabelSelector: string;
  clustermeshApiserverLabelSelector: string;
  clustermeshGenerateCertsLabelSelector: string;
  ciliumNodeInitSelector: string;
  ciliumSpireAgentSelector: string;
  ciliumSpireServerSelector: string;
  hubbleLabelSelector: string;
  hubbleRelayLabels: string;
  hubbleUiLabels: string;
  hubbleGenerateCertsLabels: string;
  tetragonLabelSelector: string;
  tetragonOperatorLabelSelector: string;
}

/** What a sysdump is asked for. */
export interface DumpOptions extends Selectors {
  /** Looked for when absent. */
  ciliumNamespace?: string;
  ciliumOperatorNamespace?: string;
  ciliumSpireNamespace?: string;
  tetragonNamespace: string;
  ciliumHelmReleaseName?: string;
  tetragonHelmReleaseName?: string;
  extraLabelSelectors: string[];
  collectLogsFromNotReadyAgents: boolean;
  profiling: boolean;
  tracing: boolean;
  debug: boolean;
  detectGopsPid: boolean;
  hubbleFlowsCount: number;
  hubbleFlowsTimeout: number;
  logsLimitBytes: number;
  logsSinceTime: number;
  /** Names or addresses; empty means all. */
  nodeList: string;
  outputFilename: string;
  quick: boolean;
  workerCount: number;
  ciliumBugtoolFlags: string[];
  cniConfigDirectory: string;
  cniConfigmapName: string;
  copyRetryLimit: number;
  only: Group[];
  skip: Group[];
  /** Of events and logs, in milliseconds. */
  since?: number;
  estimate: boolean;
  /** Of logs, in bytes. */
  maxSize?: number;
  redact: boolean;
  /** What one command or one agent may take, in milliseconds. */
  nodeTimeout: number;
}

/** Whether something is collected. */
export function isWanted(
  { only, skip, quick }: Pick<DumpOptions, 'only' | 'skip' | 'quick'>,
  item: { group: Group; quick: boolean },
): boolean {
  if (quick && !item.quick) return false;
  return (only.length === 0 || only.includes(item.group)) && !skip.includes(item.group);
}

/** Parses a size such as `500Mi`, `2G` or `1048576`; undefined when it is none. */
export function parseSize(text: string): number | undefined {
  const parts = /^(\d+(?:\.\d+)?)\s*(?:(k|m|g|t)(i)?)?b?$/i.exec(text.trim());
  if (!parts) return undefined;
  const [, number = '', unit = '', binary] = parts;
  const base = binary ? 1024 : 1000;
  return Math.round(Number(number) * base ** ['', 'k', 'm', 'g', 't'].indexOf(unit.toLowerCase()));
}
