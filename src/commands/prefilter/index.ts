import { ELSEWHERE_GLOBALS } from '../../cli/global-flags.ts';
import type { Verb } from '../../cli/tree.ts';

/** `cilium prefilter …` */
export const PREFILTER: Verb = {
  about: 'Manage XDP CIDR filters',
  globals: ELSEWHERE_GLOBALS,
  verbs: {
    delete: {
      about: 'Delete CIDR filters',
      changes: true,
      load: async () => (await import('./delete.ts')).addPrefilterDeleteCommand,
    },
    list: {
      about: 'List CIDR filters',
      aliases: ['ls'],
      load: async () => (await import('./list.ts')).addPrefilterListCommand,
    },
    update: {
      about: 'Update CIDR filters',
      changes: true,
      load: async () => (await import('./update.ts')).addPrefilterUpdateCommand,
    },
  },
};
