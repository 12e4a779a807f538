import type { Document, LineCounter } from 'yaml';
import { MAX_DEPTH } from './exact-json.ts';

/** A document with its nodes, comments and places. */
export type YamlDocument = Document.Parsed;

/** A few lines of aliases of aliases stand for more than any memory holds. */
const MAX_NODES = 1_000_000;
const TOO_DEEP = 'its parts are nested too deeply to be read';

/** Whether more brackets are open than any such file has: the parser takes seconds to find that out. */
function isDeep(text: string): boolean {
  let depth = 0;
  for (const bracket of text.matchAll(/[[\]{}]/g)) {
    depth += bracket[0] === '[' || bracket[0] === '{' ? 1 : -1;
    if (depth > MAX_DEPTH) return true;
  }
  return false;
}

/** Parses the one document of a small YAML file, such as a configuration. Throws an error that says what is wrong. */
export async function parseYamlText(text: string): Promise<unknown> {
  if (isDeep(text)) throw new SyntaxError(TOO_DEEP);
  const { parse } = await import('yaml');
  try {
    return parse(text, { logLevel: 'error' });
  } catch (cause) {
    // The parser makes an error of its text of a stack that is exhausted.
    if (cause instanceof Error && !cause.message.includes('call stack')) throw cause;
    throw new SyntaxError(TOO_DEEP, { cause });
  }
}

/**
 * Parses the documents of a file so that they can be written again with their comments. Errors of the syntax are in each
 * document; throws one where parts nest too deeply, or aliases stand for too much, nothing or themselves. Of keys that
 * stand twice in a map the last counts.
 */
export async function parseYamlDocuments(
  text: string,
): Promise<{ documents: YamlDocument[]; lines: LineCounter }> {
  if (isDeep(text)) throw new SyntaxError(TOO_DEEP);
  const yaml = await import('yaml');
  const lines = new yaml.LineCounter();
  try {
    const documents = yaml.parseAllDocuments(text, {
      lineCounter: lines,
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'error',
    });
    for (const document of documents) checkAliases(document, yaml);
    const read = [...documents];
    // The parser makes an error of its text of a stack that is exhausted.
    if (read.some(({ errors }) => errors.some(({ message }) => message.includes('call stack'))))
      throw new SyntaxError(TOO_DEEP);
    return { documents: read, lines };
  } catch (cause) {
    throw cause instanceof SyntaxError ? cause : new SyntaxError(TOO_DEEP, { cause });
  }
}

/** Throws where an alias stands for what cannot be written out. */
function checkAliases(
  document: YamlDocument,
  { isAlias, isCollection, isPair }: typeof import('yaml'),
): void {
  /** How many nodes each stands for; undefined while it is counted. */
  const sizes = new Map<unknown, number | undefined>();
  const sizeOf = (item: unknown): number => {
    if (isPair(item)) return sizeOf(item.key) + sizeOf(item.value);
    if (isAlias(item)) {
      const target = item.resolve(document);
      if (!target) throw new SyntaxError(`*${item.source} stands for nothing that is above it`);
      if (sizes.has(target) && sizes.get(target) === undefined)
        throw new SyntaxError(`*${item.source} stands for a part that it is in`);
      return sizeOf(target);
    }
    if (!isCollection(item)) return 1;
    const known = sizes.get(item);
    if (known !== undefined) return known;
    sizes.set(item, undefined);
    const size = item.items.reduce((sum: number, one) => sum + sizeOf(one), 1);
    if (size > MAX_NODES) throw new SyntaxError(`its aliases stand for more than ${MAX_NODES} parts`);
    sizes.set(item, size);
    return size;
  };
  sizeOf(document.contents);
}
