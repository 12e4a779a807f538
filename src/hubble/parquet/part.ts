import { brotliDecompressSync, gunzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { type AsyncBuffer, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { type BasicType, parquetWriteBuffer } from 'hyparquet-writer';
import { UserError } from '../../errors.ts';
import type { Flow, GetFlowsResponse } from '../../model/hubble.gen.ts';
import { COLUMNS, type ColumnType, type ColumnValue } from '../columns.ts';
import { RECORD_COLUMN } from './partition.ts';

const PACKERS = { ZSTD: (input: Uint8Array) => zstdCompressSync(input) };
/** Those of other writers too; what is unpacked may be no more than the file says. */
const UNPACKERS = {
  ZSTD: (input: Uint8Array, most: number) =>
    new Uint8Array(zstdDecompressSync(input, { maxOutputLength: Math.max(most, 1) })),
  GZIP: (input: Uint8Array, most: number) =>
    new Uint8Array(gunzipSync(input, { maxOutputLength: Math.max(most, 1) })),
  BROTLI: (input: Uint8Array, most: number) =>
    new Uint8Array(brotliDecompressSync(input, { maxOutputLength: Math.max(most, 1) })),
};

/** Rows that a reader holds at once. */
const GROUP = 10_000;

/** A file of Parquet with records, each a line of JSON as it is printed, in columns that zstd packs. */
export function encodePart(lines: readonly string[]): Uint8Array {
  const columns = COLUMNS.map(({ name, type, read }) => ({
    ...{ name, type: type as BasicType, nullable: true },
    cell: (flow: Flow) => cellOf(read(flow), type),
    data: [] as unknown[],
  }));
  // One flow at a time: as objects they take five times what their lines do.
  for (const line of lines) {
    const { flow = {} } = JSON.parse(line) as GetFlowsResponse;
    for (const { data, cell } of columns) data.push(cell(flow));
  }
  const record = { name: RECORD_COLUMN, type: 'STRING' as const, nullable: false, data: [...lines] };
  return new Uint8Array(
    parquetWriteBuffer({
      columnData: [...columns, record],
      codec: 'ZSTD',
      compressors: PACKERS,
      rowGroupSize: GROUP,
      createdBy: 'cilium-toolkit',
    }),
  );
}

const LARGEST = 2n ** 63n - 1n;

/** Parquet has null where there is nothing, or more than fits; lists are texts with commas. */
function cellOf(value: ColumnValue, type: ColumnType): unknown {
  if (value === undefined) return null;
  if (type === 'INT64' && (typeof value === 'number' || typeof value === 'bigint')) {
    const exact = BigInt(value);
    return exact <= LARGEST ? exact : null;
  }
  return Array.isArray(value) ? value.join(',') : value;
}

/** The records of a file of Parquet that was written here, in groups; what else has the column `record` is read as well. */
export async function* readRecords(file: AsyncBuffer): AsyncGenerator<string[]> {
  const metadata = await parquetMetadataAsync(file);
  const rows = Number(metadata.num_rows);
  for (let start = 0; start < rows; start += GROUP) {
    const end = Math.min(rows, start + GROUP);
    const objects = await parquetReadObjects({
      ...{ file, metadata, compressors: UNPACKERS, columns: [RECORD_COLUMN] },
      ...{ rowStart: start, rowEnd: end },
    });
    yield objects.map((row) => String(row[RECORD_COLUMN] ?? ''));
    const found = start + objects.length;
    if (found < end) throw new UserError(`it has ${found} of the ${rows} rows that it tells of`);
  }
}
