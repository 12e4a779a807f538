import type { Verbs } from '../tree.ts';

/** The verbs that answer what rules mean. */
export const EVALUATE_VERBS: Verbs = {
  maps: {
    about: 'Compute the policy map of every endpoint from rules and identities',
    examples: ['cilium policy maps --state agent --rules policies/'],
    load: async () => (await import('./maps.ts')).addPolicyMapsCommand,
  },
  simulate: {
    about: 'Decide one connection, with the rule behind it and what would change it',
    examples: [
      'cilium policy simulate --rules policy.yaml --from app=web --to app=api --port 8080',
      'cilium policy simulate --state agent --from default/web-app --to cidr:192.0.2.0/24 --port 443/TCP',
    ],
    load: async () => (await import('./simulate.ts')).addPolicySimulateCommand,
  },
  replay: {
    about: 'Say which recorded flows a candidate set of rules would newly deny or allow',
    examples: ['cilium policy replay --candidate policies/ --flows capture.jsonl --fail-on newly-denied'],
    load: async () => (await import('./replay.ts')).addPolicyReplayCommand,
  },
  suggest: {
    about: 'Write the smallest policies that allow the recorded flows',
    examples: ['cilium policy suggest --flows capture.jsonl --namespace shop'],
    load: async () => (await import('./suggest.ts')).addPolicySuggestCommand,
  },
  test: {
    about: 'Check rules against a file of expected verdicts',
    examples: [
      'cilium policy test --init > tests.yaml',
      'cilium policy test tests.yaml --rules policies/ -o junit',
    ],
    load: async () => (await import('./test.ts')).addPolicyTestCommand,
  },
  why: {
    about: 'Say which policy decided a flow',
    examples: ['cilium policy why --last-drop'],
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
