import type { Duplex } from 'node:stream';
import { errorCode, systemReason, UserError } from '../errors.ts';
import type { Dial } from '../lib/dial.ts';

export const DEFAULT_SHELL_SOCKET = '/var/run/cilium/shell.sock';

/** Longest line that is collected: a JSON document may be one. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;
const DIAL_FOR_MS = 15_000;
const DIAL_EVERY_MS = 1_000;

const NEWLINE = 0x0a;
const END = Buffer.from('<<end>>');
const ERROR = Buffer.from('<<error>>');
/** Lines by which the agent says which of a command's outputs follows. */
const HEADINGS: readonly Buffer[] = [Buffer.from('[stdout]'), Buffer.from('[stderr]')];

/** A piece of a command's answer: lines, each with its newline; `failed` on the last one of a command that failed. */
export interface ShellAnswer {
  lines: Buffer;
  /** The message of the error. */
  failed?: string;
}

/** A connection to the agent's script shell: a command is a line, its answer lines up to a mark. */
export class ShellConnection implements Disposable {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly socket: Duplex) {
    this.#chunks = (socket as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  }

  /** Gives the answers so much time in all, however they drip. */
  endAfter(ms: number): void {
    const late = new UserError(`no answer of the agent's shell within ${ms / 1000} s`, {
      hint: 'A longer --timeout may help.',
    });
    this.#timer = setTimeout(() => this.socket.destroy(late), ms);
  }

  /** Sends a command and yields its answer as it arrives. */
  async *run(command: string): AsyncGenerator<ShellAnswer> {
    this.socket.write(`${command}\n`);
    for (;;) {
      const { answer, done } = this.#take();
      if (answer.lines.length > 0) yield answer;
      if (done) return;
      await this.#more();
    }
  }

  /** The answer to one command, after which the agent closes the connection. */
  runOnce(command: string): AsyncGenerator<ShellAnswer> {
    return this.run(`${command}\nexit`);
  }

  /** The complete lines that have arrived, up to the end of the answer. */
  #take(): { answer: ShellAnswer; done: boolean } {
    const lines: Buffer[] = [];
    for (;;) {
      const end = this.#rest.indexOf(NEWLINE);
      if (end === -1) return { answer: { lines: Buffer.concat(lines) }, done: false };
      const line = this.#rest.subarray(0, end);
      const whole = this.#rest.subarray(0, end + 1);
      this.#rest = this.#rest.subarray(end + 1);
      const mark = [END, ERROR].find((m) => endsWith(line, m));
      if (mark) {
        const last = line.subarray(0, line.length - mark.length);
        lines.push(last, Buffer.from('\n'));
        const answer: ShellAnswer = { lines: Buffer.concat(lines) };
        if (mark === ERROR) answer.failed = last.toString('utf8');
        return { answer, done: true };
      }
      if (!HEADINGS.some((heading) => heading.equals(line))) lines.push(whole);
    }
  }

  async #more(): Promise<void> {
    const held = [this.#rest];
    let size = this.#rest.length;
    for (;;) {
      const { value, done } = await this.#next();
      if (done)
        throw new UserError('the agent closed its shell before the answer ended', {
          hint: 'Is the agent restarting?',
        });
      held.push(value);
      size += value.length;
      if (size > MAX_LINE_BYTES)
        throw new UserError(`a line of the agent's shell is longer than ${MAX_LINE_BYTES} bytes`);
      if (value.includes(NEWLINE)) break;
    }
    this.#rest = Buffer.concat(held);
  }

  async #next(): Promise<IteratorResult<Buffer, undefined>> {
    try {
      return await this.#chunks.next();
    } catch (error) {
      if (BROKEN.has(errorCode(error))) return { value: undefined, done: true };
      throw error;
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.socket.destroy();
  }
}

/** How a connection that is gone shows. */
const BROKEN: ReadonlySet<string | undefined> = new Set([
  'ECONNRESET',
  'EPIPE',
  'ERR_STREAM_PREMATURE_CLOSE',
]);

function endsWith(line: Buffer, mark: Buffer): boolean {
  return line.length >= mark.length && line.subarray(line.length - mark.length).equals(mark);
}

/** Connects once. Rejects with the system's error when nothing listens. */
export async function dialShell(path: string, signal: AbortSignal, dial: Dial): Promise<ShellConnection> {
  const socket = await dial(path, signal);
  // A connection that breaks is noticed by whoever reads from it.
  socket.on('error', () => {});
  signal.addEventListener('abort', () => void socket.destroy(), { once: true });
  return new ShellConnection(socket);
}

/**
 * Connects, trying again every second for a quarter of a minute: the agent may be about to come up. `notice` is told
 * of each failure that is followed by another try.
 */
export async function dialShellPatiently(
  path: string,
  options: {
    clock: { sleep(ms: number, signal?: AbortSignal): Promise<void> };
    signal: AbortSignal;
    dial: Dial;
    notice: (text: string) => Promise<void>;
  },
): Promise<ShellConnection> {
  const { clock, signal, dial, notice } = options;
  for (let left = DIAL_FOR_MS / DIAL_EVERY_MS; ; left--) {
    try {
      return await dialShell(path, signal, dial);
    } catch (error) {
      // A cluster that cannot be asked says so itself.
      if (signal.aborted || error instanceof UserError) throw error;
      const why = reason(error);
      if (errorCode(error) === 'EACCES')
        throw new UserError(`cannot open the agent's shell ${path}: ${why}`, {
          hint: 'Run the command as root, or as a member of the group that owns the socket.',
          cause: error,
        });
      if (left <= 0)
        throw new UserError(`cannot open the agent's shell ${path} within ${DIAL_FOR_MS / 1000} s: ${why}`, {
          hint: 'Is the agent running, and 1.20 or later? Its socket is named by --shell-sock-path.',
          cause: error,
        });
      await notice(`Cannot open ${path}: ${why}. Trying again...`);
    }
    await clock.sleep(DIAL_EVERY_MS, signal);
  }
}

function reason(error: unknown): string {
  switch (errorCode(error)) {
    case 'ENOENT':
      return 'no such socket';
    case 'ECONNREFUSED':
    case 'ENOTSOCK':
      return 'nothing listens there';
    default:
      return systemReason(error);
  }
}
