import type { Verb } from '../../cli/tree.ts';

/** `cilium statedb …` */
export const STATEDB: Verb = {
  about: 'Inspect StateDB',
  load: async () => (await import('./statedb.ts')).addStatedbCommand,
};
