import type { Verbs } from '../tree.ts';

/** The verbs that answer what rules mean. */
export const EVALUATE_VERBS: Verbs = {
  maps: {
    about: 'Compute the policy map of every endpoint from rules and identities',
    load: async () => (await import('./maps.ts')).addPolicyMapsCommand,
  },
};
