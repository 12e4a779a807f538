import { CLUSTER_GLOBALS } from '../../cli/global-flags.ts';
import type { Verb } from '../../cli/tree.ts';

/** `cilium multicast …` */
export const MULTICAST: Verb = {
  about: 'Manage multicast groups',
  globals: CLUSTER_GLOBALS,
  verbs: {
    list: {
      about: 'Show the information about multicast groups',
      verbs: {
        group: {
          about: 'Show list of multicast groups in every node',
          asks: 'cluster',
          load: async () => (await import('./list/group.ts')).addMulticastListGroupCommand,
        },
        subscriber: {
          about: 'Show list of subscribers belonging to the specified multicast group',
          asks: 'cluster',
          load: async () => (await import('./list/subscriber.ts')).addMulticastListSubscriberCommand,
        },
      },
    },
    add: {
      about: 'Add all nodes to the specified multicast group as subscribers in every cilium-agent',
      asks: 'cluster',
      changes: true,
      load: async () => (await import('./add.ts')).addMulticastAddCommand,
    },
    delete: {
      about: 'Delete the specified multicast group in every cilium-agent',
      asks: 'cluster',
      changes: true,
      load: async () => (await import('./delete.ts')).addMulticastDeleteCommand,
    },
  },
};
