import { CLUSTER_GLOBALS } from '../../cli/global-flags.ts';
import type { Verb } from '../../cli/tree.ts';

/** `cilium egress-gateway …` */
export const EGRESS_GATEWAY: Verb = {
  about: 'Show egress gateway policies, and what nodes have made of them',
  aliases: ['egress'],
  globals: CLUSTER_GLOBALS,
  verbs: {
    list: {
      about: 'List egress gateway policies of the cluster',
      aliases: ['ls'],
      asks: 'cluster',
      load: async () => (await import('./list.ts')).addEgressGatewayListCommand,
    },
    status: {
      about: 'Show which gateway each node takes for which policy, and what is wrong with it',
      asks: 'cluster',
      load: async () => (await import('./status.ts')).addEgressGatewayStatusCommand,
    },
  },
};
