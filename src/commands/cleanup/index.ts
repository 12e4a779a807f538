import { BPF_GLOBALS } from '../../cli/global-flags.ts';
import type { Verb } from '../../cli/tree.ts';

/** Everything about leaving no trace. */
export const CLEANUP: Verb = {
  about: 'Remove all Cilium state from this node',
  aliases: ['post-uninstall-cleanup'],
  root: true,
  globals: BPF_GLOBALS,
  load: async () => (await import('./cleanup.ts')).addCleanupCommand,
  verbs: {
    undo: {
      about: 'Restore what a cleanup removed, as far as possible',
      load: async () => (await import('./undo.ts')).addCleanupUndoCommand,
    },
    baseline: {
      about: 'Record the state of this node before Cilium is installed',
      load: async () => (await import('./baseline.ts')).addCleanupBaselineCommand,
    },
    diff: {
      about: 'Compare this node with its baseline',
      long: 'Compare this node with its baseline; exit with 1 if something was added',
      load: async () => (await import('./diff.ts')).addCleanupDiffCommand,
    },
  },
};
