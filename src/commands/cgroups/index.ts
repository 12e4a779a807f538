import { ELSEWHERE_GLOBALS } from '../../cli/global-flags.ts';
import type { Verb } from '../../cli/tree.ts';

/** `cilium cgroups …` */
export const CGROUPS: Verb = {
  about: 'Cgroup metadata',
  globals: ELSEWHERE_GLOBALS,
  verbs: {
    list: {
      about: 'Display cgroup metadata maintained by Cilium',
      aliases: ['ls'],
      load: async () => (await import('./list.ts')).addCgroupsListCommand,
    },
  },
};
