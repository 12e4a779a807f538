import { ELSEWHERE_GLOBALS } from '../../cli/global-flags.ts';
import type { Verb } from '../../cli/tree.ts';

/** `cilium identity …` */
export const IDENTITY: Verb = {
  about: 'Manage security identities',
  aliases: ['id', 'identities'],
  globals: ELSEWHERE_GLOBALS,
  verbs: {
    get: {
      about: 'Retrieve information about an identity',
      load: async () => (await import('./get.ts')).addIdentityGetCommand,
    },
    list: {
      about: 'List identities',
      asks: 'either',
      aliases: ['ls'],
      load: async () => (await import('./list.ts')).addIdentityListCommand,
    },
  },
};
