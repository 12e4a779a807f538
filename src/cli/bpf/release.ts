import { basename } from 'node:path';
import { releasesOfPins } from '../../bpf/kernel/pins.ts';
import { type MapLayout, readsDifferently } from '../../bpf/layouts/map-layout.ts';
import { openPinned } from '../../bpf/maps/records.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import {
  compareReleases,
  isEarly,
  KNOWN_RELEASES,
  type Release,
  type ReleaseRange,
  releaseOfPinsOf,
  releaseTowards,
} from '../../model/release.ts';
import { buildOfAgent, releaseOfForms } from '../release.ts';

/**
 * The release of the agent that made the maps: as --agent-release says, else as the pins and their sizes tell. Where those
 * leave several, the version of the running agent decides among them; maps that look like those of agents on the way to a
 * release are of the release when the agent says that it is. Fails when nothing decides and a map of `layouts` would be
 * read in different ways; otherwise the newest of them is taken, whose texts are then used. Of an archive the agent's
 * version alone tells.
 */
export async function mapsRelease(ctx: Context, ...layouts: readonly MapLayout[]): Promise<Release> {
  if (ctx.globals.agentRelease !== undefined) return ctx.globals.agentRelease;
  if (ctx.globals.archive) return await releaseOfForms(ctx);
  const range = releasesOfPins(ctx.globals.bpfRoot);
  const { first, last } = range;
  if (first === last && !isEarly(last)) return last;
  const build = await buildOfAgent(ctx);
  const told = build && releaseOfPinsOf(build);
  if (first === last) return told === releaseTowards(last) ? told : last;
  if (told !== undefined) return within(told, range);
  if (layouts.some((layout) => differs(ctx.globals.bpfRoot, layout, range)))
    throw new UserError(
      `the maps may be those of any agent from ${first} to ${last}, which read them differently, and the agent does not answer`,
      { hint: 'Name the release that made them with --agent-release, such as --agent-release 1.14.' },
    );
  // An agent on the way to a release is told only by its version.
  return KNOWN_RELEASES.findLast((release) => compareReleases(release, last) <= 0) ?? last;
}

function within(release: Release, { first, last }: ReleaseRange): Release {
  if (compareReleases(release, first) < 0) return first;
  return compareReleases(release, last) > 0 ? last : release;
}

/** Whether the releases of a range read a map that is there in different ways. */
function differs(bpfRoot: string, layout: MapLayout, range: ReleaseRange): boolean {
  using map = openPinned(bpfRoot, layout);
  return map !== undefined && readsDifferently(layout, { pin: basename(map.label), ...map.info }, range);
}
