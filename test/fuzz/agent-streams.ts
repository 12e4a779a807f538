import { readFileSync } from 'node:fs';
import { GobDecoder, type GobStruct } from '../../src/agent/monitor/gob.ts';
import { monitorStream } from '../helpers/gob.ts';
import { fixture, fixturePath } from '../helpers/recordings.ts';
import { run } from '../helpers/run.ts';
import { serveStream } from '../helpers/stream-server.ts';
import { mutateBytes, mutateText } from './mutate.ts';
import { type OpenTarget, packed, unpacked } from './target.ts';

const FORMS: readonly string[][] = [
  [],
  ['-v'],
  ['-vv'],
  ['-j'],
  ['--hex'],
  ['--type', 'drop'],
  ['--numeric'],
];

/** Records of the monitor: what a record holds, and the stream as such. */
export const openMonitor: OpenTarget = async (folder, onClose) => {
  const streams = ['1.20', '1.20-release', '1.14', '1.10'].map((release) =>
    readFileSync(fixturePath(`recordings/monitor-${release}.gob`)),
  );
  const payloads = streams.flatMap((stream) =>
    new GobDecoder().push(stream).flatMap((value) => {
      const data = (value as GobStruct).get('Data');
      return data instanceof Uint8Array ? [Buffer.from(data)] : [];
    }),
  );
  let stream: Buffer = Buffer.alloc(0);
  let stop = new AbortController();
  let served = false;
  const server = onClose.use(
    await serveStream((connection) => {
      if (!served) connection.end(stream);
      else stop.abort(new DOMException('stopped', 'AbortError'));
      served = true;
    }),
  );
  return {
    make(random) {
      const data = random.chance(0.2)
        ? mutateBytes(random.pick(streams), random)
        : monitorStream(
            Array.from({ length: 1 + random.below(12) }, () => ({
              Data: mutateBytes(random.pick(payloads), random),
              CPU: random.below(4),
            })),
          );
      return { argv: ['monitor', ...random.pick(FORMS)], data: { stream: packed(data) } };
    },
    run({ argv, data }, signal) {
      stream = unpacked(data.stream);
      stop = new AbortController();
      served = false;
      return run([...argv, '--monitor-socket', server.socket], {
        cwd: folder,
        env: { CILIUM_SOCK: '/nowhere', CILIUM_SYSFS: fixturePath('monitor/sys') },
        signal: AbortSignal.any([signal, stop.signal]),
      });
    },
  };
};

/** Answers of the agent's shell. */
export const openShell: OpenTarget = async (folder, onClose) => {
  const texts = fixture<{ stdout: string }[]>('recordings/shell-1.20.json').map(({ stdout }) => stdout);
  let answer: Buffer = Buffer.alloc(0);
  const server = onClose.use(
    await serveStream((connection) => connection.once('data', () => connection.end(answer))),
  );
  return {
    make(random) {
      const text = mutateText(random.pick(texts).slice(0, 20_000), random);
      const argv = random.pick([
        ['shell', 'help'],
        ['metrics', 'list'],
        ['metrics', 'list', '-o', 'jsonpath={.}'],
      ]);
      return { argv, data: { answer: `${text}\n${random.pick(['<<end>>\n', 'x<<error>>\n', ''])}` } };
    },
    run({ argv, data }, signal) {
      answer = unpacked(data.answer);
      return run([...argv, '--shell-sock-path', server.socket], { signal, cwd: folder });
    },
  };
};
