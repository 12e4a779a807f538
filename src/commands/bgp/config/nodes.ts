import { objectList } from '../../../cli/kube/object-list.ts';

/** Declares `bgp config nodes`. */
export const addBgpConfigNodesCommand = objectList('bgpNode');
