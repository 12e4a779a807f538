import { CLUSTER_GLOBALS, LIVE_CLUSTER_GLOBALS } from '../../cli/global-flags.ts';
import type { Verb } from '../../cli/tree.ts';

/** `cilium features …` */
export const FEATURES: Verb = {
  about: 'Report which features are enabled in Cilium agents',
  aliases: ['fs'],
  globals: CLUSTER_GLOBALS,
  verbs: {
    status: {
      about: 'Display features status',
      asks: 'cluster',
      load: async () => (await import('./status.ts')).addFeaturesStatusCommand,
    },
    summary: {
      about: 'Tell what compares the features that runs of a CI tested',
      globals: LIVE_CLUSTER_GLOBALS,
      load: async () => (await import('./summary.ts')).addFeaturesSummaryCommand,
    },
  },
};
