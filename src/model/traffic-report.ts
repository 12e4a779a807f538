import type { Count, Traffic } from './traffic.ts';

/** What a report or a page shows. */
export interface TrafficReport {
  /** What it is about, as a heading. */
  title: string;
  /** Where the flows come from. */
  source: string;
  /** The expression that chose the flows; empty when all were taken. */
  where: string;
  /** When it was made: RFC 3339. */
  made: string;
  /** Version of the program. */
  version: string;
  traffic: Traffic;
  fixes: readonly Fix[];
  /** Whether flows are still coming. */
  live: boolean;
  /** What is wrong with the stream of flows; undefined while it runs. */
  trouble: string | undefined;
  /** Rules that were tried on the flows; absent where there are none. */
  trial?: Trial;
}

/** What rules that are tried would change for the flows of a report. */
export interface Trial {
  /** Where the rules come from. */
  candidate: string;
  /** What their verdicts were compared with, as a phrase. */
  comparedWith: string;
  connections: number;
  /** Numbers of flows. */
  allowed: number;
  denied: number;
  /** Flows that could not be decided, by reason. */
  undecided: readonly Count[];
  /** Flows without a verdict to compare with. */
  uncompared: number;
  changes: readonly TrialChange[];
  /** Changes with fewer flows that are not among them. */
  unlisted: number;
}

/** Flows that the rules would treat otherwise, for one reason. */
export interface TrialChange {
  change: 'newly-denied' | 'newly-allowed';
  /** The ends as policy tells them apart. */
  source: string;
  destination: string;
  port: string;
  direction: 'ingress' | 'egress';
  flows: number;
  /** The rule that decides it, and where it stands. */
  reason: string;
}

/** What is known of flows that policy dropped, and the policy that would allow them. */
export interface Fix {
  /** The ids of the edge, and the number of the drop on it. */
  client: string;
  server: string;
  drop: number;
  /** What the policies that the reader was given say of it; undefined where none were given. */
  why: string | undefined;
  /** The same as data; undefined where none were given, they do not decide it, or the agent decided otherwise. */
  decision: PolicyDecision | undefined;
  /** The policy in YAML; undefined where none can be written. */
  yaml: string | undefined;
  /** What its reader must know, one sentence each. */
  remarks: readonly string[];
}

/** What policies say of a direction that dropped flows. */
export interface PolicyDecision {
  /** `closed` where policies select the end and no rule allows the flow, `denied` where a rule denies it. */
  answer: 'closed' | 'denied';
  direction: 'ingress' | 'egress';
  /** The end that they select, as `namespace/pod`. */
  subject: string;
  /** What decided it, as `policy orders/web-egress`; a rule without a name by its labels or its place. */
  by: readonly string[];
}
