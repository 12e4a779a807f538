import type { Command } from 'commander';
import { readStatus } from '../../agent/decode/status.ts';
import { outputOption, writeStructured } from '../../cli/output.ts';
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

/** Declares `encrypt status`. */
export function addEncryptStatusCommand(command: Command, ctx: Context): void {
  command.addOption(outputOption()).action((options: { output: string }) => runEncryptStatus(options, ctx));
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
