import type { Verbs } from '../../cli/tree.ts';

/** Verbs that evaluate rules themselves: no agent is asked for a verdict. */
export const EVALUATE_VERBS: Verbs = {
  maps: {
    about: 'Compute the policy map of every endpoint from rules and identities',
    load: async () => (await import('./maps.ts')).addPolicyMapsCommand,
  },
  simulate: {
    about: 'Decide whether a connection is allowed, by which rule, and what would change that',
    load: async () => (await import('./simulate.ts')).addPolicySimulateCommand,
  },
  replay: {
    about: 'Show which recorded flows a new set of rules would deny or allow',
    load: async () => (await import('./replay.ts')).addPolicyReplayCommand,
  },
  suggest: {
    about: 'Write the smallest policies that allow the recorded flows',
    load: async () => (await import('./suggest.ts')).addPolicySuggestCommand,
  },
  test: {
    about: 'Check rules against a file of expected verdicts',
    load: async () => (await import('./test.ts')).addPolicyTestCommand,
  },
  why: {
    about: 'Show which policy decided a flow',
    load: async () => (await import('./why.ts')).addPolicyWhyCommand,
  },
  cost: {
    about: 'Count the policy map entries that each rule adds',
    load: async () => (await import('./cost.ts')).addPolicyCostCommand,
  },
  unused: {
    about: 'List rules that have no effect',
    load: async () => (await import('./unused.ts')).addPolicyUnusedCommand,
  },
};
