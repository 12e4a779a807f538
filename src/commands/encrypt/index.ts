import { CLUSTER_GLOBALS } from '../../cli/global-flags.ts';
import type { Verb, Verbs } from '../../cli/tree.ts';

/** Verbs that `encryption` has, and `encrypt` as well: cilium-cli calls the two the same. */
const KEY_VERBS: Verbs = {
  'create-key': {
    about: 'Create the IPsec key of a cluster',
    long: 'Create the Secret that the agents of a cluster read their IPsec key from',
    asks: 'cluster',
    root: false,
    globals: CLUSTER_GLOBALS,
    changes: true,
    load: async () => (await import('./create-key.ts')).addCreateKeyCommand,
  },
  'rotate-key': {
    about: 'Rotate the IPsec key of a cluster',
    long: 'Put a new IPsec key in the place of the one that the agents of a cluster encrypt with',
    asks: 'cluster',
    root: false,
    globals: CLUSTER_GLOBALS,
    changes: true,
    load: async () => (await import('./rotate-key.ts')).addRotateKeyCommand,
  },
  'key-status': {
    about: 'Display what the IPsec key of a cluster is',
    long: 'Display what the IPsec key of a cluster is: its SPI and algorithm, and with --show-secret the key',
    aliases: ['ks'],
    asks: 'cluster',
    root: false,
    globals: CLUSTER_GLOBALS,
    load: async () => (await import('./key-status.ts')).addKeyStatusCommand,
  },
};

/** `cilium encrypt …` */
export const ENCRYPT: Verb = {
  about: 'Manage transparent encryption',
  root: true,
  verbs: {
    status: {
      about: 'Display the current encryption state',
      long: 'Display the current encryption state of this node, or of all nodes of a cluster',
      // Of a cluster the API server says who may; of this node the verb itself.
      root: false,
      asks: 'either',
      globals: CLUSTER_GLOBALS,
      load: async () => (await import('./status.ts')).addEncryptStatusCommand,
    },
    flush: {
      about: 'Remove IPsec states and policies',
      long: 'Remove IPsec states and policies: all, or those that match the filters',
      load: async () => (await import('./flush.ts')).addEncryptFlushCommand,
    },
    'dump-xfrm': {
      about: "Print Cilium's XFRM states with their keys as JSON, for tests",
      load: async () => (await import('./dump-xfrm.ts')).addEncryptDumpXfrmCommand,
    },
    ...KEY_VERBS,
  },
};

/** `cilium encryption …`, which cilium-cli also calls `encrypt` */
export const ENCRYPTION: Verb = {
  about: 'Show how the nodes of a cluster encrypt, and manage their IPsec key',
  globals: CLUSTER_GLOBALS,
  verbs: {
    status: {
      about: 'Display how all nodes of a cluster encrypt',
      asks: 'cluster',
      load: async () => (await import('./cluster-status.ts')).addEncryptionStatusCommand,
    },
    ...KEY_VERBS,
  },
};
