import type { Verb } from '../../cli/tree.ts';

/** `cilium troubleshoot …` */
export const TROUBLESHOOT: Verb = {
  about: 'Run troubleshooting utilities to check control-plane connectivity',
  verbs: {
    clustermesh: {
      about: 'Troubleshoot connectivity towards remote clusters',
      load: async () => (await import('./clustermesh.ts')).addTroubleshootClustermeshCommand,
    },
    kvstore: {
      about: 'Troubleshoot connectivity towards the etcd kvstore',
      load: async () => (await import('./kvstore.ts')).addTroubleshootKvstoreCommand,
    },
  },
};
