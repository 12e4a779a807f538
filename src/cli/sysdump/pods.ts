import { PassThrough } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { fileSafe, flowsFile, timedFile } from '../../archive/layout.ts';
import { untar } from '../../archive/tar.ts';
import type { Group } from '../../cluster/sysdump/options.ts';
import {
  bugtoolArchive,
  CLUSTERMESH_CONTAINERS,
  GOPS_PROFILES,
  GOPS_PROGRAMS,
  GOPS_STATS,
  gopsProcess,
  isUnknownCommand,
  KVSTORE_PREFIXES,
  OPERATOR_COMMANDS,
  OPERATOR_PROGRAM,
  savedAt,
} from '../../cluster/sysdump/pod-items.ts';
import { UserError } from '../../errors.ts';
import { AGENT_CONTAINER } from '../../kube/agents.ts';
import { KubeUnreachable } from '../../kube/client.ts';
import { ExecNotStarted, exec, execStream } from '../../kube/exec.ts';
import { troubleOf } from '../../kube/pods.ts';
import { Deadline } from '../../lib/deadline.ts';
import { Broken, copyTo, type FileOptions, feed, type Sink } from './dump.ts';
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
async function printed(
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
async function copyFile(
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
async function removeFile(
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

/** cilium-bugtool, or Tetragon's: its archive is unpacked on its way. */
export function bugtoolJob(place: Place, pod: PodFacts, of: 'cilium' | 'tetragon'): Job {
  const container = of === 'cilium' ? AGENT_CONTAINER : 'tetragon';
  const own = `/tmp/tetragon-bugtool-${place.dump.time}.tar.gz`;
  const command =
    of === 'cilium'
      ? ['cilium-bugtool', '--archiveType=gz', '--exclude-object-files', ...place.options.ciliumBugtoolFlags]
      : ['tetra', 'bugtool', '--out', own];
  const folder = `${of}-bugtool-${fileSafe(pod.name)}-${place.dump.time}`;
  return podJob(place, pod, container, {
    task: `${of}-bugtool-${pod.name}`,
    group: of === 'cilium' ? 'bugtool' : 'tetragon',
    run: async (work) => {
      const output = await printed(place, pod, container, command, work.signal);
      const path = of === 'cilium' ? bugtoolArchive(output) : own;
      if (path === undefined) throw new UserError('cilium-bugtool does not say where its archive is');
      try {
        await unpack(place, pod, container, path, folder, work);
      } finally {
        await removeFile(place, pod, container, path, work);
      }
    },
  });
}

async function unpack(
  place: Place,
  pod: PodFacts,
  container: string,
  path: string,
  folder: string,
  work: Work,
): Promise<void> {
  const packed = new PassThrough();
  const plain = packed.pipe(createGunzip());
  packed.on('error', (error) => plain.destroy(error));
  const copied = copyFile(
    place,
    pod,
    container,
    path,
    (part) => feed(packed, part as Uint8Array),
    work.signal,
  ).then(
    () => void packed.end(),
    (error: Error) => void plain.destroy(error),
  );
  for await (const { name, body } of untar(plain)) {
    const inner = name
      .split('/')
      .filter((part) => part !== '' && part !== '.')
      .slice(1)
      .map(fileSafe)
      .join('/');
    const isClean = /\.(?:gz|tgz|pprof|trace|o|zst|xz)$/.test(inner);
    const file = await place.dump.file(
      `${folder}/${inner || '_'}`,
      async (sink) => {
        for await (const part of body) await sink(part);
      },
      { isClean, keepsPart: true },
    );
    work.files.push(file);
  }
  await copied;
}

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

/** The gops program of a container and the process that it is asked about. */
async function findGops(
  place: Place,
  pod: PodFacts,
  container: string,
  signal: AbortSignal,
): Promise<{ program: string; process: string }> {
  for (const program of GOPS_PROGRAMS) {
    try {
      const listing = await printed(place, pod, container, [program], signal);
      if (!place.options.detectGopsPid) return { program, process: '1' };
      const process = gopsProcess(listing);
      if (process === undefined)
        throw new UserError(`gops marks no process: ${listing.trim().slice(0, 200)}`);
      return { program, process };
    } catch (error) {
      if (!(error instanceof ExecNotStarted) || program === GOPS_PROGRAMS.at(-1)) throw error;
    }
  }
  throw new Absent('there is no gops');
}

/** Statistics of a Go program. */
export function gopsJobs(place: Place, pod: PodFacts, container: string): Job[] {
  return GOPS_STATS.map((what) =>
    podJob(place, pod, container, {
      task: `gops-${pod.name}-${what}`,
      group: 'gops',
      run: async (work) => {
        const { program, process } = await findGops(place, pod, container, work.signal);
        const name = `gops-${fileSafe(pod.name)}-${fileSafe(container)}-${place.dump.time}-${what}.txt`;
        await commandFile(place, pod, container, [program, what, process], name, { work });
      },
    }),
  );
}

/** Profiles of a Go program, or a trace of it. */
export function profileJobs(
  place: Place,
  pod: PodFacts,
  container: string,
  {
    whats = GOPS_PROFILES,
    namesContainer = false,
  }: { whats?: readonly string[]; namesContainer?: boolean } = {},
): Job[] {
  return whats.map((what) =>
    podJob(place, pod, container, {
      task: `gops-${pod.name}-${what}`,
      group: 'profiles',
      run: async (work) => {
        const { program, process } = await findGops(place, pod, container, work.signal);
        const output = await printed(place, pod, container, [program, what, process], work.signal);
        const path = savedAt(output);
        if (path === undefined) throw new UserError(`gops does not say where the ${what} is`);
        const stem = namesContainer ? `${pod.name}-${container}-${what}` : `${pod.name}-${what}`;
        const name = timedFile(stem, place.dump.time, what === 'trace' ? 'trace' : 'pprof');
        const file = await place.dump
          .file(name, (sink) => copyFile(place, pod, container, path, sink, work.signal), { isClean: true })
          .finally(() => removeFile(place, pod, container, path, work));
        work.files.push(file);
      },
    }),
  );
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
  return OPERATOR_COMMANDS.map(({ what, extension, argv }) => {
    const name = timedFile(`${pod.name}-${container}-${what}`, place.dump.time, extension);
    return podJob(place, pod, container, {
      task: `${pod.name}-${container}-${what}`,
      group: 'operator',
      run: async (work) =>
        void (await commandFile(place, pod, container, [program, ...argv], name, { work })),
    });
  });
}

/** What the Cluster Mesh API server is asked, its metrics and statistics. */
export function clustermeshJobs(place: Place, pod: PodFacts): Job[] {
  return CLUSTERMESH_CONTAINERS.flatMap(({ container, program, metricsPort, commands }) => {
    if (!pod.containers.some(({ name }) => name === container)) return [];
    const asked = commands.map(({ what, extension, argv }) => {
      const name = timedFile(`${pod.name}-${container}-${what}`, place.dump.time, extension);
      return podJob(place, pod, container, {
        task: `${pod.name}-${container}-${what}`,
        group: 'clustermesh',
        run: async (work) =>
          void (await commandFile(place, pod, container, [program, ...argv], name, { work })),
      });
    });
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
      const path = `/api/v1/namespaces/${encodeURIComponent(pod.namespace)}/pods/${encodeURIComponent(pod.name)}:${found}/proxy/metrics`;
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
