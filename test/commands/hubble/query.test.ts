import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Stopped } from '../../../src/errors.ts';
import { QUESTIONS } from '../../helpers/questions.ts';
import { fixturePath } from '../../helpers/recordings.ts';
import { run } from '../../helpers/run.ts';

const FLOWS = fixturePath('recordings/flows-1.20.jsonl');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'query-'));
  await run(['hubble', 'record', folder, '--format', 'parquet', '--input-file', FLOWS]);
});
afterAll(() => rm(folder, { recursive: true }));

interface Ranking {
  total: number;
  rows: Record<string, string | number>[];
}

describe('what DuckDB answers', () => {
  test.each(QUESTIONS)('is what --top $keys says', async ({ keys, sql }) => {
    const top = await run([
      ...['hubble', 'observe', '--input-file', FLOWS, '--top', keys],
      ...['--top-rows', '1000', '-o', 'json'],
    ]);
    const { rows } = JSON.parse(top.stdout) as Ranking;
    const names = keys.split(',');
    const ranked = rows.map((row) => [...names.map((name) => row[name]), row.count].join('\t')).sort();
    for (const input of [folder, FLOWS]) {
      const { stdout, stderr } = await run(['hubble', 'query', sql, '--input-file', input, '-o', 'json']);
      expect(stderr).toBe('');
      const found = stdout
        .trim()
        .split('\n')
        .map((line) => Object.values(JSON.parse(line) as object).join('\t'));
      expect(found.sort()).toEqual(ranked);
    }
  });

  test('comes as a table and as CSV too', async () => {
    const sql = "SELECT 'a,\"b' AS x, NULL AS y, '\u001b[31m' AS z";
    const ask = async (format: string) =>
      (await run(['hubble', 'query', sql, '--input-file', folder, '-o', format])).stdout;
    expect(await ask('csv')).toBe('x,y,z\n"a,""b",,^[[31m\n');
    expect(await ask('table')).toBe('X      Y    Z\na,"b        ^[[31m\n');
  });

  test('comes of files of other releases too, whose columns are not the same', async () => {
    const cwd = await mkdtemp(join(tmpdir(), 'query-releases-'));
    await run(['hubble', 'record', 'flows', '--format', 'parquet', '--input-file', FLOWS], { cwd });
    const ask = (sql: string) => run(['hubble', 'query', sql, '--input-file', 'flows', '-o', 'csv'], { cwd });
    const part = 'flows/date=2026-11-22/hour=08/namespace=default/part-newer.parquet';
    await ask(
      `COPY (SELECT * EXCLUDE (uuid, date, hour, namespace), 'x' AS newer FROM flows LIMIT 3) TO '${join(cwd, part)}'`,
    );
    const { stdout, stderr } = await ask(
      'SELECT count(*) AS all, count(uuid) AS old, count(newer) AS new FROM flows',
    );
    expect([stdout, stderr]).toEqual(['all,old,new\n459,456,3\n', '']);
    await rm(cwd, { recursive: true });
  });

  test('comes of a recording and of files from elsewhere together', async () => {
    const cwd = await mkdtemp(join(tmpdir(), 'query-elsewhere-'));
    const kept = join(cwd, 'env=prod/flows');
    await mkdir(join(cwd, 'env=prod'));
    await run(['hubble', 'record', kept, '--format', 'parquet', '--input-file', FLOWS]);
    const one = join(cwd, 'one.parquet');
    const ask = (sql: string, ...inputs: string[]) =>
      run(['hubble', 'query', sql, ...inputs.flatMap((input) => ['--input-file', input]), '-o', 'csv']);
    await ask(`COPY (SELECT * FROM flows) TO '${one}'`, folder);
    const sql =
      'SELECT env, count(*) AS n, count(DISTINCT uuid) AS of, min(date) AS day FROM flows GROUP BY env ORDER BY n';
    const { stdout, stderr } = await ask(sql, folder, kept, one, FLOWS);
    expect([stdout, stderr]).toEqual(['env,n,of,day\nprod,456,456,2026-11-22\n,1368,456,2026-11-22\n', '']);
    await rm(cwd, { recursive: true });
  });

  test('is exact: large numbers, and columns of one name', async () => {
    const sql =
      "SELECT 1 AS a, 2 AS a, 9007199254740993 AS big, 12345678901234567890123::HUGEINT AS huge, [9007199254740993] AS l, {'x': 18446744073709551615::UBIGINT} AS s";
    const ask = async (format: string) =>
      (await run(['hubble', 'query', sql, '--input-file', folder, '-o', format])).stdout;
    expect(await ask('json')).toBe(
      '{"a":1,"a:1":2,"big":9007199254740993,"huge":12345678901234567890123,"l":[9007199254740993],"s":{"x":18446744073709551615}}\n',
    );
    expect(await ask('csv')).toBe(
      'a,a,big,huge,l,s\n1,2,9007199254740993,12345678901234567890123,[9007199254740993],"{""x"":18446744073709551615}"\n',
    );
  });

  test('is none of a part of a capture, where a signal ends the reading', async () => {
    const stop = new AbortController();
    stop.abort(new Stopped('SIGINT', 130));
    const words = ['hubble', 'query', 'SELECT count(*) FROM flows', '--input-file', FLOWS];
    expect(await run(words, { signal: stop.signal })).toEqual({ stdout: '', stderr: '', code: 130 });
  });

  test('cannot be made of a file that is none: it is named', async () => {
    const cwd = await mkdtemp(join(tmpdir(), 'query-broken-'));
    const hour = join(cwd, 'f/date=2026-01-01/hour=00/namespace=a');
    await mkdir(hour, { recursive: true });
    await writeFile(join(hour, 'part-1.parquet'), 'PAR1');
    const { stdout, stderr, code } = await run(['hubble', 'query', 'SELECT 1', '--input-file', 'f'], { cwd });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('part-1.parquet');
    expect(stderr).not.toContain('fault in the toolkit');
    await rm(cwd, { recursive: true });
  });

  test('says what is wrong where it ends in the middle', async () => {
    const sql =
      "SELECT CASE WHEN i = 900000 THEN error('no ' || i) ELSE 'x' END AS v FROM range(1000000) t(i)";
    const { stderr, code } = await run(['hubble', 'query', sql, '--input-file', folder, '-o', 'csv']);
    expect([code, stderr]).toEqual([
      1,
      'Invalid Input Error: no 900000\nWhat was printed before is not all of the answer.\n',
    ]);
  });

  test('of a capture without flows is none, and one of which events were lost says so', async () => {
    const cwd = await mkdtemp(join(tmpdir(), 'query-empty-'));
    const lost = '{"lost_events":{"num_events_lost":"5","source":"HUBBLE_RING_BUFFER"}}\n';
    await writeFile(join(cwd, 'empty.jsonl'), '');
    await writeFile(join(cwd, 'lost.jsonl'), `{"flow":{"verdict":"DROPPED"}}\n${lost}`);
    const ask = (input: string) =>
      run(['hubble', 'query', 'SELECT count(*) AS n FROM flows', '-o', 'csv', '--input-file', input], {
        cwd,
      });
    expect(await ask('empty.jsonl')).toEqual({
      ...{ stdout: '', code: 1, stderr: '--input-file: the captures hold no flows\n' },
    });
    const { stdout, stderr } = await ask('lost.jsonl');
    expect(stdout).toBe('n\n1\n');
    expect(stderr).toMatch(/^Not in the tables: 5 events lost \(/);
    await rm(cwd, { recursive: true });
  });

  test('needs a folder to put things aside, and says which one it was', async () => {
    const words = ['hubble', 'query', 'SELECT 1', '--input-file', folder];
    const { stderr, code } = await run(words, { env: { TMPDIR: '/nowhere/at/all' } });
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^write \/nowhere\/at\/all: no such file or directory\n/),
    ]);
  });

  test('needs a DuckDB that is known', async () => {
    const data = await mkdtemp(join(tmpdir(), 'query-other-'));
    const other = join(data, 'cilium-toolkit/duckdb/node_modules/@duckdb/node-api');
    await mkdir(other, { recursive: true });
    const ask = () =>
      run(['hubble', 'query', 'SELECT 1', '--input-file', folder], { env: { XDG_DATA_HOME: data } });
    await writeFile(join(other, 'index.js'), 'module.exports = { Database: class {} };');
    expect((await ask()).stderr).toMatch(
      /is of a release that is not known here\nInstall the one that was tried/,
    );
    await rm(data, { recursive: true });
  });

  test('takes names for no patterns', async () => {
    const cwd = await mkdtemp(join(tmpdir(), 'query-[n]*-'));
    const flow = (namespace: string) =>
      `${JSON.stringify({ flow: { time: '2026-01-01T00:00:00Z', verdict: 'FORWARDED', source: { namespace } } })}\n`;
    await writeFile(join(cwd, 'in.jsonl'), ['a*b', 'aXb', 'a[X]b'].map(flow).join(''));
    await run(['hubble', 'record', 'out', '--format', 'parquet', '--input-file', 'in.jsonl'], { cwd });
    const sql = 'SELECT namespace, src_namespace, count(*) FROM flows GROUP BY ALL ORDER BY 1';
    const words = ['hubble', 'query', sql, '-o', 'csv', '--input-file', 'out'];
    const { stdout, stderr } = await run(words, { cwd });
    const rows = stdout.trim().split('\n').slice(1);
    expect([rows, stderr]).toEqual([['a*b,a*b,1', 'aXb,aXb,1', 'a[X]b,a[X]b,1'], '']);
    await rm(cwd, { recursive: true });
  });

  test('comes of no program of the working folder, and leaves nothing behind', async () => {
    const cwd = await mkdtemp(join(tmpdir(), 'query-cwd-'));
    const bad = join(cwd, 'node_modules/@duckdb/node-api');
    await mkdir(bad, { recursive: true });
    await writeFile(join(bad, 'index.js'), 'throw new Error("a stranger ran");');
    const temporary = join(cwd, 'tmp');
    await mkdir(temporary);
    const { stderr, stdout, code } = await run(
      ['hubble', 'query', 'SELECT count(*) AS n FROM flows', '--input-file', FLOWS, '-o', 'csv'],
      { cwd, env: { TMPDIR: temporary } },
    );
    expect([code, stdout, stderr]).toEqual([0, 'n\n456\n', '']);
    expect(await readdir(temporary)).toEqual([]);
    await rm(cwd, { recursive: true });
  });

  test('of a statement that is none says where it is wrong', async () => {
    const { stderr, code } = await run(['hubble', 'query', 'SELEC 1', '--input-file', folder]);
    expect(code).toBe(1);
    expect(stderr).toContain('syntax error at or near "SELEC"');
  });

  test.each([
    [['SELECT 1'], 'Missing --input-file'],
    [['--input-file', FLOWS], 'Missing SQL'],
    [[' ; ', '--input-file', FLOWS], 'Missing SQL'],
    [['SELECT 1', '--input-file', '-'], 'stdin cannot be asked about'],
    [['SELECT 1', '--input-file', 'none.jsonl'], 'none.jsonl'],
  ])('without what it needs: %j', async (words, message) => {
    const { stderr, code } = await run(['hubble', 'query', ...words]);
    expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
  });

  test('lists the columns', async () => {
    const { stdout } = await run(['hubble', 'query', '--schema']);
    expect(stdout).toContain('dst_workload');
    expect(stdout).toMatch(/^COLUMN +TYPE +WHAT IT HOLDS\n/);
  });
});
