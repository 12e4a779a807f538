import { tabulateWithin } from '../text/fit.ts';
import { sanitizeCell } from '../text/sanitize.ts';
import { LIST_TABLE } from '../text/table.ts';

type Cover = 'enforced' | 'open' | 'unknown';

export interface PodCoverView {
  namespace: string;
  pod: string;
  ingress: Cover;
  egress: Cover;
  why?: string;
}

/** How many pods of each namespace are protected, then the pods that are not, or of which it is not known. */
export function renderCoverage(pods: readonly PodCoverView[], width?: number): string {
  const namespaces = Map.groupBy(pods, ({ namespace }) => namespace);
  const share = (of: readonly PodCoverView[], direction: 'ingress' | 'egress') =>
    `${of.filter((pod) => pod[direction] === 'enforced').length}/${of.length}`;
  const summary = [...namespaces].map(([namespace, of]) =>
    [sanitizeCell(namespace), of.length, share(of, 'ingress'), share(of, 'egress')].join('\t'),
  );
  const parts = [
    tabulateWithin(`NAMESPACE\tPODS\tINGRESS\tEGRESS\n${summary.join('\n')}\n`, LIST_TABLE, width),
  ];
  const bare = pods.filter(({ ingress, egress }) => ingress !== 'enforced' || egress !== 'enforced');
  if (bare.length > 0) {
    const rows = bare.map(({ namespace, pod, ingress, egress, why = '' }) =>
      [...[namespace, pod].map(sanitizeCell), ingress, egress, sanitizeCell(why)].join('\t').trimEnd(),
    );
    parts.push(tabulateWithin(`NAMESPACE\tPOD\tINGRESS\tEGRESS\n${rows.join('\n')}\n`, LIST_TABLE, width));
  }
  return parts.join('\n');
}
