import { type Command, Option } from 'commander';
import { readStatus } from '../../agent/decode/status.ts';
import { examples } from '../../cli/flags.ts';
import { isClusterMeant, type TargetOptions } from '../../cli/kube/target.ts';
import { outputOption, writeStructured } from '../../cli/output.ts';
import { requireRoot } from '../../cli/tree.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { atLeast } from '../../model/release.ts';
import type { AgentStatus, EncryptionState } from '../../model/status.ts';
import { type Run, systemRun } from '../../node/state/run.ts';
import {
  countKeys,
  listDecryptInterfaces,
  listXfrmStates,
  maxSequence,
  readXfrmErrors,
} from '../../node/state/xfrm.ts';
import { encryptionModel, renderEncryption } from '../../render/agent/encrypt.ts';
import { addStatusFlags, type EncryptionStatusFlags } from './cluster-flags.ts';

type EncryptStatusFlags = EncryptionStatusFlags & TargetOptions;

/** Declares `encrypt status`. */
export function addEncryptStatusCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples(
      'cilium encrypt status',
      'cilium encrypt status --cluster --per-node-details',
      'cilium encrypt status -o json',
    ),
  );
  command
    .addOption(outputOption('summary'))
    .action((flags: EncryptStatusFlags) => runEitherStatus(flags, ctx));
  command
    .optionsGroup('Flags for a cluster:')
    .addOption(new Option('--agent', 'Ask the agent of this node'))
    .addOption(new Option('--cluster', 'Ask the agents of all nodes of a cluster'));
  addStatusFlags(command);
}

/** The same words are for one node here, and those of `encryption status` in cilium-cli. */
async function runEitherStatus(flags: EncryptStatusFlags, ctx: Context): Promise<void> {
  const { node, perNodeDetails, agentPodSelector, agent, cluster, output } = flags;
  const isOfCluster = node !== undefined || perNodeDetails || agentPodSelector !== undefined;
  const target = { ...(agent && { agent }), ...((cluster || isOfCluster) && { cluster: true }) };
  if (!(await isClusterMeant(target, ctx))) {
    if (output === 'summary') throw new UserError('-o summary is for the nodes of a cluster: --cluster');
    requireRoot('cilium encrypt status', ctx.uid);
    return runEncryptStatus(flags, ctx);
  }
  if (!['', 'summary', 'json'].includes(output))
    throw new UserError(`-o ${output} is for this node: of a cluster there are summary and json`);
  const { runEncryptionStatus } = await import('./cluster-status.ts');
  await runEncryptionStatus(flags, ctx);
}

/** Prints the mode that the agent runs in, and what the kernel holds of it. */
export async function runEncryptStatus(options: { output: string }, ctx: Context): Promise<void> {
  const faults: string[] = [];
  const status = await note(faults, askAgent(ctx));
  const mode = status?.encryption?.mode ?? '';
  const state: EncryptionState = { mode, message: '' };
  // Where the agent does not encrypt with IPsec, missing IPsec tools are not an error.
  state.ipsec = await note(mode === 'IPsec' ? faults : [], readIpsec(systemRun(ctx.env), status));
  if (mode === 'Wireguard') state.wireguard = status?.encryption?.wireguard;
  state.message = faults.join('\n');
  if (options.output) return writeStructured(ctx, options.output, encryptionModel(state), 'EncryptionStatus');
  await ctx.out.write(renderEncryption(state));
}

async function note<T>(faults: string[], work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    faults.push(error.message);
    return undefined;
  }
}

async function askAgent(ctx: Context): Promise<AgentStatus> {
  return (await readStatus(await ctx.agent(), { brief: false, timeoutMs: 30_000 })).decode();
}

async function readIpsec(run: Run, status: AgentStatus | undefined): Promise<EncryptionState['ipsec']> {
  const states = await listXfrmStates(run);
  const expected = status?.encryption?.mode === 'IPsec' && !atLeast(status.release, '1.20');
  if (states.length === 0 && !expected) return undefined;
  const errors = await readXfrmErrors();
  return {
    decryptInterfaces: await listDecryptInterfaces(run),
    keysInUse: countKeys(states),
    maxSequenceNumber: maxSequence(states),
    errorCount: errors.reduce((sum, [, count]) => sum + count, 0),
    errors,
  };
}
