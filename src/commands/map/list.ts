import type { Command } from 'commander';
import { listMaps } from '../../agent/decode/maps.ts';
import { failed } from '../../cli/answer.ts';
import { examples } from '../../cli/flags.ts';
import { addListOptions, type ListFlags, printAnswers, printTable } from '../../cli/list.ts';
import { isStructured, LIST_FORMATS, outputOption } from '../../cli/output.ts';
import { buildOfAgent } from '../../cli/release.ts';
import type { Context } from '../../context.ts';
import type { CachedMapRow } from '../../model/cached-map.ts';
import { atLeast } from '../../model/release.ts';
import { mapTable, renderMapsVerbose } from '../../render/agent/maps.ts';

interface MapListOptions extends ListFlags {
  verbose?: boolean;
}

/** Declares `map list`. */
export function addMapListCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium map list', 'cilium map list --verbose'));
  command
    .option('--verbose', 'Print cache contents of all maps')
    .addOption(outputOption(...LIST_FORMATS))
    .action((options: MapListOptions) => runMapList(options, ctx));
  addListOptions(command);
}

async function runMapList(options: MapListOptions, ctx: Context): Promise<void> {
  const failure = 'Cannot get the list of maps';
  if (isStructured(options.output) || options.watch)
    return printAnswers(ctx, options, listMaps, failure, async (maps = []) =>
      mapTable(maps, await uncachedWord(maps, ctx)),
    );
  const maps = (await listMaps(await ctx.agent()).catch(failed(failure))).decode();
  if (maps === undefined) return;
  if (options.verbose) return await ctx.out.write(renderMapsVerbose(maps));
  await printTable(ctx, { ...options, form: options.output }, mapTable(maps, await uncachedWord(maps, ctx)));
}

/**
 * Before 1.19 a map without a cache counts as empty. Early snapshots of 1.20 are older than that and name the same
 * version: the release has policy maps of the third form.
 */
async function uncachedWord(maps: readonly CachedMapRow[], ctx: Context): Promise<'0' | 'unknown'> {
  const policyMaps = maps.filter(({ path }) => /cilium_policy_(v\d+_)?\d/.test(path));
  if (policyMaps.some(({ path }) => path.includes('cilium_policy_v3_'))) return 'unknown';
  const build = await buildOfAgent(ctx);
  if (!build) return policyMaps.length > 0 ? '0' : 'unknown';
  const isSnapshot = build.release === '1.20' && build.development === true && policyMaps.length > 0;
  return atLeast(build.release, '1.19') && !isSnapshot ? 'unknown' : '0';
}
