import { AGENT_GLOBALS, LIVE_CLUSTER_GLOBALS } from '../../cli/global-flags.ts';
import type { Verb } from '../../cli/tree.ts';

/** `cilium profile …` */
export const PROFILE: Verb = {
  about: 'Keep agents, clusters and Hubble servers under names, and choose one',
  verbs: {
    list: {
      about: 'List profiles',
      aliases: ['ls'],
      load: async () => (await import('./list.ts')).addProfileListCommand,
    },
    show: {
      about: 'Show the settings of a profile',
      load: async () => (await import('./show.ts')).addProfileShowCommand,
    },
    use: {
      about: 'Choose the profile that counts where none is named',
      load: async () => (await import('./use.ts')).addProfileUseCommand,
    },
    set: {
      about: 'Make a profile, or change settings of one',
      load: async () => (await import('./set.ts')).addProfileSetCommand,
    },
    delete: {
      about: 'Delete a profile',
      load: async () => (await import('./delete.ts')).addProfileDeleteCommand,
    },
    explain: {
      about: 'Show every setting, its value, and what gives it',
      long: 'Show every setting, its value, and what gives it: a flag, else the environment, else the profile, else a config file, else the default',
      asks: 'either',
      globals: [AGENT_GLOBALS, LIVE_CLUSTER_GLOBALS],
      load: async () => (await import('./explain.ts')).addProfileExplainCommand,
    },
  },
};
