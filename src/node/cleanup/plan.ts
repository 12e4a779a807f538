import { type Item, KINDS, type Kind, type Plan } from '../../model/cleanup.ts';
import type { NodePaths } from '../state/read.ts';
import type { NodeState } from '../state/state.ts';
import { attachmentItems, bpfLeft, pinItems, tcItems } from './bpf.ts';
import { fileItems, filesLeft } from './files.ts';
import { firewallItems, firewallLeft } from './firewall.ts';
import { linkItems, linksLeft } from './links.ts';
import { isRestorable } from './restore.ts';
import { routeItems, routesLeft } from './routes.ts';
import { ruleItems, rulesLeft } from './rules.ts';
import { xfrmItems, xfrmLeft } from './xfrm.ts';

/**
 * Decides what of a node is Cilium's, from names and forms that only it uses. Touches nothing. For each kind of thing a
 * file beside this one says what of it is Cilium's and how it is removed and brought back.
 */
export function planCleanup(state: NodeState, paths: NodePaths): Plan {
  const all: Item[] = [
    ...tcItems(state),
    ...attachmentItems(state),
    ...pinItems(state, paths),
    ...ruleItems(state),
    ...routeItems(state),
    ...firewallItems(state),
    ...xfrmItems(state),
    ...linkItems(state),
    ...fileItems(state, paths),
  ];
  // A record that undo refuses would bring back nothing at all.
  const stays = ({ restore = [] }: Item) => !restore.every((step) => isRestorable(step, paths));
  const items = all.filter((item) => !stays(item));
  const rank = (kind: Kind) => KINDS.indexOf(kind);
  return {
    node: state.nodeName,
    items: items.toSorted((a, b) => rank(a.kind) - rank(b.kind)),
    notes: state.notes,
    leftAlone: [
      ...bpfLeft(state, paths),
      ...rulesLeft(state),
      ...routesLeft(state),
      ...firewallLeft(state),
      ...xfrmLeft(state),
      ...linksLeft(state),
      ...filesLeft(state, paths),
      ...all.filter(stays).map(({ what }) => `${what}: undo could not bring it back as it is`),
    ],
  };
}
