import { ELSEWHERE_GLOBALS } from '../../cli/global-flags.ts';
import type { Verb } from '../../cli/tree.ts';

/** `cilium nodeid …` */
export const NODEID: Verb = {
  about: 'List node IDs and associated information',
  globals: ELSEWHERE_GLOBALS,
  verbs: {
    list: {
      about: 'List node IDs and the associated IP addresses',
      aliases: ['ls'],
      load: async () => (await import('./list.ts')).addNodeIdListCommand,
    },
  },
};
