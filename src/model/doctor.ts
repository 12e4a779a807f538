export type Severity = 'ok' | 'warning' | 'failure' | 'skipped';

/** What one check of the doctor found. */
export interface Diagnosis {
  check: string;
  severity: Severity;
  what: string;
  evidence: string[];
  /** What to do about it. */
  next?: string;
}
