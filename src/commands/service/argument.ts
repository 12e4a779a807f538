import type { Command } from 'commander';
import { requiredArgument } from '../../cli/flags.ts';
import { UserError } from '../../errors.ts';
import { parseGoInteger } from '../../lib/go-integer.ts';

/** The number of a service, in decimal or with 0x. */
export function serviceIdArgument(command: Command, argument: string | undefined): number {
  const text = requiredArgument(command, argument, 'service id');
  const id = parseGoInteger(text);
  if (id === undefined)
    throw new UserError(`Unable to parse service ID: ${text}`, {
      hint: 'Expected a number; "cilium service list" shows them in its first column.',
    });
  return id;
}
