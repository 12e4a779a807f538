import type { Command } from 'commander';
import { ApiError } from '../../agent/client.ts';
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

/** Says what to do when the agent has no such call any more; other errors pass. */
export function serviceApiGone(error: unknown): never {
  if (error instanceof ApiError && error.isUnknownPath)
    throw new UserError('this agent takes no changes of single services through its API', {
      hint: 'Cilium 1.17 still does, 1.20 does not: there, services follow Kubernetes. Use kubectl on the Service.',
      cause: error,
    });
  throw error;
}
