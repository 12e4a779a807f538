import type { Duplex } from 'node:stream';
import { errorCode, errorMessage, Unreachable, UserError } from '../../errors.ts';
import type { Dial } from '../../lib/dial.ts';
import type { MonitorRecord } from '../../model/monitor.ts';
import { GobDecoder, GobError } from './gob.ts';
import { decodeRecord } from './records.ts';

const DEFAULT_MONITOR_SOCKET = '/var/run/cilium/monitor1_2.sock';

/** None of the monitor sockets could be opened. */
export class NoMonitorSocket extends UserError {
  override name = 'NoMonitorSocket';
}

/** Opens the socket named by the user, else the default one. */
export async function openMonitorSocket(
  named: string | undefined,
  signal: AbortSignal,
  dial: Dial,
): Promise<Duplex> {
  const failed: string[] = [];
  let first: unknown;
  for (const path of [named, DEFAULT_MONITOR_SOCKET]) {
    if (!path) continue;
    try {
      return await dial(path, signal);
    } catch (error) {
      // A cluster that cannot be asked says so itself.
      if (signal.aborted || error instanceof UserError) throw error;
      if (first === undefined || errorCode(error) === 'EACCES') first = error;
      failed.push(`${path}: ${errorCode(error) ?? errorMessage(error)}`);
    }
  }
  throw new NoMonitorSocket(`cannot open the agent's monitor socket (${failed.join(', ')})`, {
    cause: first,
    hint:
      errorCode(first) === 'EACCES'
        ? 'Run the command as root, or as a member of the group that owns the socket.'
        : 'Is the agent running? Its socket is named by --monitor-socket or CILIUM_MONITOR_SOCK.',
  });
}

/** Why the stream of records ended. An error where the connection broke on the way to the agent. */
export type StreamEnd = 'EOF' | 'unexpected EOF' | Unreachable;

/**
 * Reads records until the agent closes the connection, as many at a time as have arrived. Returns `unexpected EOF`
 * when it ends in the middle of a record. Throws UserError for bytes that are no such stream.
 */
export async function* readRecords(socket: Duplex): AsyncGenerator<MonitorRecord[], StreamEnd> {
  const decoder = new GobDecoder();
  let cpu = 0;
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      const records = decoder.push(chunk).map(decodeRecord);
      for (const record of records) {
        // Zero is not sent. The reference reads all records into one variable, so that an event of CPU 0 shows the CPU
        // of the event before it; scripts that compare outputs see the same here.
        cpu = record.cpu || cpu;
        record.cpu = cpu;
      }
      if (records.length > 0) yield records;
    }
  } catch (error) {
    if (error instanceof GobError)
      throw new UserError(`the monitor socket does not send monitor events: ${error.message}`, {
        hint: "Is this the agent's monitor socket?",
        cause: error,
      });
    if (error instanceof Unreachable) return error;
    if (errorCode(error) !== 'ECONNRESET') throw error;
    return 'unexpected EOF';
  } finally {
    socket.destroy();
  }
  return decoder.pendingBytes > 0 ? 'unexpected EOF' : 'EOF';
}
