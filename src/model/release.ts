/**
 * A release of Cilium, down to the minor version: `1.17`. Maps tell agents on the way to a release as well: `1.13-dev`, which
 * stands right before it.
 */
export type Release = `${number}.${number}` | `${number}.${number}-dev`;

/** A pinned map as a mark: its name, where `{n}` stands for any number, and its sizes where older ones had others. */
export interface PinMark {
  pin: string;
  /** Tells only where this map is pinned too. */
  beside?: string;
  keySize?: number;
  valueSize?: number;
}

interface KnownRelease {
  release: Release;
  /** Fields of `GET /healthz` that agents of no older release in this table have. */
  status?: readonly string[];
  /** Maps that agents of no older release in this table pin. */
  pins?: readonly PinMark[];
}

/**
 * The releases, oldest first, and what tells them apart when no version is given. Other marks, such as paths or sizes of
 * maps, are further columns.
 */
const RELEASES: readonly KnownRelease[] = [
  {
    release: '1.9',
    status: ['host-routing'],
    pins: [
      { pin: 'cilium_policy_{n}', keySize: 8 },
      { pin: 'cilium_lb4_backends', keySize: 2 },
      { pin: 'cilium_lb6_backends', keySize: 2 },
    ],
  },
  { release: '1.10', status: ['encryption'] },
  {
    release: '1.11',
    pins: [{ pin: 'cilium_lb4_backends_v2' }, { pin: 'cilium_lb6_backends_v2' }],
  },
  { release: '1.12', status: ['cni-chaining', 'identity-range'] },
  // The recorded agent of January 2023, called 1.13.90: nodes have no numbers yet, which 1.13.0 gives them.
  { release: '1.13-dev', pins: [{ pin: 'cilium_lb4_backends_v3' }, { pin: 'cilium_lb6_backends_v3' }] },
  {
    release: '1.13',
    status: ['cni-file', 'ipv6-big-tcp'],
    // The last patches of 1.12 number their nodes as well.
    pins: ['cilium_lb4_backends_v3', 'cilium_lb6_backends_v3'].map((beside) => ({
      pin: 'cilium_node_map',
      beside,
    })),
  },
  {
    release: '1.14',
    status: ['ipv4-big-tcp'],
    pins: [
      { pin: 'cilium_auth_map' },
      { pin: 'cilium_runtime_config' },
      { pin: 'cilium_policy_{n}', keySize: 12 },
    ],
  },
  { release: '1.15', status: ['srv6'] },
  {
    release: '1.16',
    status: ['routing', 'attach-mode', 'datapath-mode'],
    pins: [{ pin: 'cilium_node_map_v2' }],
  },
  // An agent of August 2024, called 1.17.0-dev: it pins the maps of 1.16, and its command line differs from that of 1.17.0.
  { release: '1.17-dev' },
  {
    release: '1.17',
    pins: [{ pin: 'cilium_policy_v2_{n}', valueSize: 24 }],
  },
  {
    release: '1.18',
    status: ['hubble-metrics'],
    pins: [{ pin: 'cilium_policystats' }, { pin: 'cilium_ipcache_v2' }],
  },
  {
    release: '1.19',
    pins: [
      { pin: 'cilium_policy_v2_{n}', valueSize: 12 },
      { pin: 'cilium_percpu_trace_id' },
      { pin: 'cilium_l2_responder_v6' },
    ],
  },
  {
    release: '1.20',
    status: ['configured-datapath-mode'],
    pins: [
      { pin: 'cilium_policy_v3_{n}' },
      { pin: 'cilium_devices' },
      { pin: 'cilium_egress_gw_policy_v4_v2' },
    ],
  },
];

/** The oldest release that the toolkit knows. */
export const OLDEST_RELEASE: Release = '1.9';

/** The newest release that the toolkit knows; an unknown newer one is treated like it. */
export const NEWEST_RELEASE: Release = '1.20';

/** The releases that the toolkit knows, oldest first. */
export const KNOWN_RELEASES: readonly Release[] = RELEASES.map(({ release }) => release).filter(
  (release) => !isEarly(release),
);

/** A build of an agent. */
export interface Build {
  release: Release;
  /** Built on the way to the release, or a build of it. Undefined: the version has no patch number, and says neither. */
  development: boolean | undefined;
}

/**
 * The build that a version begins with: `1.17`, `v1.17.3`, `1.20.0-dev (v1.20.0-…)`; undefined when there is none.
 * Up to 1.14 a patch number of 90 or more meant development towards the next minor version, later `-dev` and `-pre.1`.
 */
export function parseBuild(version: string): Build | undefined {
  const found = /^v?(\d+)\.(\d+)(?:\.(\d+))?(-(?:dev|pre|snapshot)\b)?/.exec(version);
  if (!found) return undefined;
  const [, major, minor, patch, suffix] = found;
  const early = Number(patch ?? 0) >= 90;
  return {
    release: `${Number(major)}.${Number(minor) + (early ? 1 : 0)}`,
    development: early || suffix !== undefined || (patch === undefined ? undefined : false),
  };
}

/** The release at the start of a version. */
export function parseRelease(version: string): Release | undefined {
  return parseBuild(version)?.release;
}

/** Orders `1.9` before `1.14`. */
export function compareReleases(a: Release, b: Release): number {
  return ordinal(a) - ordinal(b);
}

/** True when `release` is `first` or newer. */
export function atLeast(release: Release, first: Release): boolean {
  return compareReleases(release, first) >= 0;
}

/** What an agent says of its release. */
export interface AgentRelease {
  /** An unknown newer release is taken for the newest one. */
  release: Release;
  /** The release that the agent names itself, when the toolkit does not know it yet. */
  newer?: Release;
}

/** By the version that the message of a status begins with, else by the fields that the status has. */
export function releaseOfStatus(message: string, has: (field: string) => boolean): AgentRelease {
  const named = parseRelease(message);
  if (!named) return { release: recogniseRelease('status', has) };
  return isNewer(named) ? { release: NEWEST_RELEASE, newer: named } : { release: named };
}

/** Whether a release is newer than all that the toolkit knows. */
export function isNewer(release: Release): boolean {
  return compareReleases(release, NEWEST_RELEASE) > 0;
}

/** The release that is nearest to this one; of two that are as near, the newer. */
function nearest(release: Release, among: readonly Release[]): Release {
  const distance = (known: Release) => Math.abs(compareReleases(known, release));
  return among.reduce((best, known) => (distance(known) <= distance(best) ? known : best));
}

/** Recognises a release by what newer ones have and older ones have not; the newest when nothing is there. */
export function recogniseRelease(by: 'status', has: (name: string) => boolean): Release {
  return RELEASES.findLast((known) => known[by]?.some(has))?.release ?? NEWEST_RELEASE;
}

/** Releases that cannot be told apart, from the oldest to the newest. */
export interface ReleaseRange {
  first: Release;
  last: Release;
}

/**
 * The releases that may have pinned these maps: from the newest one of which a mark is there up to the one before the next
 * that has marks. All of them when no mark is there.
 */
export function recognisePins(isPinned: (mark: PinMark) => boolean): ReleaseRange {
  const has = (mark: PinMark) =>
    isPinned(mark) && (mark.beside === undefined || isPinned({ pin: mark.beside }));
  const marked = RELEASES.filter(({ pins }) => pins !== undefined);
  const at = marked.findLastIndex(({ pins = [] }) => pins.some(has));
  const next = at === -1 ? undefined : marked[at + 1];
  return {
    first: marked[Math.max(at, 0)]?.release ?? NEWEST_RELEASE,
    last: RELEASES[next ? RELEASES.indexOf(next) - 1 : -1]?.release ?? NEWEST_RELEASE,
  };
}

/**
 * Whether a part of the API that names its releases (`x-versions`) is in this one; without a list it is in all. A release
 * that is not known is taken for the nearest one that is.
 */
export function isInRelease(versions: readonly string[] | undefined, release: Release): boolean {
  return (
    versions === undefined ||
    versions.includes(release) ||
    versions.includes(nearest(release, KNOWN_RELEASES))
  );
}

/** Minor versions have stayed far below a thousand. */
function ordinal(release: Release): number {
  return ORDINALS.get(release) ?? toOrdinal(release);
}

function toOrdinal(release: Release): number {
  const [major = 0, minor = 0] = releaseTowards(release).split('.').map(Number);
  return major * 1000 + minor - (isEarly(release) ? 0.5 : 0);
}

/** Every field of a policy is compared with the target. */
const ORDINALS: ReadonlyMap<Release, number> = new Map(
  RELEASES.map(({ release }) => [release, toOrdinal(release)]),
);

/** Whether this stands for agents on the way to a release. */
export function isEarly(release: Release): boolean {
  return release.endsWith('-dev');
}

/** The release itself, where this stands for agents on the way to it. */
export function releaseTowards(release: Release): Release {
  return release.replace('-dev', '') as Release;
}

/** Of agents on the way to a release, whose maps they pin and what their command lines print of them. Others are not known. */
const EARLY: Readonly<Partial<Record<Release, Release>>> = { '1.14': '1.13-dev', '1.17': '1.17-dev' };

/** Whose maps a build pins. */
export function releaseOfPinsOf({ release, development }: Build): Release {
  return (development ? EARLY[release] : undefined) ?? release;
}
