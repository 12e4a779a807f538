import { CLUSTER_GLOBALS, LIVE_CLUSTER_GLOBALS } from '../../cli/global-flags.ts';
import { ASKING_GLOBALS, HUBBLE_GLOBALS } from '../../cli/hubble/keys.ts';
import type { Verb, Verbs } from '../../cli/tree.ts';
import { addHubbleCommand } from './hubble.ts';

/** What is below `completion`, of cilium and of hubble. */
export const COMPLETION_VERBS: Verbs = {
  install: {
    about: 'Write the script to where the shell reads it',
    long: 'Write the completion script of cilium and hubble to the folder of yours that the shell reads; an rc file is edited only when you say so',
    load: async () => (await import('../../cli/completion/install.ts')).addCompletionInstallCommand,
  },
  uninstall: {
    about: 'Remove what "completion install" wrote',
    load: async () => (await import('../../cli/completion/uninstall.ts')).addCompletionUninstallCommand,
  },
};

const OBSERVE_VERBS = {
  flows: {
    about: 'Observe flows, the same as observe by itself',
    load: async () => (await import('./observe/declare.ts')).addObserveCommand,
  },
  'agent-events': {
    about: 'Observe what the agent did',
    load: async () => (await import('./observe/agent-events.ts')).addObserveAgentEventsCommand,
  },
  'debug-events': {
    about: 'Observe debug events of the datapath',
    load: async () => (await import('./observe/debug-events.ts')).addObserveDebugEventsCommand,
  },
} satisfies Record<string, Verb>;

const OBSERVE_OF_HUBBLE: Verb = {
  about: 'Observe flows and events',
  globals: ASKING_GLOBALS,
  load: async () => (await import('./observe/declare.ts')).addObserveCommand,
  verbs: OBSERVE_VERBS,
};

/** `cilium observe`, the same verb as `hubble observe`. */
export const OBSERVE: Verb = { ...OBSERVE_OF_HUBBLE, standalone: true };

/** The hubble command line. */
export const HUBBLE: Verb = {
  about: 'Observe the flows that Hubble records, on this node or in the whole cluster',
  globals: HUBBLE_GLOBALS,
  standalone: true,
  load: async () => addHubbleCommand,
  verbs: {
    observe: OBSERVE_OF_HUBBLE,
    map: {
      about: 'Show who talks to whom',
      globals: ASKING_GLOBALS,
      load: async () => (await import('./map.ts')).addHubbleMapCommand,
    },
    report: {
      about: 'Write a file that shows traffic: map, drops and what would allow them, HTTP, DNS',
      globals: ASKING_GLOBALS,
      load: async () => (await import('./report.ts')).addHubbleReportCommand,
    },
    query: {
      about: 'Ask about captures in SQL',
      load: async () => (await import('./query.ts')).addHubbleQueryCommand,
    },
    export: {
      about: 'Send flows to other programs',
      globals: ASKING_GLOBALS,
      verbs: {
        otlp: {
          about: 'Send flows as logs of OpenTelemetry to a collector',
          load: async () => (await import('./export/otlp.ts')).addHubbleExportOtlpCommand,
        },
      },
    },
    record: {
      about: 'Record flows to a capture, which "hubble observe --input-file FILE" reads',
      globals: ASKING_GLOBALS,
      load: async () => (await import('./record.ts')).addHubbleRecordCommand,
    },
    status: {
      about: 'Display status of Hubble server',
      globals: ASKING_GLOBALS,
      load: async () => (await import('./status.ts')).addHubbleStatusCommand,
    },
    list: {
      about: 'List Hubble objects',
      globals: ASKING_GLOBALS,
      verbs: {
        nodes: {
          about: 'List Hubble nodes',
          aliases: ['node'],
          load: async () => (await import('./list/nodes.ts')).addHubbleListNodesCommand,
        },
        namespaces: {
          about: 'List namespaces with recent flows',
          aliases: ['ns', 'namespace'],
          load: async () => (await import('./list/namespaces.ts')).addHubbleListNamespacesCommand,
        },
      },
    },
    watch: {
      about: 'Watch Hubble objects',
      globals: ASKING_GLOBALS,
      aliases: ['w'],
      hidden: true,
      verbs: {
        peers: {
          about: 'Watch for nodes that join or leave',
          streams: true,
          aliases: ['peer'],
          load: async () => (await import('./watch/peers.ts')).addHubbleWatchPeersCommand,
        },
      },
    },
    config: {
      about: 'Modify or view hubble config',
      verbs: {
        view: {
          about: 'Display merged configuration settings',
          load: async () => (await import('./config/view.ts')).addHubbleConfigViewCommand,
        },
        get: {
          about: 'Get an individual value from the configuration',
          load: async () => (await import('./config/get.ts')).addHubbleConfigGetCommand,
        },
        set: {
          about: 'Set an individual value in the config file',
          load: async () => (await import('./config/set.ts')).addHubbleConfigSetCommand,
        },
        reset: {
          about: 'Reset all or an individual value in the config file',
          load: async () => (await import('./config/reset.ts')).addHubbleConfigResetCommand,
        },
      },
    },
    'port-forward': {
      about: 'Forward the relay port to the local machine',
      standalone: false,
      asks: 'cluster',
      globals: LIVE_CLUSTER_GLOBALS,
      load: async () => (await import('./port-forward.ts')).addHubblePortForwardCommand,
    },
    enable: {
      about: 'Enable Hubble observability using Helm',
      standalone: false,
      asks: 'cluster',
      globals: CLUSTER_GLOBALS,
      changes: true,
      load: async () => (await import('./enable.ts')).addHubbleEnableCommand,
    },
    disable: {
      about: 'Disable Hubble observability using Helm',
      standalone: false,
      asks: 'cluster',
      globals: CLUSTER_GLOBALS,
      changes: true,
      load: async () => (await import('./disable.ts')).addHubbleDisableCommand,
    },
    ui: {
      about: 'Show who talks to whom on a page that a browser of this machine opens',
      globals: ASKING_GLOBALS,
      streams: true,
      load: async () => (await import('./ui.ts')).addHubbleUiCommand,
    },
    completion: {
      about: 'Print the completion script for a shell, or install it',
      load: async () => (await import('./completion.ts')).addHubbleCompletionCommand,
      verbs: COMPLETION_VERBS,
    },
    reflect: {
      about: 'Print the API that the server describes by gRPC reflection',
      globals: ASKING_GLOBALS,
      hidden: true,
      load: async () => (await import('./reflect.ts')).addHubbleReflectCommand,
    },
    version: {
      about: 'Display version information',
      load: async () => (await import('./version.ts')).addHubbleVersionCommand,
    },
  },
};
