import type { NodeObject, PodObject, PodSpec } from './forms.ts';
import { selects } from './forms.ts';

type PodTerm = NonNullable<
  NonNullable<
    NonNullable<PodSpec['affinity']>['podAffinity']
  >['requiredDuringSchedulingIgnoredDuringExecution']
>[number];

const HOSTNAME = 'kubernetes.io/hostname';

/**
 * The node for a pod, or why there is none: by node selector, required node and pod affinity, taints, then by
 * preferred pod affinity and the fewest pods. What a node has left of memory or time plays no part.
 */
export function nodeFor(
  pod: PodObject,
  nodes: readonly NodeObject[],
  pods: readonly PodObject[],
): { node: string } | { why: string } {
  const placed = pods.filter(({ spec, metadata }) => spec?.nodeName && metadata.uid !== pod.metadata.uid);
  const fits = nodes.filter((node) => mayRun(pod, node) && likesNeighbours(pod, node, nodes, placed));
  if (fits.length === 0)
    return {
      why: `0/${nodes.length} nodes are available: none has what the pod's selectors, affinities and tolerations ask for.`,
    };
  const counted = fits.map((node) => ({
    name: node.metadata.name,
    score: preference(pod, node, nodes, placed),
    count: placed.filter(({ spec }) => spec?.nodeName === node.metadata.name).length,
  }));
  const [best] = counted.toSorted((a, b) => b.score - a.score || a.count - b.count);
  return { node: best?.name ?? '' };
}

/** Whether a node may run a pod, whoever else is there. */
export function mayRun(pod: { spec?: PodSpec }, node: NodeObject, isDaemon = false): boolean {
  const { nodeSelector = {}, affinity, tolerations = [] } = pod.spec ?? {};
  const labels = node.metadata.labels ?? {};
  if (node.spec?.unschedulable && !isDaemon) return false;
  if (Object.entries(nodeSelector).some(([key, value]) => labels[key] !== value)) return false;
  const terms =
    affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  if (terms.length > 0 && !terms.some((term) => selects({ ...term }, labels))) return false;
  return (node.spec?.taints ?? []).every(
    (taint) =>
      taint.effect === 'PreferNoSchedule' ||
      tolerations.some(
        ({ key, operator = 'Equal', value = '', effect }) =>
          (effect === undefined || effect === '' || effect === taint.effect) &&
          (key === undefined || key === ''
            ? operator === 'Exists'
            : key === taint.key && (operator === 'Exists' || value === (taint.value ?? ''))),
      ),
  );
}

function likesNeighbours(
  pod: PodObject,
  node: NodeObject,
  nodes: readonly NodeObject[],
  placed: readonly PodObject[],
): boolean {
  const { podAffinity, podAntiAffinity } = pod.spec?.affinity ?? {};
  const near = podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  const far = podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  return (
    near.every((term) => {
      const meant = matching(term, pod, placed);
      // The first of a group that wants to be together may go anywhere.
      if (meant.length === 0) return selects(term.labelSelector, pod.metadata.labels);
      return meant.some((other) => isSamePlace(term, other, node, nodes));
    }) &&
    !far.some((term) => matching(term, pod, placed).some((other) => isSamePlace(term, other, node, nodes)))
  );
}

function preference(
  pod: PodObject,
  node: NodeObject,
  nodes: readonly NodeObject[],
  placed: readonly PodObject[],
): number {
  const { podAffinity, podAntiAffinity } = pod.spec?.affinity ?? {};
  const sum = (terms: NonNullable<typeof podAffinity>['preferredDuringSchedulingIgnoredDuringExecution']) =>
    (terms ?? []).reduce(
      (total, { weight = 1, podAffinityTerm: term = {} }) =>
        matching(term, pod, placed).some((other) => isSamePlace(term, other, node, nodes))
          ? total + weight
          : total,
      0,
    );
  return (
    sum(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution) -
    sum(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution)
  );
}

function matching(term: PodTerm, pod: PodObject, placed: readonly PodObject[]): PodObject[] {
  const namespaces = term.namespaces?.length ? term.namespaces : [pod.metadata.namespace];
  return placed.filter(
    ({ metadata }) =>
      namespaces.includes(metadata.namespace ?? '') && selects(term.labelSelector, metadata.labels),
  );
}

function isSamePlace(
  { topologyKey = HOSTNAME }: PodTerm,
  other: PodObject,
  node: NodeObject,
  nodes: readonly NodeObject[],
): boolean {
  const its = nodes.find(({ metadata }) => metadata.name === other.spec?.nodeName)?.metadata.labels?.[
    topologyKey
  ];
  return its !== undefined && its === node.metadata.labels?.[topologyKey];
}
