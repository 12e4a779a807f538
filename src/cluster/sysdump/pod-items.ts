/** A command in a container and the end of the name of the file that holds what it prints. */
export interface PodCommand {
  what: string;
  extension: string;
  argv: readonly string[];
}

const words = (text: string) => text.split(' ');

/** What an operator is asked; the program comes before it, as its container starts it. */
export const OPERATOR_COMMANDS: readonly PodCommand[] = [
  { what: 'statedb-dump', extension: 'json', argv: words('shell db/dump') },
  { what: 'status-clustermesh', extension: 'txt', argv: words('status clustermesh') },
  { what: 'troubleshoot-kvstore', extension: 'txt', argv: words('troubleshoot kvstore') },
  { what: 'troubleshoot-clustermesh', extension: 'txt', argv: words('troubleshoot clustermesh') },
  // Of ours alone.
  { what: 'features', extension: 'json', argv: words('metrics list -p cilium_.*feature -o json') },
];
export const OPERATOR_PROGRAM = 'cilium-operator-generic';

/** What the containers of the Cluster Mesh API server are asked. */
export const CLUSTERMESH_CONTAINERS: readonly {
  container: string;
  program: string;
  metricsPort: string;
  commands: readonly PodCommand[];
}[] = [
  {
    container: 'apiserver',
    program: '/usr/bin/clustermesh-apiserver',
    metricsPort: 'apiserv-metrics',
    commands: [
      { what: 'version', extension: 'txt', argv: ['version'] },
      { what: 'troubleshoot', extension: 'txt', argv: words('clustermesh-dbg troubleshoot') },
      { what: 'statedb-dump', extension: 'json', argv: words('shell db/dump') },
      { what: 'kvstore-list', extension: 'txt', argv: words('shell kvstore/list') },
    ],
  },
  {
    container: 'kvstoremesh',
    program: '/usr/bin/clustermesh-apiserver',
    metricsPort: 'kvmesh-metrics',
    commands: [
      { what: 'version', extension: 'txt', argv: ['version'] },
      { what: 'status', extension: 'txt', argv: words('kvstoremesh-dbg status --verbose') },
      { what: 'status', extension: 'json', argv: words('kvstoremesh-dbg status -o json') },
      { what: 'troubleshoot', extension: 'txt', argv: words('kvstoremesh-dbg troubleshoot --include-local') },
      { what: 'statedb-dump', extension: 'json', argv: words('shell db/dump') },
      { what: 'kvstore-list', extension: 'txt', argv: words('shell kvstore/list') },
    ],
  },
  { container: 'etcd', program: '', metricsPort: 'etcd-metrics', commands: [] },
];

export const GOPS_PROGRAMS = ['/usr/bin/gops', '/bin/gops'] as const;
export const GOPS_STATS = ['memstats', 'stack', 'stats'] as const;
export const GOPS_PROFILES = ['pprof-heap', 'pprof-cpu'] as const;

/** Process of a Go program that is not this one: the row that gops marks. */
export function gopsProcess(listing: string): string | undefined {
  return /^(\d+).*\*/m.exec(listing)?.[1];
}

/** Where gops says that it put a profile or a trace. */
export function savedAt(output: string): string | undefined {
  return /saved to: (.*)/.exec(output)?.[1]?.trim() || undefined;
}

/** Where cilium-bugtool says that its archive is. */
export function bugtoolArchive(output: string): string | undefined {
  return /GZIP at (.*)\n/.exec(output)?.[1]?.trim() || undefined;
}

/** Prefixes in etcd and the files that hold what is below them. */
export const KVSTORE_PREFIXES: Readonly<Record<string, string>> = {
  identities: 'cilium/state/identities',
  ips: 'cilium/state/ip',
  nodes: 'cilium/state/nodes',
  cnpstatuses: 'cilium/state/cnpstatuses',
  heartbeat: 'cilium/.heartbeat',
  services: 'cilium/state/services',
};

/** Whether a program said that it does not know the words: an older release. */
export function isUnknownCommand(stderr: string): boolean {
  return /Usage:|unknown command/.test(stderr);
}
