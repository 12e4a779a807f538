import type { Command } from 'commander';
import { AgentClient } from '../../agent/client.ts';
import { listEndpoints } from '../../agent/decode/endpoints.ts';
import { readPolicy } from '../../agent/decode/policy.ts';
import { readStatus } from '../../agent/decode/status.ts';
import { HttpClient } from '../../agent/http/http.ts';
import { examples } from '../../cli/flags.ts';
import { addListOptions, type ListFlags, printTable, runList } from '../../cli/list.ts';
import { LIST_FORMATS, outputOption, writeStructured } from '../../cli/output.ts';
import type { Context } from '../../context.ts';
import { errorMessage, SilentExit } from '../../errors.ts';
import type { LabInfo } from '../../lab/folder.ts';
import { type LabRow, labTable } from '../../render/lab.ts';
import { addWhichOptions, findLab, knownLabs, type WhichFlags } from './flags.ts';

/** Declares `lab status`. */
export function addLabStatusCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium lab status', 'cilium lab status -o json'));
  command
    .addOption(outputOption(...LIST_FORMATS))
    .action((flags: WhichFlags & ListFlags) => runList(ctx, flags, runLabStatus, 'The lab'));
  addListOptions(command);
  addWhichOptions(command);
}

/** Lists labs with what their agents say about themselves. */
export async function runLabStatus(flags: WhichFlags & ListFlags, ctx: Context): Promise<void> {
  const one = flags.name !== undefined || flags.dir !== undefined;
  const labs = one ? [findLab(flags, ctx)].filter((lab) => lab !== undefined) : knownLabs(ctx);
  if (labs.length === 0) {
    await ctx.err.write('No lab is running. Start one with: cilium lab start\n');
    throw new SilentExit(1);
  }
  const rows = await Promise.all(labs.map((lab) => rowOf(lab, ctx)));
  if (flags.output) return writeStructured(ctx, flags.output, rows);
  await printTable(ctx, flags, labTable(rows));
}

async function rowOf(lab: LabInfo, ctx: Context): Promise<LabRow> {
  const http = new HttpClient({ network: 'unix', target: lab.sockets.agent });
  const agent = new AgentClient(http, ctx.signal);
  const row = {
    name: lab.name,
    pid: lab.pid,
    scenario: lab.scenario,
    agentVersion: lab.agentVersion,
    startedAt: lab.startedAt,
    hubble: lab.hubbleTcp,
    dir: lab.dir,
  };
  try {
    const [status, policy, endpoints] = await Promise.all([
      readStatus(agent, { brief: false, timeoutMs: 5000 }),
      readPolicy(agent, { timeoutMs: 5000 }),
      listEndpoints(agent, { timeoutMs: 5000 }),
    ]);
    const { cilium, hubble } = status.decode();
    return {
      ...row,
      state: cilium?.state ?? 'Unknown',
      endpoints: endpoints.decode().length,
      policyRevision: policy.decode().revision,
      flows: hubble?.observer?.seen ?? 0,
    };
  } catch (error) {
    return { ...row, state: `Failure: ${errorMessage(error)}`, endpoints: 0, policyRevision: 0, flows: 0 };
  } finally {
    await http.close();
  }
}
