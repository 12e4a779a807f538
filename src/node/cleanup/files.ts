import type { Item } from '../../model/cleanup.ts';
import type { NodePaths } from '../state/read.ts';
import type { NodeState } from '../state/state.ts';

const BACKUP = '.cilium_bak';

/** Mounts, state folders, CNI configuration and sysctl files. */
export function fileItems({ files, mounts }: NodeState, paths: NodePaths): Item[] {
  const items: Item[] = [];
  for (const target of mounts.map((mount) => mount.target)) {
    if (
      target === `${paths.runState}/cgroupv2` ||
      target === '/run/cilium/cgroupv2' ||
      target.startsWith(`${paths.runState}/netns/`)
    )
      items.push({
        id: `mount ${target}`,
        kind: 'mount',
        what: `mount ${target}`,
        why: "it lies in Cilium's folder",
        remove: [{ do: 'run', command: ['umount', target] }],
      });
  }
  const there = new Set(files.map(({ path }) => path));
  for (const { path, kind } of files) {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const base = {
      id: `${kind === 'folder' ? 'folder' : 'file'} ${path}`,
      kind: kind === 'folder' ? ('folder' as const) : ('file' as const),
    };
    if (path === paths.runState || path === paths.libState)
      items.push({
        ...base,
        what: `${path} and all in it`,
        why: 'it is a state folder of Cilium',
        remove: [{ do: 'remove-tree', path }],
      });
    else if (path.startsWith(`${paths.cniConfig}/`) && name.endsWith(BACKUP)) {
      const original = path.slice(0, -BACKUP.length);
      const free = !there.has(original);
      items.push({
        ...base,
        what: free ? `${path} (becomes ${original} again)` : path,
        why: 'Cilium set the configuration of another CNI plugin aside',
        remove: [free ? { do: 'rename', from: path, to: original } : { do: 'unlink', path }],
        ...(free && { restore: [{ do: 'rename', from: original, to: path }] }),
      });
    } else if (path.startsWith(`${paths.cniConfig}/`) && /^\d*-?cilium[-.\w]*\.conf(?:list)?$/.test(name))
      items.push({
        ...base,
        what: path,
        why: "it is Cilium's CNI configuration",
        remove: [{ do: 'unlink', path }],
      });
    else if (
      path.startsWith(`${paths.sysctlDropIns}/`) &&
      /^\d+-zzz-override_cilium\.conf$|^\d+-cilium\.conf$/.test(name)
    )
      items.push({ ...base, what: path, why: 'its name says so', remove: [{ do: 'unlink', path }] });
  }
  return items;
}
