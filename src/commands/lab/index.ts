import type { Verb } from '../../cli/tree.ts';

/** `cilium lab …` */
export const LAB: Verb = {
  about: 'Run a simulated agent without a cluster, for trying things out, for CI and for demos',
  verbs: {
    env: {
      about: 'Print the environment variables that make a shell use the lab',
      load: async () => (await import('./env.ts')).addLabEnvCommand,
    },
    run: {
      about: 'Run a command against a lab that is stopped after it',
      load: async () => (await import('./run.ts')).addLabRunCommand,
    },
    start: {
      about: 'Start a lab',
      load: async () => (await import('./start.ts')).addLabStartCommand,
    },
    status: {
      about: 'List the running labs',
      load: async () => (await import('./status.ts')).addLabStatusCommand,
    },
    stop: {
      about: 'Stop a lab',
      load: async () => (await import('./stop.ts')).addLabStopCommand,
    },
  },
};
