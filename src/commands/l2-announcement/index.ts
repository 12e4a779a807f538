import { CLUSTER_GLOBALS } from '../../cli/global-flags.ts';
import type { Verb } from '../../cli/tree.ts';

/** `cilium l2-announcement …` */
export const L2_ANNOUNCEMENT: Verb = {
  about: 'List L2 announcement policies of the cluster',
  aliases: ['l2'],
  globals: CLUSTER_GLOBALS,
  verbs: {
    list: {
      about: 'List L2 announcement policies of the cluster',
      aliases: ['ls'],
      asks: 'cluster',
      load: async () => (await import('./list.ts')).addL2AnnouncementListCommand,
    },
  },
};
