import type { Cluster } from '../../context.ts';
import { clusterWords, shellLine } from '../../kube/helm.ts';

/** The command line for a person, with the values in a file of this name. */
export function helmCommand({
  words,
  cluster,
  namespace,
  values = true,
}: {
  words: readonly string[];
  cluster: Cluster;
  namespace: string;
  values?: boolean;
}): string {
  return shellLine([
    'helm',
    ...words,
    '--namespace',
    namespace,
    ...clusterWords(cluster),
    ...(values ? ['--values', 'values.yaml'] : []),
  ]);
}
