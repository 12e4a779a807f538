import { Option } from 'commander';
import { stringSlice } from '../../cli/flags.ts';
import type { GlobalFlags, Verb } from '../../cli/tree.ts';

/** Flags of all that speak to the kvstore. */
export const KVSTORE_GLOBALS: GlobalFlags = {
  title: 'Key-Value Store Flags:',
  options: () => [
    new Option('--kvstore <type>', 'Key-Value Store type'),
    stringSlice(
      '--kvstore-opt <options>',
      'Key-Value Store options, such as etcd.address=http://127.0.0.1:2379',
    ),
  ],
};

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
