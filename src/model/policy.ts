/** A label as the API has it. */
export interface ApiLabel {
  key: string;
  value: string;
  source: string;
}

/** One line of `policy selectors`. */
export interface SelectorRow {
  selector: string;
  /** The labels of each rule that uses the selector. Agents up to 1.19 send those of one rule. */
  labels: ApiLabel[][];
  users: number;
  identities: number[];
}

/** The rules of the agent. */
export interface AgentPolicy {
  /** A JSON list: rules up to 1.18, entries from 1.19 on. */
  policy: string;
  revision: number;
}
