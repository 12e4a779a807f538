import { realpath } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { examples } from '../../cli/flags.ts';
import { readPage } from '../../cli/page.ts';
import type { Context } from '../../context.ts';
import { systemReason, UsageError, UserError } from '../../errors.ts';
import { expandInputs } from '../../hubble/captures/reader.ts';
import { writeNamed } from '../../lib/atomic-file.ts';
import type { TrafficReport } from '../../model/traffic-report.ts';
import { renderReportPage } from '../../render/html/traffic-page.ts';
import { trafficTitle } from '../../render/hubble/traffic.ts';
import { renderTrafficDot, renderTrafficMermaid } from '../../render/hubble/traffic-graph.ts';
import { renderTrafficSvg } from '../../render/hubble/traffic-svg.ts';
import { goJson } from '../../render/text/json.ts';
import { VERSION } from '../../version.ts';
import type { FilterWord } from './observe/filter-tracker.ts';
import { fieldHelp } from './observe/where.ts';
import { countTraffic } from './traffic/count.ts';
import { addRulesOptions, explainer, type RulesFlags } from './traffic/fixes.ts';
import {
  addTrafficOptions,
  boundsOf,
  nodesOption,
  openTraffic,
  type TrafficFlags,
} from './traffic/source.ts';

const RENDERERS = {
  html: (report: TrafficReport) => renderReportPage(report, readPage()),
  svg: ({ traffic }: TrafficReport) => renderTrafficSvg(traffic),
  dot: ({ traffic }: TrafficReport) => renderTrafficDot(traffic),
  mermaid: ({ traffic }: TrafficReport) => renderTrafficMermaid(traffic),
  json: (report: TrafficReport) => `${goJson(report, 2)}\n`,
} as const;

type Format = keyof typeof RENDERERS;
const FORMATS = Object.keys(RENDERERS) as Format[];

/** Formats by the end of a file's name. */
const BY_EXTENSION: Readonly<Record<string, Format>> = {
  ...{ '.html': 'html', '.htm': 'html', '.svg': 'svg', '.json': 'json' },
  ...{ '.dot': 'dot', '.gv': 'dot', '.mmd': 'mermaid', '.mermaid': 'mermaid' },
};

interface ReportFlags extends TrafficFlags, RulesFlags {
  output: string;
  format?: Format;
  nodes: number;
  title?: string;
}

/** Declares `hubble report`. */
export function addHubbleReportCommand(command: Command, ctx: Context): void {
  command
    .argument('[file...]', 'Captures, folders of captures or globs (default: ask the server)')
    .option('-o, --output <file>', 'File to write, or - for stdout', 'report.html')
    .addOption(
      new Option('--format <format>', 'Form of the report (default: as the name of the file ends)').choices(
        FORMATS,
      ),
    )
    .addOption(nodesOption('kept', 500))
    .option('--title <text>', 'Heading of the report');
  addRulesOptions(command);
  const words = addTrafficOptions(command.optionsGroup('Options:'));
  command.addHelpText(
    'after',
    examples(
      'hubble report capture.jsonl.gz -o report.html',
      'hubble report captures/ --since 2026-01-31T15:00:00Z -o incident.html',
      "hubble report capture.jsonl --where 'namespace = shop' -o shop.svg",
      'hubble report --last 20000 -o - --format json',
    ),
  );
  command.action((files: string[], flags: ReportFlags) => runHubbleReport(command, files, flags, words, ctx));
}

/** Reads the flows once, and writes one file about them. */
export async function runHubbleReport(
  command: Command,
  files: readonly string[],
  flags: ReportFlags,
  words: readonly FilterWord[],
  ctx: Context,
): Promise<void> {
  if (flags.where === 'help') return ctx.out.write(fieldHelp());
  const format = formatOf(flags);
  if (flags.follow) throw new UsageError('--follow has no end, and a report has one: "hubble ui" follows');
  const asked = { ...flags, inputFile: [...flags.inputFile, ...files] };
  if (flags.output !== '-') await refuseInput(flags.output, asked.inputFile, ctx);
  const source = await openTraffic(command, asked, words, ctx);
  const counter = await countTraffic(source, ctx);
  if (counter.flows === 0)
    throw new UserError(`no flow of ${source.target} is meant: there is nothing to report`, {
      hint: 'Look at them with "hubble observe"; filters and --where choose flows.',
    });
  const traffic = counter.snapshot(boundsOf(flags));
  const text = RENDERERS[format]({
    title: flags.title ?? trafficTitle(traffic, source.target),
    source: source.target,
    where: flags.where ?? '',
    made: new Date(ctx.clock.nowMs()).toISOString(),
    version: VERSION,
    traffic,
    fixes: format === 'html' || format === 'json' ? await explainer(flags, ctx)(traffic) : [],
    live: false,
    trouble: undefined,
  });
  if (flags.output === '-') return ctx.out.write(text);
  await writeNamed(resolve(ctx.cwd, flags.output), text).catch((cause: unknown) => {
    throw new UserError(`write ${flags.output}: ${systemReason(cause)}`, {
      hint: 'Name a file that can be written with --output, or - for stdout.',
      cause,
    });
  });
  await ctx.err.write(`${traffic.flows} flows of ${source.target}: ${flags.output}\n`);
}

function formatOf({ output, format }: ReportFlags): Format {
  if (format) return format;
  if (output === '-') return 'html';
  const known = BY_EXTENSION[extname(output).toLowerCase()];
  if (known) return known;
  throw new UsageError(`--output: the name "${output}" does not say which form is meant`, {
    hint: `Names end in ${Object.keys(BY_EXTENSION).join(', ')}; --format names it otherwise.`,
  });
}

/** Throws where a report would take the place of a capture that it is of: one may end in .json as well. */
async function refuseInput(output: string, inputs: readonly string[], { cwd }: Context): Promise<void> {
  const placeOf = (path: string) => realpath(resolve(cwd, path)).catch(() => undefined);
  const place = await placeOf(output);
  if (place === undefined || /^\/(?:dev|proc)\//.test(place)) return;
  for (const input of await expandInputs(inputs, cwd))
    if ((await placeOf(input)) === place)
      throw new UserError(`--output: ${output} is a capture that the report is of`, {
        hint: 'It is left as it is. Name another file.',
      });
}
