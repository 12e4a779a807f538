import { CLUSTER_GLOBALS } from '../../cli/global-flags.ts';
import type { Verb } from '../../cli/tree.ts';

/** `cilium lb-ip-pool …` */
export const LB_IP_POOL: Verb = {
  about: 'List pools of load balancer addresses of the cluster',
  aliases: ['ippool'],
  globals: CLUSTER_GLOBALS,
  verbs: {
    list: {
      about: 'List pools of load balancer addresses of the cluster',
      aliases: ['ls'],
      asks: 'cluster',
      load: async () => (await import('./list.ts')).addLbIpPoolListCommand,
    },
  },
};
