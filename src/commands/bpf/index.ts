import { BPF_GLOBALS } from '../flags.ts';
import type { Verb } from '../tree.ts';

/** `bpf`: the maps that the agent of this node pins. */
export const BPF: Verb = {
  about: 'Direct access to local BPF maps',
  globals: BPF_GLOBALS,
  verbs: {
    maps: {
      about: 'Pinned BPF maps, whatever they hold',
      verbs: {
        list: {
          about: 'List pinned maps with their entries, capacity and memory',
          aliases: ['ls'],
          load: async () => (await import('./maps/list.ts')).addBpfMapsListCommand,
        },
      },
    },
  },
};
