import { type LogFilter, logLevelOf } from '../../cluster/log-line.ts';
import { UsageError } from '../../errors.ts';
import { compileRegexes } from '../../hubble/filter/patterns.ts';
import { COMPONENTS, type Component } from '../../kube/log-sources.ts';
import type { LogQuery } from '../../kube/logs.ts';
import { parseDurationMs } from '../../lib/duration.ts';
import { parseTimestamp } from '../../lib/timestamp.ts';

export const LOG_FORMATS = ['text', 'json', 'raw'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/** The flags as they are given. */
export interface LogsOptions {
  node: string[];
  allNodes?: boolean;
  limitNodes?: string;
  component: string[];
  previous?: boolean;
  concurrency?: number;
  follow?: boolean;
  since?: string;
  tail?: number;
  level?: string;
  subsys: string[];
  grep?: string;
  output: string;
}

/** What is asked for. */
export interface Plan {
  components: Component[];
  /** Names of nodes; all when absent. */
  nodes: Set<string> | undefined;
  /** Labels of nodes. */
  selector: string | undefined;
  query: LogQuery;
  filter: LogFilter;
  format: LogFormat;
  concurrency: number;
}

const DEFAULT_TAIL = 100;
const DEFAULT_CONCURRENCY = 10;

/** Checks the flags. */
export async function planOf(options: LogsOptions): Promise<Plan> {
  const { node, allNodes, limitNodes, previous = false, follow = false, tail } = options;
  const who = [
    ...(node.length > 0 ? ['--node'] : []),
    ...(allNodes ? ['--all-nodes'] : []),
    ...(limitNodes !== undefined ? ['--limit-nodes'] : []),
  ];
  if (who.length > 1) throw new UsageError(`${who.join(' and ')} cannot be used together`);
  if (node.includes('')) throw new UsageError('--node needs the name of a node');
  if (limitNodes === '') throw new UsageError('--limit-nodes needs labels, such as zone=a');
  if (previous && follow)
    throw new UsageError('--previous and --follow cannot be used together: nothing comes any more');
  const since = options.since === undefined ? undefined : sinceOf(options.since);
  const lines = tail ?? (since || previous ? -1 : DEFAULT_TAIL);
  return {
    components: componentsOf(options.component),
    nodes: node.length > 0 ? new Set(node) : undefined,
    selector: limitNodes,
    query: { follow, previous, since, ...(lines >= 0 && { tail: lines }) },
    filter: await filterOf(options),
    format: oneOf(LOG_FORMATS, options.output, '-o, --output'),
    concurrency: options.concurrency ?? DEFAULT_CONCURRENCY,
  };
}

async function filterOf({ level: word, subsys, grep }: LogsOptions): Promise<LogFilter> {
  const level = word === undefined ? undefined : logLevelOf(word);
  if (word !== undefined && level === undefined)
    throw new UsageError(
      `invalid argument "${word}" for "--level" flag: expected debug, info, warn, error or fatal`,
    );
  const matches = grep === undefined ? undefined : await compileRegexes([grep], '--grep');
  return { level, subsystems: subsys, matches };
}

function oneOf<T extends string>(known: readonly T[], word: string, flag: string): T {
  const found = known.find((name) => name === word);
  if (found === undefined)
    throw new UsageError(`invalid argument "${word}" for "${flag}" flag: expected ${known.join(', ')}`);
  return found;
}

function componentsOf(words: readonly string[]): Component[] {
  const all = Object.keys(COMPONENTS) as Component[];
  if (words.length === 0) return ['agent'];
  if (words.includes('all')) return all;
  return [...new Set(words.map((word) => oneOf([...all, 'all'] as const, word, '--component') as Component))];
}

/** A time, or how long before now: then the node's own clock counts. */
function sinceOf(text: string): LogQuery['since'] {
  const ms = parseDurationMs(text);
  if (ms !== undefined && ms >= 0) return { seconds: Math.max(1, Math.ceil(ms / 1000)) };
  if (parseTimestamp(text)) return { time: text };
  throw new UsageError(
    `invalid argument "${text}" for "--since" flag: expected a duration such as 5m, or a time such as 2026-01-31T15:04:05Z`,
  );
}
