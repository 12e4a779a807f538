/** The outcome of one recorded case. */
export interface GoldenResult {
  /** The case's command line. */
  name: string;
  matched: boolean;
  /** The first difference, for people. */
  difference?: string;
}

/** All cases of one recording. */
export interface GoldenSuite {
  /** File below fixtures/recordings. */
  file: string;
  run(): AsyncIterable<GoldenResult>;
  /** Why the suite cannot run on this machine; undefined when it can. */
  skip?: () => string | undefined;
  /** Cases that are not meant to match, by name, each with its reason. */
  exceptions?: Readonly<Record<string, string>>;
}

/** Says where two texts part: the line, what was recorded and what came. */
export function firstDifference(want: string, got: string): string {
  const wanted = want.split('\n');
  const came = got.split('\n');
  const at = wanted.findIndex((line, i) => line !== came[i]);
  const line = at === -1 ? wanted.length : at;
  return `line ${line + 1}\n  recorded: ${show(wanted[line])}\n  ours:     ${show(came[line])}`;
}

function show(line: string | undefined): string {
  if (line === undefined) return '(end)';
  return JSON.stringify(line.length > 240 ? `${line.slice(0, 240)}…` : line);
}
