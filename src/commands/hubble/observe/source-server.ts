import type { Context } from '../../../context.ts';
import { lineReader } from '../../../hubble/captures/line-reader.ts';
import { decodeAnswer } from '../../../hubble/client.ts';
import { messagesOf } from '../../../hubble/grpc/frames.ts';
import { decode } from '../../../hubble/protobuf/codec.ts';
import { answerReader } from '../../../hubble/scan/scanner.ts';
import { untilAborted } from '../../../lib/until-aborted.ts';
import type { GetFlowsResponse } from '../../../model/hubble.gen.ts';
import type { FlowRenderer } from '../../../render/hubble/flow-renderer.ts';
import type { RecordText } from './record-text.ts';
import { type FlowQuery, flowsRequest } from './request.ts';
import { inWordsOfObserve, openStream, type ServerAccess } from './source-stream.ts';
import { forcedReader, textCollector, wantOf } from './texts.ts';

/** The answers of a server in batches, made by `read` of their bytes. Ends quietly when aborted. */
export async function* readServer<T>(
  query: FlowQuery,
  access: ServerAccess,
  read: (answers: readonly Buffer[]) => T[],
  ctx: Context,
  signal: AbortSignal = ctx.signal,
): AsyncGenerator<T[]> {
  const stream = await openSource(query, access, ctx, signal);
  try {
    for await (const batch of untilAborted(stream, signal)) yield decodeAnswer(() => read(batch));
  } catch (error) {
    throw inWordsOfObserve(error);
  }
}

/** The stream of one server, or those of several clusters as one. */
async function openSource(
  query: FlowQuery,
  access: ServerAccess,
  ctx: Context,
  signal: AbortSignal,
): Promise<AsyncIterable<Buffer[]>> {
  if (access.settings.contexts.length < 2) return openStream(flowsRequest(query), access, ctx, signal);
  const { openContexts } = await import('./source-contexts.ts');
  return openContexts(query, access, ctx, signal);
}

/** Reads whole answers. */
export function readMessages(answers: readonly Buffer[]): GetFlowsResponse[] {
  return answers.flatMap((whole) =>
    Array.from(messagesOf(whole), (bytes) => decode('observer.GetFlowsResponse', bytes)),
  );
}

/** Reads answers as text: only what is printed of them where the format allows it, else whole messages. */
export async function textReader(
  renderer: FlowRenderer,
  ctx: Context,
): Promise<(answers: readonly Buffer[]) => RecordText[]> {
  const lines = await lineReader({ allow: [], deny: [] }, () => {});
  const read = answerReader(lines, { want: wantOf(renderer), ...forcedReader(ctx) });
  return (answers) => {
    const texts: RecordText[] = [];
    read(answers, textCollector(texts, renderer, undefined));
    return texts;
  };
}
