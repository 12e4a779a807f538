import { type Command, InvalidArgumentError, Option } from 'commander';
import { decodeDebugLists, readPolicyState } from '../../agent/decode/policy-state.ts';
import type { Context } from '../../context.ts';
import { errorMessage, UsageError, UserError } from '../../errors.ts';
import { parsePlainJson } from '../../lib/exact-json.ts';
import { isRecord } from '../../lib/record.ts';
import { atLeast, type Build, KNOWN_RELEASES, parseBuild, type Release } from '../../model/release.ts';
import { AGGREGATE_IDS } from '../../model/reserved-identity.ts';
import {
  emptyState,
  type PolicyState,
  stateOf,
  stateOfAgent,
} from '../../policy/evaluate/decide/cluster-state.ts';
import type { FlowRecord } from '../../policy/evaluate/decide/connections.ts';
import { PolicyEngine } from '../../policy/evaluate/decide/engine.ts';
import { FlowFacts } from '../../policy/evaluate/decide/flow-facts.ts';
import { takePods } from '../../policy/evaluate/decide/pods.ts';
import { NEWEST_NEEDED, needsNewest, type Settings } from '../../policy/evaluate/decide/settings.ts';
import { type ClusterObjects, takeObject } from '../../policy/evaluate/selectors/cluster-objects.ts';
import { Identities } from '../../policy/evaluate/selectors/identities.ts';
import type { CidrMatchMode } from '../../policy/evaluate/selectors/surroundings.ts';
import { isEntryList, rulesOfEntries } from '../../policy/read/agent-entries.ts';
import { readDocuments } from '../../policy/read/documents.ts';
import { parsePolicies } from '../../policy/read/policies.ts';
import type { PolicyEntry, SourcedRule } from '../../policy/rule.ts';
import { stringArray } from '../flags.ts';
import { readInput } from './files.ts';
import { clusterNetworkPolicyOption, loadValidPolicies } from './load.ts';
import type { Loaded } from './loaded.ts';

/** What `addStateOptions` adds to a command. */
export interface StateFlags {
  state?: string;
  allowLocalhost?: 'always' | 'policy';
  hostFirewall?: 'on' | 'off';
  clusterNetworkPolicy?: 'on' | 'off';
  cidrMatchMode?: 'none' | 'nodes' | 'pods' | 'nodes,pods';
  release?: Build;
}

/** Adds `--rules`. It can be repeated, and takes several paths unless the verb has an argument. */
export function addRulesOption(command: Command, otherwise = 'those of the state'): Command {
  const several = command.registeredArguments.length === 0;
  return command.addOption(
    stringArray(
      `-r, --rules <path${several ? '...' : ''}>`,
      `Rules: a file or folder, in any form that "policy import" accepts (default: ${otherwise})`,
    ),
  );
}

/** Adds `--state`, and the setting of the agent that state documents do not contain. */
export function addStateOptions(command: Command, otherwise: string): Command {
  return command
    .option(
      '-s, --state <file>',
      `Identities and endpoints of the cluster: a JSON file, "agent" to ask the running agent, or "cluster" to ask the API server (default: ${otherwise})`,
    )
    .addOption(
      new Option(
        '--allow-localhost <when>',
        "Whether pods accept all traffic from their own node, like the agent's option of this name: always (the agent's default under Kubernetes) or policy (default: as the agent in --state does, else policy)",
      ).choices(['always', 'policy']),
    )
    .addOption(
      new Option(
        '--host-firewall <state>',
        "Whether rules for nodes apply to the nodes' own traffic: on or off (default: as in --state, else not known)",
      ).choices(['on', 'off']),
    )
    .addOption(clusterNetworkPolicyOption('as in --state, else not known'))
    .addOption(
      new Option(
        '--cidr-match-mode <modes>',
        "Whom CIDR rules select in the cluster, like the agent's option policy-cidr-match-mode (nodes from 1.15 on, pods from 1.20 on): none (the agent's default), nodes, pods or nodes,pods (default: as in --state, else not known)",
      ).choices(['none', 'nodes', 'pods', 'nodes,pods']),
    )
    .addOption(
      new Option(
        '--release <version>',
        'Cilium release whose meaning of rules counts, such as 1.17 or 1.17.3 (default: that of the state where it shows, else 1.17 where releases agree)',
      )
        .choices(KNOWN_RELEASES)
        .argParser(buildArgument),
    );
}

/** Reads a release that is known, or a version of one. */
function buildArgument(text: string): Build {
  const build = /^v?\d+\.\d+(\.\d+)?(-[\w.-]+)?$/.test(text) ? parseBuild(text) : undefined;
  if (build && KNOWN_RELEASES.includes(build.release)) return build;
  throw new InvalidArgumentError(
    `Allowed choices are ${KNOWN_RELEASES.join(', ')}, or a version of one of them.`,
  );
}

/** Reads rules from files and folders. CIDR groups and services found there go to `objects`. */
export async function loadRules(
  ctx: Context,
  paths: readonly string[],
  options: {
    objects: ClusterObjects;
    namespace?: string | undefined;
    settings: Pick<Partial<Settings>, 'release' | 'clusterNetworkPolicy'>;
  },
): Promise<SourcedRule[]> {
  const { release, clusterNetworkPolicy } = options.settings;
  const { rules } = await loadValidPolicies(
    paths,
    {
      namespace: options.namespace,
      target: release,
      anyRelease: release === undefined,
      clusterNetworkPolicy,
      readAll: true,
      take: (object) => takeObject(object, options.objects),
    },
    ctx,
    'cannot read rules',
  );
  return rules;
}

/** What `--state` is without a word: of an archive that of its cluster, since its agents are many. */
export function usualState({ globals }: Context): 'agent' | 'cluster' {
  return globals.archive ? 'cluster' : 'agent';
}

/** Loads what `--state` names: a file, the running agent or the cluster with its rules. */
export async function loadState(
  ctx: Context,
  {
    state: from,
    allowLocalhost,
    hostFirewall,
    clusterNetworkPolicy,
    cidrMatchMode,
    release: asked,
  }: StateFlags,
): Promise<Loaded> {
  const loaded = await loadStateOf(ctx, from, asked);
  takePods(loaded.state);
  const { objects, addresses, localOnly } = loaded.state;
  const { hostFirewall: stated, clusterNetworkPolicy: read, cidrMatchMode: mode } = loaded.state;
  const { defaultLocalCluster } = loaded.state;
  const settings: Partial<Settings> = {
    ...releaseShown(loaded.state),
    ...splitWorld(loaded.state),
    ...(stated !== undefined && { hostFirewall: stated }),
    ...(read !== undefined && { clusterNetworkPolicy: read }),
    ...(mode && { cidrMatchMode: mode }),
    ...(defaultLocalCluster !== undefined && { defaultLocalCluster }),
    ...loaded.settings,
    objects,
    ...(!localOnly && { addresses }),
    ...(allowLocalhost && { allowLocalhost: allowLocalhost === 'always' }),
    ...(hostFirewall && { hostFirewall: hostFirewall === 'on' }),
    ...(clusterNetworkPolicy && { clusterNetworkPolicy: clusterNetworkPolicy === 'on' }),
    ...(cidrMatchMode && { cidrMatchMode: modesOf(cidrMatchMode) }),
    ...askedBuild(asked, loaded.settings),
  };
  // Only agents from 1.20 on read them, or let CIDR rules select pods.
  const told = settings.release ?? (needsNewest(settings) ? NEWEST_NEEDED : undefined);
  return { ...loaded, settings: { ...settings, ...(told && { release: told }) } };
}

/** The release that is asked for. Without a patch number it is the build that the state shows, where that is of the release. */
function askedBuild(asked: Build | undefined, told: Partial<Settings>): Partial<Settings> {
  if (!asked) return {};
  return {
    ...asked,
    development: asked.development ?? (asked.release === told.release ? told.development : undefined),
  };
}

function modesOf(given: NonNullable<StateFlags['cidrMatchMode']>): CidrMatchMode {
  return (['nodes', 'pods'] as const).filter((mode) => given.split(',').includes(mode));
}

async function loadStateOf(
  ctx: Context,
  from: string | undefined,
  asked: Build | undefined,
): Promise<Loaded> {
  if (from !== 'cluster' && ctx.globals.cluster?.isByFlag)
    throw new UsageError('the flags of a cluster need --state cluster: nothing else asks its API server');
  if (from === undefined) return { rules: [], state: emptyState(), settings: {} };
  if (from === 'agent') return loadAgent(ctx, asked);
  if (from === 'cluster') return (await import('./cluster.ts')).loadCluster(ctx, asked);
  const { text } = await readInput(from, ctx, 'cannot read the state');
  let document: unknown;
  try {
    document = parsePlainJson(text);
  } catch (error) {
    throw new UserError(`${from}: not JSON: ${errorMessage(error)}`, { cause: error });
  }
  const policy = policyTextOf(document);
  const state = isDebugInfo(document) ? stateOfDebugInfo(document, from) : stateOf(document, from);
  return policy === undefined
    ? { state, rules: [], settings: {} }
    : { state, ...(await rulesOfPolicy(policy, `${from}#policy`, asked?.release)) };
}

function isDebugInfo(document: unknown): boolean {
  return isRecord(document) && Array.isArray(document['endpoint-list']);
}

function stateOfDebugInfo(document: unknown, file: string): PolicyState {
  const { hostFirewall, ...lists } = decodeDebugLists(document, file);
  return { ...stateOfAgent(lists), localOnly: true, ...(hostFirewall !== undefined && { hostFirewall }) };
}

/** The agent's debug information contains the rules as text. */
function policyTextOf(document: unknown): string | undefined {
  if (typeof document !== 'object' || document === null || !('policy' in document)) return undefined;
  const { policy } = document;
  if (typeof policy !== 'object' || policy === null || !('policy' in policy)) return undefined;
  return typeof policy.policy === 'string' ? policy.policy : undefined;
}

async function loadAgent(ctx: Context, asked: Build | undefined): Promise<Loaded> {
  const agent = await ctx.agent();
  const {
    policy,
    enforcement,
    allowLocalhost,
    hostFirewall,
    clusterName,
    clusterNetworkPolicy,
    cidrMatchMode,
    nodeLabels,
    dualStack,
    build,
    ...lists
  } = await readPolicyState(agent);
  const told = build?.release;
  const { rules, settings } = await rulesOfPolicy(policy, 'agent', asked?.release ?? told);
  // The form of the rules counts more than the version: entries come from 1.19 on.
  const fits = told !== undefined && (rules.length === 0 || !atLeast(told, '1.19'));
  const release = settings.release ?? (fits ? told : undefined);
  const state = stateOfAgent(lists);
  // Identities show whether the world is split. Only agents from 1.15 on split it, where they use both families.
  const split =
    new Identities(state.identities).dualStack() ?? (dualStack && release && atLeast(release, '1.15'));
  return {
    state,
    rules,
    settings: {
      ...settings,
      enforcement,
      allowLocalhost,
      ...(hostFirewall !== undefined && { hostFirewall }),
      ...(clusterName !== undefined && { clusterName }),
      ...(clusterNetworkPolicy !== undefined && { clusterNetworkPolicy }),
      ...(cidrMatchMode && { cidrMatchMode }),
      ...(nodeLabels !== undefined && { nodeLabels }),
      ...(split !== undefined && { dualStack: split }),
      ...(release && { release }),
      ...(release && release === told && { development: build?.development }),
    },
  };
}

/** The text of the agent's rules: rules up to 1.18, entries from 1.19 on. */
async function rulesOfPolicy(
  text: string,
  file: string,
  target: Release | undefined,
): Promise<Pick<Loaded, 'rules' | 'settings'>> {
  const [document] = await readDocuments(file, text);
  if (document && isEntryList(document.value))
    return {
      rules: rulesOfEntries(document.value, document),
      settings: { release: releaseOfEntries(document.value) },
    };
  return {
    rules: (await parsePolicies([{ file, text }], { strict: false, target, readAll: true })).rules,
    settings: {},
  };
}

/** Tiers are numbered in hundreds from 1.20 on. */
function releaseOfEntries(entries: readonly PolicyEntry[]): Release {
  return entries.some(({ Tier }) => Tier >= 100) ? '1.20' : '1.19';
}

/** Only 1.20 has identities for all peers of a kind. */
function releaseShown({ identities }: PolicyState): { release?: Release } {
  const ids: ReadonlySet<number> = new Set(Object.values(AGGREGATE_IDS));
  const shown = identities.some(
    ({ id, labels }) => ids.has(id) && labels.some(({ key }) => key.startsWith('aggregate-')),
  );
  return shown ? { release: '1.20' } : {};
}

/** Sets up the evaluator. Rules from files replace the agent's. The cluster's name may come from flows. */
export async function loadEngine(
  ctx: Context,
  options: StateFlags & {
    rules?: readonly string[];
    namespace?: string | undefined;
    flows?: readonly FlowRecord[];
  },
): Promise<{ engine: PolicyEngine; state: PolicyState }> {
  const { state, settings, rules: own } = await loadState(ctx, options);
  const { objects } = state;
  const rules = options.rules?.length
    ? await loadRules(ctx, options.rules, {
        objects,
        namespace: options.namespace,
        settings,
      })
    : own;
  takePods(state);
  const facts = new FlowFacts();
  for (const flow of options.flows ?? []) facts.add(flow);
  const engine = new PolicyEngine(state.identities, state.endpoints, settingsBeside(facts, state, settings));
  return { engine: engine.addAll(rules), state };
}

/** Refuses to go on where it is not known which rules the agent has: its maps rest on all of them. */
export function needAllRules(engine: PolicyEngine): PolicyEngine {
  const [open] = engine.openRules;
  if (!open) return engine;
  const { origin } = open.rule.source;
  throw new UserError(`the maps rest on ${origin.kind} ${origin.name}: ${open.why}`, {
    ...(engine.settings.clusterNetworkPolicy === undefined && {
      hint: 'Say --cluster-network-policy on or off.',
    }),
  });
}

/** The settings, and what the flows show beside them. The cluster's name of a state wins. */
export function settingsBeside(
  facts: FlowFacts,
  { identities, endpoints }: PolicyState,
  settings: Partial<Settings>,
): Partial<Settings> {
  const { clusterName, ...others } = facts.settingsBeside(settings);
  const own = clusterName === undefined ? undefined : new Identities(identities).clusterName(endpoints);
  return { ...others, ...(clusterName !== undefined && { clusterName: own ?? clusterName }) };
}

/** The address book shows whether the world identity is split by address family. */
function splitWorld({ addresses }: PolicyState): Pick<Settings, 'dualStack'> {
  const world = addresses.find(({ cidr }) => cidr === '0.0.0.0/0' || cidr === '::/0');
  return world ? { dualStack: world.identity !== 2 } : {};
}
