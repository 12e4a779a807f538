import type { RecordedAnswer } from './agent-answers.ts';
import type { FlagForm } from './words.ts';

/** What a command printed when the archive was made. */
export interface RecordedRun {
  exitCode: number;
  stdout: Buffer;
  stderr: string;
}

/** What the Hubble server of an agent answered to a call, as JSON of its messages. */
export interface RecordedCall {
  answers: readonly unknown[];
  /** No more than these were asked for. */
  limit?: number | undefined;
  error?: { code: string; desc: string } | undefined;
}

/** An agent as an archive has it. */
export interface RecordedAgent {
  /** Empty where the archive does not say it. */
  node: string;
  namespace: string;
  pod: string;
  /** When it was asked, in ms since the epoch. */
  collectedMs: number;
  /** The answer to a GET request and its body; undefined where none was recorded, nor what it follows from. */
  answer(path: string, body?: string): Promise<RecordedAnswer | undefined>;
  /** The answer to a POST request that changes nothing, as Envoy has one. */
  posted(path: string): Promise<RecordedAnswer | undefined>;
  /** What its Hubble server answered to a call; undefined where it was not asked. */
  hubble(method: string): Promise<RecordedCall | undefined>;
  /** What the agent's own program printed for these words, which `flags` help to compare. */
  run(words: readonly string[], flags: readonly FlagForm[]): Promise<RecordedRun | undefined>;
  /** The commands that were run, as far as the archive names them. */
  commands(): Promise<string[]>;
}
