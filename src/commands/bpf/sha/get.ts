import type { Command } from 'commander';
import { examples } from '../../../cli/flags.ts';
import { type OutputFlag, outputOption } from '../../../cli/output.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { parsePlainJson } from '../../../lib/exact-json.ts';
import { renderOutput } from '../../../render/text/output.ts';
import { readHeader, readState, recordedHeader, stateFolder } from './templates.ts';

const EMBEDDED = /\/\/ JSON_OUTPUT: ((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)/;

/** Declares `bpf sha get`. */
export function addBpfShaGetCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf sha get 9f2c1d7e0b5a'));
  command
    .argument('<sha>', 'hash of a template, as "bpf sha list" prints it')
    .addOption(outputOption())
    .action((sha: string, options: OutputFlag) => runBpfShaGet(sha, options, ctx));
}

/** Prints the C header of a template, or the JSON that the agent put into it or beside it. */
export async function runBpfShaGet(sha: string, options: OutputFlag, ctx: Context): Promise<void> {
  const header = ctx.globals.archive ? await recordedHeader(ctx, sha) : readHeader(stateFolder(ctx.env), sha);
  if (options.output === '') return await ctx.out.write(header);
  const state = ctx.globals.archive ? undefined : readState(stateFolder(ctx.env), sha);
  const json = state ?? embedded(header);
  let value: unknown;
  try {
    value = parsePlainJson(json);
  } catch (error) {
    throw new UserError(`the JSON that the agent wrote of ${sha} is broken`, { cause: error });
  }
  await ctx.out.write(await renderOutput(value, options.output));
}

function embedded(header: string): string {
  const encoded = EMBEDDED.exec(header)?.[1];
  if (!encoded) throw new UserError('No JSON embedded in the file.');
  return Buffer.from(encoded, 'base64').toString('utf8');
}
