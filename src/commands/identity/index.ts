import type { Verb } from '../tree.ts';

/** `cilium identity …` */
export const IDENTITY: Verb = {
  about: 'Manage security identities',
  verbs: {
    get: {
      about: 'Retrieve information about an identity',
      examples: ['cilium identity get 12345'],
      load: async () => (await import('./get.ts')).addIdentityGetCommand,
    },
    list: {
      about: 'List identities',
      examples: ['cilium identity list k8s:app=web', 'cilium identity list --pods'],
      aliases: ['ls'],
      load: async () => (await import('./list.ts')).addIdentityListCommand,
    },
  },
};
