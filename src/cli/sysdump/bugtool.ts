import { PassThrough } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { fileSafe } from '../../archive/layout.ts';
import { untar } from '../../archive/tar.ts';
import { bugtoolArchive } from '../../cluster/sysdump/pod-items.ts';
import { UserError } from '../../errors.ts';
import { AGENT_CONTAINER } from '../../kube/agents.ts';
import { copyFile, podJob, printed, removeFile } from './container.ts';
import { feed } from './dump.ts';
import type { Job, Work } from './jobs.ts';
import type { Place, PodFacts } from './place.ts';

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
