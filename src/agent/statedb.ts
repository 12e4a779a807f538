import { UserError } from '../errors.ts';
import { parseJson } from '../lib/exact-json.ts';
import type { ModuleReport } from '../model/health.ts';
import { Reader } from './decode/reader.ts';
import type { HttpClient, HttpRequest } from './http/http.ts';

/** A question to a table of the agent's in-memory database. */
export interface TableQuery {
  table: string;
  index: string;
  key: string;
  /** Also every row after the key, in the index's order. */
  lowerBound: boolean;
}

interface Row {
  rev?: number;
  obj?: unknown;
  err?: string;
}

/** The agent has no such table, or no tables at all. */
export class NoTable extends UserError {
  override name = 'NoTable';
}

/**
 * Asks a table over the agent's socket. The answer is one JSON object per row. Agents of different age take the
 * question by GET or by POST, so the other one is tried when the first is refused.
 */
async function queryTable(
  http: HttpClient,
  query: TableQuery,
  options: Pick<HttpRequest, 'timeoutMs' | 'signal'>,
): Promise<unknown[]> {
  const body = JSON.stringify({
    key: Buffer.from(query.key).toString('base64'),
    table: query.table,
    index: query.index,
    lowerbound: query.lowerBound,
  });
  const ask = (method: 'GET' | 'POST') =>
    http.request({
      method,
      path: '/statedb/query',
      headers: { 'content-type': 'application/json' },
      body,
      ...options,
    });
  let response = await ask('GET');
  if (response.status === 405) response = await ask('POST');
  if (response.status === 404) throw new NoTable(`the agent has no table "${query.table}"`);
  const rows = readRows(response.body.toString());
  if (response.status !== 200)
    throw new UserError(`table "${query.table}": the agent answered ${response.status}`);
  return rows;
}

function readRows(text: string): unknown[] {
  const rows: unknown[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    let parsed: unknown;
    try {
      parsed = parseJson(line);
    } catch (cause) {
      throw new UserError(`Decode error: row ${rows.length + 1} is not JSON`, { cause });
    }
    const row = new Reader<Row>('GET /statedb/query', parsed);
    const error = row.text('err');
    if (error) throw new UserError(error);
    rows.push((parsed as Row).obj);
  }
  return rows;
}

interface StatusRow {
  ID?: { Module?: string[]; Component?: string[] };
  Level?: string;
  Message?: string;
  Error?: string;
  Updated?: string;
  Count?: number;
}

/** The reports of the agent's modules (1.17 and later), in the order of their path. */
export async function fetchModuleHealth(
  http: HttpClient,
  options: Pick<HttpRequest, 'timeoutMs' | 'signal'>,
): Promise<ModuleReport[]> {
  const query = { table: 'health', index: 'identifier', key: 'agent', lowerBound: true };
  return (await queryTable(http, query, options)).map(report);
}

function report(row: unknown): ModuleReport {
  const r = new Reader<StatusRow>('table "health"', row);
  const id = r.at('ID');
  return {
    // A name may hold dots of its own; the tree splits at every one, as the reference does.
    path: [...id.texts('Module'), ...id.texts('Component')].join('.').split('.'),
    level: r.text('Level'),
    message: r.text('Message'),
    error: r.text('Error'),
    updated: r.text('Updated'),
    count: r.integer('Count'),
  };
}
