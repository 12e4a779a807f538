import {
  type ClusterHealth,
  isHealthyNode,
  type ModuleReport,
  type NodeHealth,
  pathsOf,
} from '../model/health.ts';
import { PROBLEM_LEVELS, type Problem, type ProblemLevel } from '../model/problem.ts';
import type { AgentStatus, ComponentState } from '../model/status.ts';

/** What is known beside the status; undefined where nothing was asked. */
export interface KnownHealth {
  cluster?: ClusterHealth | undefined;
  modules?: readonly ModuleReport[] | undefined;
  /** Why one of them is missing although it was asked for. */
  missing?: readonly { what: string; why: string }[];
}

/** A controller that failed this often in a row does not recover by itself. */
const STUCK_FAILURES = 5;
/** From this share of its addresses on a pool is nearly empty. */
const NEARLY_USED = 0.9;

const COMPONENTS: readonly {
  key:
    | 'kvstore'
    | 'containerRuntime'
    | 'kubernetes'
    | 'cilium'
    | 'cniFile'
    | 'healthDaemon'
    | 'hubble'
    | 'hubbleMetrics';
  area: string;
  next: string;
}[] = [
  {
    key: 'kvstore',
    area: 'kvstore',
    next: 'Check from this node that the endpoints in the message answer: cilium troubleshoot kvstore',
  },
  {
    key: 'containerRuntime',
    area: 'container runtime',
    next: 'Check that the runtime runs and that the agent may read its socket.',
  },
  {
    key: 'kubernetes',
    area: 'kubernetes',
    next: "Check that this node reaches the API server, and the agent's log for what it could not read.",
  },
  {
    key: 'cilium',
    area: 'cilium',
    next: 'Read the agent\'s log on this node; "cilium statedb health" names the module.',
  },
  {
    key: 'cniFile',
    area: 'cni',
    next: 'Check that the agent may write the CNI configuration of this node (/etc/cni/net.d).',
  },
  {
    key: 'healthDaemon',
    area: 'cilium-health',
    next: "Look for cilium-health in the agent's log: other nodes are not probed.",
  },
  { key: 'hubble', area: 'hubble', next: "Flows are not recorded: look for hubble in the agent's log." },
  {
    key: 'hubbleMetrics',
    area: 'hubble metrics',
    next: 'Check the metrics in hubble-metrics, which "cilium config view" shows, and the log of the agent.',
  },
];

/** Parts that every agent since 1.9 reports; those of `brief` are in a brief status too. */
const MAIN_PARTS: readonly { key: keyof AgentStatus; area: string; brief: boolean }[] = [
  { key: 'cilium', area: 'cilium', brief: true },
  { key: 'kvstore', area: 'kvstore', brief: false },
  { key: 'kubernetes', area: 'kubernetes', brief: false },
  { key: 'ipam', area: 'ipam', brief: false },
  { key: 'controllers', area: 'controllers', brief: false },
  { key: 'hubble', area: 'hubble', brief: false },
];

/**
 * Everything that is wrong, the worst first, otherwise in the order of the status. Without `known` the status is a
 * brief one.
 */
export function findProblems(status: AgentStatus, health: KnownHealth | undefined): Problem[] {
  const known = health ?? {};
  const problems = [
    ...absentParts(status, health === undefined),
    ...COMPONENTS.flatMap(({ key, area, next }) => component(status[key], area, next)),
    ...staleProbes(status),
    ...lostEvents(status),
    ...pools(status),
    ...controllers(status),
    ...clusters(status),
    ...(known.cluster?.nodes ?? []).flatMap(nodeProblem),
    ...(known.modules ?? []).flatMap(moduleProblem),
    ...(known.missing ?? []).map(
      ({ what, why }): Problem => ({
        level: 'warning',
        area: what,
        subject: '',
        message: `not known: ${why}`,
        next: 'The agent may be starting; ask again in a minute, or with a longer --timeout.',
      }),
    ),
  ];
  const rank = (level: ProblemLevel) => PROBLEM_LEVELS.indexOf(level);
  return problems.toSorted((a, b) => rank(b.level) - rank(a.level));
}

function absentParts(status: AgentStatus, brief: boolean): Problem[] {
  return MAIN_PARTS.filter((part) => status[part.key] === undefined && (part.brief || !brief)).map(
    ({ area }) => notKnown(area, 'the answer does not have this part'),
  );
}

function notKnown(area: string, why: string): Problem {
  return {
    level: 'unknown',
    area,
    subject: '',
    message: `not known: ${why}`,
    next: 'Check that this is the socket of a Cilium agent: "cilium status -o json" prints the answer as it came.',
  };
}

/** States that say nothing is wrong. */
const WELL: ReadonlySet<string> = new Set(['Ok', 'Disabled']);

function component(state: ComponentState | undefined, area: string, next: string): Problem[] {
  if (!state || WELL.has(state.state)) return [];
  if (state.state !== 'Warning' && state.state !== 'Failure')
    return [notKnown(area, state.state ? `its state is "${state.state}"` : 'it has no state')];
  const level = state.state === 'Failure' ? 'degraded' : 'warning';
  return [{ level, area, subject: '', message: state.message || state.state, next }];
}

function staleProbes({ stale = [] }: AgentStatus): Problem[] {
  return stale.map(([probe, since]) => ({
    level: 'warning',
    area: 'stale status',
    subject: probe,
    message: `the agent has no newer answer than that of ${since}`,
    next: 'What the probe asks hangs: "cilium debuginfo --file" keeps the state of the agent for a report.',
  }));
}

function lostEvents({ nodeMonitor }: AgentStatus): Problem[] {
  if (!nodeMonitor || nodeMonitor.lost === 0) return [];
  const pages = nodeMonitor.pages * 2 || 128;
  return [
    {
      level: 'warning',
      area: 'monitor',
      subject: '',
      message: `${nodeMonitor.lost} events lost: the ring buffer was full`,
      next: `Give it more pages: cilium config --num-pages ${pages}`,
    },
  ];
}

/** `IPv4: 250/254 allocated from 10.0.0.0/24, IPv6: …` */
function pools({ ipam }: AgentStatus): Problem[] {
  const found: Problem[] = [];
  for (const [, family = '', used = '', total = ''] of (ipam?.status ?? '').matchAll(
    /(IPv[46]): (\d+)\/(\d+)/g,
  )) {
    const share = Number(used) / Number(total);
    if (!(share >= NEARLY_USED)) continue;
    found.push({
      level: share >= 1 ? 'degraded' : 'warning',
      area: 'ipam',
      subject: family,
      message: `${used} of ${total} addresses of this node are taken`,
      next: 'New pods get no address when none is left: remove pods, or give the node a larger or a further pod CIDR.',
    });
  }
  return found;
}

function controllers({ controllers: list = [] }: AgentStatus): Problem[] {
  return list.flatMap(({ name, run }): Problem[] => {
    if (!run || run.consecutiveFailures === 0) return [];
    const times = run.consecutiveFailures === 1 ? 'once' : `${run.consecutiveFailures} times in a row`;
    return [
      {
        level: run.consecutiveFailures >= STUCK_FAILURES ? 'degraded' : 'warning',
        area: 'controller',
        subject: name,
        message: `failed ${times}: ${run.lastFailureMessage || 'no reason given'}`,
        next: controllerAdvice(name),
      },
    ];
  });
}

/** The controllers of an endpoint, by its number, as `endpoint-1756-regeneration-recovery` or `sync-policymap-1756`. */
const OF_ENDPOINT =
  /^(?:endpoint-|sync-policymap-|resolve-identity-|sync-[\w-]+ciliumendpoint \()(\d+)(?:\)|-regeneration-recovery)?$/;
/** Those that name its pod. */
const OF_POD = /^[\w-]+ (?:of |\()([a-z0-9][a-z0-9-]*\/[a-z0-9][a-z0-9.-]*)\)?$/;

function controllerAdvice(name: string): string {
  if (/^resolve-labels/.test(name))
    return 'The pod is not known to Kubernetes: compare "cilium endpoint list" with "kubectl get pods -A".';
  const number = OF_ENDPOINT.exec(name)?.[1];
  const pod = OF_POD.exec(name)?.[1];
  const endpoint = number ?? (pod && `pod-name:${pod}`);
  if (endpoint) return `See what happened to the endpoint: cilium endpoint log ${endpoint}`;
  if (/kvstore/.test(name)) return 'Check the key-value store: cilium troubleshoot kvstore';
  return "Search the agent's log for the controller's name; cilium status --all-controllers shows all of them.";
}

function clusters({ clusterMesh }: AgentStatus): Problem[] {
  return (clusterMesh?.clusters ?? [])
    .filter(({ ready }) => !ready)
    .map(({ name, status }) => ({
      level: 'degraded',
      area: 'clustermesh',
      subject: name,
      message: `not ready: ${status || 'no reason given'}`,
      next: `Check from this node that it answers: cilium troubleshoot clustermesh ${name}`,
    }));
}

function nodeProblem(node: NodeHealth): Problem[] {
  if (isHealthyNode(node)) return [];
  const faults = [
    ...pathsOf(node.host).map((path) => ({ path, kind: 'node' })),
    ...pathsOf(node.endpoint).map((path) => ({ path, kind: 'endpoint' })),
  ].flatMap(({ path, kind }) => {
    if (!path) return [`${kind}: never probed`];
    return [
      ...(path.icmp?.error ? [`${kind} ${path.address}: ICMP: ${path.icmp.error}`] : []),
      ...(path.http?.error ? [`${kind} ${path.address}: HTTP: ${path.http.error}`] : []),
    ];
  });
  return [
    {
      level: 'degraded',
      area: 'cluster health',
      subject: node.name,
      message: faults.join('; '),
      next: 'Check routes and firewalls between the nodes (ICMP, TCP 4240, the tunnel port); while the agent itself is well, "cilium status --verbose" shows each probe.',
    },
  ];
}

function moduleProblem({ path, level, message, error }: ModuleReport): Problem[] {
  if (level !== 'Degraded') return [];
  return [
    {
      level: 'degraded',
      area: 'module',
      subject: path.join('.').replace(/\.$/, ''),
      message: error ? `${message}: ${error}` : message,
      next: 'Search the agent\'s log for the last part of the name; "cilium statedb health" shows its neighbours.',
    },
  ];
}
