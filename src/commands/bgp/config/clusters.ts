import { objectList } from '../../../cli/kube/object-list.ts';

/** Declares `bgp config clusters`. */
export const addBgpConfigClustersCommand = objectList('bgpCluster');
