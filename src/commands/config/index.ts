import { CLUSTER_GLOBALS, ELSEWHERE_GLOBALS } from '../../cli/flags.ts';
import type { Verb } from '../../cli/tree.ts';

/** `cilium config …`, which also runs by itself. */
export const CONFIG: Verb = {
  about: 'Cilium configuration options',
  globals: ELSEWHERE_GLOBALS,
  load: async () => (await import('./config.ts')).addConfigCommand,
  verbs: {
    get: {
      about: 'Retrieve cilium configuration',
      load: async () => (await import('./get.ts')).addConfigGetCommand,
    },
    view: {
      about: 'View the configuration of the cluster',
      asks: 'cluster',
      globals: CLUSTER_GLOBALS,
      load: async () => (await import('./view.ts')).addConfigViewCommand,
    },
    set: {
      about: 'Set a key of the configuration of the cluster',
      asks: 'cluster',
      globals: CLUSTER_GLOBALS,
      load: async () => (await import('./set.ts')).addConfigSetCommand,
    },
    delete: {
      about: 'Delete a key of the configuration of the cluster',
      asks: 'cluster',
      globals: CLUSTER_GLOBALS,
      load: async () => (await import('./delete.ts')).addConfigDeleteCommand,
    },
  },
};
