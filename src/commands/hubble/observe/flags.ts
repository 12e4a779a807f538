import { type Command, Option } from 'commander';
import { UsageError } from '../../../errors.ts';
import { flagName, stringArray, stringSlice } from '../../flags.ts';
import type { FilterWord } from './filter-builder.ts';
import { FILTER_FLAGS } from './filter-flags.ts';
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
  color: string;
  inputFile: string[];
  printRawFilters?: boolean;
  fieldMask?: string[];
  experimentalFieldMask?: string[];
  useDefaultFieldMasks?: boolean;
  experimentalUseDefaultFieldMasks?: boolean;
}

/** Declares which part of the record is meant. */
export function addSelectorOptions(command: Command): Command {
  return command
    .optionsGroup('Selectors Flags:')
    .option('--all', 'everything that the server still has')
    .addOption(unsigned('--last <n>', 'the newest n (default 20)'))
    .addOption(unsigned('--first <n>', 'the oldest n'))
    .option('-f, --follow', 'go on with what comes')
    .option('--since <time>', 'from a time on: 5m ago, or 2026-01-31T15:04:05Z')
    .option('--until <time>', 'up to a time, written as for --since');
}

/** Declares how records are printed. */
export function addFormatOptions(command: Command): Command {
  return command
    .optionsGroup('Formatting Flags:')
    .option('-o, --output <format>', 'compact, dict, json, jsonpb or table', 'compact')
    .option('--print-node-name', 'print the node of each record')
    .option(
      '--time-format <layout>',
      'YearMonthDay, YearMonthDayHour, YearMonthDayHourMinute, StampMilli, RFC3339, RFC3339Milli, RFC3339Micro, RFC3339Nano or RFC1123Z',
      'StampMilli',
    )
    .option('-s, --silent-errors', 'keep quiet about nodes that fail');
}

/** Declares what only flows have: names, colour, masks, files and filters. Returns the filter flags as they come. */
export function addFlowOptions(command: Command): FilterWord[] {
  command
    .option('--print-policy-names', 'print the policies that decided')
    .option('--numeric', 'print addresses instead of names')
    .addOption(onByDefault('--ip-translation', 'print names instead of addresses'))
    .option('--color <when>', 'auto, always or never', 'auto')
    .optionsGroup('Other Flags:')
    .option('--print-raw-filters', 'print the filters that would be sent, and end')
    .addOption(
      stringArray(
        '--input-file <file>',
        'read flows from a capture, a folder of captures or a glob; - for stdin',
      ),
    )
    .addOption(stringSlice('--field-mask <fields>', 'fields to ask for, with -o json'))
    .addOption(stringSlice('--experimental-field-mask <fields>', '').hideHelp())
    .addOption(onByDefault('--use-default-field-masks', 'ask only for the fields that are printed'))
    .addOption(onByDefault('--experimental-use-default-field-masks', '').hideHelp())
    .optionsGroup('Raw Filters Flags:')
    .addOption(stringArray('--allowlist <json>', 'show flows of this FlowFilter too'))
    .addOption(stringArray('--denylist <json>', 'hide flows of this FlowFilter'))
    .optionsGroup('Filters Flags:');
  return addFilterOptions(command);
}

/** Declares the filter flags alone; returns their uses in the order of the command line. */
export function addFilterOptions(command: Command): FilterWord[] {
  const words: FilterWord[] = [];
  const listen = (name: string) => {
    command.on(`option:${name}`, (value: unknown) =>
      words.push({ flag: name, value: typeof value === 'string' ? value : '' }),
    );
  };
  command.option('--not', 'negate the filter that follows');
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
        `invalid argument "${value}" for "${flagName(option)}" flag: strconv.ParseUint: parsing "${value}": ${why}`,
      );
    if (!/^(\d+|0x[0-9a-fA-F]+)$/.test(value)) throw fail('invalid syntax');
    const number = BigInt(value);
    if (number > 0xffff_ffff_ffff_ffffn) throw fail('value out of range');
    return number;
  });
}
