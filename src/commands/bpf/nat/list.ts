import type { Command } from 'commander';
import { ageSeconds } from '../../../bpf/kernel/clock-source.ts';
import type { BpfMap } from '../../../bpf/kernel/objects.ts';
import { globalPath, openGlobal } from '../../../bpf/kernel/pins.ts';
import { walk } from '../../../bpf/kernel/reader.ts';
import { decodeTranslation, familyOf, natVariant } from '../../../bpf/maps/connections.ts';
import { clockSourceOrDefault } from '../../../cli/bpf/clock.ts';
import { mapsRelease } from '../../../cli/bpf/release.ts';
import { DUMP_BATCH, type JsonEntries, printEntries } from '../../../cli/bpf/stream.ts';
import { examples } from '../../../cli/flags.ts';
import { type OutputFlag, outputOption } from '../../../cli/output.ts';
import type { Context } from '../../../context.ts';
import type { Release } from '../../../model/release.ts';
import { translationLine } from '../../../render/bpf/connection.ts';
import { entryJson } from '../../../render/bpf/entry-json.ts';
import { natMaps, sayMissing } from './maps.ts';

type Age = (created: bigint) => bigint;

/** Declares `bpf nat list`. */
export function addBpfNatListCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf nat list', 'cilium bpf nat list cluster 3 -o json'));
  command
    .argument('[table...]', 'cluster <id> (default: the global table)')
    .addOption(outputOption())
    .action((words: string[], options: OutputFlag) => runBpfNatList(words, options, ctx));
}

/** Prints the translations, batch by batch in the order of the maps. */
export async function runBpfNatList(words: string[], options: OutputFlag, ctx: Context): Promise<void> {
  const names = natMaps(words);
  if (options.output !== '') return await printEntries(ctx, entries(ctx, names), options.output);
  const source = await clockSourceOrDefault(ctx);
  const uptimeMs = ctx.clock.uptimeMs();
  const release = await mapsRelease(ctx);
  const age: Age = (created) => ageSeconds(source, created, uptimeMs, release);
  for (const name of names) {
    using map = openGlobal(ctx.globals.bpfRoot, name);
    if (!map) {
      await sayMissing(ctx, globalPath(ctx.globals.bpfRoot, name));
      continue;
    }
    for await (const text of lines(natVariant(map, release), map, age, release)) await ctx.out.write(text);
    await ctx.out.write('\n');
  }
}

/** Entries without a protocol are left out, as the reference does. */
async function* lines(
  variant: ReturnType<typeof natVariant>,
  map: BpfMap,
  age: Age,
  release: Release,
): AsyncGenerator<string> {
  const family = familyOf(variant.key);
  for await (const batch of walk(map)) {
    let text = '';
    for (let i = 0; i < batch.count; i++) {
      const nat = decodeTranslation(variant, batch, i);
      if (nat.protocol !== 0) text += `${translationLine(nat, family, age, release)}\n`;
    }
    yield text;
  }
}

async function* entries(ctx: Context, names: readonly string[]): AsyncGenerator<JsonEntries> {
  const release = await mapsRelease(ctx);
  for (const name of names) {
    using map = openGlobal(ctx.globals.bpfRoot, name);
    if (map) yield { batches: walk(map, { size: DUMP_BATCH }), json: entryJson(natVariant(map, release)) };
    else await sayMissing(ctx, globalPath(ctx.globals.bpfRoot, name));
  }
}
