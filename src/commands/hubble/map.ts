import { type Command, Option } from 'commander';
import { examples } from '../../cli/flags.ts';
import { Later } from '../../cli/later.ts';
import { LiveScreen } from '../../cli/live.ts';
import type { Context } from '../../context.ts';
import { TrafficCounter } from '../../hubble/views/traffic/counter.ts';
import type { Traffic } from '../../model/traffic.ts';
import { trafficTree } from '../../render/hubble/traffic.ts';
import { renderTrafficDot, renderTrafficMermaid } from '../../render/hubble/traffic-graph.ts';
import { goJson } from '../../render/text/json.ts';
import { type Palette, paletteFor } from '../../render/text/palette.ts';
import type { FilterWord } from './observe/filter-tracker.ts';
import type { StreamNews } from './observe/source-stream.ts';
import { fieldHelp } from './observe/where.ts';
import { countTraffic } from './traffic/count.ts';
import {
  addTrafficOptions,
  type Bounds,
  boundsOf,
  nodesOption,
  openTraffic,
  type TrafficFlags,
  type TrafficSource,
} from './traffic/source.ts';

const FORMATS = ['tree', 'json', 'dot', 'mermaid'] as const;

interface MapFlags extends TrafficFlags {
  output: (typeof FORMATS)[number];
  nodes: number;
}

const REDRAW_MS = 1000;

/** Declares `hubble map`. */
export function addHubbleMapCommand(command: Command, ctx: Context): void {
  command
    .addOption(new Option('-o, --output <format>', 'Form of the map').choices(FORMATS).default('tree'))
    .addOption(nodesOption('shown', 300));
  const words = addTrafficOptions(command);
  command.addHelpText(
    'after',
    examples(
      'hubble map --since 10m',
      'hubble map --follow --namespace shop',
      "hubble map --input-file capture.jsonl.gz --where 'verdict = DROPPED'",
      'hubble map --last 5000 -o dot | dot -Tsvg > map.svg',
      'hubble map --from cilium-sysdump.zip -o mermaid',
      'hubble map --context east --context west --since 10m',
    ),
  );
  command.action((flags: MapFlags) => runHubbleMap(command, flags, words, ctx));
}

/** Counts who talks to whom, and shows it: once at the end, or again and again while flows are followed. */
export async function runHubbleMap(
  command: Command,
  flags: MapFlags,
  words: readonly FilterWord[],
  ctx: Context,
): Promise<void> {
  if (flags.where === 'help') return ctx.out.write(fieldHelp());
  const source = await openTraffic(command, flags, words, ctx);
  const bounds = boundsOf(flags);
  if (source.follow && flags.output === 'tree' && LiveScreen.fits(ctx)) return showLive(source, bounds, ctx);
  const counter = await countTraffic(source, ctx);
  await ctx.out.write(render(counter.snapshot(bounds), flags, ctx));
}

function render(traffic: Traffic, { output }: MapFlags, ctx: Context): string {
  switch (output) {
    case 'json':
      return `${goJson(traffic, 2)}\n`;
    case 'dot':
      return renderTrafficDot(traffic);
    case 'mermaid':
      return renderTrafficMermaid(traffic);
    case 'tree': {
      const { header, lines, sum } = trafficTree(traffic, {
        palette: palette(ctx),
        columns: ctx.out.columns,
      });
      return `${[header, ...lines, '', sum].join('\n')}\n`;
    }
  }
}

function palette(ctx: Context): Palette {
  return paletteFor(ctx.globals.color, ctx.env, ctx.out.isTTY);
}

/** Draws the map every second, on a screen of its own. */
async function showLive(source: TrafficSource, bounds: Bounds, ctx: Context): Promise<void> {
  const counter = new TrafficCounter();
  const screen = new LiveScreen(ctx);
  let trouble = '';
  const news: StreamNews = {
    broke: async (cause, attempt, waitMs) => {
      trouble = `The server is gone (${cause}); attempt ${attempt}, the next in ${Math.round(waitMs / 1000)} s.`;
      await draw();
    },
    back: () => {
      trouble = '';
    },
  };
  const draw = () => {
    const traffic = counter.snapshot(bounds);
    return screen.show((columns) => {
      const { header, lines, sum } = trafficTree(traffic, { palette: palette(ctx), columns });
      return { title: [trouble || sum, ...said.last(2), ''], header: [header], lines };
    });
  };
  const said = new Later(draw);
  const told: Context = { ...ctx, err: said };
  let drawnMs = Number.NEGATIVE_INFINITY;
  try {
    for await (const batch of source.read(ctx.signal, told, news)) {
      for (const message of batch) counter.addMessage(message);
      const nowMs = ctx.clock.nowMs();
      if (nowMs - drawnMs < REDRAW_MS) continue;
      drawnMs = nowMs;
      await draw();
    }
  } finally {
    await draw();
    await screen.end();
    await said.writeTo(ctx.err);
  }
}
