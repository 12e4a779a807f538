import type { Flow } from './hubble.gen.ts';

/** One connection: every flow of both directions, seen at whatever point. */
export interface Connection {
  key: string;
  /** The flow whose source opened the connection, as far as that is known. */
  opening: Flow;
  /** Milliseconds since the epoch. */
  firstMs: number;
  lastMs: number;
  forward: number;
  reply: number;
  /** Trace points, drops and verdicts seen, in the order in which they came first. */
  points: string[];
  verdict: string;
  /** Why it was dropped, when it was. */
  reason: string | undefined;
  /** DNS names of the destination. */
  names: string[];
  /** Policies that allowed or denied it. */
  policies: string[];
  /** TCP saw its FIN or RST. */
  closed: boolean;
}
