import type { Verb } from '../../cli/tree.ts';

/** `cilium lab …` */
export const LAB: Verb = {
  about: 'Run a simulated agent without a cluster, for trying things out, for CI and for demos',
  verbs: {
    env: {
      about: 'Print the environment variables that make a shell use the lab',
      long: 'Print the environment variables that make a shell use the lab.\nIn a shell: eval "$(cilium lab env)"',
      load: async () => (await import('./env.ts')).addLabEnvCommand,
    },
    run: {
      about: 'Run a command against a lab that is stopped after it',
      long: 'Run a command against a lab that is stopped after it, and exit with the exit code of the command',
      load: async () => (await import('./run.ts')).addLabRunCommand,
    },
    start: {
      about: 'Start a lab',
      long: 'Start a lab in the background, and print the variables to export.\nIn a shell: eval "$(cilium lab start)"',
      load: async () => (await import('./start.ts')).addLabStartCommand,
    },
    status: {
      about: 'List the running labs',
      aliases: ['list', 'ls'],
      long: 'List the running labs; exit with 1 if there are none',
      load: async () => (await import('./status.ts')).addLabStatusCommand,
    },
    stop: {
      about: 'Stop a lab',
      long: 'Stop a lab, and remove its folder unless it was started with --dir',
      load: async () => (await import('./stop.ts')).addLabStopCommand,
    },
  },
};
