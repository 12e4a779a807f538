import { CLUSTER_GLOBALS, ELSEWHERE_GLOBALS } from '../../cli/global-flags.ts';
import type { Verb } from '../../cli/tree.ts';
import { EVALUATE_VERBS } from './evaluate.ts';

/** `cilium policy …` */
export const POLICY: Verb = {
  about: 'Manage security policies',
  aliases: ['pol', 'policies'],
  verbs: {
    get: {
      about: 'Display policy node information',
      asks: 'either',
      globals: ELSEWHERE_GLOBALS,
      load: async () => (await import('./get.ts')).addPolicyGetCommand,
    },
    import: {
      about: 'Import security policies, or apply them to the cluster',
      load: async () => (await import('./import.ts')).addPolicyImportCommand,
    },
    delete: {
      about: 'Delete policy rules',
      asks: 'either',
      changes: true,
      globals: ELSEWHERE_GLOBALS,
      load: async () => (await import('./delete.ts')).addPolicyDeleteCommand,
    },
    validate: {
      about: 'Check policies and report every error with its place in the file',
      asks: 'either',
      computes: true,
      globals: CLUSTER_GLOBALS,
      load: async () => (await import('./validate.ts')).addPolicyValidateCommand,
    },
    convert: {
      about: 'Write rules of the agent as Kubernetes objects, or such objects as rules',
      computes: true,
      load: async () => (await import('./convert.ts')).addPolicyConvertCommand,
    },
    wait: {
      about: 'Wait for all endpoints to have updated to a given policy revision',
      lives: true,
      globals: ELSEWHERE_GLOBALS,
      load: async () => (await import('./wait.ts')).addPolicyWaitCommand,
    },
    selectors: {
      about: 'Display cached information about selectors',
      globals: ELSEWHERE_GLOBALS,
      load: async () => (await import('./selectors.ts')).addPolicySelectorsCommand,
    },
    'subject-selectors': {
      about: 'Display cached information about subject selectors',
      globals: ELSEWHERE_GLOBALS,
      load: async () => (await import('./subject-selectors.ts')).addPolicySubjectSelectorsCommand,
    },
    trace: {
      about: 'Trace a policy decision (agents up to 1.14)',
      globals: ELSEWHERE_GLOBALS,
      long: 'Trace a policy decision (agents up to 1.14; for newer ones use "policy simulate")',
      load: async () => (await import('./trace.ts')).addPolicyTraceCommand,
    },
    ...EVALUATE_VERBS,
  },
};
