import { lstat, readdir, readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { errorCode } from '../../errors.ts';
import { compareBytes } from '../../lib/order.ts';
import { readBpfAttachments } from './bpf-attachments.ts';
import { readFirewall, readIpsets } from './firewall.ts';
import { listFrom, type Run } from './run.ts';
import type { IpLink, IpRoute, IpRule, NodeFile, NodeState, TcFilter } from './state.ts';

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

/** Folders below the bpffs root that may hold Cilium's pins. */
const PIN_FOLDERS = ['tc/globals', 'cilium', 'xdp/globals', 'ip/globals'];

/** Reads the node. Changes nothing. */
export async function readNode(run: Run, paths: NodePaths): Promise<NodeState> {
  const notes: string[] = [];
  const json = <T>(command: string[]) => listFrom<T>(run, command, notes);
  const links = await json<IpLink>(['ip', '-d', '-j', 'addr']);
  const [routes4, routes6, rules4, rules6, netns] = await Promise.all([
    json<IpRoute>(['ip', '-j', '-4', 'route', 'show', 'table', 'all']),
    json<IpRoute>(['ip', '-j', '-6', 'route', 'show', 'table', 'all']),
    json<IpRule>(['ip', '-j', '-4', 'rule']),
    json<IpRule>(['ip', '-j', '-6', 'rule']),
    json<{ name: string }>(['ip', '-j', 'netns', 'list']),
  ]);
  const [mounts, files] = [await readMounts(), await readFiles(paths)];
  const attachments = await readBpfAttachments(run, notes, {
    links,
    cgroupRoots: mounts.filter(({ type }) => type === 'cgroup2').map(({ target }) => target),
    pins: files.filter(({ kind }) => kind === 'pin').map(({ path }) => path),
  });
  return {
    nodeName: hostname(),
    links,
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
    ...(await readTcFilters(run, notes)),
    ...attachments,
    netns: netns.map((entry) => entry.name),
    mounts,
    files,
    notes,
  };
}

interface TcJson {
  kind?: string;
  protocol?: string;
  pref?: number;
  chain?: number;
  options?: { handle?: string; fh?: string; bpf_name?: string; prog?: { name?: string } };
}

/** Every filter of every device that has the hooks, whoever made it: the last one's qdisc may only go when none is left. */
async function readTcFilters(run: Run, notes: string[]): Promise<Pick<NodeState, 'tcFilters' | 'tcUnknown'>> {
  const tcFilters: TcFilter[] = [];
  const tcUnknown: string[] = [];
  const qdiscs = await listFrom<{ kind: string; dev: string }>(run, ['tc', '-j', 'qdisc', 'show'], notes);
  for (const { dev } of qdiscs.filter(({ kind }) => kind === 'clsact')) {
    for (const direction of ['ingress', 'egress'] as const) {
      const failed = notes.length;
      const listed = await listFrom<TcJson>(
        run,
        ['tc', '-j', 'filter', 'show', 'dev', dev, direction],
        notes,
      );
      if (notes.length > failed) tcUnknown.push(dev);
      // tc lists a head without options in front of the programs of a preference.
      for (const { kind = '', protocol = 'all', pref = 1, chain = 0, options } of listed) {
        if (options === undefined && kind === 'bpf') continue;
        // The name tc keeps is the file's when the program came from a pin; the kernel's is the program's own.
        const names = [options?.prog?.name, options?.bpf_name].filter((name) => name !== undefined);
        tcFilters.push({
          device: dev,
          direction,
          kind,
          chain,
          protocol,
          pref,
          handle: options?.handle ?? options?.fh ?? '0x1',
          programNames: kind === 'bpf' ? names : [],
        });
      }
    }
  }
  return { tcFilters, tcUnknown };
}

async function readMounts(): Promise<NodeState['mounts']> {
  const text = await readFile('/proc/self/mounts', 'utf8').catch(() => '');
  return text
    .split('\n')
    .map((line) => line.split(' '))
    .filter((fields) => fields.length >= 3)
    .map(([, target = '', type = '']) => ({ target: target.replaceAll('\\040', ' '), type }));
}

async function readFiles(paths: NodePaths): Promise<NodeFile[]> {
  const files: NodeFile[] = [];
  for (const folder of PIN_FOLDERS) files.push(...(await walkPins(join(paths.bpfRoot, folder))));
  for (const folder of [paths.runState, paths.libState]) {
    const size = await treeSize(folder);
    if (size !== undefined) files.push({ path: folder, kind: 'folder', size });
  }
  for (const folder of [paths.cniConfig, paths.sysctlDropIns]) {
    for (const entry of await entriesOf(folder)) {
      if (!entry.isFile() && !entry.isSymbolicLink()) continue;
      const path = join(folder, entry.name);
      const info = await lstat(path).catch(() => undefined);
      if (info) files.push({ path, kind: entry.isFile() ? 'file' : 'link', size: info.size });
    }
  }
  return files;
}

async function walkPins(folder: string): Promise<NodeFile[]> {
  const found: NodeFile[] = [];
  for (const entry of await entriesOf(folder)) {
    const path = join(folder, entry.name);
    if (!entry.isDirectory()) found.push({ path, kind: 'pin', size: 0 });
    else {
      found.push(...(await walkPins(path)));
      found.push({ path, kind: 'folder', size: 0 });
    }
  }
  return found;
}

async function treeSize(folder: string): Promise<number | undefined> {
  const info = await lstat(folder).catch(() => undefined);
  if (!info?.isDirectory()) return undefined;
  let total = 0;
  for (const entry of await entriesOf(folder)) {
    const path = join(folder, entry.name);
    total += entry.isDirectory()
      ? ((await treeSize(path)) ?? 0)
      : ((await lstat(path).catch(() => undefined))?.size ?? 0);
  }
  return total;
}

async function entriesOf(folder: string) {
  try {
    return (await readdir(folder, { withFileTypes: true })).sort((a, b) => compareBytes(a.name, b.name));
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return [];
    throw error;
  }
}
