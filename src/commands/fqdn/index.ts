import { ELSEWHERE_GLOBALS } from '../../cli/global-flags.ts';
import type { Verb } from '../../cli/tree.ts';

/** `cilium fqdn …` */
export const FQDN: Verb = {
  about: 'Manage fqdn proxy',
  globals: ELSEWHERE_GLOBALS,
  verbs: {
    cache: {
      about: 'Manage fqdn proxy cache',
      verbs: {
        clean: {
          about: 'Clean fqdn cache',
          changes: true,
          load: async () => (await import('./cache/clean.ts')).addFqdnCacheCleanCommand,
        },
        list: {
          about: 'List fqdn cache contents',
          aliases: ['ls'],
          load: async () => (await import('./cache/list.ts')).addFqdnCacheListCommand,
        },
      },
    },
    names: {
      about: 'Show internal state Cilium has for DNS names / regexes',
      load: async () => (await import('./names.ts')).addFqdnNamesCommand,
    },
  },
};
