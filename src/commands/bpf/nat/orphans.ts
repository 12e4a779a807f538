import type { Command } from 'commander';
import { ageSeconds } from '../../../bpf/kernel/clock-source.ts';
import { globalPath, openGlobal } from '../../../bpf/kernel/pins.ts';
import {
  type LocalAddresses,
  type NatOrphan,
  natOrphans,
  natReason,
  type PinnedNatOrphan,
} from '../../../bpf/maps/orphans.ts';
import { clockSourceOrDefault } from '../../../cli/bpf/clock.ts';
import { printStructs } from '../../../cli/bpf/maps.ts';
import { addOrphanOptions, type OrphanOptions, readLocalAddresses } from '../../../cli/bpf/orphans.ts';
import {
  recordedConnections,
  recordedTranslations,
  recordedTranslationsWithStamps,
} from '../../../cli/bpf/recorded-connections.ts';
import { mapsRelease } from '../../../cli/bpf/release.ts';
import { mayWrite } from '../../../cli/confirm.ts';
import { examples } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import type { Release } from '../../../model/release.ts';
import { translationLine } from '../../../render/bpf/connection.ts';

const FAMILIES = [
  { family: 4, nat: 'cilium_snat_v4_external', tcp: 'cilium_ct4_global', any: 'cilium_ct_any4_global' },
  { family: 6, nat: 'cilium_snat_v6_external', tcp: 'cilium_ct6_global', any: 'cilium_ct_any6_global' },
] as const;

/** Declares `bpf nat orphans`. */
export function addBpfNatOrphansCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples('cilium bpf nat orphans', 'cilium bpf nat orphans --delete --dry-run'),
  );
  addOrphanOptions(command).action((options: OrphanOptions) => runBpfNatOrphans(options, ctx));
}

/** Prints what is left over in the NAT maps, and with --delete takes exactly that out. */
export async function runBpfNatOrphans(options: OrphanOptions, ctx: Context): Promise<void> {
  const local = await localAddresses(options, ctx);
  const release = await mapsRelease(ctx);
  const pinned = ctx.globals.archive ? undefined : await collect(ctx, local, release);
  const orphans = pinned ?? (await recorded(ctx, local, options.output !== ''));
  if (options.output !== '')
    await printStructs(
      ctx,
      orphans.map(({ translation, reason }) => ({ reason, ...translation })),
      options,
    );
  else await printLines(ctx, orphans, release);
  if (!pinned || pinned.length === 0 || !options.delete) return;
  if (await mayWrite(ctx, `delete ${pinned.length} NAT entries`, options))
    await remove(ctx, pinned, local, release);
}

/** Undefined without an agent, with a note on stderr: then only missing connections make an orphan. */
async function localAddresses(options: OrphanOptions, ctx: Context): Promise<LocalAddresses | undefined> {
  try {
    return await readLocalAddresses(ctx, options.podCidr);
  } catch (error) {
    if (!(error instanceof UserError) || options.podCidr.length > 0) throw error;
    await ctx.err.write(`Warning: endpoints that are gone are not looked for: ${error.message}\n`);
    return undefined;
  }
}

/** Of an archive: with the stamps of the datapath, or with ages in seconds instead, as they were printed. */
async function recorded(
  ctx: Context,
  local: LocalAddresses | undefined,
  withStamps: boolean,
): Promise<NatOrphan[]> {
  const { find } = await recordedConnections(ctx, []);
  const translations = withStamps
    ? await recordedTranslationsWithStamps(ctx)
    : await recordedTranslations(ctx, []);
  return translations.flatMap((translation) => {
    const reason = natReason(translation, local, find);
    return reason ? [{ family: translation.source.includes(':') ? 6 : 4, translation, reason }] : [];
  });
}

async function collect(
  ctx: Context,
  local: LocalAddresses | undefined,
  release: Release,
): Promise<PinnedNatOrphan[]> {
  const found: PinnedNatOrphan[] = [];
  for (const names of FAMILIES) {
    using nat = openGlobal(ctx.globals.bpfRoot, names.nat);
    using tcp = openGlobal(ctx.globals.bpfRoot, names.tcp);
    using any = openGlobal(ctx.globals.bpfRoot, names.any);
    if (!nat) continue;
    for await (const orphan of natOrphans(nat, { tcp, any }, local, release)) found.push(orphan);
  }
  return found;
}

async function printLines(ctx: Context, orphans: readonly NatOrphan[], release: Release): Promise<void> {
  if (orphans.length === 0) return await ctx.err.write('Every NAT entry has its connection.\n');
  const age = ctx.globals.archive ? Number : await ageReader(ctx, release);
  const lines = orphans.map(
    ({ translation, family, reason }) =>
      `${translationLine(translation, family, age, release)} (${reason})\n`,
  );
  await ctx.out.write(lines.join(''));
}

async function ageReader(ctx: Context, release: Release): Promise<(created: bigint) => bigint> {
  const source = await clockSourceOrDefault(ctx);
  const uptimeMs = ctx.clock.uptimeMs();
  return (created) => ageSeconds(source, created, uptimeMs, release);
}

/** Connections may have come meanwhile: an entry goes only when it still is what was listed. */
async function remove(
  ctx: Context,
  orphans: readonly PinnedNatOrphan[],
  local: LocalAddresses | undefined,
  release: Release,
): Promise<void> {
  const still = new Map((await collect(ctx, local, release)).map((orphan) => [idOf(orphan), orphan]));
  for (const { family, nat: name } of FAMILIES) {
    const keys = orphans.filter((orphan) => orphan.family === family && still.has(idOf(orphan)));
    if (keys.length === 0) continue;
    using map = openGlobal(ctx.globals.bpfRoot, name, { write: true });
    const deleted = map?.deleteMany(Buffer.concat(keys.map(({ key }) => key))) ?? 0;
    await ctx.out.write(`Deleted ${deleted} entries from ${globalPath(ctx.globals.bpfRoot, name)}\n`);
  }
}

const idOf = ({ key, translation }: PinnedNatOrphan) => `${key.toString('hex')} ${translation.created}`;
