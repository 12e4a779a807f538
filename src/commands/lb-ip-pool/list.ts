import { objectList } from '../../cli/kube/object-list.ts';

/** Declares `lb-ip-pool list`. */
export const addLbIpPoolListCommand = objectList(
  'pool',
  'cilium lb-ip-pool list',
  'cilium lb-ip-pool list --watch',
);
