import { UserError } from '../errors.ts';
import type { ModuleReport } from '../model/health.ts';
import { parseAnswer } from './client.ts';
import { Reader } from './decode/reader.ts';
import type { HttpClient, HttpRequest } from './http/http.ts';

const QUERY = 'GET /statedb/query';
/** Where agents serve the dump: 1.20 beside its REST API, 1.17 within. */
export const DUMP_PATHS = ['/statedb/dump', '/v1/statedb/dump'];

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
  obj?: StatusRow;
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
): Promise<Reader<StatusRow>[]> {
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

function readRows(text: string): Reader<StatusRow>[] {
  const rows: Reader<StatusRow>[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const row = new Reader<Row>(QUERY, parseAnswer(QUERY, line));
    const error = row.text('err');
    if (error) throw new UserError(error);
    rows.push(row.need('obj'));
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

function report(r: Reader<StatusRow>): ModuleReport {
  const id = r.at('ID');
  return {
    // A name may hold dots of its own; the tree splits at every one, as the reference does. What a module says of itself
    // has no component, so that its path ends in an empty name.
    path: [id.texts('Module').join('.'), id.texts('Component').join('.')].join('.').split('.'),
    level: r.text('Level'),
    message: r.text('Message'),
    error: r.text('Error'),
    updated: r.text('Updated'),
    count: r.integer('Count'),
  };
}

/** The agent serves no dump of its tables. */
export class NoTables extends UserError {
  override name = 'NoTables';
  constructor(cause?: unknown) {
    super('this agent serves no StateDB tables', { hint: 'Cilium 1.17 and later do.', cause });
  }
}

/** The rows of one table, as the agent's dump has them. */
export async function readTable(
  http: HttpClient,
  name: string,
  options: Pick<HttpRequest, 'timeoutMs' | 'signal'>,
): Promise<unknown[]> {
  const tables = await readTables(http, options);
  if (!tables.has(name))
    throw new UserError(`the agent has no table "${name}"`, {
      hint: `Its tables: ${Object.keys(tables.fields()).toSorted().join(', ') || 'none'}.`,
    });
  return tables
    .at(name)
    .items()
    .map(({ document }) => document);
}

/** The names of the tables in the agent's dump. */
export async function tableNames(
  http: HttpClient,
  options: Pick<HttpRequest, 'timeoutMs' | 'signal'>,
): Promise<string[]> {
  return Object.keys((await readTables(http, options)).fields()).toSorted();
}

async function readTables(
  http: HttpClient,
  options: Pick<HttpRequest, 'timeoutMs' | 'signal'>,
): Promise<Reader<Record<string, unknown[]>>> {
  for (const path of DUMP_PATHS) {
    const { status, body } = await http.request({ method: 'GET', path, ...options });
    if (status === 404) continue;
    const call = `GET ${path}`;
    if (status !== 200) throw new UserError(`${call}: the agent answered ${status}`);
    return new Reader<Record<string, unknown[]>>(call, parseAnswer(call, body.toString()));
  }
  throw new NoTables();
}
