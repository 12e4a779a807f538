import { objectList } from '../../cli/kube/object-list.ts';

/** Declares `egress-gateway list`. */
export const addEgressGatewayListCommand = objectList('egressGateway');
