import type { Verb } from '../tree.ts';

/** `cilium endpoint …` */
export const ENDPOINT: Verb = {
  about: 'Manage endpoints',
  verbs: {
    config: {
      about: 'View & modify endpoint configuration',
      examples: ['cilium endpoint config 637', 'cilium endpoint config 637 Debug=true --wait'],
      load: async () => (await import('./config.ts')).addEndpointConfigCommand,
    },
    disconnect: {
      about: 'Disconnect an endpoint from the network',
      load: async () => (await import('./disconnect.ts')).addEndpointDisconnectCommand,
    },
    get: {
      about: 'Display endpoint information',
      examples: [
        'cilium endpoint get 637',
        'cilium endpoint get pod-name:default/web-0 -o json',
        "cilium endpoint get -l k8s:app=web -o jsonpath='{[*].status.identity.id}'",
      ],
      load: async () => (await import('./get.ts')).addEndpointGetCommand,
    },
    health: {
      about: 'View endpoint health',
      load: async () => (await import('./health.ts')).addEndpointHealthCommand,
    },
    labels: {
      about: 'Manage label configuration of endpoint',
      examples: ['cilium endpoint labels 637 --add user:team=blue --wait'],
      load: async () => (await import('./labels.ts')).addEndpointLabelsCommand,
    },
    list: {
      about: 'List all endpoints',
      examples: [
        'cilium endpoint list --not-ready --columns id,pod,status',
        'cilium endpoint list --selector app=web,tier!=db -o wide',
        "cilium endpoint list -o jsonpath='{[*].id}'",
      ],
      aliases: ['ls'],
      load: async () => (await import('./list.ts')).addEndpointListCommand,
    },
    log: {
      about: 'View endpoint status log',
      load: async () => (await import('./log.ts')).addEndpointLogCommand,
    },
    regenerate: {
      about: 'Force regeneration of endpoint program',
      load: async () => (await import('./regenerate.ts')).addEndpointRegenerateCommand,
    },
  },
};
