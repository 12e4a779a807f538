import type { Group } from '../../cluster/sysdump/options.ts';
import { isUnknownCommand } from '../../cluster/sysdump/pod-items.ts';
import { UserError } from '../../errors.ts';
import { KubeUnreachable } from '../../kube/client.ts';
import { exec, execStream } from '../../kube/exec.ts';
import { troubleOf } from '../../kube/pods.ts';
import type { FileOptions, Sink } from './dump.ts';
import { Absent, type Job, type Work } from './jobs.ts';
import type { Place, PodFacts } from './place.ts';

/** A path or a table that a program prints; more is no such thing. */
const MAX_PRINTED = 1024 * 1024;
const UNKNOWN = 'unknown command - this is expected if not supported by this Cilium version';

/** A job within a container of a pod; what does not run is not asked. */
export function podJob(
  place: Place,
  pod: PodFacts,
  container: string,
  { task, group, run }: { task: string; group: Group; run(work: Work): Promise<void> },
): Job {
  return {
    task,
    group,
    node: pod.node || undefined,
    pod: pod.name,
    limitMs: place.options.nodeTimeout,
    run: (work) => {
      if (!pod.containers.some(({ name }) => name === container))
        throw new Absent(`the pod has no container ${container}`);
      const trouble = troubleOf(pod.pod, container);
      if (trouble !== undefined)
        throw new UserError(`${container} of ${pod.namespace}/${pod.name}: ${trouble}`);
      return run(work);
    },
  };
}

function target({ namespace, name }: PodFacts, container: string, command: readonly string[]) {
  return { namespace, pod: name, container, command };
}

/** Runs a command to its end. Throws where it fails. */
export async function printed(
  { client }: Place,
  pod: PodFacts,
  container: string,
  command: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const result = await exec(client, target(pod, container, command), MAX_PRINTED, signal);
  if (result.exitCode !== 0) throw failed(command, result);
  return result.stdout.toString('utf8');
}

function failed(
  command: readonly string[],
  { exitCode, stderr }: { exitCode: number; stderr: string },
): UserError {
  const said = stderr.trim().split('\n').at(-1) ?? '';
  const killed = exitCode === 137 ? ' (killed, perhaps for its memory)' : '';
  return new UserError(`${command.join(' ')}: exit code ${exitCode}${killed}${said && `: ${said}`}`);
}

/** Writes what a command prints. Throws where it fails; what it printed until then is kept. */
export async function commandFile(
  { client, dump }: Place,
  pod: PodFacts,
  container: string,
  command: readonly string[],
  name: string,
  { work, ...options }: { work: Work } & FileOptions,
): Promise<string> {
  let stderr = '';
  const file = await dump.file(
    name,
    async (sink) => {
      const result = await execStream(client, target(pod, container, command), sink, work.signal);
      stderr = result.stderr;
      if (result.exitCode === 0) return;
      if (isUnknownCommand(stderr)) throw new Absent(UNKNOWN);
      throw failed(command, result);
    },
    { keepsPart: true, ...options },
  );
  work.files.push(file);
  return stderr;
}

/** Hands on a file of a container; a connection that breaks is made anew where it broke. */
export async function copyFile(
  place: Place,
  pod: PodFacts,
  container: string,
  path: string,
  sink: Sink,
  signal: AbortSignal,
): Promise<void> {
  let got = 0;
  for (let attempt = 0; ; attempt++) {
    const command = ['tail', '-c', `+${got + 1}`, path];
    try {
      const result = await execStream(
        place.client,
        target(pod, container, command),
        (bytes) => {
          got += bytes.length;
          return sink(bytes);
        },
        signal,
      );
      if (result.exitCode !== 0) throw failed(command, result);
      return;
    } catch (error) {
      const { copyRetryLimit: limit } = place.options;
      if (signal.aborted || !(error instanceof KubeUnreachable) || (limit >= 0 && attempt >= limit))
        throw error;
    }
  }
}

/** Takes a file away that a program left for us. */
export async function removeFile(
  place: Place,
  pod: PodFacts,
  container: string,
  path: string,
  work: Work,
): Promise<void> {
  await printed(place, pod, container, ['rm', '-f', path], place.client.signal).catch((error: unknown) => {
    if (!place.client.signal.aborted)
      work.note(
        `${path} stays in ${pod.namespace}/${pod.name}: ${error instanceof Error ? error.message : error}`,
      );
  });
}
