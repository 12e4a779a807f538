import { objectList } from '../../../cli/kube/object-list.ts';

/** Declares `bgp config peers`. */
export const addBgpConfigPeersCommand = objectList(
  'bgpPeer',
  'cilium bgp config peers',
  'cilium bgp config peers -o yaml',
);
