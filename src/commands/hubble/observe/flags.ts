import { type Command, Option } from 'commander';
import { flagName, stringArray, stringSlice } from '../../../cli/flags.ts';
import { UsageError } from '../../../errors.ts';
import { parseGoUint } from '../../../lib/go-integer.ts';
import { goQuote } from '../../../lib/go-quote.ts';
import { FILTER_FLAGS } from './filter-flags.ts';
import { FilterTracker, type FilterWord } from './filter-tracker.ts';
import type { SelectorFlags } from './selectors.ts';

/** Flags of every kind of observation. */
export interface ObserveFlags extends SelectorFlags {
  output: string;
  printNodeName?: boolean;
  timeFormat: string;
  silentErrors?: boolean;
  printPolicyNames?: boolean;
  numeric?: boolean;
  ipTranslation?: boolean;
  color?: string;
  inputFile: string[];
  printRawFilters?: boolean;
  fieldMask?: string[];
  experimentalFieldMask?: string[];
  useDefaultFieldMasks?: boolean;
  experimentalUseDefaultFieldMasks?: boolean;
}

/** Declares which part of the record is meant; without a word about it so many of the newest are. */
export function addSelectorOptions(command: Command, last = 20n): Command {
  return command
    .optionsGroup('Selectors Flags:')
    .option('--all', 'Everything that the server still has')
    .addOption(unsigned('--last <n>', `The newest n (default ${last})`))
    .addOption(unsigned('--first <n>', 'The oldest n'))
    .option('-f, --follow', 'Go on with what comes')
    .option('--since <time>', 'From a time on: 5m for five minutes ago, or 2026-01-31T15:04:05Z')
    .option('--until <time>', 'Up to a time, written as for --since');
}

/** Declares how records are printed. */
export function addFormatOptions(command: Command): Command {
  return command
    .optionsGroup('Formatting Flags:')
    .option('-o, --output <format>', 'Form of the output: compact, dict, json, jsonpb or table', 'compact')
    .option('--print-node-name', 'Print the node of each record')
    .option(
      '--time-format <layout>',
      'YearMonthDay, YearMonthDayHour, YearMonthDayHourMinute, StampMilli, RFC3339, RFC3339Milli, RFC3339Micro, RFC3339Nano or RFC1123Z',
      'StampMilli',
    )
    .option('-s, --silent-errors', 'Keep quiet about nodes that fail')
    .option('--print-policy-names', 'Print the policies that decided');
}

/** Declares files, masks and the rest that events take as well, though most of it does nothing there. */
export function addOtherOptions(command: Command): Command {
  return command
    .optionsGroup('Other Flags:')
    .option('--print-raw-filters', 'Print the filters that would be sent, and end')
    .addOption(
      stringArray(
        '--input-file <file>',
        'Read flows from a capture, a folder of captures or a glob; - for stdin',
        // Without a name it is as if it had not been given.
      ).argParser((name: string, names: string[] = []) => (name === '' ? names : [...names, name])),
    )
    .addOption(stringSlice('--field-mask <fields>', 'Fields to ask for, with -o json'))
    .addOption(stringSlice('--experimental-field-mask <fields>', '').hideHelp())
    .addOption(onByDefault('--use-default-field-masks', 'Ask only for the fields that are printed'))
    .addOption(onByDefault('--experimental-use-default-field-masks', '').hideHelp());
}

/** Declares what only flows have: names, colour and filters. Returns the filter flags as they come. */
export function addFlowOptions(command: Command): FilterWord[] {
  command
    .option('--numeric', 'Print addresses instead of names')
    .addOption(onByDefault('--ip-translation', 'Print names instead of addresses'))
    .option('--color <when>', 'Colour the output: auto, always or never', 'auto');
  addOtherOptions(command)
    .optionsGroup('Raw Filters Flags:')
    .addOption(stringArray('--allowlist <json>', 'Show flows of this FlowFilter too'))
    .addOption(stringArray('--denylist <json>', 'Hide flows of this FlowFilter'))
    .optionsGroup('Filters Flags:');
  return addFilterOptions(command);
}

/** Declares the filter flags alone; returns their uses in the order of the command line. */
export function addFilterOptions(command: Command): FilterWord[] {
  const words: FilterWord[] = [];
  const tracker = new FilterTracker();
  const listen = (name: string) => {
    command.on(`option:${name}`, (value: unknown) => {
      const word = { flag: name, value: typeof value === 'string' ? value : '' };
      words.push(word);
      // Of several faults the first one is told.
      tracker.add(word);
    });
  };
  command.option('--not', 'Negate the filter that follows');
  listen('not');
  for (const flag of FILTER_FLAGS) {
    const short = flag.short ? `-${flag.short}, ` : '';
    command.addOption(
      new Option(`${short}--${flag.name} ${flag.value ? `<${flag.value}>` : '[any]'}`, flag.about),
    );
    listen(flag.name);
  }
  return words;
}

/** A switch that is on unless it is turned off with `=false`. */
function onByDefault(flags: string, about: string): Option {
  return new Option(flags, about).default(true, 'true');
}

/** A 64-bit number, kept exact. */
function unsigned(flags: string, about: string): Option {
  const option = new Option(flags, about);
  return option.argParser((value: string) => {
    const fail = (why: string) =>
      new UsageError(
        `invalid argument ${goQuote(value)} for "${flagName(option)}" flag: strconv.ParseUint: parsing ${goQuote(value)}: ${why}`,
        { hint: 'Expected a whole number, such as 100.' },
      );
    const number = parseGoUint(value);
    if (number === undefined) throw fail('invalid syntax');
    if (number > 0xffff_ffff_ffff_ffffn) throw fail('value out of range');
    return number;
  });
}
