/** A document for people: what a page shows that is made of tables. Texts are as they come: whoever prints them makes them safe. */
export interface PageDocument {
  title: string;
  /** What it is about, a sentence each. */
  about: readonly string[];
  /** What sums it up. */
  facts: readonly Fact[];
  sections: readonly Section[];
  /** When it was made: RFC 3339. */
  made: string;
  /** Version of the program. */
  version: string;
}

/** How good something is; `unknown` where nobody knows. */
export type Mark = 'good' | 'bad' | 'warning' | 'unknown';

/** A text with what stands out about it, and lines that belong to it and are read when it matters. */
export interface Cell {
  text: string;
  mark?: Mark | undefined;
  more?: readonly string[];
}

/** A number or a word with its name. */
export interface Fact extends Cell {
  name: string;
}

/** A part of a document. */
export interface Section {
  title: string;
  /** Sentences above the table. */
  notes?: readonly string[];
  heads: readonly string[];
  rows: readonly (readonly (string | number | Cell)[])[];
  /** What is said where there are no rows; a section without it is left out then. */
  empty?: string;
}
