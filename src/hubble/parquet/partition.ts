import type { Flow } from '../../model/hubble.gen.ts';
import { timeOf } from '../columns.ts';

/** The column that holds the whole record as "hubble observe -o jsonpb" prints it. */
export const RECORD_COLUMN = 'record';

/** Names of folders that a flow stands in: its day, its hour and the namespace that it is about. */
export function partitionOf(flow: Flow): string {
  const time = timeOf(flow)?.toISOString();
  const [day, hour] = time ? [time.slice(0, 10), time.slice(11, 13)] : [NONE, NONE];
  const namespace = flow.destination?.namespace || flow.source?.namespace || NONE;
  return `date=${day}/hour=${hour}/namespace=${folderName(namespace)}`;
}

/** A text as the name of a folder: what engines would take for something else is encoded, and no character of a long one is cut. */
function folderName(text: string): string {
  let name = '';
  for (const character of text.toWellFormed()) {
    // Engines take a star in a name for a pattern, and some the word null for nothing.
    const isTaken = character === '*' || (name === '' && /^null$/i.test(text));
    const encoded = isTaken
      ? `%${character.charCodeAt(0).toString(16).toUpperCase()}`
      : encodeURIComponent(character);
    if (name.length + encoded.length > MOST_LETTERS) break;
    name += encoded;
  }
  return name;
}

/** File systems take no longer names than 255. */
const MOST_LETTERS = 200;
/** What readers of partitions take for null. */
const NONE = '__HIVE_DEFAULT_PARTITION__';
