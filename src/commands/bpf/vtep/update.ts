import type { Command } from 'commander';
import { VTEP, vtepKey } from '../../../bpf/layouts/nodes.ts';
import { encode } from '../../../bpf/maps/codec.ts';
import { requirePinned, requireRoom, requireVariant } from '../../../bpf/maps/records.ts';
import { ipv4Argument, macArgument, prefixArgument } from '../../../cli/addresses.ts';
import { mayWrite, type WriteOptions, writeFlags } from '../../../cli/confirm.ts';
import { examples } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { formatAddress } from '../../../lib/address.ts';

/** Declares `bpf vtep update`. */
export function addBpfVtepUpdateCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples('cilium bpf vtep update 10.1.5.0/24 10.169.72.236 82:36:4c:98:2e:56 --dry-run'),
  );
  writeFlags(
    command
      .argument('<cidr>', 'prefix behind the tunnel endpoint')
      .argument('<ip>', 'IPv4 address of the tunnel endpoint')
      .argument('<mac>', 'its MAC address'),
  ).action((cidr: string, ip: string, mac: string, options: WriteOptions) =>
    runBpfVtepUpdate({ cidr, ip, mac }, options, ctx),
  );
}

/** Writes the tunnel endpoint of an address range outside the cluster. */
export async function runBpfVtepUpdate(
  entry: { cidr: string; ip: string; mac: string },
  options: WriteOptions,
  ctx: Context,
): Promise<void> {
  const key = encodeVtepKey(entry.cidr);
  const tunnelEndpoint = ipv4Argument(entry.ip);
  if (tunnelEndpoint === undefined)
    throw new UserError(`Unable to parse IP '${entry.ip}': expected an IPv4 address`);
  const mac = macArgument(entry.mac);
  using map = requirePinned(ctx.globals.bpfRoot, VTEP, {
    write: !options.dryRun,
    doing: 'updating contents of map',
  });
  const { value } = requireVariant(map, VTEP);
  await requireRoom(map, [key]);
  if (await mayWrite(ctx, `write the entry ${entry.cidr} => ${entry.ip} ${entry.mac}`, options))
    map.update(key, encode(value, { mac, tunnelEndpoint }));
}

/** The map's key is the first address of the range; the length of all ranges is in the agent's configuration. */
export function encodeVtepKey(cidr: string): Buffer {
  const prefix = prefixArgument(cidr);
  if (prefix.family === 4) return encode(vtepKey, { ip: formatAddress(prefix) });
  throw new UserError(`error parsing cidr ${cidr}: expected an IPv4 prefix`);
}
