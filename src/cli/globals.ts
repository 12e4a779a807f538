import type { Command } from 'commander';
import type { AgentTransport, Cluster, Context, Elsewhere, Globals } from '../context.ts';
import { UserError } from '../errors.ts';
import { openArchive } from './archive.ts';
import { chosenProfile, readConfigFile } from './config-file.ts';
import { RunEverywhere } from './everywhere.ts';
import { TRUE } from './flags.ts';
import { ELSEWHERE_GLOBALS } from './global-flags.ts';
import type { Profile } from './profile/file.ts';
import type { Verb } from './tree.ts';

const GLOBALS = [
  ...(['host', 'debug', 'color', 'bpfRoot', 'agentRelease', 'config', 'profile', 'timeout'] as const),
];

/** Of ELSEWHERE_GLOBALS: verbs may have flags of their own with these names. */
const CLUSTER = [
  ...(['node', 'pod', 'allNodes', 'limitNodes', 'concurrency', 'agentTransport'] as const),
  ...(['kubeconfig', 'context', 'namespace', 'as', 'asGroup', 'from', 'fromArchive'] as const),
];

type Given = Partial<Globals> & {
  config?: string;
  profile?: string;
  timeout?: number;
  node?: string;
  pod?: string;
  allNodes?: boolean;
  limitNodes?: string;
  concurrency?: number;
  agentTransport?: AgentTransport;
  kubeconfig?: string;
  context?: string;
  namespace?: string;
  as?: string;
  asGroup?: string[];
  from?: string;
  fromArchive?: string;
};

function isClusterFlag(command: Command, key: string): boolean {
  const option = command.options.find((one) => one.attributeName() === key);
  return option?.helpGroupHeading === ELSEWHERE_GLOBALS.title;
}

/** What the flags, the environment and the profile say of a cluster. */
function clusterOf(
  { kubeconfig, context, namespace, as, asGroup, agentTransport }: Given,
  settings: Profile['settings'],
  { env }: Context,
): Cluster {
  const of = (key: string) => (settings[key] === undefined ? undefined : String(settings[key]));
  return {
    kubeconfig: kubeconfig ?? (env.KUBECONFIG ? undefined : of('kubeconfig')),
    context: context ?? of('context'),
    namespace: namespace ?? (env.CILIUM_NAMESPACE || of('namespace')),
    as,
    asGroups: asGroup,
    transport: agentTransport ?? 'auto',
  };
}

function checkGroups({ as, asGroup }: Given): void {
  if (asGroup?.length && as === undefined) throw new UserError('--as-group needs --as: groups are of a user');
}

/** The flags that say which cluster is meant, as far as they were given. */
function clusterFlagsIn({
  kubeconfig,
  context,
  namespace,
  as,
  asGroup,
  concurrency,
  agentTransport,
}: Given): string[] {
  const flags = {
    kubeconfig,
    context,
    namespace,
    as,
    'as-group': asGroup,
    concurrency,
    'agent-transport': agentTransport,
  };
  return Object.entries(flags)
    .filter(([, value]) => value !== undefined)
    .map(([name]) => `--${name}`);
}

/** Flags that say how somebody is reached say nothing of an archive. */
function refuseBesideArchive(given: Given): void {
  const { host, kubeconfig, context, as, asGroup } = given;
  const [other] = Object.entries({ host, kubeconfig, context, as, 'as-group': asGroup }).flatMap(
    ([name, value]) => (value === undefined ? [] : [`--${name}`]),
  );
  if (other !== undefined)
    throw new UserError(
      `--from and ${other} cannot be used together: an archive is read, and nobody is asked`,
    );
}

/** The agent of a cluster that the flags name. Throws RunEverywhere when they name several. */
function elsewhereOf(given: Given, cluster: Cluster, asks: Verb['asks']): Elsewhere | undefined {
  const { node, pod, allNodes, limitNodes } = given;
  const asked = [
    ...(node !== undefined ? ['--node'] : []),
    ...(pod !== undefined ? ['--pod'] : []),
    ...(allNodes || limitNodes !== undefined ? [allNodes ? '--all-nodes' : '--limit-nodes'] : []),
  ];
  if (asks === 'cluster') {
    const [flag] = given.host === undefined ? asked : [...asked, '--host'];
    if (flag !== undefined)
      throw new UserError(`${flag} names an agent: this verb asks the API server of the cluster`);
    checkGroups(given);
    return undefined;
  }
  if (asked.length === 0) {
    const [alone] = asks === 'either' || given.from !== undefined ? [] : clusterFlagsIn(given);
    if (alone !== undefined)
      throw new UserError(
        `${alone} needs --node, --pod or --all-nodes: without them the agent of this machine is asked`,
      );
    checkGroups(given);
    return undefined;
  }
  checkGroups(given);
  if (given.host !== undefined) asked.push('--host');
  if (asked.length > 1)
    throw new UserError(`${asked.join(' and ')} cannot be used together: each says which agent is asked`);
  if (limitNodes === '')
    throw new UserError('--limit-nodes needs labels, such as zone=a: --all-nodes asks every node');
  if (node === '') throw new UserError('--node needs the name of a node');
  if (pod !== undefined && !/^([^/]+\/)?[^/]+$/.test(pod))
    throw new UserError(`--pod needs the name of a pod, as NAMESPACE/NAME: "${pod}"`);
  if (node !== undefined) return { ...cluster, target: { node } };
  if (pod !== undefined) return { ...cluster, target: { pod } };
  throw new RunEverywhere({ ...cluster, selector: limitNodes, concurrency: given.concurrency ?? 10 });
}

/** Whether a verb mends profiles, so that a wrong one must not stop it. */
function isAboutProfiles(command: Command): boolean {
  return command.parent?.name() === 'profile' && command.name() !== 'explain';
}

/**
 * Copies the global flags of the parsed command and its parents into the context. What no flag says comes from the
 * environment, then from the profile, then from the config file.
 */
export async function readGlobals(command: Command, asks: Verb['asks'], ctx: Context): Promise<void> {
  const given: Given = {};
  for (let here: Command | null = command; here; here = here.parent) {
    const values = here.opts<typeof given>();
    for (const key of [...GLOBALS, ...CLUSTER]) {
      const isOwn = (CLUSTER as readonly string[]).includes(key) && !isClusterFlag(here, key);
      if (!isOwn && here.getOptionValueSource(key) === 'cli' && given[key] === undefined)
        Object.assign(given, { [key]: values[key] });
    }
  }
  given.from ??= given.fromArchive;
  // A verb with such a flag of its own means the same by it, wherever it stands.
  if (given.timeout !== undefined && command.getOptionValueSource('timeout') === 'default')
    command.setOptionValueWithSource('timeout', given.timeout, 'cli');
  // The file may be a FIFO that nobody writes to.
  const file = await ctx.computing(() => readConfigFile(given.config, ctx));
  const profile = isAboutProfiles(command) ? undefined : await chosenProfile(given.profile, ctx);
  const settings = profile?.settings ?? {};
  const isAgentNamed = ctx.env.CILIUM_HOST !== undefined || Boolean(ctx.env.CILIUM_SOCK);
  const agentOf = <T>(value: T): T | undefined => (isAgentNamed ? undefined : value);
  const host = given.host ?? ctx.env.CILIUM_HOST ?? agentOf(settings.host) ?? file.host ?? '';
  Object.assign(ctx.globals, {
    host: given.from === undefined ? String(host) : '',
    debug: given.debug ?? (TRUE.has(ctx.env.CILIUM_DEBUG ?? '') || file.debug === true),
    color: given.color ?? 'auto',
    agentRelease: given.agentRelease,
    timeoutMs: given.timeout,
    bpfRoot: given.bpfRoot ?? ctx.env.CILIUM_BPF_ROOT ?? '/sys/fs/bpf',
  } satisfies Globals);
  const isByFlag = clusterFlagsIn(given).length > 0;
  const isOfProfile =
    settings.host === undefined && (settings.context !== undefined || settings.kubeconfig !== undefined);
  const cluster = clusterOf(given, settings, ctx);
  ctx.globals.cluster = { ...cluster, isByFlag, isNamed: isByFlag || (isOfProfile && !isAgentNamed) };
  if (given.from !== undefined) {
    refuseBesideArchive(given);
    await openArchive(given.from, ctx);
  }
  // Of a verb that has such a flag.
  if (command.getOptionValue('cluster') === true) refuseEachNode(given);
  const node = agentOf(settings.node);
  const canAsk = command.options.some(
    ({ long, helpGroupHeading }) => long === '--node' && helpGroupHeading === ELSEWHERE_GLOBALS.title,
  );
  const isAsked = given.host === undefined && given.from === undefined && asks !== 'cluster' && canAsk;
  ctx.globals.elsewhere =
    elsewhereOf(given, cluster, asks) ??
    (isAsked && typeof node === 'string' && command.getOptionValue('cluster') !== true
      ? { ...cluster, target: { node } }
      : undefined);
}

/** One answer for the cluster, or one of each node: not both. */
function refuseEachNode({ allNodes, limitNodes }: Given): void {
  if (!allNodes && limitNodes === undefined) return;
  throw new UserError(`--cluster and ${allNodes ? '--all-nodes' : '--limit-nodes'} cannot be used together`, {
    hint: 'The first is one answer for the whole cluster, the second one of each node.',
  });
}
