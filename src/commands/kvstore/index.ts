import { KVSTORE_GLOBALS } from '../../cli/global-flags.ts';
import type { Verb } from '../../cli/tree.ts';

/** `cilium kvstore …` */
export const KVSTORE: Verb = {
  about: 'Direct access to the kvstore',
  globals: KVSTORE_GLOBALS,
  verbs: {
    delete: {
      about: 'Delete a key',
      load: async () => (await import('./delete.ts')).addKvstoreDeleteCommand,
    },
    get: {
      about: 'Retrieve a key',
      load: async () => (await import('./get.ts')).addKvstoreGetCommand,
    },
    set: {
      about: 'Set a key and value',
      load: async () => (await import('./set.ts')).addKvstoreSetCommand,
    },
  },
};
