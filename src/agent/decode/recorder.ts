import { UserError } from '../../errors.ts';
import type { RecorderMaskRow, RecorderRow } from '../../model/recorder.ts';
import { type AgentClient, ApiError } from '../client.ts';
import { type Answer, listAnswer, objectAnswer } from './answer.ts';
import type { Reader } from './reader.ts';
import type { RecorderMask, RecorderSpec } from './types.gen.ts';

/** The recorders, by number; those without realized state are left out. */
export function listRecorders(agent: AgentClient): Promise<Answer<RecorderRow[]>> {
  const asked = agent.get('/recorder').catch(recorderApiGone);
  return listAnswer(asked, 'Recorder[]', (answer) =>
    answer
      .items()
      .map((recorder) => recorder.at('status').at('realized'))
      .filter((realized) => realized.present)
      .map(decodeRecorder)
      .toSorted((a, b) => a.id - b.id),
  );
}

/** One recorder. */
export function readRecorder(agent: AgentClient, id: number): Promise<Answer<RecorderRow>> {
  const asked = agent.get('/recorder/{id}', { path: { id } }).catch(recorderApiGone);
  return objectAnswer(asked, 'Recorder', (recorder) =>
    decodeRecorder(recorder.need('status').need('realized')),
  );
}

/** What the agent has realized of a recorder, to be sent back with a change; undefined when it has none of the number. */
export async function readRealizedRecorder(
  agent: AgentClient,
  id: number,
): Promise<Record<string, unknown> | undefined> {
  const recorder = await agent.get('/recorder/{id}', { path: { id } }).catch((error: unknown) => {
    if (error instanceof ApiError && error.status === 404 && !error.isUnknownPath) return undefined;
    return recorderApiGone(error);
  });
  return recorder?.need('status').need('realized').fields();
}

/** Makes or changes a recorder. */
export async function putRecorder(agent: AgentClient, id: number, spec: object): Promise<void> {
  await agent.put('/recorder/{id}', { path: { id }, body: spec });
}

/** Removes a recorder. */
export async function deleteRecorder(agent: AgentClient, id: number): Promise<void> {
  await agent.delete('/recorder/{id}', { path: { id } }).catch(recorderApiGone);
}

function decodeRecorder(realized: Reader<RecorderSpec>): RecorderRow {
  return {
    id: realized.integer('id'),
    captureLength: realized.integer('capture-length'),
    filters: realized
      .at('filters')
      .items()
      .map((filter) => ({
        source: `${filter.text('src-prefix')}:${filter.text('src-port')}`,
        destination: `${filter.text('dst-prefix')}:${filter.text('dst-port')}`,
        protocol: filter.text('protocol'),
      })),
  };
}

/** The masks that recorders share: those of IPv6 first, each by falling priority. */
export function listRecorderMasks(agent: AgentClient): Promise<Answer<RecorderMaskRow[]>> {
  return listAnswer(agent.get('/recorder/masks'), 'RecorderMask[]', decodeMasks);
}

function decodeMasks(answer: Reader<RecorderMask[]>): RecorderMaskRow[] {
  return answer
    .items()
    .map((mask) => mask.at('status').at('realized'))
    .filter((realized) => realized.present)
    .map((realized) => ({
      users: realized.integer('users'),
      priority: realized.integer('priority'),
      source: `${realized.text('src-prefix-mask')}:${realized.text('src-port-mask')}`,
      destination: `${realized.text('dst-prefix-mask')}:${realized.text('dst-port-mask')}`,
      protocol: realized.text('protocol-mask'),
      // Eight hexadecimal digits are an IPv4 mask.
      ipv6: realized.text('src-prefix-mask').length !== 8,
    }))
    .toSorted((a, b) => Number(b.ipv6) - Number(a.ipv6) || b.priority - a.priority);
}

/** Says in one sentence that this agent records no packets; other errors pass. */
function recorderApiGone(error: unknown): never {
  if (error instanceof ApiError && error.isUnknownPath)
    throw new UserError('this agent has no packet recorder', {
      hint: 'Cilium 1.10 to 1.18 have one; on the others, tcpdump on the node records packets.',
      cause: error,
    });
  throw error;
}
