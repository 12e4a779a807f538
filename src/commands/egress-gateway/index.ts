import { CLUSTER_GLOBALS } from '../../cli/flags.ts';
import type { Verb } from '../../cli/tree.ts';

/** `cilium egress-gateway …` */
export const EGRESS_GATEWAY: Verb = {
  about: 'List egress gateway policies of the cluster',
  globals: CLUSTER_GLOBALS,
  verbs: {
    list: {
      about: 'List egress gateway policies of the cluster',
      aliases: ['ls'],
      asks: 'cluster',
      load: async () => (await import('./list.ts')).addEgressGatewayListCommand,
    },
  },
};
