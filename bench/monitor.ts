// Events per second from the bytes of the monitor socket to text: within one process, and through the real program.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { decodeEvent } from '../src/agent/monitor/events.ts';
import { GobDecoder } from '../src/agent/monitor/gob.ts';
import { dissect } from '../src/agent/monitor/packet.ts';
import { decodeRecord } from '../src/agent/monitor/records.ts';
import { renderJsonEvent } from '../src/render/monitor/json.ts';
import { readPortNames } from '../src/render/monitor/port-names.ts';
import { type MonitorFormat, renderEvent } from '../src/render/monitor/text.ts';
import { serveStream } from '../test/helpers/stream-server.ts';
import { table } from './lib-measure.ts';

const STREAM = readFileSync(new URL('../fixtures/recordings/monitor-1.20.gob', import.meta.url));
const CHUNK_BYTES = 64 * 1024;
const SECONDS = 2;
/** How often the recording is sent to the program. */
const REPEATS = 1000;
const BUDGET = 100_000;

/** Prints the throughput of each format. */
export async function run(): Promise<void> {
  const base: MonitorFormat = {
    level: 'info',
    hex: false,
    numeric: false,
    interfaceName: String,
    ports: readPortNames(),
    release: '1.19',
  };
  const rows: [string, number][] = [
    ['default', measure((shown) => renderEvent(shown, base))],
    ['-vv', measure((shown) => renderEvent(shown, { ...base, level: 'dissect' }))],
    ['--json', measure((shown) => renderJsonEvent(shown, base))],
    ['default, program and socket', await measureProgram([])],
    ['--json, program and socket', await measureProgram(['-j'])],
  ];
  const shown = rows.map(([format, perSecond]) => [
    format,
    String(Math.round(perSecond)),
    format === 'default' ? (perSecond >= BUDGET ? `met (${BUDGET})` : `missed (${BUDGET})`) : '',
  ]);
  console.log(table(['format', 'events/s', 'budget'], shown));
}

type Render = (shown: Parameters<typeof renderEvent>[0]) => string;

function measure(render: Render): number {
  once(render);
  let events = 0;
  const start = performance.now();
  const until = start + SECONDS * 1000;
  while (performance.now() < until) events += once(render);
  return (events / (performance.now() - start)) * 1000;
}

/** Decodes and prints the recording once and returns the number of its events. */
function once(render: Render): number {
  const decoder = new GobDecoder();
  let events = 0;
  let length = 0;
  for (let at = 0; at < STREAM.length; at += CHUNK_BYTES) {
    for (const value of decoder.push(STREAM.subarray(at, at + CHUNK_BYTES))) {
      const record = decodeRecord(value);
      const event = decodeEvent(record.data);
      const packet = 'packetKind' in event ? dissect(event.packet, event.packetKind) : undefined;
      length += render({ event, cpu: record.cpu, packet }).length;
      events++;
    }
  }
  if (length === 0) throw new Error('nothing was printed');
  return events;
}

/** Sends the recording many times over and measures from the first byte of output to the last. */
async function measureProgram(flags: readonly string[]): Promise<number> {
  await using server = await serveStream((connection) => {
    let left = REPEATS;
    const send = () => {
      while (left > 0) {
        left--;
        if (!connection.write(STREAM)) return void connection.once('drain', send);
      }
      connection.end();
    };
    send();
  });
  const program = fileURLToPath(new URL('../bin/cilium', import.meta.url));
  const child = spawn(program, ['monitor', '--monitor-socket', server.socket, ...flags], {
    env: { ...process.env, CILIUM_SOCK: '/nonexistent/cilium.sock' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let start = 0;
  child.stdout.on('data', () => {
    start ||= performance.now();
  });
  // The program says so when the stream has ended.
  for await (const text of child.stderr) if (String(text).includes('closed the connection')) break;
  const ms = performance.now() - start;
  child.kill();
  return ((REPEATS * once(() => ' ')) / ms) * 1000;
}
