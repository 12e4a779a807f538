import { atLeast, isInRelease, KNOWN_RELEASES, NEWEST_RELEASE, type Release } from '../model/release.ts';

/** The agents that a lab can play: one of each release; `all` has every path of every one of them. */
export type AgentVersion = 'all' | Release;
export const AGENT_VERSIONS: readonly AgentVersion[] = ['all', ...KNOWN_RELEASES.toReversed()];

/** What the agent says it is. */
export function agentRelease(version: AgentVersion): string {
  return `${version === 'all' ? NEWEST_RELEASE : version}.0-lab`;
}

/**
 * Whether an agent does what came with a release. Where releases differ, `all` does as 1.17 does: the last one whose
 * API takes policies.
 */
export function plays(version: AgentVersion, first: Release): boolean {
  return atLeast(releasePlayed(version), first);
}

/** The release that an agent behaves like. */
export function releasePlayed(version: AgentVersion): Release {
  return version === 'all' ? '1.17' : version;
}

/** The release whose maps an agent pins. */
export function pinsRelease(version: AgentVersion): Release {
  return version === 'all' ? NEWEST_RELEASE : version;
}

/** Whether a part of the API that only some versions have (`x-versions`) is there. */
export function inVersion(versions: readonly string[] | undefined, version: AgentVersion): boolean {
  return version === 'all' || isInRelease(versions, version);
}
