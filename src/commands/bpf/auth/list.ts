import type { Command } from 'commander';
import { AUTH } from '../../../bpf/layouts/policy.ts';
import { readPinned } from '../../../bpf/maps/records.ts';
import { NO_ENTRIES, notice, printStructs, TIME } from '../../../cli/bpf/maps.ts';
import { examples } from '../../../cli/flags.ts';
import { type ListFlags, listVerb, printTable } from '../../../cli/list.ts';
import type { Context } from '../../../context.ts';
import { authTypeName } from '../../../render/bpf/policy.ts';
import { rowTable } from '../../../render/text/blocks.ts';

const HEADER = ['SRC IDENTITY', 'DST IDENTITY', 'REMOTE NODE ID', 'AUTH TYPE', 'EXPIRATION'];
/** The map counts time in units of 512 ns. */
const UNITS_PER_SECOND = 1_953_125n;
/** After so many years the same days come again. */
const CALENDAR_YEARS = 400;
const CALENDAR_SECONDS = 146_097n * 86_400n;

/** Declares `bpf auth list`. */
export function addBpfAuthListCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf auth list', 'cilium bpf auth list -o json'));
  listVerb(command, ctx, runBpfAuthList);
}

/** Prints which identities have authenticated to each other, and until when that holds. */
export async function runBpfAuthList(options: ListFlags, ctx: Context): Promise<void> {
  const entries = await readPinned(ctx.globals.bpfRoot, AUTH);
  if (!entries) return await notice(ctx, 'Cannot find auth bpf map');
  entries.sort(
    (a, b) =>
      a.key.localIdentity - b.key.localIdentity ||
      a.key.remoteIdentity - b.key.remoteIdentity ||
      a.key.remoteNodeId - b.key.remoteNodeId ||
      a.key.authType - b.key.authType,
  );
  if (options.output !== '')
    return await printStructs(
      ctx,
      entries.map(({ key, value }) => ({
        LocalIdentity: key.localIdentity,
        RemoteIdentity: key.remoteIdentity,
        RemoteNodeID: key.remoteNodeId,
        AuthType: key.authType,
        Expiration: rfc3339(value.expiration),
      })),
      { ...options, nil: true, fields: { Expiration: TIME } },
    );
  if (entries.length === 0) return await ctx.err.write(NO_ENTRIES);
  await printTable(
    ctx,
    options,
    rowTable(
      HEADER,
      entries.map(({ key, value }) => [
        String(key.localIdentity),
        String(key.remoteIdentity),
        String(key.remoteNodeId),
        authTypeName(key.authType),
        goTime(value.expiration),
      ]),
    ),
  );
}

/** Date, time and the fraction of a second without trailing zeros, all in UTC. */
function parts(utime: bigint): [date: string, time: string, fraction: string] {
  const seconds = utime / UNITS_PER_SECOND;
  const nanos = (utime % UNITS_PER_SECOND) * 512n;
  // The calendar repeats itself: a corrupt entry may name a year that dates of JavaScript do not reach.
  const date = new Date(Number(seconds % CALENDAR_SECONDS) * 1000);
  const year = date.getUTCFullYear() + CALENDAR_YEARS * Number(seconds / CALENDAR_SECONDS);
  const [day = '', time = ''] = date.toISOString().split('T');
  const fraction = String(nanos).padStart(9, '0').replace(/0+$/, '');
  return [`${year}${day.slice(4)}`, time.slice(0, 8), fraction === '' ? '' : `.${fraction}`];
}

function rfc3339(utime: bigint): string {
  const [date, time, fraction] = parts(utime);
  return `${date}T${time}${fraction}Z`;
}

/** As Go prints a time. */
function goTime(utime: bigint): string {
  const [date, time, fraction] = parts(utime);
  return `${date} ${time}${fraction} +0000 UTC`;
}
