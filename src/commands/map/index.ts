import { ELSEWHERE_GLOBALS } from '../../cli/global-flags.ts';
import type { Verb } from '../../cli/tree.ts';

/** `cilium map …` */
export const MAP: Verb = {
  about: 'Access userspace cached content of BPF maps',
  aliases: ['maps'],
  globals: ELSEWHERE_GLOBALS,
  verbs: {
    events: {
      about: 'Display cached list of events for a BPF map',
      load: async () => (await import('./events.ts')).addMapEventsCommand,
    },
    get: {
      about: 'Display cached content of given BPF map',
      load: async () => (await import('./get.ts')).addMapGetCommand,
    },
    list: {
      about: 'List all open BPF maps',
      aliases: ['ls'],
      load: async () => (await import('./list.ts')).addMapListCommand,
    },
  },
};
