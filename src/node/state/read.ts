import { isUtf8 } from 'node:buffer';
import { lstat, readdir, realpath } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { errorCode, systemReason, UserError } from '../../errors.ts';
import { compareBytes } from '../../lib/order.ts';
import type { Family, IpLink, IpNeighbour, IpRoute, IpRule } from '../../model/ip.ts';
import { readBpfAttachments } from './bpf-attachments.ts';
import { readFirewall, readIpsets } from './firewall.ts';
import { LINK, NEIGHBOUR, NETNS, ROUTE, RULE } from './forms.ts';
import { readMounts } from './mounts.ts';
import { listFrom, type Run } from './run.ts';
import type { Mount, NodeFile, NodeState } from './state.ts';
import { readTcFilters } from './tc.ts';
import { listXfrmPolicies, listXfrmStates } from './xfrm.ts';

/** Where Cilium keeps things on a node. */
export interface NodePaths {
  bpfRoot: string;
  runState: string;
  libState: string;
  cniConfig: string;
  sysctlDropIns: string;
}

export const NODE_PATHS: NodePaths = {
  bpfRoot: '/sys/fs/bpf',
  runState: '/var/run/cilium',
  libState: '/var/lib/cilium',
  cniConfig: '/etc/cni/net.d',
  sysctlDropIns: '/etc/sysctl.d',
};

/** Lists the neighbours that somebody has set. */
export const PERMANENT_NEIGHBOURS = ['ip', '-d', '-j', 'neigh', 'show', 'nud', 'permanent'];

/** Folders below the bpffs root that may hold Cilium's pins, with all below them. */
const PIN_FOLDERS = ['tc/globals', 'cilium', 'xdp/globals', 'ip/globals'];

/** Reads the node. Changes nothing. */
export async function readNode(run: Run, paths: NodePaths): Promise<NodeState> {
  const notes: string[] = [];
  const unread = { addresses: [] as string[], routes: [] as string[], neighbours: [] as string[] };
  const links = await readLinks(run, unread.addresses);
  const [routes4, routes6, rules4, rules6, netns, neighbours] = await Promise.all([
    readRoutes(run, 4, unread.routes),
    readRoutes(run, 6, unread.routes),
    readRules(run, 4, notes),
    readRules(run, 6, notes),
    listFrom<{ name: string }>(run, ['ip', '-j', 'netns', 'list'], NETNS, notes),
    listFrom<IpNeighbour>(run, PERMANENT_NEIGHBOURS, NEIGHBOUR, unread.neighbours),
  ]);
  notes.push(...Object.values(unread).flat());
  const mounts = await readMounts();
  const files = await readFiles(paths, mounts, notes);
  const attachments = await readBpfAttachments(run, notes, {
    links,
    cgroupRoots: mounts.filter(({ type }) => type === 'cgroup2').map(({ target }) => target),
    pins: files
      .filter(({ kind, path }) => kind === 'pin' && path.startsWith(`${paths.bpfRoot}/cilium/`))
      .map(({ path }) => path),
  });
  return {
    nodeName: hostname(),
    links,
    neighbours,
    routes: [
      ...routes4.map((route) => ({ family: 4 as const, route })),
      ...routes6.map((route) => ({ family: 6 as const, route })),
    ],
    rules: [
      ...rules4.map((rule) => ({ family: 4 as const, rule })),
      ...rules6.map((rule) => ({ family: 6 as const, rule })),
    ],
    firewall: await readFirewall(run, notes),
    ipsets: await readIpsets(run, notes),
    xfrm: await readXfrm(run, notes),
    ...(await readTcFilters(run, links, notes)),
    ...attachments,
    linksUnknown: (['addresses', 'routes', 'neighbours'] as const).filter((what) => unread[what].length > 0),
    netns: netns.map((entry) => entry.name),
    mounts,
    runStates: [paths.runState, await realpath(paths.runState).catch(() => paths.runState)],
    files,
    notes,
  };
}

/** Links with their addresses. One of the two lists has the addresses, the other the rest in full. */
export async function readLinks(run: Run, notes: string[]): Promise<IpLink[]> {
  const links = await listFrom<IpLink>(run, ['ip', '-d', '-j', 'link'], LINK, notes);
  const addresses = await listFrom<IpLink>(run, ['ip', '-d', '-j', 'addr'], LINK, notes);
  const byIndex = new Map(addresses.map((link) => [link.ifindex, link.addr_info]));
  return links.map((link) => ({ ...link, addr_info: byIndex.get(link.ifindex) ?? [] }));
}

/** Rules of a family, in the order in which the kernel asks them. */
export async function readRules(run: Run, family: Family, notes: string[]): Promise<IpRule[]> {
  const rules = await listFrom<IpRule>(run, ['ip', '-d', '-j', `-${family}`, 'rule'], RULE, notes);
  // A rule for a link that is not there says so, and no longer does once the link comes.
  return rules.map(({ iif_detached: _, oif_detached: __, ...rule }) => rule);
}

/** Two lists of routes have to agree; so often they are read. */
const ROUTE_TRIES = 8;

/** Routes of a family in all tables. */
export async function readRoutes(run: Run, family: Family, notes: string[]): Promise<IpRoute[]> {
  const command = ['ip', '-d', '-j', `-${family}`, 'route', 'show', 'table', 'all'];
  for (let tries = 1; ; tries++) {
    const routes = await listFrom<IpRoute>(run, command, ROUTE, notes);
    if (routes.length === 0) return routes;
    // The list in JSON leaves out which metrics are locked.
    const text = await run(['ip', '-o', '-d', `-${family}`, 'route', 'show', 'table', 'all']);
    // What begins with a blank goes on about the route before it, such as what its nexthop object is.
    const lines = text.stdout.split('\n').filter((line) => /^\S/.test(line));
    if (text.code === 0 && lines.length === routes.length)
      return routes.map((route, i) => {
        const locked = [...(lines[i] ?? '').matchAll(/(\S+) lock /g)].map(([, name = '']) => name);
        return locked.length > 0 ? { ...route, locked } : route;
      });
    // Routes come and go by themselves, as those of an address of IPv6 that is being checked.
    if (tries < ROUTE_TRIES) continue;
    notes.push(`${command.join(' ')}: the list changed while it was read`);
    return [];
  }
}

async function readXfrm(run: Run, notes: string[]): Promise<NodeState['xfrm']> {
  try {
    return { policies: await listXfrmPolicies(run), states: await listXfrmStates(run) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    notes.push(`IPsec: ${error.message}`);
    return { policies: [], states: [] };
  }
}

async function readFiles(paths: NodePaths, mounts: readonly Mount[], notes: string[]): Promise<NodeFile[]> {
  const root = paths.bpfRoot;
  const real = await realpath(root).catch(() => root);
  const targets = new Set(mounts.map(({ target }) => target));
  const isMount = (path: string) => targets.has(`${real}${path.slice(root.length)}`);
  const lists = [
    pinsIn(root),
    ...PIN_FOLDERS.map((folder) => walkPins(root, folder, isMount)),
    ...[paths.runState, paths.libState].map(stateFolder),
    ...[paths.cniConfig, paths.sysctlDropIns].map(filesIn),
  ];
  return (await Promise.all(lists.map((list) => noting(list, notes)))).flat();
}

async function stateFolder(path: string): Promise<NodeFile[]> {
  const info = await lstat(path).catch(() => undefined);
  if (info?.isSymbolicLink()) return [{ path, kind: 'link', size: info.size }];
  const tree = await readTree(path);
  return tree ? [{ path, kind: 'folder', ...tree }] : [];
}

async function filesIn(folder: string): Promise<NodeFile[]> {
  const files: NodeFile[] = [];
  for (const entry of await entriesOf(folder)) {
    if (!entry.isFile() && !entry.isSymbolicLink()) continue;
    const path = join(folder, entry.name);
    const info = await lstat(path).catch(() => undefined);
    if (info) files.push({ path, kind: entry.isFile() ? 'file' : 'link', size: info.size });
  }
  return files;
}

/** Pins that lie in a folder itself. */
async function pinsIn(folder: string): Promise<NodeFile[]> {
  return (await entriesOf(folder))
    .filter((entry) => entry.isFile())
    .map(({ name }) => ({ path: join(folder, name), kind: 'pin', size: 0 }));
}

/** What is read of files, or nothing and a note where that is refused. */
async function noting(read: Promise<NodeFile[]>, notes: string[]): Promise<NodeFile[]> {
  return read.catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    notes.push(error.message);
    return [];
  });
}

/** Everything below a folder of the bpffs. A symbolic link or a mount on the way leads to what is somebody else's. */
async function walkPins(
  root: string,
  folder: string,
  isMount: (path: string) => boolean,
): Promise<NodeFile[]> {
  let path = root;
  for (const name of folder.split('/')) {
    path = join(path, name);
    if (isMount(path)) return [{ path, kind: 'mount', size: 0 }];
    if (!(await lstat(path).catch(() => undefined))?.isDirectory()) return [];
  }
  const found: NodeFile[] = [];
  for (const entry of await entriesOf(path)) {
    const below = join(path, entry.name);
    if (isMount(below)) found.push({ path: below, kind: 'mount', size: 0 });
    else if (entry.isDirectory()) {
      found.push(...(await walkPins(root, join(folder, entry.name), isMount)));
      found.push({ path: below, kind: 'folder', size: 0 });
    } else found.push({ path: below, kind: entry.isSymbolicLink() ? 'link' : 'pin', size: 0 });
  }
  return found;
}

/** The bytes of a folder with all in it, and what of it a record cannot hold: a device, and a name that is no text. */
async function readTree(folder: string): Promise<Pick<NodeFile, 'size' | 'unkept'> | undefined> {
  const info = await lstat(folder).catch(() => undefined);
  if (!info?.isDirectory()) return undefined;
  let size = 0;
  let unkept: string | undefined;
  for (const entry of await entriesOf(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      const below = await readTree(path);
      size += below?.size ?? 0;
      unkept ??= below?.unkept;
    } else size += (await lstat(path).catch(() => undefined))?.size ?? 0;
    if (entry.isBlockDevice() || entry.isCharacterDevice()) unkept ??= `the device ${path}`;
  }
  for (const name of await readdir(folder, { encoding: 'buffer' }))
    if (!isUtf8(name)) unkept ??= `${join(folder, name.toString())}, whose name is not UTF-8`;
  return { size, ...(unkept !== undefined && { unkept }) };
}

async function entriesOf(folder: string) {
  try {
    return (await readdir(folder, { withFileTypes: true })).sort((a, b) => compareBytes(a.name, b.name));
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return [];
    throw new UserError(`read ${folder}: ${systemReason(error)}`, { cause: error });
  }
}
