import { objectList } from '../../../cli/kube/object-list.ts';

/** Declares `bgp config peers`. */
export const addBgpConfigPeersCommand = objectList('bgpPeer');
