import type { Command } from 'commander';
import { failed } from '../../cli/answer.ts';
import { examples } from '../../cli/flags.ts';
import type { Context } from '../../context.ts';
import { systemRun } from '../../node/state/run.ts';
import { listXfrmStates, type XfrmAlgorithm, type XfrmState } from '../../node/state/xfrm.ts';
import { goJson } from '../../render/text/json.ts';

/** Declares `encrypt dump-xfrm`. */
export function addEncryptDumpXfrmCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium encrypt dump-xfrm'));
  command.action(() => runEncryptDumpXfrm(ctx));
}

/** Prints one line of JSON; `null` when there are no states. */
export async function runEncryptDumpXfrm(ctx: Context): Promise<void> {
  const states = await listXfrmStates(systemRun(ctx.env)).catch(failed('Cannot dump XFRM states'));
  await ctx.out.write(`${goJson(states.length > 0 ? states.map(record) : null)}\n`);
}

function record({ src, dst, spi, requestId, auth, crypt, aead }: XfrmState): Record<string, unknown> {
  return {
    src,
    dst,
    spi,
    reqid: requestId,
    ...algorithm('auth', auth),
    ...algorithm('crypt', crypt),
    ...algorithm('aead', aead),
  };
}

function algorithm(kind: string, found: XfrmAlgorithm | undefined): Record<string, string> {
  return found ? { [`${kind}_alg`]: found.name, ...(found.key && { [`${kind}_key`]: found.key }) } : {};
}
