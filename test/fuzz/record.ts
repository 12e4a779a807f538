import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { frame } from '../../src/hubble/grpc/frames.ts';
import { recordedMessages, serveGrpc } from '../helpers/grpc.ts';
import { fixtureText } from '../helpers/recordings.ts';
import { run } from '../helpers/run.ts';
import { mutateBytes, mutateJson } from './mutate.ts';
import type { Random } from './random.ts';
import { type OpenTarget, packed, unpacked } from './target.ts';

const NEWLINE = 0x0a;

/** Files that `record` is to go on with: it may cut a record that is not whole, and nothing else goes. */
export const openRecord: OpenTarget = async (folder, onClose) => {
  const messages = recordedMessages('getflows-300.grpc').slice(0, 40);
  const lines = fixtureText('recordings/flows-1.20.jsonl').trim().split('\n').slice(0, 100);
  const sent = messages.slice(0, 3);
  const server = onClose.use(await serveGrpc({ '/observer.Observer/GetFlows': { messages: sent } }));
  const path = join(folder, 'capture');

  const some = <T>(items: readonly T[], random: Random) =>
    Array.from({ length: 1 + random.below(4) }, () => random.pick(items));
  const text = (random: Random) => Buffer.from(`${some(lines, random).join('\n')}\n`);
  const framed = (random: Random) => Buffer.concat(some(messages, random).map(frame));
  const cut = (bytes: Buffer, random: Random) => bytes.subarray(0, random.below(bytes.length + 1));
  const content = (random: Random): Buffer =>
    random.pick([
      () => text(random),
      () => cut(text(random), random),
      () => cut(text(random), random),
      () => framed(random),
      () => cut(framed(random), random),
      () => mutateBytes(text(random), random),
      () => mutateBytes(framed(random), random),
      () => Buffer.from(`${mutateJson(random.pick(lines), random)}\n`),
      () => Buffer.concat([text(random), Buffer.from(mutateJson(random.pick(lines), random))]),
      () => Buffer.concat([text(random), framed(random)]),
      () => Buffer.concat([Buffer.from('\ufeff'), text(random)]),
      () => gzipSync(text(random)),
      () => Buffer.from(text(random).toString(), 'utf16le'),
      () => Buffer.from(text(random).toString().replaceAll('\n', '\r\n')),
      () => Buffer.alloc(random.below(4000)),
      () => Buffer.from('precious words'),
    ])();
  const read = async (bytes: Buffer, signal: AbortSignal) => {
    writeFileSync(path, bytes);
    return run(['hubble', 'observe', '--input-file', path, '-o', 'jsonpb'], { signal, cwd: folder });
  };

  return {
    make(random) {
      const words = random.pick([[], [], ['--format', 'proto'], ['--format', 'proto'], ['--redact', 'http']]);
      return { argv: ['hubble', 'record', path, ...words], data: { capture: packed(content(random)) } };
    },
    async run({ argv, data }, signal) {
      const before = unpacked(data.capture);
      for (const old of [path, `${path}.1`]) rmSync(old, { force: true });
      writeFileSync(path, before);
      const here = argv.map((word) => (word.endsWith('/capture') ? path : word));
      const result = await run([...here, '--server', server.address], { signal, cwd: folder });
      const after = readFileSync(path);
      const faults: string[] = [];
      const proto = argv.includes('proto');
      if (result.code === 0) {
        const kept = proto ? wholeFrames(before) : before.lastIndexOf(NEWLINE) + 1;
        if (!after.subarray(0, kept).equals(before.subarray(0, kept))) faults.push('whole records went');
        const [old, all] = [await read(before.subarray(0, kept), signal), await read(after, signal)];
        const count = ({ stdout }: { stdout: string }) => stdout.split('\n').length - 1;
        // A file that the reader gives up on ends there, with a word.
        if (old.code === 0 && count(all) < count(old) + sent.length)
          faults.push(`of ${count(old)} and ${sent.length} records ${count(all)} can be read`);
        if (old.code === 0 && all.code !== 0) faults.push(`cannot be read: ${all.stderr}`);
      } else if (!after.equals(before)) faults.push('was changed, and refused');
      if (faults.length === 0) return result;
      return { ...result, stderr: `a fault in the toolkit itself: ${faults.join(', ')}\n`, code: 1 };
    },
  };
};

/** Bytes of the frames that are there to their end. */
function wholeFrames(bytes: Buffer): number {
  let at = 0;
  while (at + 5 <= bytes.length && at + 5 + bytes.readUInt32BE(at + 1) <= bytes.length)
    at += 5 + bytes.readUInt32BE(at + 1);
  return at;
}
