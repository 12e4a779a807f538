import { MAX_DEPTH } from './exact-json.ts';

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
