import { diffLines, nearChanges } from '../../src/render/text/line-diff.ts';
import type { RunResult } from '../helpers/run.ts';

/** The outcome of one recorded case. */
export interface GoldenResult {
  /** The case's command line. */
  name: string;
  matched: boolean;
  /** Standard output and exit code: recorded, and ours. */
  want: { stdout: string; code: number };
  got: RunResult;
}

/** All cases of one recording. */
export interface GoldenSuite {
  /** File below fixtures/recordings. */
  file: string;
  /** Replays the cases of the name, or all. */
  run(only?: string): AsyncIterable<GoldenResult>;
  /** Names of the cases. */
  names(): string[];
  /** Why the suite cannot run on this machine; undefined when it can. */
  skip?: () => string | undefined;
  /** Cases that are not meant to match, by name, each with its reason. */
  exceptions?: Readonly<Record<string, string>>;
}

/** The name of a case is its command line. */
export function nameOf({ argv }: { argv: readonly string[] }): string {
  return argv.join(' ');
}

/** The cases to replay: all, or those of a name. */
export function chosen<T extends { argv: readonly string[] }>(cases: readonly T[], only?: string): T[] {
  return cases.filter((recorded) => only === undefined || nameOf(recorded) === only);
}

/** Compares what was recorded with what came. */
export function resultOf(
  recorded: { argv: readonly string[]; stdout: string; exit: number },
  got: RunResult,
  want = { stdout: recorded.stdout, code: recorded.exit },
): GoldenResult {
  return {
    name: nameOf(recorded),
    matched: got.stdout === want.stdout && got.code === want.code,
    want,
    got,
  };
}

/** Says where a case that does not match parts from its recording: the line, what was recorded and what came. */
export function firstDifference({ want, got }: GoldenResult): string {
  if (got.code !== want.code) return codes({ want, got });
  const wanted = want.stdout.split('\n');
  const came = got.stdout.split('\n');
  const at = wanted.findIndex((line, i) => line !== came[i]);
  const line = at === -1 ? wanted.length : at;
  return `line ${line + 1}\n  recorded: ${show(wanted[line])}\n  ours:     ${show(came[line])}`;
}

/** The whole difference, as a diff: `-` is recorded, `+` is ours. */
export function wholeDifference({ want, got }: GoldenResult): string {
  const lines = nearChanges(diffLines(want.stdout.split('\n'), got.stdout.split('\n')), 3);
  return [
    ...(got.code === want.code ? [] : [codes({ want, got })]),
    ...(got.stdout === want.stdout ? [] : lines.map((line) => (line ? `${line.mark} ${line.text}` : '…'))),
  ].join('\n');
}

function codes({ want, got }: Pick<GoldenResult, 'want' | 'got'>): string {
  return `exit code: recorded ${want.code}, ours ${got.code}\n  ours says: ${got.stderr.trim()}`;
}

function show(line: string | undefined): string {
  if (line === undefined) return '(end)';
  return JSON.stringify(line.length > 240 ? `${line.slice(0, 240)}…` : line);
}
