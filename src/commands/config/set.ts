import type { Command } from 'commander';
import { examples } from '../../cli/flags.ts';
import type { Context } from '../../context.ts';
import { addChangeFlags, type ChangeFlags } from './change.ts';

/** Declares `config set`. */
export function addConfigSetCommand(command: Command, ctx: Context): void {
  command
    .addHelpText(
      'after',
      examples(
        'cilium config set monitor-aggregation none',
        'cilium config set debug true --restart rolling --wait-duration 10m',
        'cilium config set enable-hubble true --dry-run',
      ),
    )
    .argument('<key>', 'key of the ConfigMap cilium-config')
    .argument('<value>', 'its new value')
    .action((key: string, value: string, flags: ChangeFlags) => runConfigSet(key, value, flags, ctx));
  addChangeFlags(command);
}

/** Sets one key of the ConfigMap that Cilium is configured by. */
export async function runConfigSet(
  key: string,
  value: string,
  flags: ChangeFlags,
  ctx: Context,
): Promise<void> {
  const [{ openStoredConfig }, { CONFIG_MAP, setKey }, { change }] = await Promise.all([
    import('./stored.ts'),
    import('../../kube/config-map.ts'),
    import('./change.ts'),
  ]);
  await ctx.out.write(`✨ Patching ConfigMap ${CONFIG_MAP} with ${key}=${value}...\n`);
  const { client, stored } = await openStoredConfig(ctx, 'Unable to set config');
  const options = { dryRun: flags.dryRun === true, forceConflicts: flags.forceConflicts === true };
  await change(ctx, { client, stored, key, value }, flags, () => setKey(client, stored, key, value, options));
}
