import type { UnmanagedPod } from '../../cluster/unmanaged.ts';
import { sanitizeCell } from '../text/sanitize.ts';
import { LIST_TABLE, tabulate } from '../text/table.ts';

/** The pods that Cilium does not manage, by namespace, and why. */
export function renderUnmanaged(pods: readonly UnmanagedPod[]): string {
  if (pods.length === 0) return '\nAll pods with a network of their own are managed by Cilium.\n';
  const rows = pods.map(({ name, node, reason }) => {
    const slash = name.indexOf('/');
    return [name.slice(0, slash), name.slice(slash + 1), node, reason].map(sanitizeCell).join('\t');
  });
  return `\n${tabulate(`NAMESPACE\tPOD\tNODE\tREASON\n${rows.join('\n')}\n`, LIST_TABLE)}`;
}
