import { ELSEWHERE_GLOBALS } from '../../cli/global-flags.ts';
import type { Verb } from '../../cli/tree.ts';

/** `cilium lrp …` */
export const LRP: Verb = {
  about: 'Manage local redirect policies',
  globals: ELSEWHERE_GLOBALS,
  verbs: {
    list: {
      about: 'List local redirect policies',
      asks: 'either',
      aliases: ['ls'],
      load: async () => (await import('./list.ts')).addLrpListCommand,
    },
  },
};
