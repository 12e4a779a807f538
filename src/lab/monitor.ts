import { createServer, type Server, type Socket } from 'node:net';
import { assetPath, readAsset } from './assets.ts';
import { type AgentVersion, plays } from './version.ts';

/** Events per second that a watcher gets. */
const RATE = 10;
/** What a watcher that does not read may have waiting. */
const MAX_WAITING_BYTES = 1024 * 1024;

/** A monitor stream of a real agent, cut into its messages. */
interface Recording {
  /** Descriptions of types, which come first and once. */
  types: Buffer[];
  events: Buffer[];
}

/** Serves the monitor socket: events recorded from a real agent, again and again. Not listening yet. */
export function monitorServer(version: AgentVersion): Server {
  let recording: Recording | undefined;
  return createServer((socket) => {
    recording ??= readRecording(readAsset(assetPath(`scenarios/${recordingOf(version)}`)));
    play(socket, recording);
  });
}

/**
 * The recording whose events have the form of a release. That of 1.10 knows only the agent's notices, and that of 1.14
 * has the drops of 1.12 to 1.17.
 */
function recordingOf(version: AgentVersion): string {
  if (version === 'all') return 'monitor.gob';
  if (plays(version, '1.20')) return 'monitor-1.20.gob';
  if (plays(version, '1.19')) return 'monitor.gob';
  return plays(version, '1.12') ? 'monitor-1.14.gob' : 'monitor-1.10.gob';
}

function play(socket: Socket, { types, events }: Recording): void {
  socket.on('error', () => {});
  socket.resume();
  socket.write(Buffer.concat(types));
  let at = 0;
  const timer = setInterval(() => {
    const event = events[at % events.length];
    // A watcher that is too slow misses events, as it would with an agent.
    if (event && socket.writableLength < MAX_WAITING_BYTES) socket.write(event);
    at++;
  }, 1000 / RATE);
  socket.on('close', () => clearInterval(timer));
}

/** Cuts a gob stream into messages: a length, a type number (negative for the description of a type), a value. */
function readRecording(bytes: Buffer): Recording {
  const recording: Recording = { types: [], events: [] };
  for (let at = 0; at < bytes.length; ) {
    const length = readUint(bytes, at);
    const type = readUint(bytes, length.end);
    const end = length.end + length.value;
    const message = bytes.subarray(at, end);
    // A signed number has its sign in the lowest bit.
    if (type.value % 2 === 1) recording.types.push(message);
    else recording.events.push(message);
    at = end;
  }
  return recording;
}

/** Gob's unsigned number: itself below 128, else the negated count of the bytes that follow, highest first. */
function readUint(bytes: Buffer, at: number): { value: number; end: number } {
  const first = bytes[at] ?? 0;
  if (first < 128) return { value: first, end: at + 1 };
  const count = 256 - first;
  return { value: bytes.readUIntBE(at + 1, count), end: at + 1 + count };
}
