import type { Verb } from '../tree.ts';
import { EVALUATE_VERBS } from './evaluate.ts';

/** `cilium policy …` */
export const POLICY: Verb = {
  about: 'Manage security policies',
  verbs: {
    get: {
      about: 'Display policy node information',
      examples: ['cilium policy get', 'cilium policy get k8s:io.cilium.k8s.policy.name=web'],
      load: async () => (await import('./get.ts')).addPolicyGetCommand,
    },
    import: {
      about: 'Import security policies, or apply them to the cluster',
      examples: [
        'cilium policy import policy.json',
        'cilium policy import policies/ --dry-run',
        'kubectl get cnp -A -o yaml | cilium policy import - --replace --wait',
      ],
      load: async () => (await import('./import.ts')).addPolicyImportCommand,
    },
    delete: {
      about: 'Delete policy rules',
      examples: [
        'cilium policy delete k8s:io.cilium.k8s.policy.name=web',
        'cilium policy delete --all --dry-run',
      ],
      load: async () => (await import('./delete.ts')).addPolicyDeleteCommand,
    },
    validate: {
      about: 'Check policies: every fault with its place in the file',
      examples: [
        'cilium policy validate policies/',
        'cilium policy validate policy.yaml --target 1.17 -o sarif',
      ],
      load: async () => (await import('./validate.ts')).addPolicyValidateCommand,
    },
    wait: {
      about: 'Wait for all endpoints to have updated to a given policy revision',
      examples: ['cilium policy wait 12'],
      load: async () => (await import('./wait.ts')).addPolicyWaitCommand,
    },
    selectors: {
      about: 'Display cached information about selectors',
      load: async () => (await import('./selectors.ts')).addPolicySelectorsCommand,
    },
    'subject-selectors': {
      about: 'Display cached information about subject selectors',
      load: async () => (await import('./selectors.ts')).addPolicySubjectSelectorsCommand,
    },
    trace: {
      about: 'Trace a policy decision (agents up to 1.9)',
      load: async () => (await import('./trace.ts')).addPolicyTraceCommand,
    },
    ...EVALUATE_VERBS,
  },
};
