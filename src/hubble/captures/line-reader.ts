import { isUtf8 } from 'node:buffer';
import { compareTimestamps, parseTimestamp, secondText, type Timestamp } from '../../lib/timestamp.ts';
import type { FlowFilter, GetFlowsResponse } from '../../model/hubble.gen.ts';
import { compileFilters, type FlowPredicate, NO_FLOW } from '../filter/filter.ts';
import { ProtoJsonError } from '../protobuf/protojson.ts';
import { parseRecord, withoutMark } from './record-line.ts';

/** Which of a file's records are meant. */
export interface LineQuery {
  allow: readonly FlowFilter[];
  deny: readonly FlowFilter[];
  since?: Timestamp;
  until?: Timestamp;
}

/** Something about a line that its reader should know. */
export interface LineProblem {
  kind: 'bad-line' | 'unknown-field';
  /** What is wrong. */
  message: string;
  line: string;
  /** Number of the line in its file, from 1. */
  number: number;
}

/** Length of `2006-01-02T15:04:05`. */
const SECOND_LENGTH = 19;

/** What a record without a time counts as, as an unset Timestamp does. */
const NO_TIME = '1970-01-01T00:00:00Z';

/** Decides about the lines of a file of flows. */
export class LineReader {
  #ignoreUnknown = false;
  /** Number of the line that is being read; whoever cuts lines counts them here. */
  number = 0;

  constructor(
    private readonly query: LineQuery,
    private readonly matches: FlowPredicate,
    private readonly onProblem: (problem: LineProblem) => void,
  ) {
    this.#since = query.since ? secondText(query.since.seconds) : '';
    this.#until = query.until ? secondText(query.until.seconds) : '';
  }

  readonly #since: string;
  readonly #until: string;

  /** There are bounds in time. */
  get isTimed(): boolean {
    return this.query.since !== undefined || this.query.until !== undefined;
  }

  /** Not every record is wanted. */
  get judges(): boolean {
    return this.isTimed || this.query.allow.length > 0 || this.query.deny.length > 0;
  }

  /** Names that the schema lacks are passed over: one was told already. */
  get ignoresUnknown(): boolean {
    return this.#ignoreUnknown;
  }

  /** The answer that a line holds, when it is one that is asked for. */
  read(bytes: Buffer): GetFlowsResponse | undefined {
    if (!isUtf8(bytes)) {
      this.onProblem({
        kind: 'bad-line',
        message: 'proto: invalid UTF-8',
        line: bytes.toString('latin1'),
        number: this.number,
      });
      return undefined;
    }
    const line = withoutMark(bytes.toString('utf8'));
    if (line.trim() === '') return undefined;
    const message = this.#parse(line);
    return message && this.isWanted(message) ? message : undefined;
  }

  #parse(line: string): GetFlowsResponse | undefined {
    try {
      return parseRecord(line, { ignoreUnknown: this.#ignoreUnknown });
    } catch (error) {
      if (!(error instanceof ProtoJsonError)) throw error;
      const newer = error.unknown ? this.#parseNewer(line) : undefined;
      this.#ignoreUnknown ||= newer !== undefined;
      const kind = newer ? 'unknown-field' : 'bad-line';
      this.onProblem({ kind, message: error.message, line, number: this.number });
      return newer;
    }
  }

  /** A line that is right but for names that the schema lacks. */
  #parseNewer(line: string): GetFlowsResponse | undefined {
    try {
      return parseRecord(line, { ignoreUnknown: true });
    } catch (error) {
      if (error instanceof ProtoJsonError) return undefined;
      throw error;
    }
  }

  /** Whether a time in canonical form lies between the bounds. */
  #isInside(text: string): boolean {
    const { since, until } = this.query;
    const second = text.slice(0, SECOND_LENGTH);
    // Seconds compare as text; only those of a bound have to be looked at closely.
    if (since && second < this.#since) return false;
    if (until && second > this.#until) return false;
    if (second !== this.#since && second !== this.#until) return true;
    const time = parseTimestamp(text);
    if (time === undefined) return false;
    return (
      (since === undefined || compareTimestamps(time, since) >= 0) &&
      (until === undefined || compareTimestamps(time, until) <= 0)
    );
  }

  /** Whether filters and times let a record through. What is no flow is to a filter one that has nothing set. */
  isWanted(message: GetFlowsResponse): boolean {
    if (this.isTimed && !this.#isInside(message.time ?? NO_TIME)) return false;
    return this.matches(message.flow ?? NO_FLOW);
  }
}

/** A reader of lines for a query. Throws UserError for a filter that is none. */
export async function lineReader(
  query: LineQuery,
  onProblem: (problem: LineProblem) => void,
): Promise<LineReader> {
  return new LineReader(query, await compileFilters(query.allow, query.deny), onProblem);
}
