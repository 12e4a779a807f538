import { objectList } from '../../cli/kube/object-list.ts';

/** Declares `lb-ip-pool list`. */
export const addLbIpPoolListCommand = objectList('pool');
