import type { Command } from 'commander';
import { type EndpointRef, parseEndpointRef } from '../../agent/endpoint-id.ts';
import { endpointNumber } from '../../cli/endpoint-number.ts';
import { requiredArgument } from '../../cli/flags.ts';
import type { Context } from '../../context.ts';

/** The endpoint that an argument names, with the text that was given. */
export interface EndpointArgument extends EndpointRef {
  text: string;
}

/** Checks the endpoint argument of a verb as the reference does: it is there, and its prefix is known. A pod becomes a number. */
export async function endpointArgument(
  command: Command,
  argument: string | undefined,
  ctx: Context,
): Promise<EndpointArgument> {
  const text = await endpointNumber(requiredArgument(command, argument, 'endpoint id'), ctx);
  return { text, ...parseEndpointRef(text) };
}
