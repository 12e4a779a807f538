import { createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Agent } from './agent/agent.ts';
import { metrics } from './rest/debug.ts';
import { encode } from './rest/server.ts';
import { healthRows } from './rest/statedb.ts';

const HELP = `db/show table
	Show the contents of a table: health
exit
	End the conversation
help
	Log help text for commands
metrics [match regex]
	List registered metrics
`;

/** Serves the agent's shell (1.20): a command a line, its output up to a mark. Not listening yet. */
export function shellServer(agent: Agent): Server {
  return createServer((socket) => {
    socket.on('error', () => {});
    void converse(socket, agent);
  });
}

async function converse(socket: Socket, agent: Agent): Promise<void> {
  for await (const line of createInterface({ input: socket })) {
    const [command = '', ...words] = wordsOf(line);
    if (command === '') continue;
    if (command === 'exit') break;
    try {
      socket.write(`${answer(command, words, agent)}<<end>>\n`);
    } catch (error) {
      socket.write(`<stdin>:0: ${error instanceof Error ? error.message : String(error)}<<error>>\n`);
    }
  }
  socket.end();
}

/** Words of a line; single quotes group, and a doubled one is a quote. */
function wordsOf(line: string): string[] {
  return (line.match(/(?:'(?:[^']|'')*'|[^\s'])+/g) ?? []).map((word) =>
    word.replace(/'((?:[^']|'')*)'/g, (_, inner: string) => inner.replaceAll("''", "'")),
  );
}

function answer(command: string, words: readonly string[], agent: Agent): string {
  switch (command) {
    case 'help':
      return HELP;
    case 'metrics':
      return listMetrics(words, agent);
    case 'db/show':
      if (words[0] !== 'health') throw new Error(`db/show: table "${words[0] ?? ''}" not found`);
      return `[stdout]\n${table([
        ['Module', 'Component', 'Level', 'Message', 'Error', 'LastOK', 'UpdatedAt', 'Count'],
        ...healthRows(agent).map((row) => [
          row.ID.Module.join('.'),
          row.ID.Component.join('.'),
          row.Level,
          row.Message,
          row.Error,
          row.LastOK,
          row.Updated,
          String(row.Count),
        ]),
      ])}`;
    default:
      throw new Error(`${command}: unknown command`);
  }
}

function listMetrics(words: readonly string[], agent: Agent): string {
  const format = words.find((word) => word.startsWith('--format='))?.slice('--format='.length) ?? 'table';
  const pattern = words.find((word) => !word.startsWith('-')) ?? '';
  const expression = new RegExp(pattern);
  const rows = metrics(agent)
    .map((metric) => ({
      metric,
      labels: Object.entries(metric.labels ?? {})
        .map(([key, value]) => `${key}=${value}`)
        .sort()
        .join(' '),
    }))
    .filter(({ metric, labels }) => expression.test(metric.name) || expression.test(labels));
  if (format === 'json') {
    const list = rows.map(({ metric: { name, value, labels } }) => ({
      ...(labels && { labels }),
      name,
      value,
    }));
    return encode(list, 2);
  }
  return table([
    ['Metric', 'Labels', 'Value'],
    ...rows.map(({ metric, labels }) => [metric.name, labels, metric.value.toFixed(6)]),
  ]);
}

/** Columns three blanks apart, the last one as it is. */
function table(rows: readonly (readonly string[])[]): string {
  const width = (column: number) => 3 + Math.max(...rows.map((row) => row[column]?.length ?? 0));
  return rows
    .map((row) => `${row.map((cell, i) => (i < row.length - 1 ? cell.padEnd(width(i)) : cell)).join('')}\n`)
    .join('');
}
