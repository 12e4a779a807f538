import { flowsFile, timedFile } from '../../archive/layout.ts';
import {
  CLUSTERMESH_CONTAINERS,
  KVSTORE_PREFIXES,
  OPERATOR_COMMANDS,
  OPERATOR_PROGRAM,
} from '../../cluster/sysdump/pod-items.ts';
import { AGENT_CONTAINER } from '../../kube/agents.ts';
import { ExecNotStarted } from '../../kube/exec.ts';
import { podPath } from '../../kube/pods.ts';
import { Deadline } from '../../lib/deadline.ts';
import { commandFile, podJob, printed } from './container.ts';
import { Broken, copyTo } from './dump.ts';
import { gopsJobs, profileJobs } from './gops.ts';
import { Absent, type Job } from './jobs.ts';
import type { Place, PodFacts } from './place.ts';

/** Flows that an agent remembers, and what hubble says on the way. */
export function flowsJob(place: Place, pod: PodFacts): Job {
  const { hubbleFlowsCount: count, hubbleFlowsTimeout: limitMs } = place.options;
  const command = ['hubble', 'observe', '--last', String(count), '--debug', '-o', 'jsonpb'];
  return podJob(place, pod, AGENT_CONTAINER, {
    task: `hubble-flows-${pod.name}`,
    group: 'flows',
    run: async (work) => {
      using deadline = new Deadline(limitMs, work.signal);
      const { signal } = deadline;
      const said = await commandFile(
        place,
        pod,
        AGENT_CONTAINER,
        command,
        flowsFile(pod.name, place.dump.time),
        {
          work: { ...work, signal, files: work.files },
        },
      ).catch((error: unknown) => {
        if (!deadline.isOver || work.signal.aborted) throw error;
        if (error instanceof Broken) work.files.push(error.file);
        work.note(`cut off after ${limitMs / 1000} s (--hubble-flows-timeout)`);
        return '';
      });
      if (said !== '')
        work.files.push(
          await place.dump.file(timedFile(`hubble-observe-${pod.name}`, place.dump.time, 'log'), (sink) =>
            sink(said),
          ),
        );
    },
  });
}

/** The CNI configuration of a node. */
export function cniJob(place: Place, pod: PodFacts): Job {
  const { cniConfigDirectory: folder } = place.options;
  return podJob(place, pod, AGENT_CONTAINER, {
    task: `cniconflist-${pod.name}`,
    group: 'cni',
    run: async (work) => {
      const listing = await printed(place, pod, AGENT_CONTAINER, ['/usr/bin/ls', '-1', folder], work.signal);
      for (const file of listing
        .trim()
        .split('\n')
        .filter((line) => line !== '')) {
        const name = timedFile(`cniconf-${file}-${pod.name}`, place.dump.time, 'txt');
        const path = `${folder.replace(/\/?$/, '/')}${file}`;
        await commandFile(place, pod, AGENT_CONTAINER, ['/usr/bin/cat', path], name, { work });
      }
    },
  });
}

/** What operators are asked. */
export function operatorJobs(place: Place, pod: PodFacts): Job[] {
  const container = 'cilium-operator';
  const program = pod.containers.find(({ name }) => name === container)?.command[0] ?? OPERATOR_PROGRAM;
  return OPERATOR_COMMANDS.map((command) => askedJob(place, pod, container, 'operator', program, command));
}

/** What a program in a container prints, in a file of its own. */
function askedJob(
  place: Place,
  pod: PodFacts,
  container: string,
  group: 'operator' | 'clustermesh',
  program: string,
  { what, extension, argv }: { what: string; extension: string; argv: readonly string[] },
): Job {
  const task = `${pod.name}-${container}-${what}`;
  const name = timedFile(task, place.dump.time, extension);
  return podJob(place, pod, container, {
    task,
    group,
    run: async (work) => void (await commandFile(place, pod, container, [program, ...argv], name, { work })),
  });
}

/** What the Cluster Mesh API server is asked, its metrics and statistics. */
export function clustermeshJobs(place: Place, pod: PodFacts): Job[] {
  return CLUSTERMESH_CONTAINERS.flatMap(({ container, program, metricsPort, commands }) => {
    if (!pod.containers.some(({ name }) => name === container)) return [];
    const asked = commands.map((command) => askedJob(place, pod, container, 'clustermesh', program, command));
    const go = program === '' ? [] : gopsJobs(place, pod, container);
    const profiles =
      program !== '' && place.options.profiling
        ? profileJobs(place, pod, container, { namesContainer: true })
        : [];
    return [...asked, metricsJob(place, pod, container, metricsPort), ...go, ...profiles];
  });
}

/** Metrics of a container, through the API server. */
export function metricsJob(place: Place, pod: PodFacts, container: string, port: string): Job {
  return podJob(place, pod, container, {
    task: `metrics-${pod.name}-${container}-${port}`,
    group: 'metrics',
    run: async (work) => {
      const { ports } = pod.containers.find(({ name }) => name === container) ?? { ports: [] };
      const found = ports.find(({ name }) => name === port)?.containerPort;
      if (found === undefined)
        throw new Absent(
          `failed to find port ${port} in container ${container} in pod ${pod.name} - this is expected if prometheus metrics are disabled`,
        );
      const path = `${podPath(pod.namespace, pod.name)}:${found}/proxy/metrics`;
      const file = await place.dump.file(
        timedFile(`metrics-${pod.name}-${container}`, place.dump.time, 'txt'),
        async (sink) =>
          copyTo(sink, await place.client.open({ path, accept: 'text/plain', signal: work.signal })),
        { keepsPart: true },
      );
      work.files.push(file);
    },
  });
}

/** Keys of etcd, as an agent reads them. */
export function kvstoreJobs(place: Place, pod: PodFacts): Job[] {
  return Object.entries(KVSTORE_PREFIXES).map(([what, prefix]) =>
    podJob(place, pod, AGENT_CONTAINER, {
      task: `kvstore-${what}`,
      group: 'kvstore',
      run: async (work) => {
        const words = ['kvstore', 'get', prefix, '--recursive', '-o', 'json'];
        const ask = (program: string) =>
          commandFile(place, pod, AGENT_CONTAINER, [program, ...words], `kvstore-${what}.json`, { work });
        await ask('cilium').catch((error: unknown) => {
          if (error instanceof ExecNotStarted) return ask('cilium-dbg');
          throw error;
        });
      },
    }),
  );
}

/** What a SPIRE server knows of identities. */
export function spireEntriesJob(place: Place, pod: PodFacts): Job {
  const command = ['/opt/spire/bin/spire-server', 'entry', 'show', '-output', 'json'];
  const name = timedFile(`cilium-spire-server-entries-${pod.name}`, place.dump.time, 'json');
  return podJob(place, pod, 'spire-server', {
    task: `spire-entries-${pod.name}`,
    group: 'spire',
    run: async (work) => void (await commandFile(place, pod, 'spire-server', command, name, { work })),
  });
}
