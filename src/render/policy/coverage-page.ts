import type { Cell, Fact, Mark, PageDocument } from '../../model/document.ts';
import type { PodCoverView } from './coverage.ts';

const DIRECTIONS = ['ingress', 'egress'] as const;
const MARKS: Readonly<Record<PodCoverView['ingress'], Mark>> = {
  enforced: 'good',
  open: 'bad',
  unknown: 'unknown',
};

/** Which pods of a state are protected, as a page. */
export function coverageDocument(
  pods: readonly PodCoverView[],
  { from, made, version }: { from: string; made: string; version: string },
): PageDocument {
  const count = (
    of: readonly PodCoverView[],
    direction: 'ingress' | 'egress',
    cover: PodCoverView['ingress'],
  ) => of.filter((pod) => pod[direction] === cover).length;
  const share = (of: readonly PodCoverView[], direction: 'ingress' | 'egress'): Cell => {
    const enforced = count(of, direction, 'enforced');
    const unknown = count(of, direction, 'unknown');
    const mark = enforced === of.length ? 'good' : enforced + unknown === of.length ? 'unknown' : 'bad';
    return { text: `${enforced} of ${of.length}${unknown > 0 ? `, ${unknown} not known` : ''}`, mark };
  };
  const isOpen = pods.some(({ why }) => why !== undefined);
  const row = ({ namespace, pod, ingress, egress, why = '' }: PodCoverView) => [
    namespace,
    pod,
    ...[ingress, egress].map((cover): Cell => ({ text: cover, mark: MARKS[cover] })),
    ...(isOpen ? [why] : []),
  ];
  const isBare = ({ ingress, egress }: PodCoverView) => ingress !== 'enforced' || egress !== 'enforced';
  const heads = ['namespace', 'pod', 'ingress', 'egress', ...(isOpen ? ['why it is not known'] : [])];
  return {
    title: 'Policy coverage',
    about: [
      from,
      'A direction is enforced where the pod accepts or makes only the connections that rules allow; where it is open, all are.',
    ],
    facts: [
      { name: 'pods', text: String(pods.length) },
      ...DIRECTIONS.map((direction): Fact => ({ name: `${direction} enforced`, ...share(pods, direction) })),
    ],
    sections: [
      {
        title: 'Namespaces',
        heads: ['namespace', 'pods', 'ingress enforced', 'egress enforced'],
        rows: [...Map.groupBy(pods, ({ namespace }) => namespace)].map(([namespace, of]) => [
          namespace,
          of.length,
          ...DIRECTIONS.map((direction) => share(of, direction)),
        ]),
      },
      {
        title: 'Pods that are open, or of which it is not known',
        heads,
        rows: pods.filter(isBare).map(row),
        empty: 'None: both directions of each pod are enforced.',
      },
      {
        title: 'Pods that are enforced in both directions',
        heads: heads.slice(0, 4),
        rows: pods.filter((pod) => !isBare(pod)).map((pod) => row(pod).slice(0, 4)),
        empty: 'None.',
      },
    ],
    made,
    version,
  };
}
