import type { Command } from 'commander';
import { examples } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { addExtensionOptions, type ExtensionFlags } from './extensions.ts';
import { addFlowOptions, addFormatOptions, addSelectorOptions, type ObserveFlags } from './flags.ts';

/** Declares `hubble observe`, and `hubble observe flows`, which is the same. */
export function addObserveCommand(command: Command, ctx: Context): void {
  addFormatOptions(addSelectorOptions(command));
  const words = addFlowOptions(command);
  addExtensionOptions(command);
  command.addHelpText(
    'after',
    examples(
      'hubble observe --follow --verdict DROPPED --to-pod shop/catalog',
      "hubble observe --since 5m --where 'dst.port in 8000..8999 and not reply'",
      'hubble observe --last 2000 --top reason,src,dst,port',
      'hubble observe --input-file capture.jsonl.gz --collapse',
      'hubble observe --follow --tui',
      'hubble observe -P --kube-context prod --follow --verdict DROPPED',
      'hubble observe --all-nodes --since 1m --type drop',
      'hubble observe --context east --context west --since 5m --verdict DROPPED',
      'hubble observe --from cilium-sysdump.zip --verdict DROPPED',
    ),
  );
  command.action(async (flags: ObserveFlags & ExtensionFlags) => {
    const { runObserve } = await import('./run.ts');
    await runObserve(command, flags, words, ctx);
  });
}
