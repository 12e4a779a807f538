import { ELSEWHERE_GLOBALS } from '../../cli/global-flags.ts';
import type { Verb } from '../../cli/tree.ts';

/** `cilium endpoint …` */
export const ENDPOINT: Verb = {
  about: 'Manage endpoints',
  aliases: ['ep', 'endpoints'],
  globals: ELSEWHERE_GLOBALS,
  verbs: {
    config: {
      about: 'View & modify endpoint configuration',
      changes: ({ args }) => args.length > 1,
      load: async () => (await import('./config.ts')).addEndpointConfigCommand,
    },
    disconnect: {
      about: 'Disconnect an endpoint from the network',
      changes: true,
      load: async () => (await import('./disconnect.ts')).addEndpointDisconnectCommand,
    },
    get: {
      about: 'Display endpoint information',
      load: async () => (await import('./get.ts')).addEndpointGetCommand,
    },
    health: {
      about: 'View endpoint health',
      load: async () => (await import('./health.ts')).addEndpointHealthCommand,
    },
    labels: {
      about: 'Manage label configuration of endpoint',
      changes: (command) => ['add', 'delete'].some((flag) => command.getOptionValueSource(flag) === 'cli'),
      load: async () => (await import('./labels.ts')).addEndpointLabelsCommand,
    },
    list: {
      about: 'List all endpoints',
      asks: 'either',
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
