import type { Command } from 'commander';
import { examples } from '../../cli/flags.ts';
import type { Context } from '../../context.ts';
import { SilentExit, UsageError } from '../../errors.ts';
import { addDumpFlags, type DumpFlags } from './flags.ts';

/** Declares `sysdump`: of a cluster, and inside an agent the one that collects nothing. */
export function addSysdumpCommand(command: Command, ctx: Context): void {
  command.allowUnknownOption().argument('[words...]');
  addDumpFlags(command);
  command
    .addHelpText(
      'after',
      examples(
        'cilium sysdump',
        'cilium sysdump --estimate',
        'cilium sysdump --node-list worker-2,worker-3 --since 2h',
        'cilium sysdump --only kubernetes,cilium,agents',
        'cilium sysdump --max-size 500Mi --skip bugtool,profiles',
      ),
    )
    .action((words: string[], options: DumpFlags) => runSysdump(words, options, command, ctx));
}

/** Collects from the cluster of the kubeconfig; where there is none, points to what can be done. */
export async function runSysdump(
  words: readonly string[],
  options: DumpFlags,
  command: Command,
  ctx: Context,
): Promise<void> {
  if (!(await isClusterMeant(ctx))) {
    await ctx.err.write(
      'Nothing is collected inside an agent: the collector works on a whole cluster, from a machine with kubectl access ' +
        '(https://github.com/cilium/cilium-cli).\nFor this node alone: cilium debuginfo --file\n',
    );
    throw new SilentExit(1);
  }
  const [unknown] = words;
  if (unknown !== undefined)
    throw new UsageError(
      unknown.startsWith('-') ? `unknown option '${unknown}'` : `unknown argument "${unknown}"`,
      {
        hint: 'Run "cilium sysdump --help" for its flags.',
      },
    );
  const [{ openCluster }, { collectDump }] = await Promise.all([
    import('../../kube/road.ts'),
    import('../../cli/sysdump/collect.ts'),
  ]);
  await using client = await openCluster(ctx);
  const given = ctx.globals.cluster?.namespace;
  const ciliumNamespace = options.ciliumNamespace ?? given;
  await collectDump(
    client,
    { ...options, ...(ciliumNamespace !== undefined && { ciliumNamespace }), debug: ctx.globals.debug },
    ctx,
    ['sysdump', ...wordsOf(command)],
  );
}

/** Whether flags, a variable or a kubeconfig say that there is a cluster. */
async function isClusterMeant(ctx: Context): Promise<boolean> {
  if (ctx.globals.cluster?.isNamed) return true;
  if (ctx.env.CILIUM_TARGET) return ctx.env.CILIUM_TARGET === 'cluster';
  const { hasKubeconfig } = await import('../../kube/config.ts');
  return await hasKubeconfig(ctx.env, undefined);
}

/** The flags that were given, as they are shown in the first line. */
function wordsOf(command: Command): string[] {
  return command.options.flatMap((option) => {
    const name = option.attributeName();
    if (command.getOptionValueSource(name) !== 'cli') return [];
    const value: unknown = command.getOptionValue(name);
    if (typeof value === 'boolean') return [`--${option.long?.replace(/^--/, '')}`];
    return [`${option.long}=${String(value)}`];
  });
}
