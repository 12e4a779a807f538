import { isMap, isScalar, type Pair, type YAMLMap } from 'yaml';
import type { YamlDocument } from '../../lib/yaml-text.ts';
import { keyText } from './given.ts';
import type { Change, Lint } from './lint.ts';

/**
 * Carries out the repairs of findings, as far as nothing stands in their way: what is written under the new name already
 * stays. Comments stay with what they are about. Returns how many findings were repaired.
 */
export function repair(document: YamlDocument, findings: readonly Lint[]): number {
  let repaired = 0;
  for (const { fix } of findings) {
    if (!fix || !isFree(document, fix)) continue;
    let last: Pair | undefined;
    for (const change of fix)
      last = change.kind === 'rename' ? rename(document, change) : set(document, change, last);
    repaired++;
  }
  return repaired;
}

/** Whether each change finds what it is about, and no new name is taken. */
function isFree(document: YamlDocument, fix: readonly Change[]): boolean {
  const own = fix.flatMap((change) => (change.kind === 'rename' ? [change.from.join('\0')] : []));
  return fix.every((change) => {
    if (change.kind === 'rename') {
      const isBelow = change.to.join('\0').startsWith(`${change.from.join('\0')}\0`);
      return document.hasIn(change.from) && (isBelow || isVacant(document, change.to));
    }
    return document.hasIn(change.at) || own.includes(change.at.join('\0')) || isVacant(document, change.at);
  });
}

/** Whether a name can be written: nothing is there, and what is above it is a map or nothing. */
function isVacant(document: YamlDocument, path: readonly string[]): boolean {
  if (document.hasIn(path)) return false;
  return path.every((_, i) => {
    if (i === 0) return true;
    const above = document.getIn(path.slice(0, i), true);
    return above === undefined || isMap(above);
  });
}

/** Sets a value; a new name stands behind `last` where both are in one map. */
function set(
  document: YamlDocument,
  { at, value }: Change & { kind: 'set' },
  last: Pair | undefined,
): Pair | undefined {
  const old = document.getIn(at, true);
  // The same node keeps its comments.
  if (isScalar(old) && typeof value !== 'object') {
    // Of another type it may not keep its quotes.
    if (typeof old.value !== typeof value) delete old.type;
    if (typeof value === 'string' && typeof old.value !== 'string') old.type = 'QUOTE_DOUBLE';
    old.value = value;
    delete old.source;
    return last;
  }
  const parent = mapAt(document, at.slice(0, -1));
  const place = parent && last ? parent.items.indexOf(last) : -1;
  if (!parent || place < 0 || old !== undefined) document.setIn(at, document.createNode(value));
  else parent.items.splice(place + 1, 0, document.createPair(at.at(-1), value) as Pair);
  return last;
}

function rename(document: YamlDocument, { from, to }: Change & { kind: 'rename' }): Pair | undefined {
  const parent = mapAt(document, from.slice(0, -1));
  const at = parent?.items.findLastIndex((pair) => nameOf(pair) === from.at(-1)) ?? -1;
  const pair = parent?.items[at];
  if (!parent || !pair) return undefined;
  const target = to.slice(0, -1);
  if (isScalar(pair.key)) pair.key.value = to.at(-1);
  if (target.join('\0') === from.slice(0, -1).join('\0')) return pair;
  parent.items.splice(at, 1);
  // What stands above the first name of a map is about that name.
  if (at === 0 && parent !== document.contents) takeComment(parent, pair);
  let into = document.contents as YAMLMap;
  for (const word of target) {
    const found: unknown = into.get(word, true);
    const next = isMap(found) ? (found as YAMLMap) : (document.createNode({}) as YAMLMap);
    if (next !== found) {
      const made = document.createPair(word, next) as Pair;
      // A map is made where the old name stood, so that what was together stays together.
      if (into === parent) into.items.splice(at, 0, made);
      else into.items.push(made);
    }
    into = next;
  }
  into.items.push(pair);
  prune(document, from.slice(0, -1), pair);
  return pair;
}

/** Takes away the maps that a move has left empty; what was said of them is said of what has moved. */
function prune(document: YamlDocument, path: readonly string[], moved: Pair): void {
  for (let depth = path.length; depth > 0; depth--) {
    const parent = mapAt(document, path.slice(0, depth - 1));
    const at = parent?.items.findIndex((pair) => nameOf(pair) === path[depth - 1]) ?? -1;
    const pair = parent?.items[at];
    if (!parent || !pair || !isMap(pair.value) || pair.value.items.length > 0) return;
    takeComment(pair.value as YAMLMap, moved);
    if (isScalar(pair.key)) takeComment(pair.key, moved);
    parent.items.splice(at, 1);
    // A blank line above it stays above what follows.
    const next = parent.items[at];
    if (isScalar(pair.key) && pair.key.spaceBefore && isScalar(next?.key)) next.key.spaceBefore = true;
    if (at === 0 && parent !== document.contents) takeComment(parent, moved);
  }
}

function takeComment(from: { commentBefore?: string | null }, { key }: Pair): void {
  if (!from.commentBefore || !isScalar(key)) return;
  key.commentBefore = [from.commentBefore, key.commentBefore].filter(Boolean).join('\n');
  from.commentBefore = null;
}

function mapAt(document: YamlDocument, path: readonly string[]): YAMLMap | undefined {
  const node = path.length === 0 ? document.contents : document.getIn(path, true);
  return isMap(node) ? (node as YAMLMap) : undefined;
}

function nameOf({ key }: Pair): string {
  return keyText(key);
}

/** The documents as text, in the manner that the file was written in. */
export function documentsText(documents: readonly YamlDocument[], text: string): string {
  const indentSeq = !/^( *)[\w."'-]+:[ \t]*(?:#.*)?\n\1- /m.test(text);
  const flowCollectionPadding = /[[{] \S/.test(text);
  const parts = documents.map((document) =>
    document.toString({ lineWidth: 0, indentSeq, flowCollectionPadding }),
  );
  return parts.map((part, i) => (i > 0 && !part.startsWith('---') ? `---\n${part}` : part)).join('');
}
