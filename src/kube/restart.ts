import { setTimeout as sleep } from 'node:timers/promises';
import { isUnreachable } from '../errors.ts';
import { collect, type KubeClient, KubeRefusal } from './client.ts';

/** How often an API server is asked whether it is there again, and how long that may take. */
const PROBE_MS = 500;
const PROBE_LIMIT_MS = 5000;

/** Resolves when the API server answers, and rejects when it has not for so long, or `until` is over. */
export async function serverAnswers(
  client: KubeClient,
  limitMs: number,
  until: AbortSignal = client.signal,
): Promise<void> {
  const signal = AbortSignal.any([client.signal, until, AbortSignal.timeout(limitMs)]);
  const request = { path: '/readyz', signal, timeoutMs: PROBE_LIMIT_MS };
  for (;;) {
    try {
      const body = await client.open(request);
      await collect(body).catch((error: unknown) => {
        throw client.explain(error, request);
      });
      return;
    } catch (error) {
      client.signal.throwIfAborted();
      // Who may not ask that is answered all the same.
      if (error instanceof KubeRefusal && error.code < 500) return;
      if (signal.aborted || !(error instanceof KubeRefusal || isUnreachable(error))) throw error;
    }
    await sleep(PROBE_MS, undefined, { signal });
  }
}
