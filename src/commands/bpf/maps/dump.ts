import type { Command } from 'commander';
import { findMap } from '../../../bpf/kernel/find.ts';
import { dumpMap, layoutOf } from '../../../bpf/maps/dump.ts';
import { mapsRelease } from '../../../cli/bpf/release.ts';
import { printObjects } from '../../../cli/bpf/stream.ts';
import { examples } from '../../../cli/flags.ts';
import { outputOption } from '../../../cli/output.ts';
import type { Context } from '../../../context.ts';
import { goJson } from '../../../render/text/json.ts';

interface MapsDumpOptions {
  output: string;
  raw?: boolean;
}

const LINES = 1024;

/** Declares `bpf maps dump`. */
export function addBpfMapsDumpCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples(
      'cilium bpf maps dump cilium_lxc',
      'cilium bpf maps dump cilium_ipcache_v2 -o json',
      'cilium bpf maps dump /sys/fs/bpf/tc/globals/cilium_ct4_global --raw',
    ),
  );
  command
    .argument('<map>', 'name of a pinned or loaded map, its id, or a path')
    .option('--raw', 'Print keys and values as hex, not decoded')
    .addOption(outputOption())
    .action((map: string, options: MapsDumpOptions) => runBpfMapsDump(map, options, ctx));
}

/** Prints the entries as they come; memory does not grow with the map, but for -o yaml and jsonpath. */
export async function runBpfMapsDump(name: string, options: MapsDumpOptions, ctx: Context): Promise<void> {
  const { bpfRoot } = ctx.globals;
  using map = findMap(bpfRoot, name);
  const raw = options.raw ?? false;
  const layout = raw ? undefined : layoutOf(map);
  const entries = dumpMap(map, { release: await mapsRelease(ctx, ...(layout ? [layout] : [])), raw });
  if (options.output !== '') return await printObjects(ctx, objects(entries), options.output);
  let lines: string[] = [];
  for await (const entry of entries) {
    lines.push(`${goJson(entry)}\n`);
    if (lines.length < LINES) continue;
    await ctx.out.write(lines.join(''));
    lines = [];
  }
  if (lines.length > 0) await ctx.out.write(lines.join(''));
}

async function* objects(entries: AsyncIterable<object>): AsyncGenerator<Record<string, unknown>> {
  for await (const entry of entries) yield { ...entry };
}
