import { CLUSTER_GLOBALS } from '../../cli/global-flags.ts';
import type { Verb } from '../../cli/tree.ts';

/** `cilium clustermesh …` */
export const CLUSTERMESH: Verb = {
  about: 'Connect clusters to a mesh, and show how they are connected',
  globals: CLUSTER_GLOBALS,
  verbs: {
    status: {
      about: 'Show how a cluster is connected to the others of its mesh',
      asks: 'cluster',
      load: async () => (await import('./status.ts')).addClustermeshStatusCommand,
    },
    enable: {
      about: 'Run the server that other clusters connect to',
      asks: 'cluster',
      changes: true,
      load: async () => (await import('./enable.ts')).addClustermeshEnableCommand,
    },
    disable: {
      about: 'Stop the server that other clusters connect to, and forget them',
      asks: 'cluster',
      changes: true,
      load: async () => (await import('./disable.ts')).addClustermeshDisableCommand,
    },
    connect: {
      about: 'Connect clusters with each other',
      asks: 'cluster',
      changes: true,
      load: async () => (await import('./connect.ts')).addClustermeshConnectCommand,
    },
    disconnect: {
      about: 'Disconnect clusters from each other',
      asks: 'cluster',
      changes: true,
      load: async () => (await import('./disconnect.ts')).addClustermeshDisconnectCommand,
    },
    'inspect-policy-default-local-cluster': {
      about: 'List the policies that policy-default-local-cluster would change',
      long: 'List the policies whose peers, where peers are those of their own cluster by default, would be fewer',
      aliases: ['inspect'],
      asks: 'cluster',
      load: async () =>
        (await import('./inspect-policy-default-local-cluster.ts'))
          .addInspectPolicyDefaultLocalClusterCommand,
    },
  },
};
