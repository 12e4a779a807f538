import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { declareSelectors } from './selectors.ts';

/** Declares `policy subject-selectors`. */
export function addPolicySubjectSelectorsCommand(command: Command, ctx: Context): void {
  declareSelectors(command, ctx, '/policy/subject-selectors');
}
