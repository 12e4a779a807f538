import { CLUSTER_GLOBALS } from '../../cli/global-flags.ts';
import type { Verb } from '../../cli/tree.ts';

/** `cilium connectivity …` */
export const CONNECTIVITY: Verb = {
  about: 'Connectivity troubleshooting',
  globals: CLUSTER_GLOBALS,
  verbs: {
    check: {
      about: 'Say whether a pod reaches another one or a service, and why not',
      asks: 'cluster',
      load: async () => (await import('./check.ts')).addConnectivityCheckCommand,
    },
    perf: {
      about: 'Test network performance',
      long: 'Test network performance: netperf between pods and nodes, in pods that are deployed for it and removed again',
      asks: 'cluster',
      changes: true,
      load: async () => (await import('./perf.ts')).addConnectivityPerfCommand,
    },
    test: {
      about: 'Validate connectivity in cluster',
      long: 'Validate connectivity in cluster: deploy pods for it, check every kind of path between them, and say what a failure points to',
      asks: 'cluster',
      changes: true,
      load: async () => (await import('./test.ts')).addConnectivityTestCommand,
    },
  },
};
