import { BPF_GLOBALS } from '../../cli/flags.ts';
import type { Verb } from '../../cli/tree.ts';

/** Everything about leaving no trace. */
export const CLEANUP: Verb = {
  about: 'Remove everything of Cilium from this node',
  aliases: ['post-uninstall-cleanup'],
  root: true,
  globals: BPF_GLOBALS,
  load: async () => (await import('./cleanup.ts')).addCleanupCommand,
  verbs: {
    undo: {
      about: 'Bring back what a cleanup removed, as far as that is possible',
      load: async () => (await import('./undo.ts')).addCleanupUndoCommand,
    },
    baseline: {
      about: 'Snapshot this node before Cilium is installed',
      load: async () => (await import('./baseline.ts')).addCleanupBaselineCommand,
    },
    diff: {
      about: 'Show what this node has that its baseline had not',
      load: async () => (await import('./diff.ts')).addCleanupDiffCommand,
    },
  },
};
