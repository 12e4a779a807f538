import { ELSEWHERE_GLOBALS } from '../../cli/global-flags.ts';
import type { Verb } from '../../cli/tree.ts';

/** `cilium service …` */
export const SERVICE: Verb = {
  about: 'Manage services & loadbalancers',
  aliases: ['svc', 'services'],
  globals: ELSEWHERE_GLOBALS,
  verbs: {
    delete: {
      about: 'Delete a service',
      changes: true,
      load: async () => (await import('./delete.ts')).addServiceDeleteCommand,
    },
    get: {
      about: 'Display service information',
      load: async () => (await import('./get.ts')).addServiceGetCommand,
    },
    list: {
      about: 'List services',
      aliases: ['ls'],
      load: async () => (await import('./list.ts')).addServiceListCommand,
    },
    update: {
      about: 'Update a service',
      changes: true,
      load: async () => (await import('./update.ts')).addServiceUpdateCommand,
    },
  },
};
