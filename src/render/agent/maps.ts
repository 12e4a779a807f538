import { posix } from 'node:path';
import { goQuote } from '../../lib/go-quote.ts';
import type { CachedMapRow, MapEventRow } from '../../model/cached-map.ts';
import type { Block, Table } from '../text/blocks.ts';
import { renderTable } from '../text/blocks.ts';
import { sanitize, sanitizeCell } from '../text/sanitize.ts';

/** Last part of a path, as Go's path.Base. */
function baseName(path: string): string {
  return posix.basename(path) || (path.startsWith('/') ? '/' : '.');
}

/** `map list`; `uncached` is what stands for the number of entries of a map without a cache. */
export function mapTable(maps: readonly CachedMapRow[], uncached: '0' | 'unknown'): Table {
  const blocks = maps.map((map): Block => {
    const errors = map.cache?.filter((entry) => entry.error !== '').length ?? 0;
    const cells = [baseName(map.path), map.cache?.length ?? uncached, errors, map.cache !== undefined];
    return { key: map.path, lines: [cells.map((cell) => sanitizeCell(String(cell))).join('\t')] };
  });
  return { headers: ['Name\tNum entries\tNum errors\tCache enabled'], blocks };
}

/** The cache of one map. Connection tracking ends its values with a newline, which splits their rows: so be it. */
export function renderMapEntries({ cache }: CachedMapRow): string {
  if (cache === undefined) return 'Cache is disabled\n\n';
  if (cache.length === 0) return 'Cache is empty\n\n';
  const blocks = cache.map(({ key, value, state, error }) => ({
    key,
    lines: [[key, value, state, error].map(sanitize).join('\t')],
  }));
  return renderTable({ headers: ['Key\tValue\tState\tError'], blocks });
}

/** `map list --verbose`. */
export function renderMapsVerbose(maps: readonly CachedMapRow[]): string {
  return maps
    .map((map) => `## Map: ${sanitizeCell(baseName(map.path))}\n${renderMapEntries(map)}\n`)
    .join('');
}

/** One line of `map events`. */
export function renderMapEvent(event: MapEventRow): string {
  const quoted = (text: string) => goQuote(escaped(text));
  const plain = (text: string) => sanitize(escaped(text));
  return `key=${quoted(event.key)} value=${quoted(event.value)} time=${plain(rfc3339(event.timestamp))} action=${plain(
    event.action,
  )} desiredState=${plain(event.desiredAction)} lastError=${quoted(event.lastError)}\n`;
}

/** As the reference, which turns a tab into the same two characters as a newline. */
function escaped(text: string): string {
  return text.replaceAll('"', '\\"').replaceAll('\n', '\\n').replaceAll('\t', '\\n');
}

/** Whole seconds; the zone stays as it was sent. */
function rfc3339(timestamp: string): string {
  if (timestamp === '') return '0001-01-01T00:00:00Z';
  return timestamp.replace(/^(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)\.\d+/, '$1').replace(/[+-]00:00$/, 'Z');
}
