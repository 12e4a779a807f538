import type { Command } from 'commander';
import { type EndpointRef, parseEndpointRef } from '../../agent/endpoint-id.ts';
import { requiredArgument } from '../../cli/flags.ts';

/** The endpoint that an argument names, with the text that was given. */
export interface EndpointArgument extends EndpointRef {
  text: string;
}

/** Checks the endpoint argument of a verb as the reference does: it is there, and its prefix is known. */
export function endpointArgument(command: Command, argument: string | undefined): EndpointArgument {
  const text = requiredArgument(command, argument, 'endpoint id');
  return { text, ...parseEndpointRef(text) };
}
