import type { Verb } from '../tree.ts';

/** `cilium config …`, which also runs by itself. */
export const CONFIG: Verb = {
  about: 'Cilium configuration options',
  examples: ['cilium config', 'cilium config Debug=true', 'cilium config --all -o json'],
  load: async () => (await import('./config.ts')).addConfigCommand,
  verbs: {
    get: {
      about: 'Retrieve cilium configuration',
      examples: ['cilium config get PolicyEnforcement'],
      load: async () => (await import('./get.ts')).addConfigGetCommand,
    },
  },
};
