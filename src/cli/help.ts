import { Command, Help, type HelpConfiguration, type Option } from 'commander';
import { examples } from './flags.ts';

/** A narrower column of texts cannot be read. */
const MIN_WIDTH = 16;
const BELOW = ' '.repeat(6);

/** How the help of all verbs is laid out. */
export const HELP: HelpConfiguration = {
  sortSubcommands: true,
  minWidthToWrap: MIN_WIDTH,
  // What is there only to be refused has no description.
  visibleArguments: ({ registeredArguments }) =>
    registeredArguments.filter(({ description }) => description !== ''),
  // A default that is empty says nothing to the reader of help.
  optionDescription: describe,
  commandUsage: (command) => new Help().commandUsage(command).replace(/^cilium (?=hubble )/, ''),
  formatItem,
};

/** The program itself, before anything of the tree is hung onto it. */
export function declareProgram(about: string, version: string): Command {
  return new Command('cilium')
    .description(about)
    .enablePositionalOptions()
    .helpOption('-h, --help', 'Display help for command')
    .configureHelp(HELP)
    .version(`cilium ${version}`, '-v, --version', 'Print the version')
    .addHelpText(
      'after',
      examples(
        'cilium status',
        'cilium endpoint list',
        'cilium policy validate policies/',
        'cilium observe --follow --verdict DROPPED',
        'cilium bpf maps list --sort=-pressure',
        'eval "$(cilium lab start)"',
        'cilium help exit-codes',
      ),
    );
}

/** Where a text has no room beside what it is of, it stands below. */
function formatItem(term: string, termWidth: number, text: string, helper: Help): string {
  const width = helper.helpWidth ?? 80;
  if (text === '' || width - termWidth - 4 >= MIN_WIDTH)
    return Help.prototype.formatItem.call(helper, term, termWidth, text, helper);
  const wrapped = helper.boxWrap(text, width - BELOW.length);
  return `  ${term}\n${BELOW}${wrapped.replaceAll('\n', `\n${BELOW}`)}`;
}

function describe(option: Option): string {
  const value: unknown = option.defaultValue;
  const said =
    option.defaultValueDescription === '' ||
    value === undefined ||
    value === '' ||
    value === false ||
    (Array.isArray(value) && value.length === 0);
  const extra = [
    ...(option.argChoices && !option.description.includes(option.argChoices[0] ?? '')
      ? [`one of ${option.argChoices.join(', ')}`]
      : []),
    ...(said || option.negate ? [] : [`default ${option.defaultValueDescription ?? String(value)}`]),
  ];
  return extra.length > 0 ? `${option.description} (${extra.join('; ')})` : option.description;
}
