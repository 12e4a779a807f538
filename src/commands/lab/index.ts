import type { Verb } from '../../cli/tree.ts';

/** `cilium lab …` */
export const LAB: Verb = {
  about: 'Run an agent of its own, without a cluster: for trying things out, for CI, for demos',
  verbs: {
    env: {
      about: 'Print what makes a shell use the lab',
      load: async () => (await import('./env.ts')).addLabEnvCommand,
    },
    run: {
      about: 'Run a command against a lab that lives as long as the command',
      load: async () => (await import('./run.ts')).addLabRunCommand,
    },
    start: {
      about: 'Start a lab',
      load: async () => (await import('./start.ts')).addLabStartCommand,
    },
    status: {
      about: 'Show the labs that run',
      load: async () => (await import('./status.ts')).addLabStatusCommand,
    },
    stop: {
      about: 'Stop a lab',
      load: async () => (await import('./stop.ts')).addLabStopCommand,
    },
  },
};
