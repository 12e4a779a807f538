import { agentFolder, fileSafe, type HubbleCall } from '../../archive/layout.ts';
import { HUBBLE_CALLS } from '../../cluster/sysdump/agent-items.ts';
import { errorMessage, UserError } from '../../errors.ts';
import { HubbleClient } from '../../hubble/client.ts';
import { RpcError } from '../../hubble/grpc/status.ts';
import { openRoadTo } from '../../kube/road.ts';
import { Deadline } from '../../lib/deadline.ts';
import { goJson } from '../../render/text/json.ts';
import { VERSION } from '../../version.ts';
import { agentServer, HEALTH_SERVICE } from '../hubble/agent-server.ts';
import { Broken } from './dump.ts';
import type { Work } from './jobs.ts';
import type { Place, PodFacts } from './place.ts';

/** What one call may take. */
const CALL_MS = 30_000;

/** Asks the Hubble server of an agent, which need not run. What went wrong is told to `onFault`. */
export async function askHubble(
  place: Place,
  { node, namespace, name: pod }: PodFacts,
  work: Work,
  onFault: (text: string) => void,
): Promise<HubbleCall[]> {
  const { signal } = work;
  const dial = openRoadTo(place.client, { node, namespace, pod });
  const connect = (until: AbortSignal) =>
    new HubbleClient(agentServer(CALL_MS, dial, until), {
      version: VERSION,
      requestTimeoutMs: CALL_MS,
      signal: until,
    });
  const client = connect(signal);
  const folder = agentFolder(node);
  const calls: HubbleCall[] = [];
  /** Whether the server can be asked on. */
  const keep = async (method: string, answers: AsyncIterable<unknown>, limit?: number): Promise<boolean> => {
    const file = `hubble/${fileSafe(method.split('/').at(-1) ?? '')}.json`;
    const call: HubbleCall = { method, ...(limit !== undefined && { limit }) };
    try {
      const written = await place.dump.file(
        `${folder}/${file}`,
        async (sink) => {
          for await (const answer of answers) await sink(`${goJson(answer)}\n`);
        },
        { keepsPart: true },
      );
      work.files.push(written);
      calls.push({ ...call, ...(written.bytes > 0 && { file }) });
      return true;
    } catch (thrown) {
      const error = thrown instanceof Broken ? thrown.cause : thrown;
      if (thrown instanceof Broken) work.files.push(thrown.file);
      signal.throwIfAborted();
      if (!(error instanceof UserError)) throw error;
      const { code = 'Unavailable', desc = '' } = error instanceof RpcError ? error : {};
      // Where nobody answers, Hubble is off.
      if (code === 'Unavailable' && calls.length === 0) return false;
      if (thrown instanceof Broken) calls.push({ ...call, file, isCut: true });
      else if (code !== 'Unavailable' && code !== 'DeadlineExceeded')
        calls.push({ ...call, error: { code, desc } });
      if (code === 'Unavailable' || code === 'DeadlineExceeded') onFault(`${method}: ${errorMessage(error)}`);
      return code !== 'Unavailable';
    }
  };
  try {
    for (const method of HUBBLE_CALLS.one) {
      const request = method === '/grpc.health.v1.Health/Check' ? { service: HEALTH_SERVICE } : {};
      const answer = async function* () {
        yield await client.call(method, request);
      };
      if (!(await keep(method, answer()))) return calls;
    }
    const { hubbleFlowsCount: limit } = place.options;
    if (limit <= 0) return calls;
    for (const method of HUBBLE_CALLS.events)
      if (!(await keep(method, bounded(connect, method, limit, signal), limit))) return calls;
    return calls;
  } finally {
    await client.close();
  }
}

/** The last events of a server. A stream that is aborted ends without a word. */
async function* bounded(
  connect: (until: AbortSignal) => HubbleClient,
  method: (typeof HUBBLE_CALLS.events)[number],
  limit: number,
  signal: AbortSignal,
): AsyncGenerator<unknown> {
  using deadline = new Deadline(CALL_MS, signal);
  const client = connect(deadline.signal);
  try {
    yield* client.stream(method, { number: String(limit) });
  } finally {
    await client.close();
  }
  if (deadline.isOver) throw new RpcError('DeadlineExceeded', `no end within ${CALL_MS / 1000} s`);
}
