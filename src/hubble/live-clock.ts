/** Time that has to pass between two looks at a stream, */
const STEP_MS = 5000;
/** and how much less or more may pass in its flows. */
const SLACK_MS = 2500;

/**
 * How far the times of a stream's flows are behind a clock. It is known once as much time has passed in the flows as by the clock:
 * then they come as they are seen, while what was comes faster.
 */
export class LiveClock {
  #last: { hereMs: number; thereMs: number } | undefined;
  behindMs: number | undefined;

  /** Looks at the newest flow, now and then; true when something new is known. */
  look(hereMs: number, newestMs: () => number | undefined): boolean {
    const last = this.#last;
    if (last && hereMs - last.hereMs < STEP_MS) return false;
    const thereMs = newestMs();
    if (thereMs === undefined) return false;
    this.#last = { hereMs, thereMs };
    if (!last) return false;
    const isLive = Math.abs(thereMs - last.thereMs - (hereMs - last.hereMs)) < SLACK_MS;
    this.behindMs = isLive ? hereMs - thereMs : undefined;
    return isLive;
  }
}
