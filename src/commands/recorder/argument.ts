import type { Command } from 'commander';
import { requiredArgument } from '../../cli/flags.ts';
import { UserError } from '../../errors.ts';
import { parseGoInteger } from '../../lib/go-integer.ts';

/** The number of a recorder, in decimal or with 0x. */
export function recorderIdArgument(command: Command, argument: string | undefined): number {
  const text = requiredArgument(command, argument, 'recorder id');
  const id = parseGoInteger(text);
  if (id === undefined)
    throw new UserError(`Unable to parse recorder ID: ${text}`, { hint: 'Expected a number.' });
  return id;
}
