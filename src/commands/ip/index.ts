import { ELSEWHERE_GLOBALS } from '../../cli/global-flags.ts';
import type { Verb } from '../../cli/tree.ts';

/** `cilium ip …` */
export const IP: Verb = {
  about: 'Manage IP addresses and associated information',
  globals: ELSEWHERE_GLOBALS,
  verbs: {
    get: {
      about: 'Display IP Cache information',
      load: async () => (await import('./get.ts')).addIpGetCommand,
    },
    list: {
      about: 'List IP addresses in the userspace IPcache',
      aliases: ['ls'],
      load: async () => (await import('./list.ts')).addIpListCommand,
    },
  },
};
