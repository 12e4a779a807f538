import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Option } from 'commander';
import type { Context } from '../../context.ts';
import { errorCode, errorMessage, UserError } from '../../errors.ts';
import { PolicyEngine, type Settings } from '../../policy/engine.ts';
import { isEntryList } from '../../policy/entries.ts';
import type { FlowRecord } from '../../policy/flow.ts';
import { rulesOfEntries } from '../../policy/from-entries.ts';
import type { MapRelease } from '../../policy/map-state.ts';
import { parsePolicies } from '../../policy/parse.ts';
import type { SourcedRule } from '../../policy/rule.ts';
import { parseFile } from '../../policy/source.ts';
import { emptyState, type PolicyState, stateOf, stateOfAgent } from '../../policy/state.ts';
import { stringArray } from '../flags.ts';
import { type PolicyFile, readPolicyFiles } from './files.ts';
import { throwErrors, writeWarnings } from './load.ts';

/** What the evaluator works on. */
export interface Loaded {
  rules: SourcedRule[];
  state: PolicyState;
  settings: Partial<Settings>;
}

/** `--rules`, repeated or with several files behind it. Not for verbs that have an argument: it would take that too. */
export function rulesOption(description: string, flags = '-r, --rules <file...>'): Option {
  return stringArray(flags, description);
}

const RULE_FILE = /\.(json|ya?ml)$/i;

/** Reads rules from files, and folders of them, in any form that `policy import` takes. `-` is stdin. */
export async function loadRules(ctx: Context, paths: readonly string[]): Promise<SourcedRule[]> {
  const files: PolicyFile[] = [];
  for (const path of paths) {
    const found = await readPolicyFiles(path, ctx, 'cannot read rules');
    const named = found.filter(({ file }) => file === path || RULE_FILE.test(file));
    if (named.length === 0)
      throw new UserError(`${path} holds no rules`, {
        hint: 'Rules are files that end in .yaml, .yml or .json.',
      });
    files.push(...named);
  }
  const policies = await parsePolicies(files);
  await writeWarnings(policies, ctx);
  throwErrors(policies, '');
  return policies.rules;
}

function notThere(path: string): (error: unknown) => never {
  return (error) => {
    const why = errorCode(error) === 'ENOENT' ? 'no such file or folder' : errorMessage(error);
    throw new UserError(`cannot read ${path}: ${why}`, { cause: error });
  };
}

/** A file's text; `-` is stdin. */
export async function readText(ctx: Context, path: string): Promise<string> {
  if (path !== '-') return readFile(resolve(ctx.cwd, path), 'utf8').catch(notThere(path));
  const chunks: Uint8Array[] = [];
  for await (const chunk of ctx.in) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** The state that `--state` names: a file, or `agent` for the running one, which has rules too. */
export async function loadState(ctx: Context, from: string | undefined): Promise<Loaded> {
  if (from === undefined) return { rules: [], state: emptyState(), settings: {} };
  if (from === 'agent') return loadAgent(ctx);
  const text = await readText(ctx, from);
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new UserError(`${from}: not JSON: ${errorMessage(error)}`, { cause: error });
  }
  const policy = policyTextOf(document);
  const state = stateOf(document, from);
  return policy === undefined
    ? { state, rules: [], settings: {} }
    : { state, ...(await rulesOfPolicy(policy, `${from}#policy`)) };
}

/** Debug information carries the rules as text. */
function policyTextOf(document: unknown): string | undefined {
  if (typeof document !== 'object' || document === null || !('policy' in document)) return undefined;
  const { policy } = document;
  if (typeof policy !== 'object' || policy === null || !('policy' in policy)) return undefined;
  return typeof policy.policy === 'string' ? policy.policy : undefined;
}

async function loadAgent(ctx: Context): Promise<Loaded> {
  const agent = await ctx.agent();
  const [identities, endpoints, policy, ips] = await Promise.all([
    agent.get('/identity'),
    agent.get('/endpoint'),
    agent.get('/policy'),
    agent.get('/ip').catch(() => []),
  ]);
  const config = await agent.get('/config').catch(() => undefined);
  const enforcement = config?.status?.realized?.['policy-enforcement'] ?? 'default';
  const { rules, settings } = await rulesOfPolicy(policy?.policy ?? '[]', 'agent');
  return {
    state: stateOfAgent(identities ?? [], endpoints ?? [], ips ?? []),
    rules,
    settings: {
      ...settings,
      enforcement: enforcement === 'always' || enforcement === 'never' ? enforcement : 'default',
      allowLocalhost: allowsLocalhost(endpoints ?? []),
    },
  };
}

interface RealizedPolicy {
  'policy-enabled'?: string;
  'allowed-ingress-identities'?: number[] | null;
}

/** The agent does not say whether pods accept all of their node; its maps do. */
function allowsLocalhost(
  endpoints: readonly { status?: { policy?: { realized?: RealizedPolicy } } }[],
): boolean {
  const closed = endpoints.flatMap(({ status }) => {
    const realized = status?.policy?.realized;
    const enabled = realized?.['policy-enabled'];
    return realized && (enabled === 'ingress' || enabled === 'both') ? [realized] : [];
  });
  return closed.length > 0 && closed.every((each) => each['allowed-ingress-identities']?.includes(1));
}

/** The text of the agent's rules: rules up to 1.18, entries from 1.19 on. */
async function rulesOfPolicy(text: string, file: string): Promise<Pick<Loaded, 'rules' | 'settings'>> {
  const { documents } = await parseFile(file, text);
  const [document] = documents;
  if (document && isEntryList(document.value))
    return { rules: rulesOfEntries(document.value, document), settings: { release: '1.20' } };
  return { rules: (await parsePolicies([{ file, text }], { strict: false })).rules, settings: {} };
}

/** Sets up the evaluator. Rules given by file replace those of the agent. Flows may tell the cluster's name. */
export async function loadEngine(
  ctx: Context,
  options: {
    rules?: readonly string[];
    state?: string | undefined;
    flows?: readonly FlowRecord[];
    release?: MapRelease | undefined;
  },
): Promise<{ engine: PolicyEngine; state: PolicyState }> {
  const { state, settings, rules: own } = await loadState(ctx, options.state);
  const rules = options.rules?.length ? await loadRules(ctx, options.rules) : own;
  const clusterName = state.identities.length === 0 ? clusterOf(options.flows ?? []) : undefined;
  const engine = new PolicyEngine(state.identities, state.endpoints, {
    ...settings,
    ...(clusterName && { clusterName }),
    ...splitWorld(state),
    ...(options.release && { release: options.release }),
  });
  return { engine: engine.addAll(rules), state };
}

/** The address book shows whether the world is split by family. */
function splitWorld({ addresses }: PolicyState): Pick<Settings, 'dualStack'> {
  const world = addresses.find(({ cidr }) => cidr === '0.0.0.0/0' || cidr === '::/0');
  return world ? { dualStack: world.identity !== 2 } : {};
}

function clusterOf(flows: readonly FlowRecord[]): string | undefined {
  const label = 'k8s:io.cilium.k8s.policy.cluster=';
  const labels = flows.flatMap(({ source, destination }) => [
    ...(source?.labels ?? []),
    ...(destination?.labels ?? []),
  ]);
  return labels.find((each) => each.startsWith(label))?.slice(label.length);
}
