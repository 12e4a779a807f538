import { ELSEWHERE_GLOBALS } from '../../cli/global-flags.ts';
import type { Verb } from '../../cli/tree.ts';
import { BGP_CONFIG } from './config/index.ts';

/** `cilium bgp …` */
export const BGP: Verb = {
  about: 'Access to BGP control plane',
  globals: ELSEWHERE_GLOBALS,
  verbs: {
    config: BGP_CONFIG,
    peers: {
      about: 'List current state of all peers',
      aliases: ['neighbors'],
      asks: 'either',
      load: async () => (await import('./peers.ts')).addBgpPeersCommand,
    },
    'route-policies': {
      about: 'List configured route policies',
      aliases: ['rps'],
      load: async () => (await import('./route-policies.ts')).addBgpRoutePoliciesCommand,
    },
    routes: {
      about: "List routes in the BGP Control Plane's RIBs",
      asks: 'either',
      load: async () => (await import('./routes.ts')).addBgpRoutesCommand,
    },
  },
};
