import { compareBytes } from '../../lib/order.ts';
import { formatLabel, type Label } from '../../model/label.ts';
import type { Named, SeenPeer, Subject } from './suggested-policy.ts';

/** `app=api`, as people write labels of Kubernetes. */
export function shortLabel(label: Label): string {
  return label.source === 'k8s' ? formatLabel(label).slice('k8s:'.length) : formatLabel(label);
}

/** Why no policy is written for pods that nothing lasting selects, and what to do. */
export function whyUnnamed({ by, passing }: Named, namespace: string, pod: string | undefined): string {
  const what = pod ? `pod ${pod}` : `pods of namespace ${namespace}`;
  const labels =
    passing.length > 0
      ? `only labels that change from run to run (${passing.map(shortLabel).join(', ')})`
      : 'no labels of its own';
  const account = by === 'account' ? ' and the service account "default", which other pods share' : '';
  return `No policy for ${what}: it has ${labels}${account}. Give it a label that stays, such as app, and record its flows again.`;
}

/** Addresses that a remark lists by name. */
const LISTED = 3;

/** What the reader of a policy must know of it, one sentence each. */
export function remarksOn({ name, ingress, egress }: Subject): string[] {
  const remarks: string[] = [];
  if (name.by === 'account')
    remarks.push(
      `It selects every pod with the service account "${name.labels[0]?.value}": these pods have no lasting label.`,
    );
  for (const [direction, side] of [
    ['ingress', ingress],
    ['egress', egress],
  ] as const) {
    if (!side) continue;
    const peers = [...side.peers.values()];
    if (peers.length === 0)
      remarks.push(
        `${direction}: [{}] opens nothing: only denied traffic was seen, and the direction stays closed.`,
      );
    remarks.push(...onAddresses(direction, peers), ...onOpenings(direction, peers));
  }
  return remarks;
}

function onAddresses(direction: 'ingress' | 'egress', peers: readonly SeenPeer[]): string[] {
  const blocks = peers.flatMap(({ peer, flows }) =>
    peer.kind === 'cidr' ? [{ cidr: peer.cidr, flows }] : [],
  );
  if (blocks.length === 0) return [];
  const flows = blocks.reduce((sum, block) => sum + block.flows, 0);
  const listed = blocks
    .toSorted((a, b) => compareBytes(a.cidr, b.cidr))
    .slice(0, LISTED)
    .map((block) => `${block.cidr}: ${counted(block.flows, 'flow')}`);
  const more = blocks.length > LISTED ? `, and ${blocks.length - LISTED} more` : '';
  return [
    `${direction} names ${counted(blocks.length, 'address', 'addresses')} outside the cluster, as seen in ${counted(flows, 'flow')} (` +
      `${listed.join('; ')}${more}). Another address is denied: widen them to the range${direction === 'egress' ? ' or the DNS name' : ''} you mean.`,
  ];
}

function onOpenings(direction: 'ingress' | 'egress', peers: readonly SeenPeer[]): string[] {
  const remarks: string[] = [];
  if (peers.some(({ peer }) => peer.kind === 'entity' && peer.entity === 'world'))
    remarks.push(
      `${direction} is open for every address outside the cluster (world): the flows do not show which one it was.`,
    );
  if (peers.some(({ peer }) => peer.kind === 'labels' && peer.byAccount))
    remarks.push(
      `${direction} has peers by service account or namespace only, which is wider than what was seen: they have no lasting label.`,
    );
  return remarks;
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
