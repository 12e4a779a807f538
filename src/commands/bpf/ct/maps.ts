import { mapsRelease } from '../../../cli/bpf/release.ts';
import { endpointNumber } from '../../../cli/endpoint-number.ts';
import type { Context } from '../../../context.ts';
import { UsageError } from '../../../errors.ts';
import { atLeast } from '../../../model/release.ts';

/** Names of the maps of one table of connections, in the reference's order. */
export type ConntrackTable = readonly string[];

export const GLOBAL_TABLE: ConntrackTable = [
  'cilium_ct4_global',
  'cilium_ct_any4_global',
  'cilium_ct6_global',
  'cilium_ct_any6_global',
];

/**
 * The maps that `[global | endpoint <id> | cluster <id>]` name, or what is wrong with the words. Agents up to 1.15 took the
 * number of an endpoint alone.
 */
export async function conntrackTable(
  words: readonly string[],
  ctx: Context,
): Promise<{ maps: ConntrackTable; ofEndpoint: boolean } | { wrong: string }> {
  const [first = 'global', second] = words;
  const [kind, word] = /^\d+$/.test(first) ? ['endpoint', first] : [first, second];
  if (kind === 'global') return { maps: GLOBAL_TABLE, ofEndpoint: false };
  if (kind !== 'endpoint' && kind !== 'cluster') return { wrong: `unknown type ${kind}` };
  if (word === undefined) return { wrong: `missing ${kind}ID` };
  const id = kind === 'endpoint' ? await endpointNumber(word, ctx) : word;
  const number = /^\d+$/.test(id) ? Number(id) : Number.NaN;
  if (kind === 'endpoint') {
    if (!(number <= 0xffff))
      return { wrong: `invalid endpointID: "${id}" is not a number between 0 and 65535` };
    const suffix = String(number).padStart(5, '0');
    return {
      maps: ['ct4', 'ct_any4', 'ct6', 'ct_any6'].map((table) => `cilium_${table}_${suffix}`),
      ofEndpoint: true,
    };
  }
  if (!(number >= 1 && number <= 511))
    return { wrong: `invalid clusterID: "${id}" is not a number between 1 and 511` };
  return {
    maps: ['tcp4', 'any4', 'tcp6', 'any6'].map((table) => `cilium_per_cluster_ct_${table}_${number}`),
    ofEndpoint: false,
  };
}

/** The map with the translations of a table's connections. */
export function natOf(table: string): string {
  const [, family = '', cluster] = /([46])_(?:global|\d{5}|(\d{1,3}))$/.exec(table) ?? [];
  return cluster === undefined
    ? `cilium_snat_v${family}_external`
    : `cilium_per_cluster_snat_v${family}_external_${cluster}`;
}

/** Up to 1.17 no table is meant without a word. */
export async function requireTable(words: readonly string[], ctx: Context): Promise<void> {
  if (words.length === 0 && !atLeast(await mapsRelease(ctx), '1.18'))
    throw new UsageError("Missing endpoint id or 'global' argument");
}

/** Says that a table is not there. IPv6 may simply be off, so its tables go missing without a word. */
export async function sayMissing(ctx: Context, path: string, name: string, global: boolean): Promise<void> {
  if (/6/.test(name.replace(/\d+$/, ''))) return;
  const advice = global ? '' : ': please try using "cilium bpf ct list global"';
  await ctx.err.write(`Unable to open ${path}: no such file or directory${advice}. Skipping.\n`);
}
