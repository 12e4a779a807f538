import type { Command } from 'commander';
import { examples } from '../../cli/flags.ts';
import { htmlOption, openPage } from '../../cli/page.ts';
import type { Context } from '../../context.ts';
import { SilentExit, UsageError } from '../../errors.ts';
import { addDumpFlags, type DumpFlags } from './flags.ts';

/** Declares `sysdump`: of a cluster, and inside an agent the one that collects nothing. */
export function addSysdumpCommand(command: Command, ctx: Context): void {
  command.allowUnknownOption().usage('[options]').argument('[words...]');
  addDumpFlags(command);
  const collecting = command.options.map((option) => option.attributeName());
  command
    .optionsGroup('Looking at it:')
    .addOption(htmlOption('an overview of the archive'))
    .addHelpText(
      'after',
      examples(
        'cilium sysdump',
        'cilium sysdump --estimate',
        'cilium sysdump --node-list worker-2,worker-3 --since 2h',
        'cilium sysdump --only kubernetes,cilium,agents',
        'cilium sysdump --max-size 500Mi --skip bugtool,profiles',
        'cilium sysdump --html overview.html',
        'cilium sysdump --from cilium-sysdump-20260131-150000.zip --html overview.html',
      ),
    )
    .action((words: string[], options: SysdumpFlags) =>
      ctx.globals.archive
        ? runOverview(words, options, { command, collecting }, ctx)
        : runSysdump(words, options, command, ctx),
    );
}

interface SysdumpFlags extends DumpFlags {
  html?: string;
}

/** Shows an archive that is there already. */
async function runOverview(
  words: readonly string[],
  { html }: SysdumpFlags,
  { command, collecting }: { command: Command; collecting: readonly string[] },
  ctx: Context,
): Promise<void> {
  refuseWords(words);
  const [other] = command.options.filter(
    (option) =>
      collecting.includes(option.attributeName()) &&
      command.getOptionValueSource(option.attributeName()) === 'cli',
  );
  if (other) throw new UsageError(`${other.long} is about collecting, and with --from nothing is collected`);
  if (html === undefined)
    throw new UsageError(
      '--from names an archive that is there already: --html says where an overview of it goes',
      {
        hint: 'Other verbs read it as they ask a cluster: status, endpoint list, hubble observe …',
      },
    );
  const page = await openPage(html, ctx);
  const { writeOverview } = await import('./overview.ts');
  await writeOverview(page, ctx);
}

function refuseWords([unknown]: readonly string[]): void {
  if (unknown !== undefined)
    throw new UsageError(
      unknown.startsWith('-') ? `unknown option '${unknown}'` : `unknown argument "${unknown}"`,
      {
        hint: 'Run "cilium sysdump --help" for its flags.',
      },
    );
}

/** Collects from the cluster of the kubeconfig; where there is none, points to what can be done. */
export async function runSysdump(
  words: readonly string[],
  { html, ...options }: SysdumpFlags,
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
  refuseWords(words);
  if (html !== undefined && options.estimate)
    throw new UsageError('--html shows an archive, and --estimate makes none: leave out one of them');
  const page = html === undefined ? undefined : await openPage(html, ctx);
  const [{ openCluster }, { collectDump }] = await Promise.all([
    import('../../kube/road.ts'),
    import('../../cli/sysdump/collect.ts'),
  ]);
  await using client = await openCluster(ctx);
  const given = ctx.globals.cluster?.namespace;
  const ciliumNamespace = options.ciliumNamespace ?? given;
  const file = await collectDump(
    client,
    { ...options, ...(ciliumNamespace !== undefined && { ciliumNamespace }), debug: ctx.globals.debug },
    ctx,
    ['sysdump', ...wordsOf(command)],
  );
  if (!page || file === undefined) return;
  const [{ openArchive }, { writeOverview }] = await Promise.all([
    import('../../cli/archive.ts'),
    import('./overview.ts'),
  ]);
  await openArchive(file, ctx);
  await writeOverview(page, ctx);
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
