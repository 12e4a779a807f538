import type { Verb } from '../../cli/tree.ts';

/** `cilium encrypt …` */
export const ENCRYPT: Verb = {
  about: 'Manage transparent encryption',
  root: true,
  verbs: {
    status: {
      about: 'Display the current encryption state',
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
  },
};
