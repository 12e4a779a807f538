// The budgets of a stream: a server that gives 65,500 recorded flows as fast as they are taken.
import {
  type BenchOptions,
  type Budget,
  cpuInTurns,
  HUBBLE,
  NO_REFERENCE,
  notMeasured,
  referenceHubble,
  shareOf,
} from './lib-budget.ts';
import { serveFlows } from './lib-flow-server.ts';

const FLOWS = 65_500;
const FORMATS = [
  { work: `stream of ${FLOWS} flows, compact`, goal: 0.35, flags: [] },
  { work: `stream of ${FLOWS} flows, -o json`, goal: 0.3, flags: ['-o', 'json'] },
];

/** Measures the rows of the table. */
export async function rows({ runs }: BenchOptions): Promise<Budget[]> {
  const reference = referenceHubble();
  if (reference === undefined) return FORMATS.map(({ work, goal }) => notMeasured(work, goal, NO_REFERENCE));
  await using server = await serveFlows({ count: FLOWS });
  const contenders = [HUBBLE, reference].flatMap((command) =>
    FORMATS.map(({ flags }) => ({
      name: command,
      command,
      args: ['observe', '--all', '--server', server.address, ...flags],
    })),
  );
  const seconds = await cpuInTurns(contenders, { runs: 2 * runs });
  return FORMATS.map(({ work, goal }, i) =>
    shareOf(work, goal, [seconds[i] ?? 0, seconds[i + FORMATS.length] ?? 1], 'the reference', 'hubble'),
  );
}
