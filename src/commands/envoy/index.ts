import { Option } from 'commander';
import { ELSEWHERE_GLOBALS } from '../../cli/global-flags.ts';
import type { Verb } from '../../cli/tree.ts';

/** `cilium envoy …` */
export const ENVOY: Verb = {
  about: 'Manage Envoy Proxy',
  globals: ELSEWHERE_GLOBALS,
  verbs: {
    admin: {
      about: 'Access Envoy Admin Interface',
      globals: {
        title: 'Envoy Flags:',
        options: () => [
          new Option(
            '--admin-socket <path>',
            'Socket of the admin interface (default /var/run/cilium/envoy/sockets/admin.sock)',
          ),
        ],
      },
      verbs: {
        certs: {
          about: 'List Envoy certificates',
          load: async () => (await import('./admin/certs.ts')).addEnvoyCertsCommand,
        },
        clusters: {
          about: 'List Envoy clusters',
          load: async () => (await import('./admin/clusters.ts')).addEnvoyClustersCommand,
        },
        config: {
          about: 'View config dump of Envoy Proxy',
          load: async () => (await import('./admin/config.ts')).addEnvoyConfigCommand,
        },
        listeners: {
          about: 'List Envoy listeners',
          load: async () => (await import('./admin/listeners.ts')).addEnvoyListenersCommand,
        },
        logging: {
          about: 'View and change the log levels of Envoy',
          verbs: {
            list: {
              about: 'List the log level of every logger',
              aliases: ['ls'],
              load: async () => (await import('./admin/logging/list.ts')).addEnvoyLoggingListCommand,
            },
            set: {
              about: 'Change log levels',
              verbs: {
                global: {
                  about: 'Change the log level of all loggers',
                  changes: true,
                  load: async () =>
                    (await import('./admin/logging/set/global.ts')).addEnvoyLoggingGlobalCommand,
                },
                loggers: {
                  about: 'Change the log level of some loggers',
                  changes: true,
                  load: async () =>
                    (await import('./admin/logging/set/loggers.ts')).addEnvoyLoggingLoggersCommand,
                },
              },
            },
          },
        },
        metrics: {
          about: 'View metrics of Envoy Proxy',
          load: async () => (await import('./admin/metrics.ts')).addEnvoyMetricsCommand,
        },
        serverinfo: {
          about: 'View server info of Envoy Proxy',
          load: async () => (await import('./admin/serverinfo.ts')).addEnvoyServerInfoCommand,
        },
      },
    },
  },
};
