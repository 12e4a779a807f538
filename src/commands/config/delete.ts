import type { Command } from 'commander';
import { examples } from '../../cli/flags.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { nearest } from '../../lib/nearest.ts';
import { addChangeFlags, type ChangeFlags } from './change.ts';

/** Declares `config delete`. */
export function addConfigDeleteCommand(command: Command, ctx: Context): void {
  command
    .addHelpText(
      'after',
      examples(
        'cilium config delete enable-bgp-control-plane',
        'cilium config delete debug --restart rolling',
      ),
    )
    .argument('<key>', 'key of the ConfigMap cilium-config')
    .action((key: string, flags: ChangeFlags) => runConfigDelete(key, flags, ctx));
  addChangeFlags(command);
}

/** Removes one key of the ConfigMap that Cilium is configured by. */
export async function runConfigDelete(key: string, flags: ChangeFlags, ctx: Context): Promise<void> {
  const [{ openStoredConfig }, { CONFIG_MAP, deleteKey }, { change }] = await Promise.all([
    import('./stored.ts'),
    import('../../kube/config-map.ts'),
    import('./change.ts'),
  ]);
  await ctx.out.write(`✨ Removing key ${key} from ConfigMap ${CONFIG_MAP}...\n`);
  const { client, stored } = await openStoredConfig(ctx, 'Unable to delete config');
  if (!Object.hasOwn(stored.data, key)) {
    const near = nearest(key, Object.keys(stored.data));
    throw new UserError(`Unable to delete config:  the ConfigMap ${CONFIG_MAP} has no key ${key}`, {
      hint: near === undefined ? 'Its keys: cilium config view' : `Did you mean ${near}?`,
    });
  }
  const options = { dryRun: flags.dryRun === true, forceConflicts: flags.forceConflicts === true };
  await change(ctx, { client, stored, key }, flags, () => deleteKey(client, stored, key, options));
}
