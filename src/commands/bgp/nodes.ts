import { type Command, Option } from 'commander';
import { type AgentClient, ApiError } from '../../agent/client.ts';
import type { Answer } from '../../agent/decode/answer.ts';
import { apiType } from '../../agent/decode/shapes.ts';
import { failed } from '../../cli/answer.ts';
import { PARTIAL } from '../../cli/exit-codes.ts';
import { durationOption } from '../../cli/flags.ts';
import { askAgent, askEach, type Said } from '../../cli/kube/each-agent.ts';
import { isClusterMeant, type TargetOptions } from '../../cli/kube/target.ts';
import { type ListFlags, printTable } from '../../cli/list.ts';
import { isStructured } from '../../cli/output.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { openCluster } from '../../kube/road.ts';
import type { Table } from '../../render/text/blocks.ts';
import { asGoWrites } from '../../render/text/go-fields.ts';
import { goJson } from '../../render/text/json.ts';
import { renderOutput, unknownFormat } from '../../render/text/output.ts';

/** Flags of a verb that asks one agent or those of all nodes. */
export interface NodesOptions extends TargetOptions, ListFlags {
  agentPodSelector?: string;
  /** Milliseconds. */
  waitDuration: number;
  output: string;
}

/** Adds the flags for all nodes. */
export function addNodesFlags(command: Command): void {
  command
    .optionsGroup('Flags for a cluster:')
    .addOption(new Option('--agent', 'Ask an agent: of this machine, or the one that --node names'))
    .addOption(new Option('--cluster', 'Ask the agents of all nodes; with --node, of that node alone'))
    .addOption(
      new Option('--agent-pod-selector <labels>', 'Label of the pods of the agents (default k8s-app=cilium)'),
    )
    .addOption(
      durationOption('--wait-duration <duration>', 'How long all of it may take').default(60_000, '1m'),
    );
}

const DISABLED = 'BGP Control Plane is disabled\n';

/** Whether all nodes are meant. Unlike elsewhere, --node beside --cluster says which of them. */
export async function areNodesMeant(options: NodesOptions, ctx: Context): Promise<boolean> {
  const { elsewhere } = ctx.globals;
  const isNamed = options.cluster && elsewhere !== undefined && 'node' in elsewhere.target;
  const isCluster = isNamed ? true : await isClusterMeant(options, ctx);
  if (!isCluster && options.agentPodSelector !== undefined)
    throw new UserError('--agent-pod-selector is for all nodes, and one agent is meant', {
      hint: 'Ask all nodes with --cluster.',
    });
  if (isCluster && options.watch)
    throw new UserError('--watch is for one agent, and all nodes are meant', {
      hint: 'Name an agent with --node, or take the one of this machine with --agent.',
    });
  if (!isCluster && options.output === 'summary') throw unknownFormat(options.output);
  return isCluster;
}

/** What is asked of each node, and how its failures are called. */
export interface NodesQuestion<T> {
  ask: (agent: AgentClient) => Promise<Answer<T[]>>;
  /** Words of the agent's own command line that print the same as JSON. */
  argv: readonly string[];
  read: (value: unknown) => Answer<T[]>;
  /** Of the agent's API. */
  type: string;
  unable: string;
  errors: string;
  /** Printed before anything is asked. */
  notice?: string;
}

/** Asks the agents, says which of them could not be asked, and prints what the others told. */
export async function printNodes<T>(
  options: NodesOptions,
  question: NodesQuestion<T>,
  render: (nodes: readonly Said<T[]>[]) => string | Table,
  ctx: Context,
): Promise<void> {
  const { elsewhere } = ctx.globals;
  const target = elsewhere?.target;
  const node = target && 'node' in target ? target.node : undefined;
  await using client = await openCluster(ctx);
  if (question.notice) await ctx.out.write(question.notice);
  const each = { node, selector: options.agentPodSelector, waitMs: options.waitDuration };
  const one = async (signal: AbortSignal, place: Parameters<typeof askAgent>[1]) => {
    try {
      const answer = await askAgent(client, place, question, signal, ctx);
      return { document: answer.document, rows: answer.decode() };
    } catch (error) {
      if (isDisabled(error)) return undefined;
      throw error;
    }
  };
  const asked = await askEach(client, each, (place, signal) => one(signal, place), ctx).catch(
    failed(question.unable),
  );
  const reasons = asked.silent
    .map(({ pod, why }) => `failed to fetch bgp state from ${pod}: ${why}`)
    .join('\n');
  if (asked.said.length === 0) throw new UserError(`${question.unable}: ${reasons}`);
  if (reasons !== '') {
    await ctx.err.write(`${question.errors}: ${reasons}\n\n`);
    ctx.exitCode = PARTIAL;
  }
  const told = asked.said.filter(({ value }) => value !== undefined);
  const without = asked.said.filter(({ value }) => value === undefined).map((one) => one.node);
  const isJson = isStructured(options.output);
  if (told.length === 0 && !isJson) return await ctx.out.write(DISABLED);
  if (without.length > 0) await ctx.err.write(`BGP Control Plane is disabled on ${without.join(', ')}\n`);
  if (!isJson) {
    const shown = render(told.map(({ value, ...where }) => ({ ...where, value: value?.rows ?? [] })));
    if (typeof shown === 'string') return await ctx.out.write(shown);
    return await printTable(ctx, { ...options, form: options.output }, shown);
  }
  const { shape, definitions } = await apiType(question.type);
  const documents = Object.fromEntries(
    told.map(({ node: at, value }) => [at, asGoWrites(value?.document ?? [], shape, definitions)]),
  );
  await ctx.out.write(
    options.output === 'json' ? `${goJson(documents, 1)}\n` : await renderOutput(documents, options.output),
  );
}

/** By the answer of its socket, or what its own command line prints instead of JSON. */
function isDisabled(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (
      (cause instanceof ApiError && cause.status === 501) ||
      /BGP Control Plane is disabled/i.test(cause.message)
    )
      return true;
  return false;
}
