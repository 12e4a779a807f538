import type { TrafficReport } from '../model/traffic-report.ts';
import { sanitize, sanitizeCell } from '../render/text/sanitize.ts';

/** Letters of a name that are shown. Names of a cluster have 253 at most. */
const LONGEST = 300;

/** Names by which things are told apart, which nobody sees; pieces of time, which are numbers. */
const LEFT_ALONE: ReadonlySet<string> = new Set(['id', 'client', 'server', 'times', 'timeline']);
/** A flow is shown as it is, whatever its fields are called. */
const FLOW = 'example';

/**
 * The door that a report comes to the page through: what reorders or breaks a line is escaped, and what is too long for a name is
 * cut. That no text becomes markup needs no door: the page is never given any.
 */
export function safeReport(report: TrafficReport): TrafficReport {
  return safe(report, '') as TrafficReport;
}

function safe(value: unknown, name: string, leftAlone = LEFT_ALONE): unknown {
  if (leftAlone.has(name)) return value;
  if (typeof value === 'string') return name === 'yaml' ? sanitize(value) : cut(sanitizeCell(value));
  if (Array.isArray(value)) return value.map((item) => safe(item, name, leftAlone));
  if (typeof value !== 'object' || value === null) return value;
  const within = name === FLOW ? new Set<string>() : leftAlone;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [cut(sanitizeCell(key)), safe(item, key, within)]),
  );
}

function cut(text: string): string {
  if (text.length <= LONGEST) return text;
  return `${text.slice(0, LONGEST).toWellFormed()}… (${text.length} letters)`;
}
