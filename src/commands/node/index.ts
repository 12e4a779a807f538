import { ELSEWHERE_GLOBALS } from '../../cli/global-flags.ts';
import type { Verb } from '../../cli/tree.ts';

/** `cilium node …` */
export const NODE: Verb = {
  about: 'Manage cluster nodes',
  aliases: ['nodes'],
  globals: ELSEWHERE_GLOBALS,
  verbs: {
    list: {
      about: 'List nodes',
      asks: 'either',
      aliases: ['ls'],
      load: async () => (await import('./list.ts')).addNodeListCommand,
    },
  },
};
