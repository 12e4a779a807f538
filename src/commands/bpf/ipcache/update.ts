import { type Command, Option } from 'commander';
import { IPCACHE, remoteEndpoint } from '../../../bpf/layouts/ipcache.ts';
import type { Struct } from '../../../bpf/layouts/struct.ts';
import { decode, encode } from '../../../bpf/maps/codec.ts';
import { requirePinned, requireRoom, requireVariant } from '../../../bpf/maps/records.ts';
import { addressArgument, prefixArgument } from '../../../cli/addresses.ts';
import { mapsRelease } from '../../../cli/bpf/release.ts';
import { mayWrite, type WriteOptions, writeFlags } from '../../../cli/confirm.ts';
import { examples, integer } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { type AddressRange, formatAddress } from '../../../lib/address.ts';
import { ipcacheKeyText } from '../../../render/bpf/ipcache.ts';
import { encodeIpcacheKey, ipcacheValueText } from './map.ts';

const SKIP_TUNNEL = 1;
const HAS_TUNNEL = 2;
const IPV6_TUNNEL = 4;

interface IpcacheUpdateOptions extends WriteOptions {
  tunnelendpoint?: string;
  identity: number;
  encryptkey: number;
  skiptunnel?: boolean;
  clusterid: number;
}

/** Declares `bpf ipcache update`. */
export function addBpfIpcacheUpdateCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples(
      'cilium bpf ipcache update 10.244.1.7/32 --identity 137983 --tunnelendpoint 172.20.0.12 --dry-run',
    ),
  );
  writeFlags(
    command
      .argument('<prefix>', 'prefix such as 10.244.0.85/32')
      .addOption(
        new Option('--tunnelendpoint <ip>', 'Address of the node that the prefix is reached through'),
      )
      .addOption(integer('--identity <number>', 'Security identity', { min: 0, max: 0xffffffff }).default(0))
      .addOption(integer('--encryptkey <number>', 'Encryption key', { min: 0, max: 255 }).default(0))
      .option('--skiptunnel', 'Do not use the tunnel for this prefix')
      .addOption(
        integer('--clusterid <number>', 'ID of the cluster that the prefix belongs to', {
          min: 0,
          max: 0xffff,
        }).default(0),
      ),
  ).action((prefix: string, options: IpcacheUpdateOptions) => runBpfIpcacheUpdate(prefix, options, ctx));
}

/** Writes one entry of the ipcache. The agent writes its own view again whenever that changes. */
export async function runBpfIpcacheUpdate(
  text: string,
  options: IpcacheUpdateOptions,
  ctx: Context,
): Promise<void> {
  const prefix = prefixArgument(text);
  const tunnel = options.tunnelendpoint === undefined ? undefined : addressArgument(options.tunnelendpoint);
  using map = requirePinned(ctx.globals.bpfRoot, IPCACHE, { write: !options.dryRun });
  const variant = requireVariant(map, IPCACHE, await mapsRelease(ctx, IPCACHE));
  const key = encodeIpcacheKey(prefix, options.clusterid, variant.key);
  const value = encodeValue(variant, options, tunnel);
  const words = `${ipcacheKeyText(decode(variant.key, key))} => ${await ipcacheValueText(ctx, map, value)}`;
  await requireRoom(map, [key]);
  if (!(await mayWrite(ctx, `update the entry ${words}`, options))) return;
  map.update(key, value);
  await ctx.out.write(`Updated entry ${words}\n`);
}

type IpcacheVariant = (typeof IPCACHE)['variants'][number];

function encodeValue(
  { value }: IpcacheVariant,
  options: IpcacheUpdateOptions,
  tunnel: AddressRange | undefined,
): Buffer {
  const old = value !== remoteEndpoint;
  if (options.skiptunnel && !('flags' in value.fields))
    throw new UserError('this agent has no flags in its ipcache: --skiptunnel needs 1.16 or later');
  if (old && tunnel?.family === 6)
    throw new UserError('this agent takes only IPv4 addresses for --tunnelendpoint');
  return encode<Struct>(value, {
    identity: options.identity,
    encryptKey: options.encryptkey,
    flags:
      (options.skiptunnel ? SKIP_TUNNEL : 0) |
      (!old && tunnel ? HAS_TUNNEL : 0) |
      (tunnel?.family === 6 ? IPV6_TUNNEL : 0),
    ...(tunnel && { tunnelEndpoint: formatAddress(tunnel) }),
  });
}
