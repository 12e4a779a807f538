import type { CgroupRow } from '../../model/cgroup.ts';
import type { Table } from '../text/blocks.ts';
import { sanitizeCell } from '../text/sanitize.ts';

/** `cgroups list`: one line per container; a pod without containers has none. */
export function cgroupTable(pods: readonly CgroupRow[]): Table {
  const blocks = pods.map(({ name, namespace, ids }) => ({
    key: `${namespace}/${name}`,
    lines: ids.map((id, i) =>
      i === 0 ? `${sanitizeCell(name)}\t${sanitizeCell(namespace)}\t${id}\t` : `\t\t${id}\t`,
    ),
  }));
  return { headers: ['POD NAME\tPOD NAMESPACE\tCGROUP IDS\t'], blocks };
}
