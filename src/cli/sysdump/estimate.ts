import { ITEMS, SERIAL_ITEMS } from '../../cluster/sysdump/items.ts';
import { isWanted, type Selectors } from '../../cluster/sysdump/options.ts';
import type { Context } from '../../context.ts';
import { wordsOf } from '../../kube/client.ts';
import { bounded } from '../../lib/bounded.ts';
import { bytesText } from '../../render/cluster/sysdump.ts';
import { sanitizeCell } from '../../render/text/sanitize.ts';
import { LIST_TABLE, tabulate } from '../../render/text/table.ts';
import { PARTIAL } from '../exit-codes.ts';
import { Absent } from './jobs.ts';
import type { Place, PodFacts } from './place.ts';
import { podsOf } from './special.ts';

/** A kubelet's account of what its pods use. */
interface Stats {
  pods?: {
    podRef?: { name?: string; namespace?: string };
    containers?: { name?: string; logs?: { usedBytes?: number } }[];
  }[];
}

const CONCURRENCY = 10;

/** Says what a collection would visit and how large its logs may be. Nothing is collected. */
export async function estimate(base: Omit<Place, 'dump'>, ctx: Context): Promise<void> {
  const place = base as Place;
  const { options, features } = place;
  const items = [...SERIAL_ITEMS, ...ITEMS].filter(
    (item) => isWanted(options, item) && (item.feature === undefined || features.get(item.feature)?.isOn),
  );
  const unread: string[] = [];
  const pods = new Map<string, { pod: PodFacts; of: string }>();
  for (const item of items) {
    if (item.kind !== 'special' || !item.special.startsWith('logs:')) continue;
    const selector = item.special.slice('logs:'.length) as keyof Selectors;
    const found = await podsOf(place, selector).catch((error: unknown) => {
      ctx.signal.throwIfAborted();
      if (!(error instanceof Absent)) unread.push(`${item.about}: ${wordsOf(error)}`);
      return [];
    });
    const of = item.about.replace(/^Collecting logs from (.*) pods$/, '$1');
    for (const pod of found) pods.set(`${pod.namespace}/${pod.name}`, { pod, of });
  }
  const sizes = await logSizes(
    place,
    [...pods.values()].map(({ pod }) => pod),
    unread,
    ctx,
  );
  const rows = new Map<string, { pods: number; containers: number; bytes: number; unknown: number }>();
  for (const [key, { pod, of }] of pods) {
    const row = rows.get(of) ?? { pods: 0, containers: 0, bytes: 0, unknown: 0 };
    row.pods++;
    for (const { name } of pod.containers) {
      row.containers++;
      const size = sizes.get(`${key}/${name}`);
      if (size === undefined) row.unknown++;
      else row.bytes += Math.min(size, options.logsLimitBytes);
    }
    rows.set(of, row);
  }
  const sum = { pods: 0, containers: 0, bytes: 0, unknown: 0 };
  for (const row of rows.values())
    for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += row[key];
  const line = (of: string, row: typeof sum) =>
    [of, row.pods, row.containers, sizeText(row)].map((cell) => sanitizeCell(String(cell))).join('\t');
  const table = [
    'LOGS OF\tPODS\tCONTAINERS\tBYTES',
    ...[...rows].map(([of, row]) => line(of, row)),
    line('all', sum),
  ];
  const { maxSize } = options;
  const capped =
    maxSize !== undefined && sum.bytes > maxSize ? `, cut to ${bytesText(maxSize)} (--max-size)` : '';
  await ctx.out.write(
    `Tasks: ${items.length}\nNodes: ${place.chosen?.size ?? place.nodes.length}\nLogs, unpacked: ${sizeText(sum)}${capped}\n\n` +
      tabulate(`${table.join('\n')}\n`, LIST_TABLE),
  );
  for (const text of unread) await ctx.err.write(`${text}\n`);
  if (unread.length > 0) ctx.exitCode = PARTIAL;
}

function sizeText({
  bytes,
  containers,
  unknown,
}: {
  bytes: number;
  containers: number;
  unknown: number;
}): string {
  if (unknown === 0) return bytesText(bytes);
  return unknown === containers ? 'unknown' : `${bytesText(bytes)}, and ${unknown} logs of unknown size`;
}

/** Sizes of logs by `namespace/pod/container`, as the kubelets account for them. */
async function logSizes(
  { client }: Place,
  pods: readonly PodFacts[],
  unread: string[],
  ctx: Context,
): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  const nodes = [...new Set(pods.map(({ node }) => node))];
  const refusals = new Map<string, string[]>();
  await Promise.all(
    bounded(nodes, CONCURRENCY, async (node) => {
      const path = `/api/v1/nodes/${encodeURIComponent(node)}/proxy/stats/summary`;
      try {
        const { pods: used = [] } = await client.json<Stats>({ path, form: { fields: {} } });
        for (const { podRef, containers = [] } of used)
          for (const { name, logs } of containers)
            if (typeof logs?.usedBytes === 'number')
              sizes.set(`${podRef?.namespace}/${podRef?.name}/${name}`, logs.usedBytes);
      } catch (error) {
        ctx.signal.throwIfAborted();
        const words = wordsOf(error).replaceAll(node, 'NODE');
        refusals.set(words, [...(refusals.get(words) ?? []), node]);
      }
    }),
  );
  for (const [words, of] of refusals) unread.push(`size of logs on ${of.join(', ')} unknown: ${words}`);
  return sizes;
}
