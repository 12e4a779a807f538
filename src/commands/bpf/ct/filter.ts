import type { Command } from 'commander';
import { listEndpointRows } from '../../../agent/decode/endpoints.ts';
import type { ConnectionFilter } from '../../../bpf/maps/connections.ts';
import { addressArgument } from '../../../cli/addresses.ts';
import { stringSlice } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { formatAddress } from '../../../lib/address.ts';

/** Which connections are wanted. */
export interface FilterOptions {
  pod: string[];
  ip: string[];
  port: string[];
  where?: string;
}

/** Adds the flags that choose connections. */
export function addFilterFlags(command: Command): Command {
  return command
    .addOption(stringSlice('--pod <[namespace/]name>', 'Only connections of these pods of this node'))
    .addOption(stringSlice('--ip <address>', 'Only connections from or to these addresses'))
    .addOption(stringSlice('--port <number>', 'Only connections from or to these ports'))
    .option(
      '--where <expression>',
      'Only connections that match an expression, such as "dst.port in 80..443 and not ip in 10.0.0.0/8"',
    );
}

/** Turns the flags into a filter; undefined when none is given. */
export async function readFilter(
  options: FilterOptions,
  ctx: Context,
): Promise<ConnectionFilter | undefined> {
  const ips = options.ip.map(canonical);
  if (options.pod.length > 0) ips.push(...(await podAddresses(options.pod, ctx)));
  const ports = options.port.map(portOf);
  const test =
    options.where === undefined
      ? undefined
      : await (await import('./where.ts')).whereConnection(options.where);
  if (ips.length === 0 && ports.length === 0 && !test) return undefined;
  return {
    ...(ips.length > 0 && { ips: new Set(ips) }),
    ...(ports.length > 0 && { ports: new Set(ports) }),
    ...(test && { test }),
  };
}

const canonical = (text: string) => formatAddress(addressArgument(text));

function portOf(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 0xffff) return port;
  throw new UserError(
    `invalid argument "${text}" for "--port" flag: a number between 0 and 65535 is expected`,
  );
}

/** Addresses of pods by name, from the agent: `default` is the namespace of a name without one. */
async function podAddresses(pods: readonly string[], ctx: Context): Promise<string[]> {
  const rows = (await listEndpointRows(await ctx.agent())).decode();
  return pods.flatMap((pod) => {
    const [namespace, name] = pod.includes('/') ? pod.split('/', 2) : ['default', pod];
    const found = rows.filter((row) => row.namespace === namespace && row.pod === name);
    if (found.length === 0)
      throw new UserError(`no endpoint of this node belongs to the pod ${namespace}/${name}`, {
        hint: 'See "cilium endpoint list" for those that do.',
      });
    return found.flatMap(({ addresses }) =>
      [addresses?.ipv4, addresses?.ipv6].filter((ip): ip is string => Boolean(ip)).map(canonical),
    );
  });
}
