import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';

/** Histograms of how often a port had to be tried anew, IPv4 and IPv6. */
export const RETRIES = ['cilium_snat_v4_alloc_retries', 'cilium_snat_v6_alloc_retries'] as const;

/** Names of the NAT maps that `[cluster <id>]` names. */
export function natMaps(words: readonly string[]): readonly [v4: string, v6: string] {
  const [kind, id] = words;
  if (kind === undefined) return ['cilium_snat_v4_external', 'cilium_snat_v6_external'];
  if (kind !== 'cluster')
    throw new UserError(`Invalid argument: unknown type ${kind}`, {
      hint: 'Expected nothing, or "cluster <id>".',
    });
  const number = id !== undefined && /^\d+$/.test(id) ? Number(id) : Number.NaN;
  if (!(number >= 1 && number <= 511))
    throw new UserError(`Invalid argument: "${id ?? ''}" is not a cluster id between 1 and 511`);
  return [`cilium_per_cluster_snat_v4_external_${number}`, `cilium_per_cluster_snat_v6_external_${number}`];
}

/** Says that a map is not there. */
export async function sayMissing(ctx: Context, path: string): Promise<void> {
  await ctx.err.write(`Unable to open ${path}: no such file or directory. Skipping.\n`);
}
