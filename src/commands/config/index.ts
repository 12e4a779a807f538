import { CLUSTER_GLOBALS, ELSEWHERE_GLOBALS } from '../../cli/global-flags.ts';
import type { Verb } from '../../cli/tree.ts';

/** `cilium config …`, which also runs by itself. */
export const CONFIG: Verb = {
  about: 'Cilium configuration options',
  globals: ELSEWHERE_GLOBALS,
  changes: (command) => command.args.length > 0 || command.getOptionValue('numPages') > 0,
  load: async () => (await import('./config.ts')).addConfigCommand,
  verbs: {
    get: {
      about: 'Retrieve cilium configuration',
      load: async () => (await import('./get.ts')).addConfigGetCommand,
    },
    drift: {
      about: 'Compare what Helm wrote, the ConfigMap, node configurations and running agents',
      asks: 'cluster',
      globals: CLUSTER_GLOBALS,
      load: async () => (await import('./drift.ts')).addConfigDriftCommand,
    },
    lint: {
      about: 'Check Helm values and configurations for a release',
      asks: 'cluster',
      globals: CLUSTER_GLOBALS,
      load: async () => (await import('./lint.ts')).addConfigLintCommand,
    },
    view: {
      about: 'View the configuration of the cluster',
      asks: 'cluster',
      globals: CLUSTER_GLOBALS,
      load: async () => (await import('./view.ts')).addConfigViewCommand,
    },
    set: {
      about: 'Set a key of the configuration of the cluster',
      changes: true,
      asks: 'cluster',
      globals: CLUSTER_GLOBALS,
      load: async () => (await import('./set.ts')).addConfigSetCommand,
    },
    delete: {
      about: 'Delete a key of the configuration of the cluster',
      changes: true,
      asks: 'cluster',
      globals: CLUSTER_GLOBALS,
      load: async () => (await import('./delete.ts')).addConfigDeleteCommand,
    },
  },
};
