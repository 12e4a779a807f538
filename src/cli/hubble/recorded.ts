import { mergedFlows } from '../../archive/flows.ts';
import { NotCollected } from '../../archive/not-collected.ts';
import type { Recording } from '../../archive/recording.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { lineReader } from '../../hubble/captures/line-reader.ts';
import { readCapture } from '../../hubble/captures/reader.ts';
import { GroupReader } from '../../hubble/groups/group-reader.ts';
import { TRAFFIC_FIELDS } from '../../hubble/views/traffic/alike.ts';
import type { TrafficCounter } from '../../hubble/views/traffic/counter.ts';
import { trafficVisitor } from '../../hubble/views/traffic/visitor.ts';
import { agentIn } from '../../kube/road.ts';
import { LineSplitter } from '../../lib/line-splitter.ts';
import type { Flow } from '../../model/hubble.gen.ts';
import { sanitize } from '../../render/text/sanitize.ts';

/** Beginning of the names of the files that hold flows, before the pod of their agent. */
const FLOWS = 'hubble-flows-';
/** No flow takes more. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

/** The first flows from a pod (`namespace/name`) since a time that an agent remembered, as its server would tell them. */
export async function recordedFlowsOf(
  recording: Recording,
  agentPod: string,
  { pod, sinceMs, limit }: { pod: string; sinceMs: number; limit: number },
): Promise<Flow[]> {
  const file = recording.filesFrom(FLOWS, 'json').find(({ rest }) => rest === agentPod)?.file;
  if (file === undefined) throw await noFlows(recording, agentPod);
  const name = pod.split('/').at(-1) ?? '';
  const found: Flow[] = [];
  const query = { allow: [{ source_pod: [pod] }], deny: [] };
  const lines = await lineReader(query, ({ kind, message, number }) => {
    if (kind === 'bad-line')
      throw new UserError(`${recording.label}: ${file}:${number}: not a flow: ${message}`);
  });
  const take = (line: Buffer) => {
    lines.number++;
    // Most flows are of other pods.
    if (!line.includes(name)) return;
    const flow = lines.read(line)?.flow;
    if (flow && Date.parse(flow.time ?? '') >= sinceMs) found.push(flow);
  };
  const splitter = new LineSplitter(MAX_LINE_BYTES);
  // What lies beyond it was not collected, which the archive says of the item.
  for await (const part of mergedFlows(recording.files, [file], async () => {})) {
    for (const { bytes } of splitter.push(part)) take(bytes);
    if (found.length >= limit) break;
  }
  return found.slice(0, limit);
}

async function noFlows(archive: Recording, pod: string | undefined): Promise<NotCollected> {
  const why = await archive.why({ stem: `${FLOWS}${pod ?? ''}` });
  return new NotCollected(
    `${archive.label} holds no flows${pod === undefined ? '' : ` of the agent ${pod}`}${why ? ` (${why.text})` : ''}`,
    { hint: 'They were not collected when the archive was made.' },
  );
}

/**
 * A context whose stdin holds the flows of the archive that is read, by time: of all agents, or of the one that is named.
 * Undefined where no archive is.
 */
export async function withRecordedFlows(ctx: Context): Promise<Context | undefined> {
  const { archive, elsewhere } = ctx.globals;
  if (!archive) return undefined;
  const pod = elsewhere && (await agentIn(ctx, elsewhere)).pod;
  const files = archive.filesFrom(FLOWS, 'json').filter(({ rest }) => pod === undefined || rest === pod);
  if (files.length === 0) throw await noFlows(archive, pod);
  const names = files.map(({ file }) => file);
  const onCut = (name: string) =>
    ctx.err.write(
      sanitize(`Warning: ${archive.label}: ${name}: its last line breaks off, and is left out\n`),
    );
  return {
    ...ctx,
    in: { isTTY: false, [Symbol.asyncIterator]: () => mergedFlows(archive.files, names, onCut) },
  };
}

/** Lines of flows that could not be read, and what is wrong with the first of them. */
export interface DamagedLines {
  lines: number;
  why: string;
}

/** Counts the flows of the archive that is read, and says how many lines are none. */
export async function countRecorded(counter: TrafficCounter, ctx: Context): Promise<DamagedLines> {
  const recorded = await withRecordedFlows(ctx);
  if (!recorded) throw new Error('no archive is open');
  const damaged: DamagedLines = { lines: 0, why: '' };
  const lines = await lineReader({ allow: [], deny: [] }, ({ kind, message }) => {
    if (kind !== 'bad-line') return;
    if (damaged.lines === 0) damaged.why = message;
    damaged.lines++;
  });
  const groups = new GroupReader(lines, TRAFFIC_FIELDS, trafficVisitor(counter), { isTimed: true });
  for await (const chunk of readCapture('-', recorded.in, ctx.signal)) groups.read(chunk);
  if (damaged.lines > 0 && counter.flows === 0)
    throw new UserError(
      `no line of the flows of ${ctx.globals.archive?.label} could be read (the first: ${damaged.why})`,
    );
  return damaged;
}
