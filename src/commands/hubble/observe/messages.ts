import type { Settings } from '../../../cli/hubble/settings.ts';
import type { Context } from '../../../context.ts';
import type { GetFlowsResponse } from '../../../model/hubble.gen.ts';
import type { Limit } from './limit.ts';
import type { FlowQuery } from './request.ts';
import { sortByTime } from './sort.ts';
import type { StreamNews } from './source-stream.ts';
import type { Where } from './where.ts';

/** Exit code where some of those who were asked did not answer. */
const SOME_FAILED = 3;

/** Messages in batches, as they come. */
export type Messages = AsyncIterable<readonly GetFlowsResponse[]>;

/** Where messages come from, and which are meant: source → where → sort → limit. */
export interface MessageSource {
  flags: { inputFile: string[]; sort?: boolean; reconnect: boolean; maxReconnects?: number };
  settings: Settings;
  query: FlowQuery;
  where?: Where | undefined;
  /** Only for files: a server cuts by itself. */
  limit: Limit | undefined;
}

/** Of an archive the flows are read as a file is, and chosen as a server chooses. */
export async function sourceOf<F extends { inputFile: string[] }>(
  flags: F,
  ctx: Context,
): Promise<{ flags: F; ctx: Context; isRecording: boolean }> {
  if (!ctx.globals.archive) return { flags, ctx, isRecording: false };
  const { withRecordedFlows } = await import('../../../cli/hubble/recorded.ts');
  const recorded = await withRecordedFlows(ctx);
  return { flags: { ...flags, inputFile: ['-'] }, ctx: recorded ?? ctx, isRecording: true };
}

/** What flows come from, for a title. */
export function targetOf(files: readonly string[], settings: Settings, { globals }: Context): string {
  if (globals.archive) return globals.archive.label;
  if (files.length > 0) return files.map((name) => (name === '-' ? 'stdin' : name)).join(' ');
  if (settings.contexts.length > 0) return settings.contexts.join(', ');
  const { elsewhere } = globals;
  if (elsewhere && 'node' in elsewhere.target) return elsewhere.target.node;
  if (settings.flag('port-forward')) return settings.text('kube-context') || 'the cluster';
  return settings.text('server');
}

/** Has the cluster that flows come from asked, and not another one, for what else is to be known of them. */
export function askItsCluster(settings: Settings, { globals }: Context): void {
  if (!settings.flag('port-forward') && !globals.elsewhere) return;
  globals.cluster = {
    kubeconfig: settings.text('kubeconfig') || undefined,
    context: settings.text('kube-context') || undefined,
    namespace: settings.has('kube-namespace') ? settings.text('kube-namespace') : undefined,
    isNamed: true,
  };
}

/** Ends with the exit code of an answer that is not whole, when it is called. Not of a copy of the context. */
export function partial(ctx: Context): () => void {
  return () => {
    ctx.exitCode = SOME_FAILED;
  };
}

/** Opens a source; where the terminal is not for lines, with another context and somebody who is told of breaks. */
export type ReadMessages = (signal: AbortSignal, told?: Context, news?: StreamNews) => Messages;

/** Opens a source: the messages that are meant. */
export async function openMessages(
  { flags, settings, query, where, limit }: MessageSource,
  ctx: Context,
): Promise<ReadMessages> {
  const keep = (messages: Messages) => where?.keep(messages) ?? messages;
  if (flags.inputFile.length === 0) {
    const { readServer, readMessages } = await import('./source-server.ts');
    const onPartial = partial(ctx);
    return (signal, told = ctx, news) =>
      keep(readServer(query, { ...flags, settings, news, onPartial }, readMessages, told, signal));
  }
  const { readFileMessages } = await import('./source-file.ts');
  return (signal, told = ctx) => {
    const kept = keep(readFileMessages(flags.inputFile, query, told, signal));
    const messages = flags.sort ? sortByTime(kept) : kept;
    return limit?.cut(messages) ?? messages;
  };
}
