import { logFile } from '../../archive/layout.ts';
import { TailSpool } from '../../archive/spool.ts';
import type { Group } from '../../cluster/sysdump/options.ts';
import { podPath } from '../../kube/pods.ts';
import { copyTo, type Sink } from './dump.ts';
import type { Job, Work } from './jobs.ts';
import type { Place, PodFacts } from './place.ts';

/** Jobs for the logs of a pod's containers. A log that another job has already is left to it. */
export function logJobs(place: Place, pods: readonly PodFacts[], group: Group): Job[] {
  return pods.flatMap((pod) =>
    pod.containers
      .filter(({ name }) => place.dump.claim(`task ${pod.namespace}/${pod.name}/${name}`))
      .map(
        ({ name, restarts }): Job => ({
          task: `logs-${pod.name}-${name}`,
          group,
          node: pod.node || undefined,
          pod: pod.name,
          limitMs: place.options.nodeTimeout,
          run: async (work) => {
            await collectLog(place, pod, name, false, work);
            if (restarts > 0) await collectLog(place, pod, name, true, work);
          },
        }),
      ),
  );
}

async function collectLog(
  place: Place,
  pod: PodFacts,
  container: string,
  previous: boolean,
  work: Work,
): Promise<void> {
  const { client, dump, options, ctx, logShare } = place;
  const { logsSinceTime, since = logsSinceTime, logsLimitBytes } = options;
  const query = {
    container,
    timestamps: true,
    sinceTime: new Date(ctx.clock.nowMs() - since).toISOString().replace(/\.\d+Z$/, 'Z'),
    // With a share of a size the newest lines are wanted, and the server would give the oldest.
    ...(logShare === undefined && { limitBytes: logsLimitBytes }),
    ...(previous && { previous: true }),
  };
  const path = `${podPath(pod.namespace, pod.name)}/log`;
  const read = async (sink: Sink) => {
    const stream = await client.open({ path, query, accept: '*/*', signal: work.signal });
    if (logShare === undefined) return await copyTo(sink, stream);
    await using tail = new TailSpool(place.ctx.cwd, Math.min(logShare, logsLimitBytes));
    for await (const part of stream) await tail.write(part as Buffer);
    if (tail.dropped > 0)
      work.note(`the oldest ${tail.dropped} bytes of ${container} are left out (--max-size)`);
    for await (const part of tail.read()) await sink(part);
  };
  const name = logFile(pod.name, container, dump.time, previous);
  const file = await dump.file(name, read, { keepsPart: true });
  work.files.push(file);
  if (logShare === undefined && file.bytes >= logsLimitBytes)
    work.note(`${file.file} ends at --logs-limit-bytes: its newest lines are missing`);
}
