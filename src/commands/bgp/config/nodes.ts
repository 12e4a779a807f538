import { objectList } from '../../../cli/kube/object-list.ts';

/** Declares `bgp config nodes`. */
export const addBgpConfigNodesCommand = objectList(
  'bgpNode',
  'cilium bgp config nodes',
  'cilium bgp config nodes -o custom-columns=NODE:.metadata.name',
);
