import type { Verbs } from '../../cli/tree.ts';

/** The verbs that answer what rules mean. */
export const EVALUATE_VERBS: Verbs = {
  maps: {
    about: 'Compute the policy map of every endpoint from rules and identities',
    load: async () => (await import('./maps.ts')).addPolicyMapsCommand,
  },
  simulate: {
    about: 'Decide one connection, with the rule behind it and what would change it',
    load: async () => (await import('./simulate.ts')).addPolicySimulateCommand,
  },
  replay: {
    about: 'Say which recorded flows a candidate set of rules would newly deny or allow',
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
    about: 'Say which policy decided a flow',
    load: async () => (await import('./why.ts')).addPolicyWhyCommand,
  },
  cost: {
    about: 'Count the policy map entries that every rule causes',
    load: async () => (await import('./cost.ts')).addPolicyCostCommand,
  },
  unused: {
    about: 'List rules that do nothing',
    load: async () => (await import('./unused.ts')).addPolicyUnusedCommand,
  },
};
