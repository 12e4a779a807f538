import type { Document, LineCounter } from 'yaml';
import { MAX_DEPTH } from './exact-json.ts';

/** A document with its nodes, comments and places. */
export type YamlDocument = Document.Parsed;

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
 * document; throws one where parts nest too deeply. Of keys that stand twice in a map the last counts.
 */
export async function parseYamlDocuments(
  text: string,
): Promise<{ documents: YamlDocument[]; lines: LineCounter }> {
  if (isDeep(text)) throw new SyntaxError(TOO_DEEP);
  const { LineCounter, parseAllDocuments } = await import('yaml');
  const lines = new LineCounter();
  try {
    const documents = parseAllDocuments(text, {
      lineCounter: lines,
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'error',
    });
    return { documents: [...documents], lines };
  } catch (cause) {
    throw new SyntaxError(TOO_DEEP, { cause });
  }
}
