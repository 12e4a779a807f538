import { JsonLogsSerializer, ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { UserError } from '../../errors.ts';
import { type Answer, Poster, PROXY_USER, withoutSecrets } from './post.ts';
import type { OtlpSettings } from './settings.ts';

/** What a delivery may use of the world. */
export interface DeliveryWorld {
  nowMs: () => number;
  sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Says something to the user. */
  tell: (text: string) => Promise<void>;
  /** No more attempts are made once this is aborted. */
  signal: AbortSignal;
  /** What is on its way is given up once this is aborted. */
  hard: AbortSignal;
  /** How long records are tried again. Without it a minute until the collector has taken some, and then without limit. */
  retryForMs: number | undefined;
  userAgent: string;
}

const FORMS = {
  'http/protobuf': { type: 'application/x-protobuf', serializer: ProtobufLogsSerializer },
  'http/json': { type: 'application/json', serializer: JsonLogsSerializer },
} as const;

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
/** A wait is longer or shorter by this part, so that many exporters do not come back at once. */
const JITTER = 0.2;
/** How long a collector that never took anything is waited for. */
const UNKNOWN_FOR_MS = 60_000;
/** Every so many attempts it is said that they go on. */
const SAID_EVERY = 5;
/** Statuses that are about the records of one request, not about all. */
const ABOUT_RECORDS = [400, 413, 422, 500];
const TOO_LARGE = 413;
/** So often it is said that records were refused, and why. */
const MOST_REFUSALS_TOLD = 5;

/** Brings records to a collector, one request at a time, each until it is decided. */
export class Delivery implements AsyncDisposable {
  /** Records that the collector has taken, and those that it did not want. */
  readonly counts = { sent: 0, refused: 0 };
  readonly #poster: Poster;
  #refusals = 0;

  constructor(
    private readonly settings: OtlpSettings,
    private readonly world: DeliveryWorld,
  ) {
    const { type } = FORMS[settings.protocol];
    this.#poster = new Poster(settings, type, world.userAgent, world.nowMs);
  }

  /** Sends records and counts what became of them. Fails where the collector takes nothing at all. */
  async send(records: readonly ReadableLogRecord[]): Promise<void> {
    const answer = await this.#decided(records);
    if (answer === undefined) return;
    if (answer.kind === 'taken') return this.#count(answer, records.length);
    if (answer.status !== TOO_LARGE || records.length === 1) return this.#refuse(records.length, answer.why);
    const half = records.length >> 1;
    await this.send(records.slice(0, half));
    await this.send(records.slice(half));
  }

  /** The answer that decides; undefined where the end came before it. */
  async #decided(
    records: readonly ReadableLogRecord[],
  ): Promise<Exclude<Answer, { kind: 'later' | 'broken' }> | undefined> {
    const { world, settings } = this;
    const bytes = FORMS[settings.protocol].serializer.serializeRequest([...records]);
    if (!bytes) throw new Error('no request could be made of the records');
    let spentMs = 0;
    for (let attempt = 1; ; attempt++) {
      if (world.hard.aborted) return undefined;
      const beganMs = performance.now();
      const answer = await this.#poster.post(bytes, world.hard).catch((error: unknown) => {
        if (world.hard.aborted) return undefined;
        throw error;
      });
      if (answer === undefined) return undefined;
      if (answer.kind === 'broken')
        throw new UserError(`${settings.shown}: ${answer.why}`, { hint: answer.hint });
      if (answer.kind === 'refused' && !ABOUT_RECORDS.includes(answer.status)) throw this.#useless(answer);
      if (answer.kind !== 'later') {
        if (attempt > 1 && answer.kind === 'taken') await world.tell('The collector takes records again.\n');
        return answer;
      }
      if (world.signal.aborted) return undefined;
      // One that wants to be asked again at once is not.
      const waitMs =
        answer.afterMs === undefined ? backoffMs(attempt) : Math.max(answer.afterMs, FIRST_WAIT_MS);
      spentMs += performance.now() - beganMs + waitMs;
      const limitMs = world.retryForMs ?? (this.counts.sent > 0 ? Number.POSITIVE_INFINITY : UNKNOWN_FOR_MS);
      if (spentMs > limitMs)
        throw new UserError(`${settings.shown} takes no records: ${answer.why}`, {
          hint:
            world.retryForMs === undefined
              ? 'Is a collector there, with a receiver "otlp" of protocol http? --retry-for waits longer for one.'
              : undefined,
        });
      if (attempt === 1)
        await world.tell(`The collector takes no records now (${answer.why}); trying again, Ctrl-C ends.\n`);
      else if (attempt % SAID_EVERY === 0)
        await world.tell(
          `Still none after ${attempt} attempts (${answer.why}); the next is in ${Math.round(waitMs / 1000)} s.\n`,
        );
      try {
        await world.sleep(waitMs, world.signal);
      } catch (error) {
        if (!world.signal.aborted) throw error;
        return undefined;
      }
    }
  }

  #useless({ status, why }: Extract<Answer, { kind: 'refused' }>): UserError {
    const hint =
      status === 401 || status === 403
        ? 'What the collector wants to know of you goes into --header KEY=VALUE or OTEL_EXPORTER_OTLP_HEADERS.'
        : status === 404 || status === 405
          ? 'Nothing takes logs there: is it the address of OTLP over HTTP? OTEL_EXPORTER_OTLP_LOGS_ENDPOINT takes one with another path than v1/logs.'
          : status === 415
            ? 'Try the other encoding: --otlp-protocol http/json or http/protobuf.'
            : status === 407
              ? PROXY_USER
              : undefined;
    return new UserError(`${this.settings.shown} refuses records: ${why}`, { hint });
  }

  /** A collector may take a request, and refuse some of its records. */
  async #count({ type, body }: Extract<Answer, { kind: 'taken' }>, count: number): Promise<void> {
    if (type === 'text/html')
      throw new UserError(`${this.settings.shown} answers with a page for browsers: it is no collector`, {
        hint: 'Is it the address of OTLP over HTTP?',
      });
    if (!body)
      await this.#tellSome('The collector took records, and broke off before it said whether all.\n');
    const { rejected, message } = this.#partial(type, body);
    const refused = Math.min(rejected, count);
    this.counts.sent += count - refused;
    if (refused > 0) await this.#refuse(refused, message || 'it does not say why');
    else if (message !== '') await this.#tellSome(`The collector took records and says: ${message}\n`);
  }

  /** Some answer in another encoding than they were asked in. */
  #partial(type: string, body: Uint8Array = new Uint8Array()): { rejected: number; message: string } {
    if (body.length === 0) return { rejected: 0, message: '' };
    try {
      const form = Object.values(FORMS).find((one) => one.type === type) ?? FORMS[this.settings.protocol];
      const { partialSuccess } = form.serializer.deserializeResponse(body);
      const rejected = Number(partialSuccess?.rejectedLogRecords) || 0;
      const told: unknown = partialSuccess?.errorMessage;
      const message = typeof told === 'string' ? withoutSecrets(told, this.settings.secrets) : '';
      // Of one line: another one would read as if it were said here.
      return { rejected: Math.max(rejected, 0), message: message.replace(/\s+/g, ' ').slice(0, 300) };
    } catch {
      // Some answer with a word of their own; the status says that it was taken.
      return { rejected: 0, message: '' };
    }
  }

  async #refuse(count: number, why: string): Promise<void> {
    this.counts.refused += count;
    await this.#tellSome(`The collector refused ${count} records: ${why}\n`);
  }

  async #tellSome(text: string): Promise<void> {
    if (++this.#refusals > MOST_REFUSALS_TOLD) return;
    await this.world.tell(text);
    if (this.#refusals === MOST_REFUSALS_TOLD)
      await this.world.tell('More of this is counted, and not told.\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#poster[Symbol.asyncDispose]();
  }
}

function backoffMs(attempt: number): number {
  const base = Math.min(FIRST_WAIT_MS * 2 ** (attempt - 1), LONGEST_WAIT_MS);
  return base * (1 + JITTER * (2 * Math.random() - 1));
}
