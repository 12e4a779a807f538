import { connectAgent, DEFAULT_SOCKET } from '../../agent/client.ts';
import { listEndpointRows } from '../../agent/decode/endpoints.ts';
import { ProgressLine } from '../../cli/progress.ts';
import { writeReport } from '../../cli/report.ts';
import { reportOfConsistency } from '../../cluster/as-checks.ts';
import {
  AGENT_TAINT,
  type ClusterFacts,
  type Finding,
  findInconsistencies,
  lastingFindings,
  nodesWithoutAgent,
  TAINT_OPTION,
} from '../../cluster/consistency.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { listAgents } from '../../kube/agents.ts';
import { type KubeClient, wordsOf } from '../../kube/client.ts';
import { readConfigMap } from '../../kube/config-map.ts';
import { ciliumNamespace } from '../../kube/install.ts';
import {
  listEndpointFacts,
  listIdentityNumbers,
  listNodeFacts,
  listNodePrefixes,
  listPodFacts,
  listSliceFacts,
} from '../../kube/inventory.ts';
import { openCluster, openRoadTo } from '../../kube/road.ts';
import { bounded } from '../../lib/bounded.ts';
import type { AgentFact } from '../../model/cluster.ts';
import { isReportFormat, REPORT_FORMATS } from '../../model/report-format.ts';
import { consistencyDocument, renderConsistency } from '../../render/cluster/consistency.ts';
import { goJson } from '../../render/text/json.ts';
import { sanitizeCell } from '../../render/text/sanitize.ts';
import type { StatusOptions } from './options.ts';

/** What is under way looks inconsistent for a moment: what is found is looked at once more after so long. */
const AGAIN_MS = 5000;
const AGENT_MS = 10_000;
/** Exit code where nothing was found, and not all could be looked at. */
const NOT_ALL = 3;

/** What was looked at, and what could not be. */
export interface Looked {
  facts: ClusterFacts;
  /** Why a part is not compared, one sentence each. */
  gaps: string[];
}

/** Prints where pods, CiliumEndpoints, slices, agents, identities and nodes disagree. */
export async function runConsistency(options: StatusOptions, ctx: Context): Promise<void> {
  const { output, workerCount } = options;
  if (!['', 'summary', 'json', ...REPORT_FORMATS].includes(output))
    throw new UserError(
      `-o ${output} is not a form of --consistency: there are summary, json and ${REPORT_FORMATS.join(', ')}`,
    );
  await using client = await openCluster(ctx);
  const namespace = await ciliumNamespace(client, ctx.globals.cluster?.namespace);
  let looked = await look(client, namespace, workerCount, ctx);
  let findings: readonly Finding[] = findInconsistencies(looked.facts);
  if (findings.length > 0) {
    const progress = new ProgressLine(ctx.err);
    await progress.show('Looking once more, since what is under way looks inconsistent for a moment.');
    try {
      await ctx.clock.sleep(AGAIN_MS, ctx.signal);
      looked = await look(client, namespace, workerCount, ctx);
    } finally {
      await progress.clear();
    }
    findings = lastingFindings(findings, findInconsistencies(looked.facts));
  }
  if (isReportFormat(output)) await writeReport(ctx, output, reportOfConsistency(findings, looked.gaps));
  else
    await ctx.out.write(
      output === 'json'
        ? `${goJson(consistencyDocument(looked, findings), 1)}\n`
        : renderConsistency(looked, findings),
    );
  for (const gap of looked.gaps) await ctx.err.write(`Not compared: ${sanitizeCell(gap)}\n`);
  if (findings.length > 0) ctx.exitCode = 1;
  else if (looked.gaps.length > 0) ctx.exitCode = NOT_ALL;
}

async function look(client: KubeClient, namespace: string, workers: number, ctx: Context): Promise<Looked> {
  const gaps: string[] = [];
  const attempt = async <T>(what: string, part: Promise<T>): Promise<T | undefined> => {
    try {
      return await part;
    } catch (error) {
      ctx.signal.throwIfAborted();
      gaps.push(`${what}: ${wordsOf(error)}`);
      return undefined;
    }
  };
  const config = await attempt('the configuration', readConfigMap(client, namespace));
  const has = (key: string, value: string) => config?.data[key] === value;
  const [pods, endpoints, slices, identities, nodes, ciliumNodes, agents] = await Promise.all([
    attempt('pods', listPodFacts(client)),
    has('disable-endpoint-crd', 'true')
      ? void gaps.push('CiliumEndpoints: the agents make none (disable-endpoint-crd)')
      : attempt('CiliumEndpoints', listEndpointFacts(client)),
    has('enable-cilium-endpoint-slice', 'true')
      ? attempt('CiliumEndpointSlices', listSliceFacts(client))
      : ('none' as const),
    has('identity-allocation-mode', 'kvstore')
      ? void gaps.push('CiliumIdentities: identities are in the kvstore (identity-allocation-mode)')
      : attempt('CiliumIdentities', listIdentityNumbers(client)),
    attempt('nodes', listNodeFacts(client)),
    attempt('CiliumNodes', listNodePrefixes(client)),
    attempt('agents', askAgents(client, namespace, workers, gaps, ctx)),
  ]);
  const agentTaint = config?.data[TAINT_OPTION] || AGENT_TAINT;
  const facts: ClusterFacts = { nodes, ciliumNodes, pods, endpoints, slices, identities, agents, agentTaint };
  for (const node of nodesWithoutAgent(facts))
    gaps.push(`the agent of node ${node}: no agent of Cilium runs there`);
  return { facts, gaps: gaps.toSorted() };
}

async function askAgents(
  client: KubeClient,
  namespace: string,
  workers: number,
  gaps: string[],
  ctx: Context,
): Promise<NonNullable<ClusterFacts['agents']>> {
  const agents = await listAgents(client, { namespace });
  const answers = bounded(agents, workers, async (agent): Promise<[string, AgentFact]> => {
    const { node, trouble, isReady } = agent;
    if (trouble !== undefined) {
      gaps.push(`the agent of node ${node}: ${trouble}`);
      return [node, { isReady }];
    }
    const timeoutMs = ctx.globals.timeoutMs ?? AGENT_MS;
    const limit = AbortSignal.any([ctx.signal, AbortSignal.timeout(timeoutMs)]);
    const asked = connectAgent(`unix://${DEFAULT_SOCKET}`, limit, {
      timeoutMs,
      dial: openRoadTo(client, agent),
    });
    try {
      const rows = (await listEndpointRows(asked, { timeoutMs })).decode();
      const endpoints = rows
        .filter(({ pod }) => pod !== '')
        .map(({ namespace: of, pod, identity, allAddresses }) => ({
          name: `${of}/${pod}`,
          identity,
          addresses: allAddresses,
        }));
      return [node, { isReady, endpoints }];
    } catch (error) {
      ctx.signal.throwIfAborted();
      const why = limit.aborted ? `no answer within ${timeoutMs / 1000} s` : wordsOf(error);
      gaps.push(`the agent of node ${node}: ${why}`);
      return [node, { isReady }];
    }
  });
  return new Map(await Promise.all(answers));
}
