import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { identityLabels } from '../../../agent/decode/identities.ts';
import { KernelError } from '../../../bpf/kernel/errors.ts';
import { type BpfMap, openMap } from '../../../bpf/kernel/objects.ts';
import { globalPath, globalsFolder, isMissing } from '../../../bpf/kernel/pins.ts';
import { POLICY_STATS, type PolicyMapEntry } from '../../../bpf/layouts/policy.ts';
import { endpointOfPolicyMap, policyMapNames, readPolicyMap } from '../../../bpf/maps/policy-map.ts';
import { openPinned } from '../../../bpf/maps/records.ts';
import { failedToOpen, printStructs } from '../../../cli/bpf/maps.ts';
import type { Context } from '../../../context.ts';
import { errorMessage, UserError } from '../../../errors.ts';
import { compareBytes } from '../../../lib/order.ts';
import { policyEntryJson, renderPolicyMap } from '../../../render/bpf/policy.ts';

export interface PolicyDumpOptions {
  output: string;
  numeric?: boolean;
}

/** Opens the policy map of an endpoint id, a reserved identity or a path. */
export function openPolicyMap(ctx: Context, argument: string, options: { write?: boolean } = {}): BpfMap {
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
  const entries = await read(ctx, map);
  if (options.output !== '') return await printStructs(ctx, entries.map(policyEntryJson), options);
  await ctx.out.write(await tableOf(entries, options, new Labels(ctx)));
}

/** Prints the policy maps of all endpoints. */
export async function dumpAllPolicyMaps(ctx: Context, options: PolicyDumpOptions): Promise<void> {
  const maps: { EndpointID: string; Path: string; Content: unknown[] }[] = [];
  const labels = new Labels(ctx);
  let text = '';
  for (const path of policyMapPaths(ctx.globals.bpfRoot)) {
    const entries = await readIfThere(ctx, path);
    if (!entries) continue;
    const id = String(endpointOfPolicyMap(basename(path)) ?? basename(path));
    maps.push({ EndpointID: id, Path: path, Content: entries.map(policyEntryJson) });
    if (options.output === '')
      text += `Endpoint ID: ${id}\nPath: ${path}\n\n${await tableOf(entries, options, labels)}\n\n`;
  }
  if (maps.length === 0) return await ctx.out.write('no maps found\n');
  if (options.output !== '') return await printStructs(ctx, maps, options);
  await ctx.out.write(text);
}

/** Paths of all policy maps, in order of their names. */
function policyMapPaths(bpfRoot: string): string[] {
  return globSync('cilium_policy_*', { cwd: globalsFolder(bpfRoot) })
    .sort()
    .map((name) => join(globalsFolder(bpfRoot), name));
}

/** Undefined when the endpoint was removed after the maps were listed. */
async function readIfThere(ctx: Context, path: string): Promise<PolicyMapEntry[] | undefined> {
  try {
    using map = openMap(path);
    return await read(ctx, map);
  } catch (error) {
    if (error instanceof KernelError && isMissing(error)) return undefined;
    throw error;
  }
}

async function read(ctx: Context, map: BpfMap): Promise<PolicyMapEntry[]> {
  using stats = openPinned(ctx.globals.bpfRoot, POLICY_STATS);
  return await readPolicyMap(map, stats);
}

async function tableOf(
  entries: readonly PolicyMapEntry[],
  { numeric = false }: PolicyDumpOptions,
  labels: Labels,
): Promise<string> {
  if (numeric) return renderPolicyMap(entries, undefined);
  const peers: string[][] = [];
  for (const { key } of entries) peers.push(await labels.of(key.identity));
  await labels.report();
  return renderPolicyMap(entries, peers);
}

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
      if (labels.length > 0)
        return labels.toSorted(compareBytes).map((label) => (label === 'reserved:unknown' ? 'ANY' : label));
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
