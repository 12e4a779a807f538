import type { Command } from 'commander';
import { readSettings, type Settings } from '../../../cli/hubble/settings.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { checkFieldMask, defaultFieldMask } from '../../../hubble/protobuf/field-mask.ts';
import { shellWord } from '../../../lib/shell-word.ts';
import type { FlowStyle } from '../../../render/hubble/flow.ts';
import { flowHeaders } from '../../../render/hubble/flow-records.ts';
import { type FlowFormat, FlowRenderer } from '../../../render/hubble/flow-renderer.ts';
import { chooseView, type ExtensionFlags, usesExtensions, type View } from './extensions.ts';
import { buildFilters } from './filter-builder.ts';
import type { FilterWord } from './filter-tracker.ts';
import type { ObserveFlags } from './flags.ts';
import { type Limit, limitOf } from './limit.ts';
import { countLoss, LossCounter, showLoss } from './loss.ts';
import {
  askItsCluster,
  type Messages,
  openMessages,
  partial,
  type ReadMessages,
  sourceOf,
  targetOf,
} from './messages.ts';
import { formatOf, styleOf } from './output.ts';
import { renderRawFilters, withRawFilters } from './raw-filters.ts';
import { detached, type RecordText } from './record-text.ts';
import type { FlowQuery } from './request.ts';
import { selectFlows } from './selectors.ts';
import { RecordSink, viewLines } from './view-lines.ts';
import type { Where } from './where.ts';

/** An observation: source → where → sort → limit → view. */
interface Observation {
  flags: ObserveFlags & ExtensionFlags;
  settings: Settings;
  query: FlowQuery;
  view: View;
  renderer: FlowRenderer;
  /** The filters, as they were given. */
  given: string;
  /** Only for files: a server cuts by itself. */
  limit: Limit | undefined;
  where?: Where;
}

/** Shows the flows of a server or of files. */
export async function runObserve(
  command: Command,
  given: ObserveFlags & ExtensionFlags,
  words: readonly FilterWord[],
  outer: Context,
): Promise<void> {
  const settings = await readSettings(command, outer);
  const fromFlags = buildFilters(words);
  const { flags, ctx, isRecording } = await sourceOf(given, outer);
  const view = chooseView(flags);
  const fromFile = flags.inputFile.length > 0;
  // A live screen of a server shows what comes, unless a part of the record is asked for.
  const live = view === 'tui' && !fromFile && flags.first === undefined && flags.until === undefined;
  const follow = flags.follow === true || live;
  const format = formatOf(flags.output, flags.follow === true || (follow && !fromFile), ctx);
  const custom = customMask(flags, format);
  const selection = selectFlows({ ...flags, follow }, ctx.clock.nowMs(), fromFile && !isRecording);
  const filters = withRawFilters(fromFlags, settings);
  checkFieldMask(custom);
  // Of several clusters it is the name of its node that tells where a flow is from.
  const printNodeName = flags.printNodeName ?? settings.contexts.length > 1;
  const style = styleOf({ ...flags, printNodeName }, ctx);
  const mask = custom.length > 0 ? custom : maskOf(flags, format, style);
  // What the real call would refuse was refused above.
  if (flags.printRawFilters) return ctx.out.write(renderRawFilters(filters));
  if (fromFile && settings.flag('port-forward'))
    throw new UserError('cannot use --input-file and --port-forward together');
  const statuses = flags.silentErrors ? 'none' : ctx.globals.debug ? 'all' : 'problems';
  const observation = {
    flags,
    settings,
    view,
    given: givenFilters(words, flags.where),
    query: { filters, selection, mask: view === 'lines' ? mask : [] },
    renderer: new FlowRenderer(format, style, statuses),
    limit: fromFile ? limitOf(selection) : undefined,
  };
  if (!usesExtensions(flags)) return printLines(await readTexts(observation, ctx), observation, ctx);
  const { openWhere, fieldHelp } = await import('./where.ts');
  if (flags.where === 'help') return ctx.out.write(fieldHelp());
  const where = flags.where === undefined ? undefined : await openWhere(flags.where, observation.query);
  await runExtended(where ? { ...observation, where, query: where.query } : observation, ctx);
}

function givenFilters(words: readonly FilterWord[], where: string | undefined): string {
  const filters = words.map(({ flag, value }) =>
    value === '' || value === 'true' ? `--${flag}` : `--${flag} ${shellWord(value)}`,
  );
  return [...filters, ...(where === undefined ? [] : [`--where ${shellWord(where)}`])].join(' ');
}

/** The fields of --field-mask. */
function customMask(flags: ObserveFlags, format: FlowFormat): readonly string[] {
  const custom = [...(flags.fieldMask ?? []), ...(flags.experimentalFieldMask ?? [])];
  if (custom.length > 0 && format !== 'json')
    throw new UserError(`${flags.output} output format is not compatible with custom field mask`, {
      hint: 'Custom masks need -o json.',
    });
  return custom;
}

/** The fields to ask for without it: for people those that are printed, else all. */
function maskOf(flags: ObserveFlags, format: FlowFormat, style: FlowStyle): readonly string[] {
  const byDefault = flags.useDefaultFieldMasks !== false && flags.experimentalUseDefaultFieldMasks !== false;
  return byDefault && format !== 'json' ? defaultFieldMask(style) : [];
}

/** The chain of what the reference does as well: sources give text, of which flows are read no further than needed. */
async function readTexts(
  { flags, settings, query, renderer, limit }: Observation,
  ctx: Context,
): Promise<AsyncIterable<readonly RecordText[]>> {
  if (flags.inputFile.length === 0) {
    const { readServer, textReader } = await import('./source-server.ts');
    const access = { ...flags, settings, onPartial: partial(ctx) };
    return readServer(query, access, await textReader(renderer, ctx), ctx);
  }
  const { readFileTexts } = await import('./source-file.ts');
  const texts = readFileTexts(flags.inputFile, query, renderer, limit, ctx);
  return limit?.cut(texts, detached) ?? texts;
}

function printLines(
  texts: AsyncIterable<readonly RecordText[]>,
  { renderer }: Observation,
  ctx: Context,
): Promise<void> {
  const begins = () => !renderer.startsWithNews;
  const sink = new RecordSink(ctx, renderer.format, flowHeaders(renderer.style), { begins });
  return viewLines(texts, sink, () => renderer.takeStatus(), ctx);
}

/** The chain of everything else: sources give whole messages. */
async function runExtended(observation: Observation, ctx: Context): Promise<void> {
  const { flags, settings, query, where, view } = observation;
  const fromFile = flags.inputFile.length > 0;
  const explain = flags.explain ? await import('./explain.ts') : undefined;
  if (explain) await ctx.err.write(explain.explainQuery(query, where, fromFile));
  const counter = new LossCounter();
  const read = await openMessages(observation, ctx);
  const messages: ReadMessages = (...how) => countLoss(read(...how), counter);
  const summary = flags.lossSummary === true || flags.maxLoss !== undefined;
  if (view === 'lines')
    await printMessages(messages(ctx.signal), summary ? counter : undefined, observation, ctx);
  else await showView(view, messages, observation, ctx);
  if (summary || view === 'top') await counter.show(ctx, true);
  if (explain && counter.isEmpty && !ctx.signal.aborted)
    await ctx.err.write(
      fromFile
        ? explain.explainEmptyFile(query, where)
        : await explain.explainEmptyServer(query, where, settings, ctx),
    );
  counter.check(flags.maxLoss);
}

/** Prints messages as lines; with a counter, lost events are counted instead of printed. */
function printMessages(
  messages: Messages,
  counter: LossCounter | undefined,
  observation: Observation,
  ctx: Context,
): Promise<void> {
  const { renderer } = observation;
  const render = async function* (batches: Messages) {
    for await (const batch of batches) yield batch.map((message) => renderer.response(message));
  };
  return printLines(render(counter ? showLoss(messages, counter, ctx) : messages), observation, ctx);
}

async function showView(
  view: Exclude<View, 'lines'>,
  messages: ReadMessages,
  { flags, settings, query, renderer, given }: Observation,
  ctx: Context,
): Promise<void> {
  const { follow } = query.selection;
  const style = { ...renderer.style, color: false };
  const json = renderer.format === 'json' || renderer.format === 'legacy-json';
  switch (view) {
    case 'tui': {
      const { viewTui } = await import('./view-tui.tsx');
      const target = targetOf(flags.inputFile, settings, ctx);
      const isOfMany = settings.contexts.length > 1;
      askItsCluster(settings, ctx);
      const state = isOfMany ? 'several' : settings.flag('port-forward') ? 'cluster' : undefined;
      return viewTui(messages, { target, given, style, state }, ctx);
    }
    case 'top': {
      const { viewTop } = await import('./view-top.ts');
      const flows = (told: Context) => messages(ctx.signal, told);
      return viewTop(flows, { keys: flags.top, rows: flags.topRows ?? 20, json, follow }, ctx);
    }
    case 'connections': {
      const { viewConnections } = await import('./view-connections.ts');
      return viewConnections(messages(ctx.signal), { json, style, follow }, ctx);
    }
  }
}
