import type { Command } from 'commander';
import { agentAddress, connectAgent } from '../../agent/client.ts';
import { PARTIAL } from '../../cli/exit-codes.ts';

import { examples, integer } from '../../cli/flags.ts';
import { type OutputFlag, outputOption, writeStructured } from '../../cli/output.ts';
import { writeReport } from '../../cli/report.ts';
import { reportOfDrift } from '../../cluster/as-checks.ts';
import { type DriftRow, findDrift, type NodeLayers, type SharedLayers } from '../../cluster/config/drift.ts';
import { loadFacts, minorOf } from '../../cluster/config/facts.ts';
import type { Context } from '../../context.ts';
import { errorMessage, UserError } from '../../errors.ts';
import { AGENT_CONTAINER, type Stop } from '../../kube/agents.ts';
import type { KubeObject } from '../../kube/client.ts';
import { type KubeClient, KubeRefusal } from '../../kube/client.ts';
import { CONFIG_MAP, type StoredConfig, writtenMs } from '../../kube/config-map.ts';
import { listNodeConfigs, mergeNodeConfigs, type NodeConfig } from '../../kube/config-sources.ts';
import { listAll } from '../../kube/pages.ts';
import { podsPath } from '../../kube/pods.ts';
import { findRelease, installedRelease, ownersOf } from '../../kube/release.ts';
import { openRoads } from '../../kube/road.ts';
import { bounded } from '../../lib/bounded.ts';
import { isRecord } from '../../lib/record.ts';
import { parseYamlText } from '../../lib/yaml-text.ts';
import { isNewer, NEWEST_RELEASE } from '../../model/release.ts';
import { isReportFormat, REPORT_FORMATS } from '../../model/report-format.ts';
import { renderDrift } from '../../render/cluster/drift.ts';
import { fetchConfig } from './config.ts';
import { openStoredConfig } from './stored.ts';

interface DriftOptions extends OutputFlag {
  limitNodes?: string;
  concurrency: number;
}

/** Exit code where something drifted. */
const DRIFTED = 1;
/** How long a node may take, where `--timeout` does not say so. */
const NODE_MS = 10_000;

/** Declares `config drift`. */
export function addConfigDriftCommand(command: Command, ctx: Context): void {
  command
    .addHelpText(
      'after',
      examples(
        'cilium config drift',
        'cilium config drift --limit-nodes topology.kubernetes.io/zone=a',
        'cilium config drift -o json',
      ),
    )
    .option('--limit-nodes <selector>', 'Compare the nodes with these labels')
    .addOption(
      integer('--concurrency <n>', 'Agents that are asked at once', { min: 1, max: 500 }).default(10),
    )
    .addOption(outputOption(...REPORT_FORMATS))
    .action((options: DriftOptions) => runConfigDrift(options, ctx));
}

/** Compares what Helm wrote, the ConfigMap, CiliumNodeConfigs, and what the agents run with. */
export async function runConfigDrift(options: DriftOptions, ctx: Context): Promise<void> {
  const { client, stored } = await openStoredConfig(ctx, 'Unable to read config');
  const [facts, release, shared, overrides, { stops }, starts] = await Promise.all([
    loadFacts(),
    installedRelease(client, stored.namespace),
    sharedLayers(client, stored, ctx),
    nodeConfigs(client, stored.namespace, ctx),
    openRoads(ctx, {
      ...ctx.globals.cluster,
      namespace: stored.namespace,
      selector: options.limitNodes,
      concurrency: options.concurrency,
    }),
    startsOf(client, stored.namespace),
  ]);
  const labels = overrides?.length ? await nodeLabels(client, options.limitNodes) : new Map();
  const unread: { node: string; error: string }[] = [];
  const readOne = async (stop: Stop): Promise<NodeLayers | undefined> => {
    try {
      const agent = await configOf(stop, ctx);
      const source = { kind: 'cilium-node-config' as const, namespace: stored.namespace, name: '' };
      const own = await mergeNodeConfigs(
        overrides ?? [],
        labels.get(stop.node) ?? {},
        source,
        async () => {},
      );
      const names = new Set(own.from.map(({ name }) => name));
      const written = (overrides ?? []).filter(({ metadata }) => names.has(metadata?.name ?? ''));
      return {
        node: stop.node,
        agent,
        nodeConfig: own.values,
        nodeConfigWrittenMs: latest(written.map((one) => writtenMs(one, undefined))),
        startedMs: starts.get(stop.node),
      };
    } catch (error) {
      ctx.signal.throwIfAborted();
      unread.push({ node: stop.node, error: errorMessage(error) });
      return undefined;
    }
  };
  const read = await Promise.all(bounded(stops, options.concurrency, readOne));
  const nodes = read.filter((one) => one !== undefined);
  const known = release !== undefined && !isNewer(release) ? release : NEWEST_RELEASE;
  const drift = findDrift(shared, nodes, facts, minorOf(known));
  const { output } = options;
  if (isReportFormat(output)) {
    const compared = { rows: drift.rows, nodes: nodes.map(({ node }) => node), unread };
    await writeReport(ctx, output, reportOfDrift(compared));
  } else if (output) await writeStructured(ctx, output, { ...drift, unread });
  else if (drift.rows.length > 0) await ctx.out.write(renderDrift(drift.rows, nodes.length));
  for (const { node, error } of unread) await ctx.err.write(`${node}: not read: ${error}\n`);
  if (drift.behind.length > 0)
    await ctx.err.write(
      `The configuration was written after the agents of ${drift.behind.length} nodes started: ${some(drift.behind)}\n`,
    );
  const where = whereOf(drift.rows, nodes.length, stops.length);
  await ctx.err.write(
    nodes.length === 0 && drift.rows.length === 0
      ? `None of ${stops.length} nodes was read: whether they drift is not known.\n`
      : `${where}. ${drift.notShown.length} keys are not told by the agents and were not compared with them.\n`,
  );
  if (drift.rows.length > 0) ctx.exitCode = DRIFTED;
  else if (unread.length > 0 || overrides === undefined || nodes.length === 0) ctx.exitCode = PARTIAL;
}

/** On how many nodes something drifted; a row of no node is about what Helm wrote and the ConfigMap. */
function whereOf(rows: readonly DriftRow[], read: number, all: number): string {
  if (rows.length === 0) return `No drift on ${read} of ${all} nodes`;
  const drifted = new Set(rows.map(({ node }) => node));
  const helm = drifted.delete('') ? 'between Helm and the ConfigMap' : undefined;
  if (helm && drifted.size === 0) return `Drift ${helm}, none on ${read} of ${all} nodes`;
  return `Drift on ${drifted.size} of ${all} nodes${helm ? `, and ${helm}` : ''}`;
}

function some(names: readonly string[]): string {
  return names.length <= 5 ? names.join(', ') : `${names.slice(0, 5).join(', ')} …`;
}

function latest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

async function configOf({ dial, trouble }: Stop, ctx: Context): ReturnType<typeof fetchConfig> {
  if (!dial) throw new UserError(trouble ?? 'no agent');
  const limitMs = ctx.globals.timeoutMs ?? NODE_MS;
  const deadline = AbortSignal.timeout(limitMs);
  const signal = AbortSignal.any([ctx.signal, deadline]);
  try {
    const agent = connectAgent(agentAddress(ctx), signal, { timeoutMs: limitMs, dial });
    return await fetchConfig(agent);
  } catch (error) {
    if (deadline.aborted) throw new UserError(`no answer within ${limitMs / 1000} s`, { cause: error });
    throw error;
  }
}

/** What is left out where it may not be read, with a note; the others still say something. */
async function unlessForbidden<T>(
  ctx: Context,
  what: string,
  body: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await body();
  } catch (error) {
    if (!(error instanceof KubeRefusal && error.code === 403)) throw error;
    await ctx.err.write(`Note: ${what} left out: ${error.status.message ?? error.message}\n`);
    return undefined;
  }
}

async function sharedLayers(client: KubeClient, stored: StoredConfig, ctx: Context): Promise<SharedLayers> {
  const helm = ownersOf(stored.object).find(({ kind }) => kind === 'Helm');
  const release = await unlessForbidden(ctx, 'what Helm wrote is', () =>
    findRelease(client, stored.namespace, helm?.name ?? 'cilium'),
  );
  if (release?.manifest === '')
    await ctx.err.write('Note: what Helm wrote is left out: its release is there without a manifest\n');
  return {
    helm: release && (await configMapIn(release.manifest)),
    configMap: stored.data,
    writtenMs: (key) => writtenMs(stored.object, key),
  };
}

/** The data of the ConfigMap in a manifest; undefined where it has none. */
async function configMapIn(manifest: string): Promise<Record<string, string> | undefined> {
  // A chart renders dozens of objects, of which one is parsed.
  for (const text of manifest.split(/^---.*$/m)) {
    if (!/^kind: ["']?ConfigMap/m.test(text) || !text.includes(CONFIG_MAP)) continue;
    const value = await parseYamlText(text).catch((cause: unknown) => {
      throw new UserError(`what Helm wrote is not YAML: ${errorMessage(cause)}`, { cause });
    });
    if (!isRecord(value) || !isRecord(value.metadata) || value.metadata.name !== CONFIG_MAP) continue;
    const data = isRecord(value.data) ? value.data : {};
    // A key may have the name of what every object has.
    const texts: Record<string, string> = Object.create(null);
    for (const [key, one] of Object.entries(data)) texts[key] = String(one);
    return texts;
  }
  return undefined;
}

/** Undefined where they may not be read. */
function nodeConfigs(client: KubeClient, namespace: string, ctx: Context): Promise<NodeConfig[] | undefined> {
  return unlessForbidden(ctx, 'CiliumNodeConfigs are', () =>
    listNodeConfigs(client, { kind: 'cilium-node-config', namespace, name: '' }),
  );
}

async function nodeLabels(
  client: KubeClient,
  labelSelector: string | undefined,
): Promise<Map<string, Record<string, string>>> {
  const nodes = await listAll<KubeObject, [string, Record<string, string>]>(
    client,
    '/api/v1/nodes',
    { labelSelector },
    ({ metadata }) => [metadata?.name ?? '', metadata?.labels ?? {}],
  );
  return new Map(nodes);
}

interface StartedPod extends KubeObject {
  spec?: { nodeName?: string };
  status?: {
    startTime?: string;
    initContainerStatuses?: { name?: string; state?: { terminated?: { finishedAt?: string } } }[];
    containerStatuses?: { name?: string; state?: { running?: { startedAt?: string } } }[];
  };
}

/**
 * When the configuration was read, by node: from 1.14 on an init container of the pod reads it once, before that the agent
 * itself whenever it starts.
 */
async function startsOf(client: KubeClient, namespace: string): Promise<Map<string, number>> {
  const starts = await listAll<StartedPod, [string, number]>(
    client,
    podsPath(namespace),
    { labelSelector: 'k8s-app=cilium' },
    ({ spec, status }) => {
      const reader = status?.initContainerStatuses?.find(({ name }) => name === 'config');
      const agent = status?.containerStatuses?.find(({ name }) => name === AGENT_CONTAINER);
      const read = reader ? reader.state?.terminated?.finishedAt : agent?.state?.running?.startedAt;
      const ms = Date.parse(read ?? status?.startTime ?? '');
      return spec?.nodeName === undefined || Number.isNaN(ms) ? undefined : [spec.nodeName, ms];
    },
  );
  return new Map(starts);
}
