import { compareBytes } from '../lib/order.ts';

/** A place in a parsed document: field names and list indices from its root. */
export type Path = readonly (string | number)[];

/** Where something is written. Line and column count from 1. */
export interface Position {
  file: string;
  line: number;
  column: number;
}

/** `file:line:column`. */
export function formatPosition({ file, line, column }: Position): string {
  return `${file === '-' ? '<stdin>' : file}:${line}:${column}`;
}

export type Severity = 'error' | 'warning';

/** One thing that is wrong with a document, at the place where it is written. */
export interface Finding {
  severity: Severity;
  /** Short name of the rule that was broken: stable, for tools. */
  code: string;
  /** What is wrong; the reference's own words where it has some. */
  message: string;
  /** What to do about it. */
  hint?: string;
  position: Position;
  /** Place in the document. */
  path: Path;
  /** The faulty line with a caret, for faults of the syntax. */
  excerpt?: string;
}

/** Orders findings as they are read: by file, line, column. */
export function byPosition(a: Finding, b: Finding): number {
  return (
    compareBytes(a.position.file, b.position.file) ||
    a.position.line - b.position.line ||
    a.position.column - b.position.column
  );
}
