import { CLUSTER_GLOBALS, ELSEWHERE_GLOBALS } from '../../cli/flags.ts';
import { objectVerb } from '../../cli/kube/object-verb.ts';
import type { Verb } from '../../cli/tree.ts';

/** `cilium bgp …` */
export const BGP: Verb = {
  about: 'Access to BGP control plane',
  globals: ELSEWHERE_GLOBALS,
  verbs: {
    config: {
      about: 'List the BGP configuration of the cluster',
      globals: CLUSTER_GLOBALS,
      verbs: {
        advertisements: objectVerb('List what is advertised', 'bgpAdvertisement'),
        clusters: objectVerb('List which nodes speak BGP to which peers', 'bgpCluster'),
        nodes: objectVerb('List the configuration of each node', 'bgpNode'),
        peers: objectVerb('List the settings that peers share', 'bgpPeer'),
      },
    },
    peers: {
      about: 'List current state of all peers',
      aliases: ['neighbors'],
      load: async () => (await import('./peers.ts')).addBgpPeersCommand,
    },
    'route-policies': {
      about: 'List configured route policies',
      aliases: ['rps'],
      load: async () => (await import('./route-policies.ts')).addBgpRoutePoliciesCommand,
    },
    routes: {
      about: "List routes in the BGP Control Plane's RIBs",
      load: async () => (await import('./routes.ts')).addBgpRoutesCommand,
    },
  },
};
