import { CLUSTER_GLOBALS } from '../../../cli/global-flags.ts';
import type { Verb } from '../../../cli/tree.ts';

/** `cilium bgp config …` */
export const BGP_CONFIG: Verb = {
  about: 'List the BGP configuration of the cluster',
  globals: CLUSTER_GLOBALS,
  verbs: {
    advertisements: {
      about: 'List what is advertised',
      asks: 'cluster',
      load: async () => (await import('./advertisements.ts')).addBgpConfigAdvertisementsCommand,
    },
    clusters: {
      about: 'List which nodes speak BGP to which peers',
      asks: 'cluster',
      load: async () => (await import('./clusters.ts')).addBgpConfigClustersCommand,
    },
    nodes: {
      about: 'List the configuration of each node',
      asks: 'cluster',
      load: async () => (await import('./nodes.ts')).addBgpConfigNodesCommand,
    },
    peers: {
      about: 'List the settings that peers share',
      asks: 'cluster',
      load: async () => (await import('./peers.ts')).addBgpConfigPeersCommand,
    },
  },
};
