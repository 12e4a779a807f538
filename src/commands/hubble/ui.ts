import type { Command } from 'commander';
import { examples, integer } from '../../cli/flags.ts';
import { openInBrowser } from '../../cli/hubble/browser.ts';
import { type PageServer, servePage } from '../../cli/hubble/page-server.ts';
import { readPage } from '../../cli/page.ts';
import type { Context } from '../../context.ts';
import { TrafficCounter } from '../../hubble/views/traffic/counter.ts';
import { formatJson } from '../../lib/exact-json.ts';
import { keepHeapSmall } from '../../lib/small-heap.ts';
import type { TrafficReport } from '../../model/traffic-report.ts';
import { trafficTitle } from '../../render/hubble/traffic.ts';
import { VERSION } from '../../version.ts';
import type { FilterWord } from './observe/filter-tracker.ts';
import type { StreamNews } from './observe/source-stream.ts';
import { fieldHelp } from './observe/where.ts';
import { HEAP_GROWTH_PERCENT } from './traffic/count.ts';
import { addRulesOptions, explainer, type RulesFlags } from './traffic/fixes.ts';
import {
  addTrafficOptions,
  boundsOf,
  DEFAULT_LAST,
  nodesOption,
  openTraffic,
  type TrafficFlags,
  type TrafficSource,
} from './traffic/source.ts';

interface UiFlags extends TrafficFlags, RulesFlags {
  localPort: number;
  openBrowser?: boolean;
  upstream?: boolean;
  from?: string;
  nodes: number;
}

const PUBLISH_MS = 1000;
/** Whoever cannot be reached at all mostly fails so soon. */
const FAILS_WITHIN_MS = 1000;

/** Declares `hubble ui`. */
export function addHubbleUiCommand(command: Command, ctx: Context): void {
  command
    .addOption(
      integer('--local-port <port>', 'Local port to listen on, 0 for any', { min: 0, max: 65_535 }).default(
        0,
      ),
    )
    .option('--open-browser', 'Open the page in a browser; --open-browser=false only says where it is', true)
    .option('--upstream', "Forward to the cluster's own Hubble UI instead of showing this page")
    .addOption(nodesOption('shown', 300));
  addRulesOptions(command);
  const words = addTrafficOptions(command.optionsGroup('Options:'));
  command.addHelpText(
    'after',
    examples(
      'hubble ui',
      'hubble ui -P --namespace shop',
      'hubble ui --input-file capture.jsonl.gz',
      'hubble ui --open-browser=false --local-port 8080 --since 10m --follow',
      'cilium hubble ui --upstream --local-port 12000',
    ),
  );
  command.action((flags: UiFlags) => runHubbleUi(command, flags, words, ctx));
}

/** Serves the page until it is stopped: of a server with what comes, of a capture with what it holds. */
export async function runHubbleUi(
  command: Command,
  flags: UiFlags,
  words: readonly FilterWord[],
  ctx: Context,
): Promise<void> {
  if (flags.upstream) {
    const { runUpstreamUi } = await import('./upstream-ui.ts');
    return runUpstreamUi(command, flags, ctx);
  }
  if (flags.where === 'help') return ctx.out.write(fieldHelp());
  const fromFile = flags.inputFile.length > 0 || flags.from !== undefined;
  const isPart = [flags.until, flags.first].some((flag) => flag !== undefined);
  const last = flags.last ?? (flags.since === undefined ? DEFAULT_LAST : undefined);
  const asked = fromFile || isPart ? flags : { ...flags, follow: true, ...(last !== undefined && { last }) };
  const source = await openTraffic(command, asked, words, ctx);
  await using server = await servePage(flags.localPort, readPage(), ctx);
  const began = Promise.withResolvers<void>();
  const shown = showTraffic(source, server, flags, began.resolve, ctx);
  await unlessItFails(shown, began.promise, ctx);
  await ctx.out.write(`The page is at ${server.url}\n`);
  await ctx.err.write('The address opens once, in one browser of this machine. Ctrl-C ends.\n');
  if (flags.openBrowser !== false) openInBrowser(server.url, ctx);
  await shown;
  await new Promise<void>((resolve) => {
    if (ctx.signal.aborted) resolve();
    ctx.signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Waits for the first flows, or for a moment: a page of what cannot be read is not offered. */
async function unlessItFails(shown: Promise<void>, began: Promise<void>, ctx: Context): Promise<void> {
  const enough = new AbortController();
  const signal = AbortSignal.any([ctx.signal, enough.signal]);
  const moment = ctx.clock.sleep(FAILS_WITHIN_MS, signal).catch(() => {});
  try {
    await Promise.race([shown, began, moment]);
  } finally {
    enough.abort();
  }
}

/** Counts what comes and publishes it every second; a browser that is slow gets fewer states, and holds nobody up. */
async function showTraffic(
  source: TrafficSource,
  server: PageServer,
  flags: UiFlags,
  onFlows: () => void,
  ctx: Context,
): Promise<void> {
  keepHeapSmall(HEAP_GROWTH_PERCENT);
  const counter = new TrafficCounter();
  const explain = explainer(flags, ctx);
  let trouble: string | undefined;
  let said: string | undefined;
  const publish = async (live: boolean) => {
    const traffic = counter.snapshot(boundsOf(flags));
    const report: TrafficReport = {
      title: trafficTitle(traffic, source.target),
      source: source.target,
      where: flags.where ?? '',
      made: new Date(ctx.clock.nowMs()).toISOString(),
      version: VERSION,
      traffic,
      fixes: await explain(traffic),
      live,
      trouble: trouble ?? said,
    };
    server.publish(formatJson(report) ?? '');
  };
  let published = -1;
  let busy = false;
  let told: string | undefined;
  const publishNews = async () => {
    const now = trouble ?? said;
    if (busy || (counter.flows === published && now === told)) return;
    busy = true;
    published = counter.flows;
    told = now;
    await publish(source.follow).finally(() => {
      busy = false;
    });
  };
  const news: StreamNews = {
    broke: (cause, attempt, waitMs) => {
      trouble = `The server is gone (${cause}); attempt ${attempt}, the next in ${Math.round(waitMs / 1000)} s.`;
    },
    back: () => {
      trouble = undefined;
    },
  };
  const write = async (text: string) => {
    if (source.isMerged) said = text.trimEnd();
    await ctx.err.write(text);
  };
  const here: Context = { ...ctx, err: { ...ctx.err, write } };
  let problem: unknown;
  const timer = setInterval(() => {
    publishNews().catch((error: unknown) => {
      problem ??= error;
    });
  }, PUBLISH_MS);
  try {
    for await (const batch of source.read(ctx.signal, here, news)) {
      for (const message of batch) counter.addMessage(message);
      onFlows();
      if (problem) throw problem;
    }
  } finally {
    clearInterval(timer);
  }
  await publish(false);
}
