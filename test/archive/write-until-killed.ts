import { randomBytes } from 'node:crypto';
import { ZipWriter } from '../../src/archive/zip-writer.ts';

/** Writes an archive of small and large files, several at once, until it is killed; says when it has begun. */
const writer = await ZipWriter.create(process.argv[2] ?? '');
process.stdout.write('begun\n');
let count = 0;
const work = async () => {
  for (;;) {
    const name = `dump/${String(count++).padStart(6, '0')}.txt`;
    const entry = writer.entry(name, new Date(2026, 10, 29));
    const large = Math.random() < 0.1;
    for (let i = 0; i < (large ? 20 : 1); i++)
      await entry.write(Buffer.from(randomBytes(large ? 40_000 : 300).toString('hex')));
    await entry.close();
  }
};
await Promise.all([work(), work(), work()]);
