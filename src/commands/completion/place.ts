import type { Command } from 'commander';
import type { Context } from '../../context.ts';

/** What may stand at a place of the command line, and what it means. */
export interface Candidate {
  value: string;
  meaning: string;
}

/** The line that is being completed. */
export interface Ask {
  ctx: Context;
  /** The verb that the line names, with the flags that stand before the word. */
  command: Command;
  /** Declares the verb once more, for a world of its own. */
  again: (ctx: Context) => Promise<Command>;
  /** Names of the tree that lead to it. */
  path: readonly string[];
  /** The arguments before the word. */
  given: readonly string[];
  /** The word that is being typed. */
  current: string;
  /** Aborted when the user has waited long enough. */
  deadline: AbortSignal;
}

/** Makes candidates; may ask an agent, a cluster or a server, and may throw: then there are none. */
export type Source = (ask: Ask) => readonly Candidate[] | Promise<readonly Candidate[]>;

/** What a flag or an argument takes. One of these with nothing in it takes what only the user knows, and no file. */
export interface Place {
  values?: Source;
  /** Several, with commas between. */
  list?: true;
  /** Files that end so; any when the list is empty. */
  files?: readonly string[];
  folders?: true;
}

/** Words that need no asking. */
export function fixed(...values: readonly (string | readonly [value: string, meaning: string])[]): Source {
  const candidates = values.map((one) =>
    typeof one === 'string' ? { value: one, meaning: '' } : { value: one[0], meaning: one[1] },
  );
  return () => candidates;
}

/** Words that are read when they are needed, since what holds them is not loaded by every key press. */
export function words(read: () => Promise<Iterable<string>>): Source {
  return async () => [...(await read())].map((value) => ({ value, meaning: '' }));
}

/** All candidates of several sources; one that fails, or is late, has none. */
export function anyOf(...sources: readonly Source[]): Source {
  return async (ask) => distinct((await Promise.all(sources.map((source) => inTime(source, ask)))).flat());
}

/** What a source has to offer before the deadline; nothing when it fails. */
export async function inTime(source: Source, ask: Ask): Promise<readonly Candidate[]> {
  try {
    return await Promise.race([source(ask), ended(ask.deadline)]);
  } catch {
    return [];
  }
}

function ended(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
  );
}

/** Each value once, with the meaning that it was first given. */
export function distinct(candidates: Iterable<Candidate>): Candidate[] {
  const byValue = new Map<string, Candidate>();
  for (const candidate of candidates)
    if (!byValue.has(candidate.value)) byValue.set(candidate.value, candidate);
  return [...byValue.values()];
}
