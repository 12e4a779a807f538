// endpoint list of 10,000 endpoints against fetching and parsing the same body, in one run.
import { createServer, type Server } from 'node:http';
import { AgentClient } from '../src/agent/client.ts';
import { HttpClient } from '../src/agent/http/http.ts';
import { fixture, type RestCase } from '../test/helpers/recordings.ts';
import { close, listen } from '../test/helpers/replay.ts';
import { run as runCli } from '../test/helpers/run.ts';
import { type BenchOptions, type Budget, CILIUM, cpuInTurns, script, shareOf } from './lib-budget.ts';
import { table } from './lib-measure.ts';

const ENDPOINTS = 10_000;
/** An answer may have 64 MiB. */
const BYTES = 60_000_000;
const RUNS = 7;
const BUDGET = 1.5;

/** Recorded endpoints, repeated under new numbers, their status logs grown until the body is as large as wanted. */
function bodyOf(count: number, bytes: number): Buffer {
  const recorded = fixture<RestCase[]>('recordings/agent-1.20.json').find(
    ({ argv }) => argv.join(' ') === 'endpoint list',
  );
  const endpoints: { id: number; status: { log: unknown[] } }[] = JSON.parse(
    recorded?.exchanges[0]?.response.body ?? '[]',
  );
  const one = JSON.stringify(endpoints).length / endpoints.length;
  const change = endpoints[0]?.status.log[0] ?? {};
  const missing = Math.max(0, bytes / count - one);
  const padding = Array(Math.ceil(missing / (JSON.stringify(change).length + 1))).fill(change);
  const parts = Array.from({ length: count }, (_, i) => {
    const endpoint = endpoints[i % endpoints.length];
    return JSON.stringify({
      ...endpoint,
      id: i + 1,
      status: { ...endpoint?.status, log: [...(endpoint?.status.log ?? []), ...padding] },
    });
  });
  return Buffer.from(`[${parts.join(',')}]`);
}

/** Best times of several works, run in turns so that a busy machine slows all of them alike. */
async function bestMs(works: readonly (() => Promise<void>)[]): Promise<number[]> {
  const best = works.map(() => Number.POSITIVE_INFINITY);
  for (let i = 0; i <= RUNS; i++) {
    for (const [at, work] of works.entries()) {
      const start = performance.now();
      await work();
      // The first run warms the code.
      if (i > 0) best[at] = Math.min(best[at] ?? 0, performance.now() - start);
    }
  }
  return best;
}

/** Measures the row of the table. */
export async function rows({ runs }: BenchOptions): Promise<Budget[]> {
  const server = serve(bodyOf(ENDPOINTS, BYTES));
  const socket = await listen(server);
  try {
    const [ours = 0, other = 1] = await cpuInTurns(
      [
        { name: 'endpoint list', command: CILIUM, args: ['endpoint', 'list'] },
        { name: 'fetch and parse', command: process.execPath, args: [script('fetch-parse.mjs'), socket] },
      ],
      { runs: 2 * runs, env: { ...process.env, CILIUM_SOCK: socket } },
    );
    return [shareOf('endpoint list of 10,000', 1.3, [ours, other], 'fetch and JSON.parse', 'The agent')];
  } finally {
    await close(server, socket);
  }
}

function serve(body: Buffer): Server {
  return createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
    response.end(body);
  });
}

/** Prints the best times within one process. */
export async function run(): Promise<void> {
  const body = bodyOf(ENDPOINTS, BYTES);
  const server = serve(body);
  const socket = await listen(server);
  try {
    const fetchAndParse = async () => {
      const http = new HttpClient({ network: 'unix', target: socket });
      const request = new AgentClient(http).request('GET', '/endpoint');
      JSON.parse((await http.request(request)).body.toString());
      await http.close();
    };
    let lines = 0;
    const list = async () => {
      const { stdout, code, stderr } = await runCli(['endpoint', 'list'], { env: { CILIUM_SOCK: socket } });
      if (code !== 0) throw new Error(stderr);
      lines = stdout.split('\n').length;
    };
    const [base = 1, ours = 0] = await bestMs([fetchAndParse, list]);
    const mb = (body.length / 1e6).toFixed(0);
    console.log(`${ENDPOINTS} endpoints, ${mb} MB, ${lines} lines of output`);
    console.log(
      table(
        ['work', 'best ms', 'ratio', 'budget'],
        [
          ['fetch and JSON.parse', base.toFixed(0), '1.00', ''],
          ['endpoint list', ours.toFixed(0), (ours / base).toFixed(2), `≤ ${BUDGET}`],
        ],
      ),
    );
  } finally {
    await close(server, socket);
  }
}
