import type { DropEvent, MonitorEvent } from '../../model/monitor.ts';
import { atLeast, type Build, NEWEST_RELEASE, type Release } from '../../model/release.ts';

/** The releases that an event can come from; without a bound, no known release is too old or too new. */
interface Span {
  since?: Release;
  until?: Release;
}

/**
 * Which release a monitor stream comes from: what the agent says, else what the events show. The layouts of events
 * leave several releases open; then the oldest of them is taken, so that nothing is read into fields that only later
 * ones have. A stream that may come from the newest release is taken for it.
 */
export class StreamRelease {
  #since: Release = '1.9';
  #until: Release = NEWEST_RELEASE;
  #noteIsDue: boolean;

  constructor(
    /** What the agent says its release is; undefined when it does not answer. */
    readonly stated: Release | undefined,
  ) {
    this.#noteIsDue = stated === undefined || !atLeast(NEWEST_RELEASE, stated);
  }

  /** The release whose texts the stream's events get. */
  get release(): Release {
    if (this.stated) return atLeast(NEWEST_RELEASE, this.stated) ? this.stated : NEWEST_RELEASE;
    return this.#until === NEWEST_RELEASE ? NEWEST_RELEASE : this.#since;
  }

  /** Takes what an event shows of its release. */
  see(event: MonitorEvent): void {
    if (this.stated || this.#since === this.#until) return;
    const { since, until } = spanOf(event);
    // Bounds that contradict each other come from no agent; the first one stands.
    if (since && atLeast(since, this.#since) && atLeast(this.#until, since)) this.#since = since;
    if (until && atLeast(this.#until, until) && atLeast(until, this.#since)) this.#until = until;
  }

  /** What the reader should know of the release, once, when the first event came whose text depends on it. */
  takeNote(event: MonitorEvent): string | undefined {
    if (!this.#noteIsDue || event.kind === 'agent') return undefined;
    this.#noteIsDue = false;
    if (this.stated)
      return `The agent is of ${this.stated}, newer than ${NEWEST_RELEASE}: its events are read as those of ${NEWEST_RELEASE}.`;
    if (this.#since === this.#until) return undefined;
    const span =
      this.#until === NEWEST_RELEASE ? `${this.#since} or later` : `one of ${this.#since} to ${this.#until}`;
    return `The agent does not say its release; by its events it is ${span}. They are shown as those of ${this.release}.`;
  }
}

/** The release whose events a build has: the recorded agent on the way to 1.14 shows those of 1.13. */
export function releaseOfEvents({ release, development }: Build): Release {
  return development && release === '1.14' ? '1.13' : release;
}

const OPEN: Span = {};

function spanOf(event: MonitorEvent): Span {
  switch (event.kind) {
    case 'drop':
      return DROPS[event.layout];
    case 'trace':
      return event.layout === 2
        ? { since: '1.19' }
        : traceSpan(event.packetKind.vxlan || event.packetKind.geneve);
    case 'policy-verdict':
      return event.hasCookie ? { since: '1.19' } : { until: '1.18' };
    case 'trace-sock':
      return event.packed ? { since: '1.13', until: '1.18' } : { since: '1.19' };
    case 'recorder':
      return { until: '1.18' };
    case 'l7':
      return event.knowsKafka ? { until: '1.19' } : { since: '1.20' };
    case 'agent':
      // Notices about services ended with 1.18.
      return event.type === 11 || event.type === 12 ? { until: '1.17' } : OPEN;
    default:
      return OPEN;
  }
}

const DROPS: Readonly<Record<DropEvent['layout'], Span>> = {
  0: { until: '1.11' },
  '1.12': { since: '1.12', until: '1.12' },
  1: { since: '1.13', until: '1.17' },
  2: { since: '1.18', until: '1.18' },
  3: { since: '1.19' },
};

function traceSpan(tunnel: boolean): Span {
  return tunnel ? { since: '1.18', until: '1.18' } : { until: '1.18' };
}
