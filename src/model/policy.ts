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
