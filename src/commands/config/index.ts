import { ELSEWHERE_GLOBALS } from '../../cli/flags.ts';
import type { Verb } from '../../cli/tree.ts';

/** `cilium config …`, which also runs by itself. */
export const CONFIG: Verb = {
  about: 'Cilium configuration options',
  globals: ELSEWHERE_GLOBALS,
  load: async () => (await import('./config.ts')).addConfigCommand,
  verbs: {
    get: {
      about: 'Retrieve cilium configuration',
      load: async () => (await import('./get.ts')).addConfigGetCommand,
    },
  },
};
