import { type Command, Option } from 'commander';
import { apiType } from '../../agent/decode/shapes.ts';
import { readStatus } from '../../agent/decode/status.ts';
import { examples } from '../../cli/flags.ts';
import { isClusterMeant, type TargetOptions } from '../../cli/kube/target.ts';
import { outputOption } from '../../cli/output.ts';
import { requireRoot } from '../../cli/tree.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { atLeast, NEWEST_RELEASE, type Release } from '../../model/release.ts';
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
import { renderOutput } from '../../render/text/output.ts';
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
  const release = status?.release ?? NEWEST_RELEASE;
  // Where the agent does not encrypt with IPsec, missing IPsec tools are not an error. Up to 1.18 they are not asked.
  if (mode === 'IPsec' || atLeast(release, '1.19'))
    state.ipsec = await note(mode === 'IPsec' ? faults : [], readIpsec(systemRun(ctx.env), release));
  if (mode === 'Wireguard') state.wireguard = wireguardOf(status?.encryption?.wireguard, release);
  state.message = faults.join('\n');
  if (options.output) {
    const type = async () => ({ ...(await apiType('EncryptionStatus')), isValue: true });
    return ctx.out.write(
      await renderOutput(encryptionModel(state), options.output, { type, release: async () => release }),
    );
  }
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

/** Up to 1.18 the port is not part of it. */
function wireguardOf(state: EncryptionState['wireguard'], release: Release): EncryptionState['wireguard'] {
  if (!state || atLeast(release, '1.19')) return state;
  return { ...state, interfaces: state.interfaces.map((known) => ({ ...known, port: 0 })) };
}

async function readIpsec(run: Run, release: Release): Promise<EncryptionState['ipsec']> {
  const states = await listXfrmStates(run);
  if (states.length === 0 && atLeast(release, '1.19')) return undefined;
  const errors = await readXfrmErrors();
  return {
    decryptInterfaces: await listDecryptInterfaces(run),
    keysInUse: countKeys(states),
    maxSequenceNumber: maxSequence(states, atLeast(release, '1.18') ? 64 : 32),
    errorCount: errors.reduce((sum, [, count]) => sum + count, 0),
    errors,
  };
}
