import { isDeepStrictEqual } from 'node:util';
import { UserError } from '../../errors.ts';
import type { IpLink, IpNeighbour } from '../../model/ip.ts';
import { NEIGHBOUR } from '../state/forms.ts';
import { PERMANENT_NEIGHBOURS, readLinks } from '../state/read.ts';
import { listFrom, type Run } from '../state/run.ts';
import {
  addressCommand,
  createCommand,
  finishCommands,
  type LinkRecord,
  neighbourCommand,
} from './link-commands.ts';
import { formOf } from './link-record.ts';
import { mustRun } from './must-run.ts';

/**
 * Makes links again, unless links of their names stand. Those that stand in the same form were made by an undo that was
 * interrupted: they get what they lack. Those of another form, such as of a new agent, are left.
 */
export async function restoreLinks({ ends }: LinkRecord, run: Run): Promise<boolean> {
  const before = await currentLinks(run);
  const names = new Set(ends.map(({ link }) => link.ifname));
  const standing = before.filter(({ ifname }) => names.has(ifname));
  let changed = false;
  if (standing.length === 0) {
    const taken = new Set(before.map(({ ifindex }) => ifindex));
    await mustRun(run, createCommand(ends, taken));
    changed = true;
  } else if (!ends.every(({ link }) => standing.some((now) => isSame(link, now)))) return false;
  for (const { link, neighbours } of ends) {
    const now = (await currentLinks(run)).find(({ ifname }) => ifname === link.ifname);
    for (const words of finishCommands({ link, neighbours })) {
      if (isFinished(words, now)) continue;
      await mustRun(run, words);
      changed = true;
    }
    const has = now ? formOf(now).addr_info : undefined;
    for (const address of link.addr_info ?? []) {
      if (has?.some((each) => isDeepStrictEqual(each, address))) continue;
      await mustRun(run, addressCommand(address, link.ifname));
      changed = true;
    }
    if (await restoreNeighbours(neighbours, run)) changed = true;
  }
  const after = await currentLinks(run);
  const different = ends.filter(({ link }) => {
    const now = after.find(({ ifname }) => ifname === link.ifname);
    return !now || !isDeepStrictEqual(withoutIndex(formOf(now)), withoutIndex(link));
  });
  if (different.length > 0)
    throw new UserError(
      `${different.map(({ link }) => link.ifname).join(' and ')} came back in another form: compare "ip -d addr"`,
    );
  return changed;
}

/** Whether a link has what it was made with; the rest may be missing still. */
function isSame(wanted: IpLink, now: IpLink): boolean {
  const made = (link: IpLink) => {
    const {
      ifindex: _,
      addr_info: __,
      ifalias: ___,
      inet6_addr_gen_mode: ____,
      flags = [],
      ...form
    } = formOf(link);
    return { ...form, flags: flags.filter((flag) => flag !== 'UP') };
  };
  return isDeepStrictEqual(made(wanted), made(now));
}

function isFinished(words: readonly string[], now: IpLink | undefined): boolean {
  const [what, value] = words.slice(5);
  if (what === 'up') return now?.flags?.includes('UP') === true;
  return what === 'alias' ? now?.ifalias === value : now?.inet6_addr_gen_mode === value;
}

function withoutIndex({ ifindex: _, ...link }: IpLink): Omit<IpLink, 'ifindex'> {
  return link;
}

async function restoreNeighbours(entries: readonly IpNeighbour[], run: Run): Promise<boolean> {
  if (entries.length === 0) return false;
  const notes: string[] = [];
  const now = await listFrom<IpNeighbour>(run, PERMANENT_NEIGHBOURS, NEIGHBOUR, notes);
  const missing = entries.filter((entry) => !now.some((each) => isDeepStrictEqual(each, entry)));
  for (const entry of missing) await mustRun(run, neighbourCommand(entry));
  return missing.length > 0;
}

async function currentLinks(run: Run): Promise<IpLink[]> {
  const notes: string[] = [];
  const links = await readLinks(run, notes);
  if (notes.length > 0) throw new UserError(notes.join('; '));
  return links;
}
