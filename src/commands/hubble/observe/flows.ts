import type { Command } from 'commander';
import { examples } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { checkFieldMask, DEFAULT_FIELD_MASK } from '../../../hubble/protobuf/field-mask.ts';
import { type FlowFormat, FlowRenderer } from '../../../render/hubble/flow-format.ts';
import { flowHeaders } from '../../../render/hubble/flow-records.ts';
import { readSettings, type Settings } from '../settings.ts';
import { buildFilters, type FilterLists, type FilterWord } from './filter-builder.ts';
import { addFlowOptions, addFormatOptions, addSelectorOptions, type ObserveFlags } from './flags.ts';
import { formatOf, RecordSink, styleFlags, styleOf } from './output.ts';
import { addOwnOptions, isOwn, type OwnFlags } from './own-flags.ts';
import { parseRawFilters, renderRawFilters } from './raw-filters.ts';
import { selectFlows } from './selectors.ts';

/** Declares `hubble observe`, which is `hubble observe flows` by itself. */
export function addObserveCommand(command: Command, ctx: Context): void {
  declare(command, ctx);
}

/** Declares `hubble observe flows`. */
export function addObserveFlowsCommand(command: Command, ctx: Context): void {
  declare(command, ctx);
}

function declare(command: Command, ctx: Context): void {
  addFormatOptions(addSelectorOptions(command));
  const words = addFlowOptions(command);
  addOwnOptions(command);
  command.addHelpText(
    'after',
    examples(
      'hubble observe --follow --verdict DROPPED --to-pod shop/catalog',
      "hubble observe --since 5m --where 'dst.port in 8000..8999 and not reply'",
      'hubble observe --last 2000 --top reason,src,dst,port',
      'hubble observe --input-file capture.jsonl.gz --collapse',
      'hubble observe --follow --tui',
    ),
  );
  command.action((flags: ObserveFlags & OwnFlags) => runObserveFlows(command, flags, words, ctx));
}

/** Shows the flows of a server or a file. */
export async function runObserveFlows(
  command: Command,
  flags: ObserveFlags & OwnFlags,
  words: readonly FilterWord[],
  ctx: Context,
): Promise<void> {
  const fromFile = flags.inputFile.length > 0;
  const fromFlags = buildFilters(words);
  const settings = await readSettings(command, ctx);
  const filters = withRawFilters(fromFlags, settings);
  if (flags.printRawFilters) return ctx.out.write(renderRawFilters(filters));
  // A live screen of a server shows what comes, unless a part of the record is asked for.
  if (flags.tui && !fromFile && flags.first === undefined && flags.until === undefined) flags.follow = true;
  const selection = selectFlows(flags, ctx.clock.nowMs(), fromFile);
  const format = formatOf(flags.output, flags.follow === true && !fromFile, ctx);
  const mask = maskOf(flags, format);
  const style = styleOf(styleFlags(flags, ctx));
  const common = {
    filters,
    selection,
    renderer: new FlowRenderer(format, style, ctx.globals.debug),
    sink: new RecordSink(ctx, format, flowHeaders(style)),
    silent: flags.silentErrors === true,
  };
  if (isOwn(flags)) {
    const { runOwnObserve } = await import('./own.ts');
    return runOwnObserve({ ...common, flags, settings, mask }, ctx);
  }
  if (!fromFile) {
    const { observeServer } = await import('./from-server.ts');
    return observeServer({ ...common, flags, settings, mask }, ctx);
  }
  if (settings.flag('port-forward'))
    throw new UserError('cannot use --input-file and --port-forward together');
  const { observeFile } = await import('./from-file.ts');
  return observeFile({ ...common, inputs: flags.inputFile }, ctx);
}

function withRawFilters({ allow, deny }: FilterLists, settings: Settings): FilterLists {
  return {
    allow: [...allow, ...parseRawFilters('allowlist', settings.filters('allowlist'))],
    deny: [...deny, ...parseRawFilters('denylist', settings.filters('denylist'))],
  };
}

/** The fields to ask for: those of --field-mask, else for people those that are printed, else all. */
function maskOf(flags: ObserveFlags, format: FlowFormat): readonly string[] {
  const custom = [...(flags.fieldMask ?? []), ...(flags.experimentalFieldMask ?? [])];
  if (custom.length > 0) {
    if (format !== 'json')
      throw new UserError(`${flags.output} output format is not compatible with custom field mask`, {
        hint: 'Custom masks need -o json.',
      });
    checkFieldMask(custom);
    return custom;
  }
  const byDefault = flags.useDefaultFieldMasks !== false && flags.experimentalUseDefaultFieldMasks !== false;
  return byDefault && format !== 'json' ? DEFAULT_FIELD_MASK : [];
}
