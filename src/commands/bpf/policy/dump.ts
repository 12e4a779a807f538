import { existsSync, globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { identityLabels } from '../../../agent/decode/identities.ts';
import { KernelError } from '../../../bpf/kernel/errors.ts';
import { type BpfMap, openMap } from '../../../bpf/kernel/objects.ts';
import { globalPath, globalsFolder, isMissing } from '../../../bpf/kernel/pins.ts';
import { POLICY_STATS, type PolicyMapDump } from '../../../bpf/layouts/policy.ts';
import { endpointOfPolicyMap, policyMapNames, readPolicyMap } from '../../../bpf/maps/policy-map.ts';
import { openPinned } from '../../../bpf/maps/records.ts';
import { failedToOpen, printStructs } from '../../../cli/bpf/maps.ts';
import { mapsRelease } from '../../../cli/bpf/release.ts';
import { endpointNumber } from '../../../cli/endpoint-number.ts';
import { type ListFlags, printTable } from '../../../cli/list.ts';
import type { Context } from '../../../context.ts';
import { errorMessage, UsageError, UserError } from '../../../errors.ts';
import { printableLabels } from '../../../model/label.ts';
import { atLeast, type Release } from '../../../model/release.ts';
import {
  EMPTY_POLICY_MAP,
  hasPrefixes,
  policyEntryJson,
  policyEntryYaml,
  policyMapTable,
} from '../../../render/bpf/policy.ts';
import type { Table } from '../../../render/text/blocks.ts';

export interface PolicyDumpOptions extends ListFlags {
  numeric?: boolean;
}

/** Those of `bpf policy get`. */
export interface PolicyGetOptions extends PolicyDumpOptions {
  all?: boolean;
}

/** The error of a line that names no map. */
export function missingEndpoint(): UsageError {
  return new UsageError('Missing endpoint id argument', { hint: 'Name an endpoint, or all with --all.' });
}

/** Opens the policy map of an endpoint id, a pod of this node, a reserved identity or a path. */
export async function openPolicyMap(
  ctx: Context,
  word: string,
  options: { write?: boolean } = {},
): Promise<BpfMap> {
  const argument = existsSync(word) ? word : await endpointNumber(word, ctx);
  const paths = argument.includes('/')
    ? [argument]
    : policyMapNames(argument).map((name) => globalPath(ctx.globals.bpfRoot, name));
  for (const [i, path] of paths.entries()) {
    try {
      return openMap(path, options);
    } catch (error) {
      if (isMissing(error) && i < paths.length - 1) continue;
      failedToOpen(error);
    }
  }
  throw new UserError('Failed to open map: no such file or directory');
}

/** Prints one policy map. */
export async function dumpPolicyMap(ctx: Context, map: BpfMap, options: PolicyDumpOptions): Promise<void> {
  const dump = await read(ctx, map, await mapsRelease(ctx));
  if (options.output !== '') return await printStructs(ctx, contentOf(dump, options), options);
  await printMap(ctx, dump, options, new Labels(ctx));
}

interface DumpedMap {
  path: string;
  id: string;
  dump: PolicyMapDump;
}

/** Prints the policy maps of all endpoints. */
export async function dumpAllPolicyMaps(ctx: Context, options: PolicyDumpOptions): Promise<void> {
  const maps: DumpedMap[] = [];
  const unread: string[] = [];
  const release = await mapsRelease(ctx);
  for (const path of policyMapPaths(ctx.globals.bpfRoot)) {
    const dump = await readIfThere(ctx, path, release).catch((error: unknown) => {
      // One map that cannot be read keeps none of the others back.
      if (!(error instanceof UserError)) throw error;
      unread.push(errorMessage(error));
      return undefined;
    });
    if (dump) maps.push({ path, id: String(endpointOfPolicyMap(basename(path)) ?? basename(path)), dump });
  }
  await printAll(ctx, maps, release, options);
  if (unread.length > 0) throw new UserError(`not read: ${unread.join('\nError: not read: ')}`);
}

async function printAll(
  ctx: Context,
  maps: readonly DumpedMap[],
  release: Release,
  options: PolicyDumpOptions,
): Promise<void> {
  if (maps.length === 0) return await ctx.out.write('no maps found\n');
  // Up to 1.13 the dumps stand below each other, each a document of its own.
  const framed = atLeast(release, '1.14') || maps.some(({ dump }) => hasPrefixes(dump.variant));
  if (options.output !== '' && framed)
    return await printStructs(
      ctx,
      maps.map(({ id, path, dump }) => ({ EndpointID: id, Path: path, Content: contentOf(dump, options) })),
      options,
    );
  const labels = new Labels(ctx);
  for (const { id, path, dump } of maps) {
    await ctx.out.write(framed ? `Endpoint ID: ${id}\nPath: ${path}\n\n` : `${path}:\n\n`);
    if (options.output !== '') await printStructs(ctx, contentOf(dump, options), options);
    else await printMap(ctx, dump, options, labels);
    await ctx.out.write('\n\n');
  }
}

function contentOf(
  { variant, entries }: PolicyMapDump,
  { output }: PolicyDumpOptions,
): Record<string, unknown>[] {
  const json = entries.map((entry) => policyEntryJson(variant, entry));
  return output === 'yaml' ? json.map(policyEntryYaml) : json;
}

/** Paths of all policy maps, in order of their names. */
function policyMapPaths(bpfRoot: string): string[] {
  return globSync('cilium_policy_*', { cwd: globalsFolder(bpfRoot) })
    .sort()
    .map((name) => join(globalsFolder(bpfRoot), name));
}

/** Undefined when the endpoint was removed after the maps were listed. */
async function readIfThere(ctx: Context, path: string, release: Release): Promise<PolicyMapDump | undefined> {
  try {
    using map = openMap(path);
    return await read(ctx, map, release);
  } catch (error) {
    if (error instanceof KernelError && isMissing(error)) return undefined;
    throw error;
  }
}

async function read(ctx: Context, map: BpfMap, release: Release): Promise<PolicyMapDump> {
  using stats = openPinned(ctx.globals.bpfRoot, POLICY_STATS);
  return await readPolicyMap(map, stats, release);
}

async function printMap(
  ctx: Context,
  dump: PolicyMapDump,
  options: PolicyDumpOptions,
  labels: Labels,
): Promise<void> {
  await printTable(ctx, options, await tableOf(dump, options, labels));
  if (dump.entries.length === 0) await ctx.out.write(EMPTY_POLICY_MAP);
}

async function tableOf(
  dump: PolicyMapDump,
  { numeric = false }: PolicyDumpOptions,
  labels: Labels,
): Promise<Table> {
  if (numeric) return policyMapTable(dump, undefined);
  // Up to 1.17 the peer that is anybody goes by the label of identity 0.
  const any = 'packets' in dump.variant.value.fields ? UNKNOWN : 'ANY';
  const shown = hasPrefixes(dump.variant) ? (label: string) => label : oldCidrLabel;
  const peers: string[][] = [];
  for (const { key } of dump.entries)
    peers.push((await labels.of(key.identity)).map((label) => (label === UNKNOWN ? any : shown(label))));
  await labels.report();
  return policyMapTable(dump, peers);
}

/** Up to 1.15 a prefix of IPv6 is shown as its label has it, which neither begins nor ends with a colon. */
function oldCidrLabel(label: string): string {
  return label.startsWith('cidr:') ? label.replace(/^cidr:::/, 'cidr:0::').replace('::/', '::0/') : label;
}

const UNKNOWN = 'reserved:unknown';

/** Labels of identities; the agent is asked once for each. */
class Labels {
  readonly #known = new Map<number, string[]>();
  #failures: string[] = [];

  constructor(private readonly ctx: Context) {}

  async of(identity: number): Promise<string[]> {
    const known = this.#known.get(identity);
    if (known) return known;
    const labels = await this.#ask(identity);
    this.#known.set(identity, labels);
    return labels;
  }

  async #ask(identity: number): Promise<string[]> {
    try {
      const labels = await identityLabels(await this.ctx.agent(), identity);
      if (labels.length > 0) return printableLabels(labels);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.#failures.push(`Was impossible to retrieve label ID ${identity}: ${errorMessage(error)}\n`);
    }
    return [String(identity)];
  }

  /** Says what could not be resolved. */
  async report(): Promise<void> {
    const said = this.#failures.join('');
    this.#failures = [];
    if (said !== '') await this.ctx.err.write(said);
  }
}
