import type { Finding } from '../../model/finding.ts';
import type { Path, SourceDocument } from '../rule.ts';

/** One document of a file: the value and where its parts are written. */
export interface ParsedDocument extends SourceDocument {
  readonly value: unknown;
  readonly format: 'json' | 'yaml';
  /** How the number or word at a path is written. */
  written(path: Path): string | undefined;
}

export interface ParsedFile {
  documents: ParsedDocument[];
  findings: Finding[];
}
