import type { Command } from 'commander';
import { examples } from '../../cli/flags.ts';
import type { Context } from '../../context.ts';
import { declareSelectors } from './selectors.ts';

/** Declares `policy subject-selectors`. */
export function addPolicySubjectSelectorsCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples('cilium policy subject-selectors', 'cilium policy subject-selectors -o json'),
  );
  declareSelectors(command, ctx, '/policy/subject-selectors');
}
