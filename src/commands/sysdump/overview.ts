import { printedStatus, readStatus } from '../../agent/decode/status.ts';
import { contextAt } from '../../cli/fan-out.ts';
import { countRecorded } from '../../cli/hubble/recorded.ts';
import { knownHealth } from '../../cli/kube/agent-health.ts';
import { askAgent } from '../../cli/kube/each-agent.ts';
import { Survey } from '../../cli/kube/survey.ts';
import type { PageFile } from '../../cli/page.ts';
import { findProblems } from '../../cluster/find-problems.ts';
import { ClusterStatus, COMPONENT } from '../../cluster/status.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { TrafficCounter } from '../../hubble/views/traffic/counter.ts';
import type { Stop } from '../../kube/agents.ts';
import { type KubeClient, wordsOf } from '../../kube/client.ts';
import { listNodeInfos } from '../../kube/inventory.ts';
import { openCluster, openRoads } from '../../kube/road.ts';
import { bounded } from '../../lib/bounded.ts';
import type { Problem } from '../../model/problem.ts';
import type { AgentStatus } from '../../model/status.ts';
import { dumpDocument } from '../../render/cluster/sysdump-page.ts';
import type { AgentView, DumpView, Read, RecordedTraffic } from '../../render/cluster/sysdump-sections.ts';
import { VERSION } from '../../version.ts';

/** What reading one part of an archive may take, in milliseconds. */
const PART_MS = 300_000;
const AGENT_MS = 30_000;
const AGENTS_AT_ONCE = 4;
/** Ends and edges of the flows that are ranked. */
const BOUNDS = { nodes: 500, edges: 2000 };

/** Writes what the archive that is read tells at a glance. */
export async function writeOverview(page: PageFile, ctx: Context): Promise<void> {
  const dump = await readDump(ctx);
  const made = new Date(ctx.clock.nowMs()).toISOString();
  await page.writeDocument(dumpDocument(dump, { made, version: VERSION }));
}

/** Reads an archive as the verbs do that ask a cluster; what cannot be read says why. */
async function readDump(ctx: Context): Promise<DumpView> {
  const { archive } = ctx.globals;
  if (!archive) throw new Error('no archive is open');
  await using client = await openCluster(ctx);
  const attempt = attempts(ctx);
  const version = await attempt(async () => {
    const file = archive.fileOf('k8s-version', 'txt');
    const text = file === undefined ? '' : (await archive.files.read(file)).toString('utf8');
    const [, told] = /GitVersion:"([^"]+)"/.exec(text) ?? [];
    if (told === undefined) throw new UserError('the archive does not tell it');
    return told;
  });
  const nodes = await attempt(() => listNodeInfos(client));
  const status = await attempt(() => clusterStatus(client, ctx));
  const agents = await attempt(async () => {
    const { stops } = await openRoads(ctx, { ...ctx.globals.cluster, concurrency: AGENTS_AT_ONCE });
    const read = bounded(stops, AGENTS_AT_ONCE, async (stop) => ({
      node: stop.node,
      pod: stop.pod ?? '',
      read: await attempt(() => agentOf(stop, client, ctx)),
    }));
    return await Promise.all(read);
  });
  const traffic = await attempt(() => trafficOf(ctx));
  if ('value' in status && 'value' in agents) forgetAgents(status.value, agents.value, ctx.clock.nowMs());
  const notes = archive.takeNotes();
  // They are told on stderr as well, as by each verb that reads an archive.
  for (const note of notes) archive.note(note);
  const files = [...archive.files.names()].map((name) => ({ name, bytes: archive.files.sizeOf(name) }));
  return {
    label: archive.label,
    index: archive.index,
    notes,
    files,
    version,
    nodes,
    status,
    agents,
    traffic,
  };
}

/** Does parts of the work, and keeps why one could not be done. */
function attempts({ signal }: Context) {
  return async <T>(part: () => Promise<T>): Promise<Read<T>> => {
    try {
      return { value: await part() };
    } catch (error) {
      signal.throwIfAborted();
      return { trouble: wordsOf(error) };
    }
  };
}

async function clusterStatus(client: KubeClient, ctx: Context): Promise<ClusterStatus> {
  const survey = await Survey.open(
    client,
    { timeout: AGENT_MS, workerCount: AGENTS_AT_ONCE, output: '' },
    ctx,
  );
  return await survey.look(PART_MS);
}

async function agentOf(
  stop: Stop,
  client: KubeClient,
  ctx: Context,
): Promise<AgentView & { status: AgentStatus }> {
  const { node, pod = '', dial, trouble } = stop;
  if (!dial) throw new UserError(trouble ?? 'there is no agent');
  const asked = {
    ask: (agent: Parameters<typeof readStatus>[0]) =>
      readStatus(agent, { brief: false, requireK8sConnectivity: true, timeoutMs: AGENT_MS }),
    argv: ['status', '-o', 'json'],
    read: printedStatus,
  };
  const answer = await askAgent(client, { node, namespace: '', pod }, asked, ctx.signal, ctx);
  const status = answer.decode();
  const here = contextAt({ ...stop, dial }, {}, ctx);
  const { missing = [], ...known } = await knownHealth(status, AGENT_MS, here);
  const unread = missing.map(
    ({ what, why }): Problem => ({
      level: 'unknown',
      area: what,
      subject: '',
      message: why,
      next: 'It was not collected, or could not be.',
    }),
  );
  return { status, version: versionOf(status), problems: [...findProblems(status, known), ...unread] };
}

/** Takes out of the state of the cluster what the agents tell of themselves: it stands with them. */
function forgetAgents(
  cluster: ClusterStatus,
  agents: readonly { pod: string; read: Read<{ status: AgentStatus }> }[],
  nowMs: number,
): void {
  for (const { pod, read } of agents) {
    const troubles = cluster.troubles.get(COMPONENT.agent)?.get(pod);
    if (!troubles || 'trouble' in read) continue;
    const own = new ClusterStatus();
    own.addAgent(pod, read.value.status, nowMs);
    const told = own.troubles.get(COMPONENT.agent)?.get(pod);
    troubles.errors = troubles.errors.filter((text) => !told?.errors.includes(text));
    troubles.warnings = troubles.warnings.filter((text) => !told?.warnings.includes(text));
  }
}

/** An agent that is well names its version; of another the release shows in its answer. */
function versionOf({ cilium, newer, release }: AgentStatus): string {
  return cilium?.state === 'Ok' && cilium.message !== '' ? cilium.message : (newer ?? release);
}

async function trafficOf(ctx: Context): Promise<RecordedTraffic> {
  const counter = new TrafficCounter();
  const damaged = await countRecorded(counter, ctx);
  return { ...counter.snapshot(BOUNDS), damaged };
}
