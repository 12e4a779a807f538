import type { Command } from 'commander';
import { examples, integer, stringSlice } from '../../cli/flags.ts';
import { unable } from '../../cli/kube/unable.ts';
import type { Access } from '../../cluster/clustermesh/access.ts';
import {
  checkPair,
  haveSameAuthority,
  minorsApart,
  overlaps,
  type PodPrefix,
} from '../../cluster/clustermesh/checks.ts';
import {
  clusterValues,
  joinValues,
  type Place,
  trustValues,
  withClusters,
} from '../../cluster/clustermesh/values.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { wordsOf } from '../../kube/client.ts';
import { podPrefixes } from '../../kube/clustermesh.ts';
import type { ConnectionMode } from '../../model/connection-mode.ts';
import { sanitizeCell } from '../../render/text/sanitize.ts';
import { applySteps, type Step } from './apply.ts';
import {
  addMeshFlags,
  type Member,
  type MeshFlags,
  modeOf,
  openMembers,
  readAccess,
  readMember,
} from './members.ts';

interface ConnectFlags extends MeshFlags {
  destinationEndpoint: string[];
  sourceEndpoint: string[];
  parallel: number;
  allowMismatchingCa?: boolean;
  allowOverlappingPodCidrs?: boolean;
}

/** A cluster, and how it is reached. */
type Reachable = Member & { access: Access };

const WHAT = 'Unable to connect cluster';

/** Declares `clustermesh connect`. */
export function addClustermeshConnectCommand(command: Command, ctx: Context): void {
  addMeshFlags(command)
    .addOption(
      stringSlice(
        '--destination-endpoint <endpoints>',
        'IP:PORT of the other cluster, instead of its Service',
      ),
    )
    .addOption(
      stringSlice('--source-endpoint <endpoints>', 'IP:PORT of this cluster, instead of its Service'),
    )
    .addOption(
      integer('--parallel <n>', 'Other clusters that are changed at once', { min: 1, max: 100 }).default(1),
    )
    .option(
      '--allow-mismatching-ca',
      "Trust each other's authorities where the certificates of the clusters have different ones",
    )
    .option(
      '--allow-overlapping-pod-cidrs',
      'Connect clusters although pods of both may have the same addresses',
    )
    .addHelpText(
      'after',
      examples(
        'cilium clustermesh connect --context cluster1 --destination-context cluster2',
        'cilium clustermesh connect --destination-context cluster2,cluster3 --connection-mode mesh --parallel 2',
        'cilium clustermesh connect --destination-context cluster2 --dry-run',
      ),
    )
    .action((flags: ConnectFlags) => runConnect(flags, ctx));
}

/** Writes into the releases of clusters how they reach each other. */
export async function runConnect(flags: ConnectFlags, ctx: Context): Promise<void> {
  const mode = await modeOf(flags.connectionMode, WHAT, ctx);
  await connect(flags, mode, ctx).catch(unable(WHAT));
}

async function connect(flags: ConnectFlags, mode: ConnectionMode, ctx: Context): Promise<void> {
  if (flags.destinationContext.length === 0)
    throw new UserError(
      'no destination context specified, use --destination-context to specify which cluster to connect to',
    );
  if (flags.destinationEndpoint.length > 0 && flags.destinationContext.length > 1)
    throw new UserError('--destination-endpoint is of one cluster, and several are to be connected', {
      hint: 'Connect them one after the other.',
    });
  await using opened = await openMembers(flags, ctx);
  const own = await readMember(opened.local, undefined, 'target', flags, ctx);
  const local = { ...own, access: await readAccess(own, flags.sourceEndpoint, ctx) };
  const remotes: Reachable[] = [];
  for (const { context, client } of opened.remotes) {
    const member = await readMember(client, context, 'remote', flags, ctx);
    const access = await readAccess(member, flags.destinationEndpoint, ctx);
    checkPair(local.access, access);
    refuseTwins(remotes, access);
    if (mode === 'mesh') for (const other of remotes) checkPair(other.access, access);
    remotes.push({ ...member, access });
  }
  const trusted = await authorities(local, remotes, flags, ctx);
  await comparePods([local, ...remotes], mode, flags, ctx);
  await compareVersions(local, remotes, ctx);
  const steps = stepsOf(local, remotes, mode, trusted, ctx);
  const names = remotes.map(({ title }) => sanitizeCell(title));
  const what = `connect cluster ${sanitizeCell(local.title)} with ${names.join(', ')} (${mode}), by upgrading ${steps.length} Helm releases`;
  if (!(await applySteps(steps, what, flags, ctx))) return;
  if (mode === 'mesh')
    return await ctx.out.write(
      `✅ Connected clusters ${remotes.map(({ title }) => title).join(', ')}, and ${local.title}!\n`,
    );
  const sign = mode === 'unicast' ? '=>' : '<=>';
  for (const { title } of remotes)
    await ctx.out.write(`✅ Connected cluster ${local.title} ${sign} ${title}!\n`);
}

/** The local cluster knows all of them, even where they do not know each other. */
function refuseTwins(remotes: readonly Reachable[], { clusterName, clusterId }: Access): void {
  for (const { access } of remotes) {
    if (access.clusterName === clusterName)
      throw new UserError(`Multiple remote clusters have the same name '${clusterName}'`);
    if (Number(access.clusterId) === Number(clusterId))
      throw new UserError(
        `remote clusters ${access.clusterName} and ${clusterName} have the same, non-unique ID: ${clusterId}`,
      );
  }
}

/** Whose authorities all are to trust; none where all have the same. */
async function authorities(
  local: Reachable,
  remotes: readonly Reachable[],
  flags: ConnectFlags,
  ctx: Context,
): Promise<string[]> {
  const others = remotes.filter(({ access }) => !haveSameAuthority(local.access, access));
  for (const { access } of others) {
    const pair = `${local.access.clusterName} and ${access.clusterName}`;
    if (!flags.allowMismatchingCa)
      throw new UserError(
        `Cilium CA certificates do not match between clusters ${pair}. Use --allow-mismatching-ca to allow this by adding remote CAs to the CA bundle`,
      );
    await ctx.out.write(
      `⚠️ Cilium CA certificates do not match between clusters ${pair}. Remote cluster CA will be trusted in the CA bundle\n`,
    );
  }
  return others.length === 0 ? [] : [local, ...others].map(({ access }) => access.ca);
}

const SHOWN = 3;

/** Throws where pods of two clusters that are to be connected have addresses of the same prefix. */
async function comparePods(
  members: readonly Reachable[],
  mode: ConnectionMode,
  { allowOverlappingPodCidrs }: ConnectFlags,
  ctx: Context,
): Promise<void> {
  const all: PodPrefix[][] = [];
  for (const { client, title, access } of members) {
    const found = await podPrefixes(client).catch(async (error: unknown) => {
      if (!(error instanceof UserError)) throw error;
      await ctx.err.write(
        `Note: the addresses of pods in cluster ${sanitizeCell(title)} are not compared: ${sanitizeCell(wordsOf(error))}\n`,
      );
      return [];
    });
    all.push(found.map(({ node, prefix }) => ({ cluster: access.clusterName, of: `node ${node}`, prefix })));
  }
  const [first = [], ...others] = all;
  const pairs = others.flatMap((one, i) => [
    ...overlaps(first, one),
    ...(mode === 'mesh' ? others.slice(i + 1).flatMap((other) => overlaps(one, other)) : []),
  ]);
  if (pairs.length === 0) return;
  const named = ({ cluster, of, prefix }: PodPrefix) => `${prefix} (${cluster}, ${of})`;
  const shown = pairs.slice(0, SHOWN).map(([one, other]) => `${named(one)} and ${named(other)}`);
  const more = pairs.length > SHOWN ? `, and ${pairs.length - SHOWN} more` : '';
  const told = `pods of two clusters may have the same addresses: ${shown.join('; ')}${more}`;
  if (allowOverlappingPodCidrs) return ctx.err.write(`Warning: ${sanitizeCell(told)}\n`);
  throw new UserError(told, {
    hint: 'Give each cluster prefixes of its own (ipam.operator.clusterPoolIPv4PodCIDRList). --allow-overlapping-pod-cidrs connects them all the same.',
  });
}

async function compareVersions(local: Member, remotes: readonly Member[], ctx: Context): Promise<void> {
  for (const { title, release } of remotes) {
    const apart = minorsApart(local.release.chartVersion, release.chartVersion);
    if (apart === undefined || apart <= 1) continue;
    await ctx.err.write(
      `Warning: cluster ${sanitizeCell(local.title)} runs ${local.release.chartVersion} and ${sanitizeCell(title)} ${sanitizeCell(release.chartVersion)}: clusters of a mesh are to be no more than one minor version apart\n`,
    );
  }
}

/** What becomes of each release; the local one first. */
function stepsOf(
  local: Reachable,
  remotes: readonly Reachable[],
  mode: ConnectionMode,
  trusted: readonly string[],
  ctx: Context,
): Step[] {
  const step = (member: Reachable, others: readonly Reachable[], line: string): Step => {
    const places = new Map(
      others.map(({ access: { clusterName, ips, port } }): [string, Place] => [clusterName, { ips, port }]),
    );
    const { known, release } = member;
    const values = clusterValues(withClusters(known, places), release.chartVersion);
    const trust =
      trusted.length > 0
        ? trustValues(release.values, trusted, member.title, new Date(ctx.clock.nowMs()))
        : undefined;
    return { ...member, values: trust ? joinValues(values, trust) : values, line };
  };
  const line = (member: Reachable, others: readonly Reachable[]) =>
    `ℹ️ Configuring Cilium in cluster ${member.title} to connect to cluster ${others.map(({ title }) => title).join(',')}`;
  const first = step(local, remotes, line(local, remotes));
  if (mode === 'unicast') return [first];
  return [
    first,
    ...remotes.map((remote) => {
      const others = mode === 'mesh' ? [...remotes.filter((other) => other !== remote), local] : [local];
      return step(remote, others, line(remote, others));
    }),
  ];
}
