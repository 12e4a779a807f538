import type { Item } from '../../model/cleanup.ts';
import { coverOf, isBelow } from '../state/mounts.ts';
import type { NodePaths } from '../state/read.ts';
import type { Mount, NodeState } from '../state/state.ts';

const BACKUP = '.cilium_bak';
/** The names that agents and their installers give, in every release. */
const CNI_CONFIG = /^(?:\d\d-)?cilium(?:-cni)?\.conf(?:list)?$/;
const SYSCTL_DROP_IN = '99-zzz-override_cilium.conf';

/** Whether `cleanup` takes the file of this path away, and what kind it has: a state folder with all in it, or one file. */
export function ownFileKind(path: string, paths: NodePaths): 'state' | 'file' | undefined {
  if (path === paths.runState || path === paths.libState) return 'state';
  const name = path.slice(path.lastIndexOf('/') + 1);
  const isFile =
    (path === `${paths.cniConfig}/${name}` && (CNI_CONFIG.test(name) || isBackup(name))) ||
    path === `${paths.sysctlDropIns}/${SYSCTL_DROP_IN}`;
  return isFile ? 'file' : undefined;
}

/** Whether a recorded change of name is that of a configuration that Cilium had set aside. */
export function isOwnRename(from: string, to: string, { cniConfig }: NodePaths): boolean {
  const name = to.slice(to.lastIndexOf('/') + 1);
  return isBackup(name) && to === `${cniConfig}/${name}` && from === to.slice(0, -BACKUP.length);
}

function isBackup(name: string): boolean {
  return name.endsWith(BACKUP) && name.length > BACKUP.length;
}

/** Mounts, state folders, CNI configuration and sysctl files. */
export function fileItems(state: NodeState, paths: NodePaths): Item[] {
  const { files } = state;
  // What was mounted last goes first: it may lie on what was mounted before.
  const items = reachableMounts(state).map(mountItem);
  const there = new Set(files.map(({ path }) => path));
  for (const { path, kind, unkept } of files) {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const base = {
      id: `${kind === 'folder' ? 'folder' : 'file'} ${path}`,
      kind: kind === 'folder' ? ('folder' as const) : ('file' as const),
    };
    const own = ownFileKind(path, paths);
    if (own === undefined) continue;
    if (own === 'state') {
      if (kind !== 'folder') continue;
      if (foreignMounts(path, state).length > 0 || unkept !== undefined) continue;
      items.push({
        ...base,
        what: `${path} and all in it`,
        why: 'it is a state folder of Cilium',
        remove: [{ do: 'remove-tree', path }],
      });
    } else if (kind === 'folder') continue;
    else if (isBackup(name)) {
      const original = path.slice(0, -BACKUP.length);
      const free = !there.has(original);
      items.push({
        ...base,
        what: free ? `${path} (becomes ${original} again)` : path,
        why: 'Cilium set the configuration of another CNI plugin aside',
        remove: [free ? { do: 'rename', from: path, to: original } : { do: 'unlink', path }],
        ...(free && { restore: [{ bring: 'rename', from: original, to: path }] }),
      });
    } else
      items.push({
        ...base,
        what: path,
        why: CNI_CONFIG.test(name) ? "it is Cilium's CNI configuration" : 'its name says so',
        remove: [{ do: 'unlink', path }],
      });
  }
  return items;
}

/**
 * State folders that stay, because something of somebody else is mounted in them, they are elsewhere, or undo could not make
 * them again; and mounts that something else lies on.
 */
export function filesLeft(state: NodeState, paths: NodePaths): string[] {
  const reachable = reachableMounts(state);
  const covered = ownMounts(state)
    .filter((mount) => !reachable.includes(mount))
    .map(({ target }) => `mount ${target}: something of somebody else is mounted on it`);
  const folders = state.files
    .filter(({ path }) => path === paths.runState || path === paths.libState)
    .flatMap(({ path, kind, unkept }) => {
      if (kind === 'link') return [`${path}: it is a symbolic link, to a folder that somebody else has made`];
      const [mount] = foreignMounts(path, state);
      if (mount) return [`${path}: ${mount.type} of somebody else is mounted on ${mount.target}`];
      return unkept === undefined ? [] : [`${path}: undo could not bring back ${unkept}`];
    });
  return [...covered, ...folders];
}

/** Mounts that agents make: the cgroup hierarchy, and the network namespaces of endpoints. */
function ownMounts({ mounts, runStates }: NodeState): Mount[] {
  return mounts.filter(({ target, type }) =>
    runStates.some(
      (folder) =>
        (target === `${folder}/cgroupv2` && type === 'cgroup2') ||
        (isBelow(target, `${folder}/netns`) && type === 'nsfs'),
    ),
  );
}

/** Those of agents that their path leads to, the last that was mounted first: it may lie on another one. */
function reachableMounts(state: NodeState): Mount[] {
  let left = state.mounts;
  const own = ownMounts(state);
  const found: Mount[] = [];
  for (;;) {
    const free = own.findLast((mount) => left.includes(mount) && coverOf(mount, left) === undefined);
    if (!free) return found;
    found.push(free);
    left = left.filter((mount) => mount !== free);
  }
}

function foreignMounts(path: string, state: NodeState): Mount[] {
  const own = ownMounts(state);
  const folders = state.runStates.includes(path) ? state.runStates : [path];
  return state.mounts.filter(
    (mount) => folders.some((folder) => isBelow(mount.target, folder)) && !own.includes(mount),
  );
}

function mountItem({ target, type, root }: Mount): Item {
  return {
    id: `mount ${target}`,
    kind: 'mount',
    what: `mount ${target}`,
    why: "it lies in Cilium's folder",
    remove: [{ do: 'unmount', target, type }],
    ...(type === 'cgroup2' && root === '/' && { restore: [{ bring: 'mount', target, type }] }),
  };
}
