import { CLUSTER_GLOBALS } from '../../cli/global-flags.ts';
import type { Verbs } from '../../cli/tree.ts';

/** Verbs that evaluate rules themselves: no agent is asked for a verdict. */
export const EVALUATE_VERBS: Verbs = {
  maps: {
    about: 'Compute the policy map of every endpoint from rules and identities',
    long: 'Compute the policy map of every endpoint from rules and identities, with no agent involved',
    computes: true,
    asks: 'either',
    globals: CLUSTER_GLOBALS,
    load: async () => (await import('./maps.ts')).addPolicyMapsCommand,
  },
  simulate: {
    about: 'Decide whether a connection is allowed, by which rule, and what would change that',
    long: 'Decide whether a connection is allowed at both ends, by which rule, and what would change that',
    computes: true,
    asks: 'either',
    globals: CLUSTER_GLOBALS,
    load: async () => (await import('./simulate.ts')).addPolicySimulateCommand,
  },
  replay: {
    about: 'Show which recorded flows a new set of rules would deny or allow',
    computes: true,
    asks: 'either',
    globals: CLUSTER_GLOBALS,
    load: async () => (await import('./replay.ts')).addPolicyReplayCommand,
  },
  suggest: {
    about: 'Write the smallest policies that allow the recorded flows',
    long: 'Write the smallest policies that allow the recorded flows, and replay the flows to verify them',
    computes: true,
    asks: 'either',
    globals: CLUSTER_GLOBALS,
    load: async () => (await import('./suggest.ts')).addPolicySuggestCommand,
  },
  test: {
    about: 'Check rules against a file of expected verdicts',
    long: 'Check rules against a file of expected verdicts; exit with 1 if any test fails',
    computes: true,
    asks: 'either',
    globals: CLUSTER_GLOBALS,
    load: async () => (await import('./test.ts')).addPolicyTestCommand,
  },
  why: {
    about: 'Show which policy decided a flow',
    long: 'Show which policy decided a flow, given in JSON or by its UUID, and what the agent reports about it',
    computes: true,
    asks: 'either',
    globals: CLUSTER_GLOBALS,
    load: async () => (await import('./why.ts')).addPolicyWhyCommand,
  },
  cost: {
    about: 'Count the policy map entries that each rule adds',
    long: 'Count the policy map entries that each rule adds, and how full the maps get',
    computes: true,
    asks: 'either',
    globals: CLUSTER_GLOBALS,
    load: async () => (await import('./cost.ts')).addPolicyCostCommand,
  },
  coverage: {
    about: 'Show which pods no policy protects',
    long: 'Show, by namespace and pod, whether ingress and egress are limited to what policies allow',
    computes: true,
    asks: 'either',
    globals: CLUSTER_GLOBALS,
    load: async () => (await import('./coverage.ts')).addPolicyCoverageCommand,
  },
  unused: {
    about: 'List rules that have no effect',
    long: 'List rules that select no endpoint or peer, that others cover, or that no recorded flow needed',
    computes: true,
    asks: 'either',
    globals: CLUSTER_GLOBALS,
    load: async () => (await import('./unused.ts')).addPolicyUnusedCommand,
  },
};
