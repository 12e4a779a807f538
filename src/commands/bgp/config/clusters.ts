import { objectList } from '../../../cli/kube/object-list.ts';

/** Declares `bgp config clusters`. */
export const addBgpConfigClustersCommand = objectList(
  'bgpCluster',
  'cilium bgp config clusters',
  'cilium bgp config clusters -o wide',
);
