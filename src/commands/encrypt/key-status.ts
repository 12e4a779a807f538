import type { Command } from 'commander';
import { examples } from '../../cli/flags.ts';
import { unable } from '../../cli/kube/unable.ts';
import { hiddenKey } from '../../cluster/encryption/key.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { readKey } from '../../kube/ipsec-secret.ts';
import { goJson } from '../../render/text/json.ts';
import { addWaitDuration, openCilium, summaryOption, type WaitFlag } from './cluster-flags.ts';

interface KeyStatusFlags extends WaitFlag {
  showSecret?: boolean;
  output: string;
}

/** Declares `encryption key-status`. */
export function addKeyStatusCommand(command: Command, ctx: Context): void {
  command
    .option('--show-secret', 'Print the key itself')
    .addOption(summaryOption())
    .addHelpText(
      'after',
      examples('cilium encryption key-status', 'cilium encryption key-status --show-secret -o json'),
    )
    .action((flags: KeyStatusFlags) => runKeyStatus(flags, ctx));
  addWaitDuration(command);
}

/** Prints which key there is. What is secret in it only when it is asked for. */
export async function runKeyStatus(flags: KeyStatusFlags, ctx: Context): Promise<void> {
  const what = 'Unable to display IPsec key';
  const { client, namespace } = await openCilium(ctx, flags.waitDuration);
  const { text } = await readKey(client, namespace).catch(unable(`${what}: failed to fetch IPsec secret`));
  if (client.recorded && flags.showSecret)
    throw new UserError(
      `${what}: ${client.recorded.label} does not hold the key, only what may be shown of it`,
      {
        hint: 'Without --show-secret that is printed.',
      },
    );
  const shown = flags.showSecret || client.recorded ? text : hiddenKey(text);
  await ctx.out.write(
    flags.output === 'json' ? `${goJson({ 'ipsec-key': shown }, 1)}\n` : `IPsec key: ${shown}\n`,
  );
}
