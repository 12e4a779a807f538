import type { Verb } from '../tree.ts';

/** `cilium endpoint …` */
export const ENDPOINT: Verb = {
  about: 'Manage endpoints',
  verbs: {
    list: {
      about: 'List all endpoints',
      aliases: ['ls'],
      load: async () => (await import('./list.ts')).addEndpointListCommand,
    },
  },
};
