import { Duplex } from 'node:stream';
import type { Dial } from '../lib/dial.ts';
import { NotCollected } from './not-collected.ts';
import type { RecordedAgent } from './recorded-agent.ts';
import type { Recording } from './recording.ts';

const MAX_REQUEST_BYTES = 1024 * 1024;

/** Envoy's list of loggers, which it gives to POST alone. */
const LOGGING = '/logging';

/** What the sockets of an agent are, whose answers are none of GET requests. */
const SOCKETS: Readonly<Record<string, string>> = {
  'hubble.sock': "Hubble's server (its flows are: hubble observe --from ARCHIVE)",
  'monitor1_2.sock': 'the events of the datapath',
  'monitor.sock': 'the events of the datapath',
  'shell.sock': "the agent's shell",
};

/** Opens "sockets" that answer from what was recorded of an agent. Their first request is their last. */
export function dialRecorded(recording: Recording, agent: RecordedAgent, node: string): Dial {
  return async (path) => {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const other = SOCKETS[name];
    if (other !== undefined)
      throw new NotCollected(`${recording.label} holds nothing of ${other} of node ${node}`, {
        hint: 'It can only be asked while the cluster is there.',
      });
    return new RecordedSocket(recording, agent, node);
  };
}

class RecordedSocket extends Duplex {
  #request = Buffer.alloc(0);
  #isAnswered = false;

  constructor(
    private readonly recording: Recording,
    private readonly agent: RecordedAgent,
    private readonly node: string,
  ) {
    super();
  }

  override _read(): void {}

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    const asked = this.#isAnswered ? undefined : this.#take(chunk);
    if (!asked) {
      done(this.#request.length > MAX_REQUEST_BYTES ? new Error('a request without an end') : null);
      return;
    }
    this.#isAnswered = true;
    this.#answer(asked.head, asked.body).then(
      (bytes) => {
        this.push(bytes);
        this.push(null);
        done();
      },
      (error: Error) => {
        done();
        this.destroy(error);
      },
    );
  }

  /** The request, once all of it has come. */
  #take(chunk: Buffer): { head: string; body: string } | undefined {
    this.#request = Buffer.concat([this.#request, chunk]);
    const end = this.#request.indexOf('\r\n\r\n');
    if (end < 0) return undefined;
    const head = this.#request.toString('latin1', 0, end);
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    const body = this.#request.subarray(end + 4);
    return body.length < length ? undefined : { head, body: body.toString('utf8') };
  }

  async #answer(head: string, question: string): Promise<Buffer> {
    const [, method = '', path = ''] = /^(\S+) (\S+) /.exec(head) ?? [];
    const reads = method === 'POST' ? await this.agent.posted(path) : undefined;
    if (method === 'POST' && !reads && path === LOGGING) throw await this.#missing(`POST ${path}`, question);
    if (method !== 'GET' && !reads)
      throw new NotCollected(
        `${method} ${path}: ${this.recording.label} is an archive, in which nothing can be changed`,
      );
    const found = reads ?? (await this.agent.answer(path, question === '' ? undefined : question));
    if (!found) throw await this.#missing(`GET ${path}`, question);
    const { status, type, body } = found;
    const lines = [`HTTP/1.1 ${status} recorded`, `content-length: ${body.length}`];
    if (/^[\w/.+; =-]+$/.test(type)) lines.push(`content-type: ${type}`);
    return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), body]);
  }

  async #missing(asked: string, question: string): Promise<NotCollected> {
    const why = await this.recording.why({ node: this.node });
    const what = question === '' ? asked : `${asked} with ${question.trim().slice(0, 200)}`;
    return new NotCollected(
      `${this.recording.label} holds no answer to ${what} of node ${this.node}${why ? ` (${why.text})` : ''}`,
      { hint: 'It was not asked when the archive was made.' },
    );
  }
}
