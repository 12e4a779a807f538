import { isDeepStrictEqual } from 'node:util';
import { UserError } from '../../errors.ts';
import { isRecord } from '../../lib/record.ts';
import type { Item, Restore } from '../../model/cleanup.ts';
import type { Family, IpRoute } from '../../model/ip.ts';
import { readRoutes } from '../state/read.ts';
import type { Run } from '../state/run.ts';
import type { NodeState } from '../state/state.ts';
import { mustRun } from './must-run.ts';
import { command, isOwnLink, isOwnLinkName, isPodLink, isPodLinkName } from './own.ts';

type RouteRecord = Extract<Restore, { bring: 'route' }>;

/** Kernel-made routes go and come with their device and its addresses. */
const MADE_BY_KERNEL = new Set(['local', 'multicast', 'anycast', 'broadcast']);

/** Tells the devices of Cilium from those of others. */
interface Devices {
  isOwn(name: string): boolean;
  isPod(name: string): boolean;
}

/** The devices of a node: a link of somebody else may have a name like those of Cilium. */
function devicesIn({ links }: NodeState): Devices {
  const own = new Set(links.filter(isOwnLink).map(({ ifname }) => ifname));
  const pods = new Set(links.filter(isPodLink).map(({ ifname }) => ifname));
  return { isOwn: (name) => own.has(name), isPod: (name) => pods.has(name) };
}

/** The devices of a record: the links are gone, and the names are all there is. */
const BY_NAME: Devices = { isOwn: isOwnLinkName, isPod: isPodLinkName };

/** Addresses of pods of this node: those with a route to a pod's link. */
export function podAddresses(state: NodeState): ReadonlySet<string> {
  const { isPod } = devicesIn(state);
  return new Set(
    state.routes
      .filter(({ route }) => isPod(route.dev ?? ''))
      .map(({ route }) => route.dst.replace(/\/(?:32|128)$/, '')),
  );
}

/** Routes of Cilium's tables, to its links and to pods. */
export function routeItems(state: NodeState): Item[] {
  const devices = devicesIn(state);
  return state.routes.flatMap(({ family, route }): Item[] => {
    const why = ownRoute(route, devices);
    if (!why || unwrittenRoute(route).length > 0) return [];
    const words = routeWords(route);
    return [
      {
        id: `route ${family} ${words.join(' ')}`,
        kind: 'route',
        what: `IPv${family} route ${words.join(' ')}`,
        why,
        remove: [command(ip(family, 'del', ...words))],
        restore: [{ bring: 'route', family, route: steady(route) }],
      },
    ];
  });
}

/** Routes to Cilium's links and pods that stay, because undo could not make the same again. */
export function routesLeft(state: NodeState): string[] {
  const devices = devicesIn(state);
  return state.routes.flatMap(({ family, route }) => {
    const fields = ownRoute(route, devices) ? unwrittenRoute(route) : [];
    if (fields.length === 0) return [];
    return [
      `IPv${family} route ${routeWords(route).join(' ')}: undo could not bring back ${fields.join(', ')}`,
    ];
  });
}

/** Routes that would go with a device, and that undo could not bring back or that are not of this device alone. */
export function routesInTheWay(state: NodeState, device: string): string[] {
  const devices = devicesIn(state);
  return state.routes
    .filter(({ route }) => devicesOf(route).includes(device) && !isKernelRoute(route))
    .filter(({ route }) => ownRoute(route, devices) === undefined || unwrittenRoute(route).length > 0)
    .map(({ family, route }) => `IPv${family} route ${routeWords(route).join(' ')}`);
}

function devicesOf({ dev, nexthops }: IpRoute): string[] {
  return [dev, ...nextHops(nexthops).map((hop) => hop.dev)].filter((name) => typeof name === 'string');
}

function isKernelRoute({ table = 'main', type, dst }: IpRoute): boolean {
  return (
    table === 'local' || MADE_BY_KERNEL.has(type ?? '') || dst === 'fe80::/64' || dst.startsWith('ff00::')
  );
}

function ownRoute(route: IpRoute, { isOwn, isPod }: Devices): string | undefined {
  const { table = 'main', dst, type } = route;
  const devices = devicesOf(route);
  const [dev = ''] = devices;
  const own = devices.length > 0 && devices.every(isOwn);
  if (table === '2004' && type === 'local' && dst === 'default' && dev === 'lo')
    return 'table 2004 is the way to the proxy';
  if (isKernelRoute(route)) return undefined;
  if (table === '2005' && own) return 'table 2005 is the way from the proxy';
  if (own) return `it leads to ${dev}`;
  return devices.length === 1 && isPod(dev) ? 'it leads to a pod' : undefined;
}

function ip(family: Family, ...words: string[]): string[] {
  return ['ip', `-${family}`, 'route', ...words];
}

/** Metrics that are written as they are printed. */
const METRICS = new Set(
  'mtu advmss window cwnd ssthresh reordering hoplimit initcwnd initrwnd quickack fastopen_no_cookie'.split(
    ' ',
  ),
);
/** Metrics that are printed in milliseconds. */
const TIMES = new Set(['rtt', 'rttvar', 'rto_min']);
/** Flags that the kernel sets by itself. */
const PASSING_FLAGS = new Set(['linkdown', 'dead', 'offload', 'trap', 'rt_offload', 'rt_trap']);

function metricWords(route: IpRoute): string[] {
  return metricsOf(route).flatMap(([name, value]): string[] => {
    // ip locks this one by itself.
    const lock = route.locked?.includes(name) && name !== 'rto_min' ? ['lock'] : [];
    if (name === 'congestion') return ['congctl', ...lock, String(value)];
    if (name === 'ecn') return ['features', 'ecn'];
    return [name, ...lock, TIMES.has(name) ? `${value}ms` : String(value)];
  });
}

/** Metrics that ip takes no lock for. */
const NEVER_LOCKED = new Set(['quickack', 'fastopen_no_cookie', 'ecn']);

/** Some metric that `metricWords` cannot write. */
function isUnwritten([name, value]: [string, unknown], locked: readonly string[]): boolean {
  const isLocked = locked.includes(name === 'ecn' ? 'features' : name);
  if (NEVER_LOCKED.has(name) ? isLocked : name === 'rto_min' && !isLocked) return true;
  if (name === 'congestion') return typeof value !== 'string' || !/^\w+$/.test(value);
  if (name === 'ecn') return value !== null;
  return !(METRICS.has(name) || TIMES.has(name)) || !Number.isInteger(value);
}

function routeWords(route: IpRoute): string[] {
  const words = [...(route.type && route.type !== 'unicast' ? [route.type] : []), route.dst];
  if (typeof route.tos === 'string') words.push('tos', route.tos);
  words.push(...hopWords(route));
  if (route.flags?.includes('onlink')) words.push('onlink');
  if (route.protocol) words.push('proto', route.protocol);
  if (route.scope) words.push('scope', route.scope);
  if (route.prefsrc) words.push('src', route.prefsrc);
  if (route.metric) words.push('metric', String(route.metric));
  if (route.table) words.push('table', route.table);
  const realms = realmsOf(route);
  if (realms) words.push('realms', realms);
  words.push(...metricWords(route));
  if (typeof route.pref === 'string' && route.pref !== 'medium') words.push('pref', route.pref);
  for (const hop of nextHops(route.nexthops))
    words.push('nexthop', ...hopWords(hop), 'weight', String(hop.weight ?? 1), ...onlink(hop));
  return words;
}

function hopWords({ gateway, via, dev }: Record<string, unknown>): string[] {
  return [
    ...(typeof gateway === 'string' ? ['via', gateway] : []),
    ...(isVia(via) ? ['via', via.family, via.host] : []),
    ...(typeof dev === 'string' ? ['dev', dev] : []),
  ];
}

function onlink({ flags }: Record<string, unknown>): string[] {
  return Array.isArray(flags) && flags.includes('onlink') ? ['onlink'] : [];
}

function realmsOf({ flow }: IpRoute): string | undefined {
  if (!isRecord(flow) || typeof flow.to !== 'string') return undefined;
  return typeof flow.from === 'string' ? `${flow.from}/${flow.to}` : flow.to;
}

/** Fields of a route that `routeWords` writes. */
const ROUTE_FIELDS = new Set(
  'dst type tos gateway via dev flags protocol scope prefsrc metric table flow metrics pref nexthops locked'.split(
    ' ',
  ),
);
const HOP_FIELDS = new Set(['gateway', 'via', 'dev', 'weight', 'flags']);

function metricsOf({ metrics }: IpRoute): [string, unknown][] {
  return Array.isArray(metrics) ? metrics.filter(isRecord).flatMap((each) => Object.entries(each)) : [];
}

function nextHops(nexthops: unknown): Record<string, unknown>[] {
  return Array.isArray(nexthops) ? nexthops.filter(isRecord) : [];
}

function isVia(via: unknown): via is { family: string; host: string } {
  return isRecord(via) && typeof via.family === 'string' && typeof via.host === 'string';
}

/** What a route has that cannot be written back, such as encapsulation. */
function unwrittenRoute(route: IpRoute): string[] {
  const flags = [route.flags ?? [], ...nextHops(route.nexthops).map((hop) => hop.flags ?? [])].flat();
  return [
    ...Object.keys(route).filter((field) => !ROUTE_FIELDS.has(field)),
    ...(route.via !== undefined && !isVia(route.via) ? ['via'] : []),
    ...(route.flow !== undefined && !realmsOf(route) ? ['realms'] : []),
    ...flags.map(String).filter((flag) => flag !== 'onlink' && !PASSING_FLAGS.has(flag)),
    ...metricsOf(route)
      .filter((metric) => isUnwritten(metric, route.locked ?? []))
      .map(([name]) => name),
    ...nextHops(route.nexthops).flatMap((hop) => Object.keys(hop).filter((field) => !HOP_FIELDS.has(field))),
  ];
}

/** A route without the flags that the kernel sets while a link is down or a device helps. */
function steady(route: IpRoute): IpRoute {
  const quiet = (flags: unknown) =>
    Array.isArray(flags) ? flags.filter((flag) => !PASSING_FLAGS.has(String(flag))) : flags;
  const { nexthops } = route;
  return {
    ...route,
    ...(route.flags && { flags: route.flags.filter((flag) => !PASSING_FLAGS.has(flag)) }),
    ...(Array.isArray(nexthops) && {
      nexthops: nextHops(nexthops).map((hop) => ({ ...hop, flags: quiet(hop.flags) })),
    }),
  };
}

const WORD = /^[\w.:/][\w.:/-]*$/;

/** Whether a recorded route is one that cleanup removes. */
export function isOwnRouteRecord({ family, route }: RouteRecord): boolean {
  if (family !== 4 && family !== 6) return false;
  if (
    typeof route.dst !== 'string' ||
    ownRoute(route, BY_NAME) === undefined ||
    unwrittenRoute(route).length > 0
  )
    return false;
  return routeWords(route).every((word) => WORD.test(word));
}

/** The command that would bring a route back. It never takes the place of another one. */
export function routeCommand({ family, route }: RouteRecord): string[] {
  return ip(family, 'add', ...routeWords(route));
}

/** Whether a route leads to a pod whose link went with it and does not come back. */
export async function isPodGone({ route: { dev = '' } }: RouteRecord, run: Run): Promise<boolean> {
  return isPodLinkName(dev) && (await run(['ip', 'link', 'show', 'dev', dev])).code !== 0;
}

/** Brings a route back unless it stands. Returns whether anything was to be done. */
export async function restoreRoute(step: RouteRecord, run: Run): Promise<boolean> {
  const stands = async () => {
    const notes: string[] = [];
    const routes = await readRoutes(run, step.family, notes);
    if (notes.length > 0) throw new UserError(notes.join('; '));
    return routes.some((route) => isDeepStrictEqual(steady(route), step.route));
  };
  if (await stands()) return false;
  await mustRun(run, routeCommand(step));
  if (!(await stands()))
    throw new UserError('it came back in another form: compare "ip -d route show table all"');
  return true;
}
