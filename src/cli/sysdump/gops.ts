import { fileSafe, timedFile } from '../../archive/layout.ts';
import {
  GOPS_PROFILES,
  GOPS_PROGRAMS,
  GOPS_STATS,
  gopsProcess,
  savedAt,
} from '../../cluster/sysdump/pod-items.ts';
import { UserError } from '../../errors.ts';
import { ExecNotStarted } from '../../kube/exec.ts';
import { commandFile, copyFile, podJob, printed, removeFile } from './container.ts';
import { Absent, type Job } from './jobs.ts';
import type { Place, PodFacts } from './place.ts';

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
