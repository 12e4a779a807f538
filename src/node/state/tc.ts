import type { IpLink } from '../../model/ip.ts';
import { FILTER, QDISC } from './forms.ts';
import { failureOf, listFrom, type Run } from './run.ts';
import type { NodeState, TcFilter } from './state.ts';

interface TcJson {
  kind?: string;
  protocol?: string;
  pref?: number;
  chain?: number;
  block?: number;
  options?: { handle?: unknown; fh?: unknown; bpf_name?: string; prog?: { name?: string } };
}

interface QdiscJson {
  kind: string;
  dev: string;
  handle?: string;
  ingress_block?: number;
  egress_block?: number;
}

/** Kinds whose classes hold filters of their own. */
const WITH_CLASS_FILTERS = ['htb', 'hfsc', 'cbq', 'atm'];

/** Where a qdisc may hold filters; the kernel gives one that it made by itself the handle 0. */
async function placesOf(
  { kind, dev, handle = '0:' }: QdiscJson,
  run: Run,
  notes: string[],
): Promise<TcFilter['place'][]> {
  if (kind === 'clsact') return ['ingress', 'egress'];
  if (kind === 'ingress') return ['ingress'];
  if (handle === '0:') return [];
  const places: TcFilter['place'][] = [`parent ${handle}`];
  if (!WITH_CLASS_FILTERS.includes(kind)) return places;
  // tc prints classes as text, also where it is asked for JSON.
  const command = ['tc', 'class', 'show', 'dev', dev];
  const ran = await run(command);
  if (ran.code !== 0) notes.push(`${command.join(' ')}: ${failureOf(ran)}`);
  for (const [, id = ''] of ran.stdout.matchAll(/^class \S+ (\S+)/gm))
    if (id.startsWith(handle) && id !== handle) places.push(`parent ${id}`);
  return places;
}

/** Every filter of every device, whoever made it: the last one's qdisc may only go when none is left. */
export async function readTcFilters(
  run: Run,
  links: readonly IpLink[],
  notes: string[],
): Promise<Pick<NodeState, 'tcFilters' | 'tcUnknown' | 'tcShared'>> {
  const tcFilters: TcFilter[] = [];
  const tcUnknown: string[] = [];
  const unlisted = notes.length;
  const qdiscs = await listFrom<QdiscJson>(run, ['tc', '-j', 'qdisc', 'show'], QDISC, notes);
  if (notes.length > unlisted) tcUnknown.push(...links.map(({ ifname }) => ifname));
  for (const qdisc of qdiscs) {
    const { dev } = qdisc;
    const failed = notes.length;
    for (const place of await placesOf(qdisc, run, notes)) {
      const command = ['tc', '-j', 'filter', 'show', 'dev', dev, ...place.split(' ')];
      // tc lists a head without options in front of the programs of a preference.
      for (const each of await listFrom<TcJson>(run, command, FILTER, notes)) {
        const { kind = '', protocol = 'all', pref = 1, chain = 0, block, options } = each;
        if (options === undefined && kind === 'bpf') continue;
        // The name tc keeps is the file's when the program came from a pin; the kernel's is the program's own.
        const handle = options?.handle ?? options?.fh;
        const names = [options?.prog?.name, options?.bpf_name].filter((name) => name !== undefined);
        tcFilters.push({
          device: dev,
          place,
          qdisc: qdisc.kind,
          ...(block !== undefined && { block }),
          kind,
          chain,
          protocol,
          pref,
          handle: typeof handle === 'string' ? handle : '0x1',
          programNames: kind === 'bpf' ? names : [],
        });
      }
    }
    if (notes.length > failed) tcUnknown.push(dev);
  }
  const tcShared = qdiscs
    .filter((qdisc) => qdisc.ingress_block !== undefined || qdisc.egress_block !== undefined)
    .map(({ dev }) => dev);
  return { tcFilters, tcUnknown, tcShared };
}
