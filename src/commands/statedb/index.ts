import { ELSEWHERE_GLOBALS } from '../../cli/global-flags.ts';
import type { Verb } from '../../cli/tree.ts';

/** `cilium statedb …` */
export const STATEDB: Verb = {
  about: 'Inspect StateDB',
  globals: ELSEWHERE_GLOBALS,
  long: "Inspect StateDB: the agent's in-memory tables",
  load: async () => (await import('./statedb.ts')).addStatedbCommand,
};
