import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { expandInputs, readCapture } from '../../../src/hubble/captures/reader.ts';
import { parseRecord } from '../../../src/hubble/captures/record-line.ts';
import { COLUMNS } from '../../../src/hubble/columns.ts';
import { type FolderBounds, ParquetFolder } from '../../../src/hubble/parquet/folder.ts';
import { encodePart } from '../../../src/hubble/parquet/part.ts';
import { fixturePath, fixtureText } from '../../helpers/recordings.ts';
import { run } from '../../helpers/run.ts';

const FLOWS = fixturePath('recordings/flows-1.20.jsonl');
const LINES = fixtureText('recordings/flows-1.20.jsonl').trim().split('\n');

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parquet-'));
});
afterEach(() => rm(folder, { recursive: true }));

const parse = (line: string) => parseRecord(line, { ignoreUnknown: true });
const records = (lines: readonly string[]) => lines.map((line) => ({ line, message: parse(line) }));
const open = (bounds?: Partial<FolderBounds>) => ParquetFolder.open(folder, () => 0, parse, bounds);

/** What is read back of a folder, sorted: a recording has an order only within its parts. */
async function readBack(path = folder): Promise<string[]> {
  const { stdout, stderr } = await run(['hubble', 'observe', '--input-file', path, '-o', 'jsonpb']);
  expect(stderr).toBe('');
  return stdout.trim().split('\n').sort();
}

async function expected(): Promise<string[]> {
  const { stdout } = await run(['hubble', 'observe', '--input-file', FLOWS, '-o', 'jsonpb']);
  return stdout.trim().split('\n').sort();
}

async function parts(): Promise<string[]> {
  return (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.parquet'));
}

describe('a recording in Parquet', () => {
  test('is read back as it was, by every reader of captures', async () => {
    const { stderr, code } = await run([
      'hubble',
      'record',
      folder,
      '--format',
      'parquet',
      '--input-file',
      FLOWS,
    ]);
    expect([code, stderr]).toEqual([0, `${LINES.length} records written to ${folder}\n`]);
    expect(await readBack()).toEqual(await expected());
    const top = (input: string) =>
      run(['hubble', 'observe', '--input-file', input, '--top', 'verdict', '-o', 'json']);
    expect((await top(folder)).stdout).toBe((await top(FLOWS)).stdout);
  });

  test('stands in folders of its day, hour and namespace', async () => {
    await run(['hubble', 'record', folder, '--format', 'parquet', '--input-file', FLOWS]);
    expect(new Set((await parts()).map((name) => name.replace(/\/part-.*$/, '')))).toEqual(
      new Set([
        'date=2026-11-22/hour=08/namespace=default',
        'date=2026-11-22/hour=08/namespace=kube-system',
        'date=2026-11-22/hour=08/namespace=__HIVE_DEFAULT_PARTITION__',
      ]),
    );
  });

  test.each([
    '../../../etc',
    'a/b',
    '.',
    '\u0000',
    '\ud800',
    'x'.repeat(5000),
    'a=b',
    'null',
    '日本'.repeat(3000),
  ])('keeps a namespace called %j in its folder', async (namespace) => {
    const line = JSON.stringify({ flow: { destination: { namespace } } });
    {
      await using parquet = await open();
      await parquet.append([{ line, message: { flow: { destination: { namespace } } } }]);
    }
    const [part = '', ...others] = await parts();
    expect(others).toEqual([]);
    expect(part).toMatch(
      /^date=[^/]+\/hour=[^/]+\/namespace=[A-Za-z0-9_.!~*'()%-]+\/part-[0-9a-f-]{36}\.parquet$/,
    );
    const name = decodeURIComponent(/namespace=([^/]+)/.exec(part)?.[1] ?? '');
    expect(namespace.toWellFormed().startsWith(name)).toBe(true);
  });

  test('loses nothing that stood in the journal when the program was killed', async () => {
    const parquet = await open({ rows: 200, ms: 1e9 });
    await parquet.append(records(LINES.slice(0, 250)));
    await parquet.append(records(LINES.slice(250, 300)));
    const [journal = ''] = (await readdir(folder)).filter((name) => name.startsWith('.open-'));
    expect((await readFile(join(folder, journal), 'utf8')).trim().split('\n').length).toBe(50);
    // As a kill leaves it: the journal cut within a line, the lock of a process that is no more.
    const kept = await mkdtemp(join(tmpdir(), 'parquet-kept-'));
    await parquet.sync();
    const text = await readFile(join(folder, journal), 'utf8');
    await parquet[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
    folder = kept;
    await writeFile(join(folder, journal), text + (LINES[300]?.slice(0, 40) ?? ''));
    await using again = await open();
    expect(again.recovered).toBe(50);
    const back = await readBack();
    expect(back.length).toBe(50);
  });

  test('that cannot be written says so once, and keeps what it has', async () => {
    // A file stands where the folder of the day belongs.
    const day = `date=${String(parse(LINES[0] ?? '').flow?.time).slice(0, 10)}`;
    await writeFile(join(folder, day), '');
    const record = async () => {
      await using parquet = await open({ rows: 1, ms: 1_000_000 });
      await parquet.append(records(LINES.slice(0, 3)));
    };
    await expect(record()).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringContaining('write '),
    });
    await rm(join(folder, day));
    await using parquet = await open();
    expect(parquet.recovered).toBe(3);
  });

  test('is not doubled when it was killed between writing files and removing the journal', async () => {
    {
      await using parquet = await open({ rows: 1e6, ms: 1e9 });
      await parquet.append(records(LINES));
      await parquet.sync();
      const [journal = ''] = (await readdir(folder)).filter((name) => name.startsWith('.open-'));
      const text = await readFile(join(folder, journal));
      await parquet.flush();
      await writeFile(join(folder, journal), text);
    }
    // Before the next run, too.
    expect(await readBack()).toEqual(await expected());
    await using again = await open();
    expect(again.recovered).toBe(LINES.length);
    expect(await readBack()).toEqual(await expected());
  });

  test('leaves nothing of a file that was being written when it was killed', async () => {
    const id = '00000000-0000-4000-8000-000000000000';
    const hour = join(folder, 'date=2026-01-01/hour=00/namespace=a');
    await mkdir(hour, { recursive: true });
    const foreign = join(hour, '.part-x.parquet.0.tmp');
    for (const name of [foreign, join(hour, `.part-${id}.parquet.01234567.tmp`)])
      await writeFile(name, 'PAR1');
    const damaged = '\0'.repeat(20);
    await writeFile(join(folder, `.open-${id}.jsonl`), `${LINES[0]}\n${damaged}\n${LINES[1]}\n`);
    const words = ['hubble', 'record', folder, '--format', 'parquet', '--input-file', FLOWS];
    expect((await run(words)).stderr).toContain(
      '2 records of a run that ended early are files now.\n1 lines of what it left are damaged, and left out.\n',
    );
    expect(await readdir(hour)).toEqual([basename(foreign)]);
  });

  test('is read where a journal has become files since the folder was listed', async () => {
    const parquet = await open({ ms: 1e9 });
    await parquet.append(records(LINES.slice(0, 20)));
    const inputs = await expandInputs([folder], '/');
    await parquet[Symbol.asyncDispose]();
    expect(inputs).toHaveLength(1);
    const read = async (path: string) =>
      (await Array.fromAsync(readCapture(path, Readable.from([]), new AbortController().signal))).join('');
    const lines = (await Promise.all(inputs.map(read))).join('').trim().split('\n');
    expect(lines.toSorted()).toEqual(LINES.slice(0, 20).toSorted());
  });

  test('is read by its days and hours as well', async () => {
    await run(['hubble', 'record', folder, '--format', 'parquet', '--input-file', FLOWS]);
    const [part = ''] = await parts();
    const [day = '', hour = ''] = part.split('/');
    expect(await readBack(join(folder, day))).toEqual(await expected());
    expect(await readBack(join(folder, day, hour))).toEqual(await expected());
  });

  test('is not read and written at once', async () => {
    await run(['hubble', 'record', folder, '--format', 'parquet', '--input-file', FLOWS]);
    const link = `${folder}-link`;
    await symlink(folder, link);
    for (const input of [folder, link]) {
      const words = ['hubble', 'record', folder, '--format', 'parquet', '--input-file', input];
      const { stderr, code } = await run(words);
      expect([code, stderr]).toEqual([1, expect.stringContaining(`is in ${folder}, which is written`)]);
    }
    await rm(link);
    expect(await readBack()).toEqual(await expected());
  });

  test('is a file after a while, though nothing comes any more', async () => {
    let nowMs = 0;
    await using parquet = await ParquetFolder.open(folder, () => nowMs, parse, { ms: 1000 });
    await parquet.append(records(LINES.slice(0, 1)));
    expect(await parts()).toEqual([]);
    nowMs = 1000;
    await parquet.append([]);
    expect(await parts()).toHaveLength(1);
  });

  test('has numbers as they are, or none where they do not fit', async () => {
    const huge = {
      ...{
        time: '2026-01-01T00:00:00Z',
        l4: { TCP: { source_port: 4294967295, destination_port: 2147483648 } },
      },
      l7: { type: 'RESPONSE', latency_ns: '9223372036854775807', http: { code: 4294967295 } },
    };
    const larger = {
      l7: { type: 'RESPONSE', latency_ns: '18446744073709551615', dns: { rcode: 4294967295 } },
    };
    const exact = '{"flow":{"l7":{"type":"RESPONSE","latency_ns":9007199254740993}}}';
    const lines = [...[huge, larger].map((flow) => JSON.stringify({ flow })), exact];
    await writeFile(join(folder, 'in.jsonl'), lines.map((line) => `${line}\n`).join(''));
    const words = ['hubble', 'record', 'out', '--format', 'parquet', '--input-file', 'in.jsonl'];
    expect((await run(words, { cwd: folder })).stderr).toBe('3 records written to out\n');
    const sql =
      'SELECT src_port, dst_port, http_code, dns_rcode, latency_ns FROM flows ORDER BY latency_ns DESC';
    for (const input of ['out', 'in.jsonl']) {
      const asked = ['hubble', 'query', sql, '--input-file', input, '-o', 'json'];
      const { stdout, stderr } = await run(asked, { cwd: folder });
      expect(stderr).toBe('');
      expect(stdout.trim().split('\n').toSorted()).toEqual([
        '{"src_port":4294967295,"dst_port":2147483648,"http_code":4294967295,"dns_rcode":null,"latency_ns":9223372036854775807}',
        '{"src_port":null,"dst_port":null,"http_code":null,"dns_rcode":4294967295,"latency_ns":null}',
        '{"src_port":null,"dst_port":null,"http_code":null,"dns_rcode":null,"latency_ns":9007199254740993}',
      ]);
    }
    expect((await readBack(join(folder, 'out'))).join()).toContain('"latency_ns":"18446744073709551615"');
  });

  test('is read while it is written, with what is no file yet', async () => {
    await using parquet = await open({ rows: 300, ms: 1e9 });
    await parquet.append(records(LINES.slice(0, 300)));
    await parquet.append(records(LINES.slice(300)));
    expect(await readBack()).toEqual(await expected());
  });

  test('holds no more of long lines than of short ones', async () => {
    await using parquet = await open({ letters: 100_000 });
    const long = { flow: { Summary: 'x'.repeat(60_000) } };
    for (const count of [0, 1, 1, 2]) {
      await parquet.append([{ line: JSON.stringify(long), message: long }]);
      expect((await parts()).length).toBe(count);
    }
  });

  test('has one writer at a time', async () => {
    await using _ = await open();
    await expect(open()).rejects.toThrow('is being recorded into by');
  });

  test('through a pipe says that it cannot be', async () => {
    await run(['hubble', 'record', folder, '--format', 'parquet', '--input-file', FLOWS]);
    const [part = ''] = await parts();
    const { stderr, code } = await run(['hubble', 'observe', '--input-file', '-'], {
      stdin: await readFile(join(folder, part)),
    });
    expect([code, stderr]).toEqual([1, expect.stringContaining('it is Parquet, which is read from its end')]);
  });

  test.each([4, 12, 100, 5000])('cut after %d bytes is an error that names the file', async (length) => {
    await run(['hubble', 'record', folder, '--format', 'parquet', '--input-file', FLOWS]);
    const [part = ''] = await parts();
    const bytes = await readFile(join(folder, part));
    const broken = join(folder, 'broken.parquet');
    await writeFile(broken, bytes.subarray(0, length));
    const { stderr, stdout, code } = await run(['hubble', 'observe', '--input-file', broken]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(`read ${broken}: it is no file of Parquet that holds flows`);
  });

  test('of a file that lacks rows which it tells of has those that are there, and is an error', async () => {
    const lines = Array.from({ length: 3 }, () => '{"flow":{"verdict":"DROPPED"}}');
    const bytes = Buffer.from(encodePart(lines));
    // The number of rows of all groups stands in front of these, as a field of 64 bits in the compact form of Thrift.
    const at = bytes.lastIndexOf(Buffer.from([0x16, 2 * 3, 0x19, 0x1c]));
    bytes[at + 1] = 2 * 5;
    const path = join(folder, 'lacking.parquet');
    await writeFile(path, bytes);
    const { stderr, stdout, code } = await run(['hubble', 'observe', '--input-file', path, '-o', 'json']);
    expect([code, stdout.trim().split('\n').length]).toEqual([1, 3]);
    expect(stderr).toContain(`read ${path}: it has 3 of the 5 rows that it tells of`);
  });

  test('of a file that is no folder is an error', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    const { stderr, code } = await run([
      'hubble',
      'record',
      file,
      '--format',
      'parquet',
      '--input-file',
      FLOWS,
    ]);
    expect(code).toBe(1);
    expect(stderr).toContain(file);
  });
});

test('no two columns have one name', () => {
  expect(new Set(COLUMNS.map(({ name }) => name)).size).toBe(COLUMNS.length);
});
