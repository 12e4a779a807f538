import { objectList } from '../../cli/kube/object-list.ts';

/** Declares `egress-gateway list`. */
export const addEgressGatewayListCommand = objectList(
  'egressGateway',
  'cilium egress-gateway list',
  'cilium egress-gateway list -o wide',
);
