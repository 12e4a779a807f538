import { type Command, Option } from 'commander';
import { integer, stringSlice } from '../../../cli/flags.ts';
import { UsageError, UserError } from '../../../errors.ts';

/** Flags that the reference does not have. */
export interface ExtensionFlags {
  where?: string;
  explain?: boolean;
  top: string[];
  topRows?: number;
  collapse?: boolean;
  sort?: boolean;
  tui?: boolean;
  lossSummary?: boolean;
  maxLoss?: number;
  reconnect: boolean;
  maxReconnects?: number;
}

/** Declares them, in a section of their own. */
export function addExtensionOptions(command: Command): Command {
  return command
    .optionsGroup('Beyond the reference:')
    .option(
      '--where <expression>',
      'One expression instead of filter flags, such as "dst.port in 80..443 and not reply"; "help" lists the fields',
    )
    .option('--explain', 'Say what of --where and the filters the server does, and why nothing came')
    .addOption(stringSlice('--top <keys>', 'Rank flows by keys such as src,dst,port or reason'))
    .addOption(integer('--top-rows <n>', 'Rows of the ranking (default 20)', { min: 1, max: 1000 }))
    .option('--collapse', 'One line per connection')
    .option('--sort', 'Put the records of files in the order of their times')
    .option('--tui', 'A live screen')
    .option('--loss-summary', 'Count lost events on stderr instead of printing them')
    .addOption(
      new Option('--max-loss <percent>', 'Exit with 1 when a larger share of events was lost').argParser(
        percent,
      ),
    )
    .addOption(
      integer('--max-reconnects <n>', 'Attempts in a row when a followed stream breaks (default: no limit)', {
        min: 0,
      }),
    )
    .option('--no-reconnect', 'End when a followed stream breaks');
}

function percent(text: string): number {
  const value = Number(text.replace(/%$/, ''));
  if (text === '' || Number.isNaN(value) || value < 0 || value > 100)
    throw new UsageError(
      `invalid argument "${text}" for "--max-loss" flag: expected a share between 0 and 100`,
    );
  return value;
}

/** Whether any flag asks for more than the reference does: then flows have to be read whole. */
export function usesExtensions(flags: ExtensionFlags): boolean {
  const { where, explain, top, collapse, sort, tui, lossSummary, maxLoss } = flags;
  return (
    where !== undefined ||
    explain === true ||
    top.length > 0 ||
    collapse === true ||
    sort === true ||
    tui === true ||
    lossSummary === true ||
    maxLoss !== undefined
  );
}

/** Ways to show flows, and what asks for each. Without any of them flows are printed as lines. */
const VIEWS = [
  { view: 'tui', flag: '--tui', isAsked: ({ tui }: ExtensionFlags) => tui === true },
  { view: 'top', flag: '--top', isAsked: ({ top }: ExtensionFlags) => top.length > 0 },
  { view: 'connections', flag: '--collapse', isAsked: ({ collapse }: ExtensionFlags) => collapse === true },
] as const;
export type View = (typeof VIEWS)[number]['view'] | 'lines';

/** The view that the flags ask for. Throws UserError when they ask for several. */
export function chooseView(flags: ExtensionFlags): View {
  const [asked, ...others] = VIEWS.filter(({ isAsked }) => isAsked(flags));
  if (asked && others.length > 0)
    throw new UserError(`${[asked, ...others].map(({ flag }) => flag).join(' and ')} cannot go together`, {
      hint: 'Each is a way of its own to show flows: choose one.',
    });
  return asked?.view ?? 'lines';
}
