import { ELSEWHERE_GLOBALS } from '../../cli/global-flags.ts';
import type { Verb } from '../../cli/tree.ts';

/** `cilium recorder …` (agents up to 1.18). */
export const RECORDER: Verb = {
  about: 'Introspect or mangle pcap recorder',
  globals: ELSEWHERE_GLOBALS,
  verbs: {
    delete: {
      about: 'Delete individual pcap recorder',
      changes: true,
      load: async () => (await import('./delete.ts')).addRecorderDeleteCommand,
    },
    get: {
      about: 'Display individual pcap recorder',
      load: async () => (await import('./get.ts')).addRecorderGetCommand,
    },
    list: {
      about: 'List current pcap recorders',
      aliases: ['ls'],
      load: async () => (await import('./list.ts')).addRecorderListCommand,
    },
    update: {
      about: 'Update individual pcap recorder',
      changes: true,
      load: async () => (await import('./update.ts')).addRecorderUpdateCommand,
    },
  },
};
