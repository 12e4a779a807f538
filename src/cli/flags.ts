import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  AGENT_TRANSPORTS,
  type AgentTransport,
  type Cluster,
  type Context,
  type Elsewhere,
  type Globals,
} from '../context.ts';
import { UsageError, UserError } from '../errors.ts';
import { parseDurationMs } from '../lib/duration.ts';
import {
  type Build,
  compareReleases,
  OLDEST_RELEASE,
  parseBuild,
  type Release,
  releaseOfPinsOf,
} from '../model/release.ts';
import { openArchive } from './archive.ts';
import { readConfigFile } from './config-file.ts';
import { RunEverywhere } from './everywhere.ts';
import { ELSEWHERE_TITLE, type GlobalFlags, type Verb } from './tree.ts';

/** Global flags of the agent's command line. */
export const AGENT_GLOBALS: GlobalFlags = {
  title: 'Global Flags:',
  options: () => [
    new Option('--config <file>', 'Config file (default is $HOME/.cilium.yaml)'),
    new Option('-D, --debug', 'Print debug messages, and the stack trace of an error'),
    new Option('-H, --host <uri>', 'URI of the agent API: unix://PATH or tcp://HOST:PORT'),
    new Option('--color <when>', 'Colour the output: auto, always, never').choices([
      'auto',
      'always',
      'never',
    ]),
    durationOption('--timeout <duration>', 'How long to wait for an answer of the agent (default 30s)'),
  ],
};

/** Flags of verbs that ask a cluster what no archive tells, or do something to be done while it is there. */
export const LIVE_CLUSTER_GLOBALS: GlobalFlags = {
  title: ELSEWHERE_TITLE,
  options: () => [
    new Option('--kubeconfig <file>', 'How to reach the cluster (default: KUBECONFIG, then ~/.kube/config)'),
    new Option('--context <name>', 'Context of the kubeconfig'),
    new Option('-n, --namespace <name>', 'Namespace that Cilium is installed in (default: looked for)'),
    new Option('--as <user>', 'Ask the API server as this user'),
    stringArray('--as-group <group>', 'Ask as a member of this group too; may be repeated'),
  ],
};

/** Flags of verbs that ask the API server of a cluster. */
export const CLUSTER_GLOBALS: GlobalFlags = {
  title: ELSEWHERE_TITLE,
  options: () => [...LIVE_CLUSTER_GLOBALS.options(), fromOption()],
};

/** The flag that names an archive. */
export function fromOption(): Option {
  return new Option(
    '--from <archive>',
    'Read what "cilium sysdump" collected instead of a cluster: a zip, or the folder it was unpacked to',
  );
}

/** Flags of verbs that can ask an agent of a cluster instead of the one of this machine. */
export const ELSEWHERE_GLOBALS: GlobalFlags = {
  title: CLUSTER_GLOBALS.title,
  options: () => [
    new Option('--node <name>', 'Ask the agent of this node of a cluster'),
    new Option('--pod <[namespace/]name>', 'Ask the agent of the node that this pod runs on'),
    new Option('--all-nodes', 'Ask the agents of all nodes of a cluster'),
    new Option('--limit-nodes <selector>', 'Ask the agents of the nodes with these labels'),
    integer('--concurrency <n>', 'Agents that are asked at once (default 10)', { min: 1, max: 500 }),
    new Option(
      '--agent-transport <way>',
      'How an agent is reached: relay (its socket, through perl in its pod), cli (its own command line there), or auto: the second where there is no perl (default auto)',
    ).choices(AGENT_TRANSPORTS),
    ...CLUSTER_GLOBALS.options(),
  ],
};

/** Flags of a verb that reads this machine, or of a cluster what an archive has of it. */
export const ARCHIVE_GLOBALS: GlobalFlags = {
  title: CLUSTER_GLOBALS.title,
  options: () => [
    fromOption(),
    new Option('--node <name>', 'With --from: read what it has of this node'),
    new Option('--all-nodes', 'With --from: read what it has of each node'),
  ],
};

/** The same for verbs whose words have meanings of their own: `-n` is no flag there. */
export const ELSEWHERE_LONG_GLOBALS: GlobalFlags = {
  title: ELSEWHERE_GLOBALS.title,
  options: () =>
    ELSEWHERE_GLOBALS.options().map((option) => {
      if (option.short === undefined) return option;
      option.flags = option.flags.replace(/^-\w, /, '');
      delete option.short;
      return option;
    }),
};

/** Reads a release; one that is newer than all that are known is taken. */
export function releaseArgument(text: string): Release {
  return buildArgument(text).release;
}

/** Reads whose maps are meant: `1.13.90` are those of agents on the way to a release. */
function mapsReleaseArgument(text: string): Release {
  return releaseOfPinsOf(buildArgument(text));
}

function buildArgument(text: string): Build {
  const build = parseBuild(text);
  if (build && compareReleases(build.release, OLDEST_RELEASE) >= 0) return build;
  throw new InvalidArgumentError(`Expected a release from ${OLDEST_RELEASE} on, such as 1.14.`);
}

/** Flags of every bpf verb: where maps are pinned, and who made them. */
export const BPF_GLOBALS: GlobalFlags = {
  title: 'BPF Flags:',
  options: () => [
    new Option('--bpf-root <folder>', 'Root of the bpffs that maps are pinned in (default /sys/fs/bpf)'),
    new Option(
      '--agent-release <release>',
      'Release of the agent that made the maps, such as 1.14 (default: as the maps and the agent tell)',
    ).argParser(mapsReleaseArgument),
  ],
};

/** Flags of all that speak to the kvstore. */
export const KVSTORE_GLOBALS: GlobalFlags = {
  title: 'Key-Value Store Flags:',
  options: () => [
    new Option('--kvstore <type>', 'Key-Value Store type'),
    stringSlice(
      '--kvstore-opt <options>',
      'Key-Value Store options, such as etcd.address=http://127.0.0.1:2379',
    ),
  ],
};

/** A flag that may be repeated or hold a comma-separated list; CSV quotes group (pflag's stringSlice). */
export function stringSlice(flags: string, description: string): Option {
  return new Option(flags, description)
    .argParser((value: string, previous: string[] | undefined) => [...(previous ?? []), ...splitCsv(value)])
    .default([], '');
}

/** A flag that may be repeated; commas stay (pflag's stringArray). */
export function stringArray(flags: string, description: string): Option {
  return new Option(flags, description)
    .argParser((value: string, previous: string[] | undefined) => [...(previous ?? []), value])
    .default([], '');
}

/** One CSV record: commas separate, double quotes group, a doubled quote is a quote. */
export function splitCsv(value: string): string[] {
  if (value === '') return [];
  const fields: string[] = [];
  let field = '';
  let quoted = false;
  for (let i = 0; i < value.length; i++) {
    const c = value[i];
    if (quoted) {
      if (c !== '"') field += c;
      else if (value[i + 1] === '"') field += value[++i];
      else quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === ',') {
      fields.push(field);
      field = '';
    } else field += c;
  }
  fields.push(field);
  return fields;
}

/** A whole number; `min` and `max` are inclusive. */
export function integer(
  flags: string,
  description: string,
  range: { min?: number; max?: number } = {},
): Option {
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = range;
  const option = new Option(flags, description);
  return option.argParser((value: string) => {
    const n = /^[+-]?(0[xX][0-9a-fA-F]+|\d+)$/.test(value) ? Number(value) : Number.NaN;
    if (Number.isNaN(n))
      throw new UsageError(
        `invalid argument "${value}" for "${flagName(option)}" flag: expected a whole number`,
      );
    if (n < min || n > max)
      throw new UsageError(
        `invalid argument "${value}" for "${flagName(option)}" flag: expected a number from ${min} to ${max}`,
      );
    return n;
  });
}

/** The refresh interval of `--watch`: without a pause, who is asked would do nothing else. */
const MIN_INTERVAL_MS = 10;

/** The flag `--interval`. */
export function intervalOption(): Option {
  const option = durationOption('--interval <duration>', 'Refresh interval of --watch', MIN_INTERVAL_MS);
  return option.default(2000, '2s');
}

/** A Go duration (`1h30m`, `2.5s`, `100ms`); the option's value is in milliseconds. */
export function durationOption(flags: string, description: string, minMs = 0): Option {
  const option = new Option(flags, description);
  return option.argParser((value: string) => {
    const ms = parseDurationMs(value);
    if (ms === undefined)
      throw new UsageError(
        `invalid argument "${value}" for "${flagName(option)}" flag: expected a duration such as 30s, 5m or 1h30m`,
      );
    if (ms < minMs) throw new UserError(`${option.long} ${value} is too short: the shortest is ${minMs}ms`);
    return ms;
  });
}

/** How the reference names a flag in errors: `-o, --output`. */
export function flagName(option: Option): string {
  return option.short && option.long
    ? `${option.short}, ${option.long}`
    : (option.long ?? option.short ?? '');
}

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

/**
 * Rewrites what Go's flag package takes and commander does not: `--flag=false` for switches and `-o=value`.
 * Returns the words for commander and the switches that were turned off.
 */
export function normalize(
  argv: readonly string[],
  options: readonly Option[],
): { argv: string[]; off: Option[] } {
  const words: string[] = [];
  const off: Option[] = [];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? '';
    if (word === '--') return { argv: [...words, ...argv.slice(i)], off };
    const match = /^(--[^=]+|-[A-Za-z])=(.*)$/s.exec(word);
    const option = match && options.find((o) => o.long === match[1] || o.short === match[1]);
    if (!match || !option) {
      words.push(word);
      const takesNext = options.find((o) => o.required && (o.long === word || o.short === word));
      if (takesNext && i + 1 < argv.length) words.push(argv[++i] ?? '');
      continue;
    }
    const value = match[2] ?? '';
    if (option.required || option.optional) words.push(option.long ?? option.short ?? '', value);
    else if (TRUE.has(value)) words.push(option.long ?? '');
    else if (FALSE.has(value)) off.push(option);
    else
      throw new UsageError(
        `invalid argument "${value}" for "${flagName(option)}" flag: expected true or false`,
      );
  }
  return { argv: words, off };
}

const GLOBALS = [...(['host', 'debug', 'color', 'bpfRoot', 'agentRelease', 'config', 'timeout'] as const)];

/** Of ELSEWHERE_GLOBALS: verbs may have flags of their own with these names. */
const CLUSTER = [
  ...(['node', 'pod', 'allNodes', 'limitNodes', 'concurrency', 'agentTransport'] as const),
  ...(['kubeconfig', 'context', 'namespace', 'as', 'asGroup', 'from', 'fromArchive'] as const),
];

type Given = Partial<Globals> & {
  config?: string;
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

/** What the flags and the environment say of a cluster. */
function clusterOf(
  { kubeconfig, context, namespace, as, asGroup, agentTransport }: Given,
  ctx: Context,
): Cluster {
  return {
    kubeconfig,
    context,
    namespace: namespace ?? (ctx.env.CILIUM_NAMESPACE || undefined),
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

/**
 * Copies the global flags of the parsed command and its parents into the context. What no flag says comes from the
 * environment, then from the config file.
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
  const host = given.host ?? ctx.env.CILIUM_HOST ?? file.host ?? '';
  Object.assign(ctx.globals, {
    host: given.from === undefined ? host : '',
    debug: given.debug ?? (TRUE.has(ctx.env.CILIUM_DEBUG ?? '') || file.debug === true),
    color: given.color ?? 'auto',
    agentRelease: given.agentRelease,
    timeoutMs: given.timeout,
    bpfRoot: given.bpfRoot ?? ctx.env.CILIUM_BPF_ROOT ?? '/sys/fs/bpf',
  } satisfies Globals);
  const cluster = clusterOf(given, ctx);
  ctx.globals.cluster = { ...cluster, isNamed: clusterFlagsIn(given).length > 0 };
  if (given.from !== undefined) {
    refuseBesideArchive(given);
    await openArchive(given.from, ctx);
  }
  // Of a verb that has such a flag.
  if (command.getOptionValue('cluster') === true) refuseEachNode(given);
  ctx.globals.elsewhere = elsewhereOf(given, cluster, asks);
}

/** One answer for the cluster, or one of each node: not both. */
function refuseEachNode({ allNodes, limitNodes }: Given): void {
  if (!allNodes && limitNodes === undefined) return;
  throw new UserError(`--cluster and ${allNodes ? '--all-nodes' : '--limit-nodes'} cannot be used together`, {
    hint: 'The first is one answer for the whole cluster, the second one of each node.',
  });
}

/** Lines for the end of a verb's help: `.addHelpText('after', examples('cilium status'))`. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}

/** The only argument of a verb, or the usage error that says which one is missing. */
export function requiredArgument(command: Command, value: string | undefined, name: string): string {
  if (value) return value;
  const what = value === '' ? 'Empty' : 'Missing';
  throw new UsageError(`${what} ${name} argument`, {
    hint: `Run "cilium ${pathOf(command)} --help" for its arguments.`,
  });
}

function pathOf(command: Command): string {
  return command.parent?.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
}

/** The value of a flag of the whole family, given behind the verb or before it; undefined when it was not given. */
export function familyFlag<T>(command: Command, name: string): T | undefined {
  for (let here: Command | null = command; here; here = here.parent)
    if (here.getOptionValueSource(name) === 'cli') return here.getOptionValue(name) as T;
  return undefined;
}
