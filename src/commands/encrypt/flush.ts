import type { Command } from 'commander';
import { listNodeIds } from '../../agent/decode/nodes.ts';
import { failed } from '../../cli/answer.ts';
import { confirm } from '../../cli/confirm.ts';
import { examples, integer } from '../../cli/flags.ts';
import { idleOutputOption } from '../../cli/output.ts';
import type { Context } from '../../context.ts';
import { UsageError, UserError } from '../../errors.ts';
import { parseGoInteger } from '../../lib/go-integer.ts';
import { failureOf, type Run, systemRun } from '../../node/state/run.ts';
import {
  CILIUM_REQUEST_ID,
  deletePolicyCommand,
  deleteStateCommand,
  listXfrmPolicies,
  listXfrmStates,
  nodeIdOf,
} from '../../node/state/xfrm.ts';

interface FlushOptions {
  force?: boolean;
  spi: number;
  nodeId?: string;
  stale?: boolean;
  dryRun?: boolean;
}

/** The commands that do it, states and policies apart. */
interface FlushPlan {
  states: string[][];
  policies: string[][];
}

/** What a filter is asked about: a state or a policy. */
type Filter = (entry: { spi: number; mark?: { value: number; mask: number } }) => boolean;

const MAX_SPI = 15;

/** Declares `encrypt flush`. */
export function addEncryptFlushCommand(command: Command, ctx: Context): void {
  command

    .option('-f, --force', 'Skip confirmation')
    .addOption(
      integer('--spi <spi>', 'Only states and policies of this SPI (at most 15)', {
        min: 0,
        max: 255,
      }).default(0),
    )
    .option('--node-id <id>', 'Only states and policies for this node ID, decimal or with 0x')
    .option(
      '--stale',
      'Only those for nodes that the agent no longer knows; cannot be combined with the other filters',
    )
    .option('--dry-run', 'Print the commands that would run, and change nothing')
    .addOption(idleOutputOption())
    .addHelpText(
      'after',
      examples('cilium encrypt flush --stale --dry-run', 'cilium encrypt flush --node-id 0x1a'),
    )
    .action((options: FlushOptions) => runEncryptFlush(options, ctx));
}

/** Removes states and policies once that is confirmed. */
export async function runEncryptFlush(options: FlushOptions, ctx: Context): Promise<void> {
  const nodeId = options.nodeId === undefined ? undefined : parseNodeId(options.nodeId);
  if (options.stale && (options.spi !== 0 || nodeId !== undefined))
    throw new UsageError('--stale cannot be used together with --spi or --node-id');
  if (options.spi > MAX_SPI)
    throw new UsageError(`invalid SPI ${options.spi}: it must not be larger than ${MAX_SPI}`);
  const run = systemRun(ctx.env);
  const filtered = options.stale || options.spi !== 0 || nodeId !== undefined;
  if (!filtered) return flushAll(run, options, ctx);
  const filter = options.stale ? await staleFilter(ctx) : fieldFilter(options.spi, nodeId);
  await flushSome(run, filter, options, ctx);
}

function parseNodeId(text: string): number {
  const id = parseGoInteger(text);
  if (id === undefined || id <= 0 || id > 0xffff)
    throw new UsageError(`invalid node ID "${text}": a number from 1 to 65535 is expected`);
  return id;
}

function fieldFilter(spi: number, nodeId: number | undefined): Filter {
  return (entry) => (spi === 0 || entry.spi === spi) && (nodeId === undefined || nodeIdOf(entry) === nodeId);
}

async function staleFilter(ctx: Context): Promise<Filter> {
  const agent = await ctx.agent();
  const known = await listNodeIds(agent).catch(failed('cannot list the node ids'));
  const ids = new Set(known.decode().map(({ id }) => id));
  if (ids.size === 0)
    throw new UserError('the agent knows of no node: every state would look stale', {
      hint: 'Look with "cilium nodeid list"; without --stale everything is removed.',
    });
  return (entry) => nodeIdOf(entry) !== 0 && !ids.has(nodeIdOf(entry));
}

async function flushAll(run: Run, options: FlushOptions, ctx: Context): Promise<void> {
  const commands = [
    ['ip', 'xfrm', 'policy', 'flush'],
    ['ip', 'xfrm', 'state', 'flush', 'proto', 'esp'],
  ];
  if (options.dryRun) return printPlan(commands, ctx);
  const risk =
    'Without XFRM states and policies, connections can break and pod traffic between nodes can leave in plain text.';
  if (!(await allowed(risk, options, ctx))) return;
  for (const command of commands) await mustRun(run, command);
  await ctx.out.write('All XFRM states and policies have been deleted.\n');
}

async function flushSome(run: Run, filter: Filter, options: FlushOptions, ctx: Context): Promise<void> {
  const policies = (await listXfrmPolicies(run)).filter((p) => p.requestId === CILIUM_REQUEST_ID);
  const plan: FlushPlan = {
    states: (await listXfrmStates(run)).filter(filter).map(deleteStateCommand),
    policies: policies.filter(filter).map(deletePolicyCommand),
  };
  if (options.dryRun) return printPlan([...plan.states, ...plan.policies], ctx);
  const risk = `${plan.states.length} XFRM states and ${plan.policies.length} policies will be removed.`;
  if (!(await allowed(risk, options, ctx))) return;
  const states = await runAll(run, plan.states, ctx);
  await ctx.out.write(`Deleted ${states} XFRM states.\n`);
  const removed = await runAll(run, plan.policies, ctx);
  await ctx.out.write(`Deleted ${removed} XFRM policies.\n`);
}

async function allowed(risk: string, options: FlushOptions, ctx: Context): Promise<boolean> {
  return options.force === true || confirm(ctx, `${risk} Do you want to continue? [y/N] `);
}

async function printPlan(commands: readonly string[][], ctx: Context): Promise<void> {
  await ctx.out.write(commands.map((command) => `${command.join(' ')}\n`).join(''));
}

async function mustRun(run: Run, command: string[]): Promise<void> {
  const ran = await run(command);
  if (ran.code !== 0) throw new UserError(`${command.join(' ')}: ${failureOf(ran)}`);
}

/** Runs each command. Failures are printed and counted, and make the verb fail. */
async function runAll(run: Run, commands: readonly string[][], ctx: Context): Promise<number> {
  let done = 0;
  for (const command of commands) {
    const ran = await run(command);
    if (ran.code === 0) done++;
    else {
      ctx.exitCode = 1;
      await ctx.err.write(`${command.join(' ')}: ${failureOf(ran)}\n`);
    }
  }
  return done;
}
