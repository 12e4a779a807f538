import { UserError } from '../errors.ts';

const PREFIXES = [
  'cilium-local',
  'cilium-global',
  'cni-attachment-id',
  'container-id',
  'container-name',
  'docker-endpoint',
  'cep-name',
  'pod-name',
  'ipv4',
  'ipv6',
];

/** How an argument names an endpoint: `[prefix:]value`; a bare value is the number of a local endpoint. */
export interface EndpointRef {
  prefix: string;
  value: string;
}

/** Parses an endpoint argument; the agent itself judges the value. */
export function parseEndpointRef(argument: string): EndpointRef {
  const at = argument.indexOf(':');
  if (at === -1) return { prefix: 'cilium-local', value: argument };
  const prefix = argument.slice(0, at);
  if (!PREFIXES.includes(prefix))
    throw new UserError(`Cannot parse endpoint id "${argument}": unknown endpoint ID prefix "${prefix}"`, {
      hint: `Known prefixes: ${PREFIXES.join(', ')}.`,
    });
  return { prefix, value: argument.slice(at + 1) };
}
