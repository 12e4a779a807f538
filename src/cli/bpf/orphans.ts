import type { Command } from 'commander';
import { listNodes } from '../../agent/decode/nodes.ts';
import { ENDPOINTS } from '../../bpf/layouts/endpoints.ts';
import type { LocalAddresses } from '../../bpf/maps/orphans.ts';
import { readRequired } from '../../bpf/maps/records.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { type AddressRange, parsePrefix, unbracketed } from '../../lib/address.ts';
import type { WriteOptions } from '../confirm.ts';
import { stringSlice } from '../flags.ts';
import { type OutputFlag, outputOption } from '../output.ts';
import { recordedPairs } from './recorded.ts';

/** Flags of the verbs that list entries of endpoints that no longer exist. */
export interface OrphanOptions extends OutputFlag, WriteOptions {
  delete?: boolean;
  podCidr: string[];
}

/** Adds those flags. */
export function addOrphanOptions(command: Command): Command {
  return command
    .option('--delete', 'Delete the listed entries')
    .option('--dry-run', 'With --delete: print what would be deleted, and change nothing')
    .option('-y, --yes', 'Do not ask for confirmation')
    .addOption(
      stringSlice('--pod-cidr <prefix>', 'Pod CIDRs of this node (default: those that the agent reports)'),
    )
    .addOption(outputOption());
}

/** The pod ranges of this node and the addresses of the endpoints that it has. */
export async function readLocalAddresses(ctx: Context, cidrs: readonly string[]): Promise<LocalAddresses> {
  const ranges = cidrs.length > 0 ? cidrs.map(given) : await rangesOfNode(ctx);
  return { ranges, present: new Set(await localAddresses(ctx)) };
}

async function localAddresses(ctx: Context): Promise<string[]> {
  if (!ctx.globals.archive) {
    const present = await readRequired(ctx.globals.bpfRoot, ENDPOINTS);
    return present.map(({ key }) => key.ip);
  }
  const pairs = await recordedPairs(ctx, 'bpf endpoint list', 'IP ADDRESS');
  // Each has a port behind it that means nothing.
  return [...pairs.keys()].map((key) => unbracketed(key.replace(/:\d+$/, '')));
}

function given(text: string): AddressRange {
  const cidr = parsePrefix(text);
  if (cidr) return cidr;
  throw new UserError(
    `invalid argument "${text}" for "--pod-cidr" flag: expected a prefix such as 10.0.1.0/24`,
  );
}

/** The ranges from which the agent gives addresses to its pods. */
async function rangesOfNode(ctx: Context): Promise<AddressRange[]> {
  const hint = 'Name the pod ranges of this node with --pod-cidr.';
  const { self, nodes } = (await listNodes(await ctx.agent()).catch(withHint(hint))).decode();
  const ranges = nodes
    .filter(({ name }) => name === self)
    .flatMap(({ ipv4Range, ipv6Range }) => [ipv4Range, ipv6Range])
    .flatMap((range) => parsePrefix(range) ?? []);
  if (ranges.length === 0) throw new UserError('the agent names no pod range of this node', { hint });
  return ranges;
}

function withHint(hint: string): (error: unknown) => never {
  return (error) => {
    if (error instanceof UserError) throw new UserError(error.message, { hint, cause: error });
    throw error;
  };
}
