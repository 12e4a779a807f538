import { UserError } from '../../errors.ts';
import { parsePlainJson, TooDeep } from '../../lib/exact-json.ts';
import { type Finding, formatPosition } from '../../model/finding.ts';
import type { Path, Position } from '../rule.ts';
import { checkJson, doubledKeys, indexJson, JsonSyntaxError, pathKey } from './json-text.ts';
import type { ParsedDocument, ParsedFile } from './parsed.ts';
import { templateFault } from './template.ts';
import { parseYaml } from './yaml-documents.ts';

export type { ParsedDocument, ParsedFile };

/**
 * Parses a JSON file, or a YAML file of one or more documents. Syntax errors are findings. A document with one is left
 * out; the others are returned, so that all errors of a file are reported at once.
 */
export async function parseFile(file: string, text: string): Promise<ParsedFile> {
  // Files that were joined may have a byte order mark before each of them.
  const plain = text.replace(/(^|\n---[^\n]*\n)\ufeff/g, '$1');
  try {
    const parsed = looksLikeJson(file, plain) ? parseJson(file, plain) : await parseYaml(file, plain);
    const template = parsed.findings.some(({ code }) => code === 'syntax') && templateFault(file, plain);
    return template ? { documents: [], findings: [template] } : parsed;
  } catch (error) {
    // What nests deeper than the stack is no policy.
    if (!(error instanceof RangeError)) throw error;
    return { documents: [], findings: [tooDeep(file, text, 0)] };
  }
}

function tooDeep(file: string, text: string, offset: number): Finding {
  return {
    severity: 'error',
    code: 'syntax',
    message: 'malformed policy: its parts are nested too deeply to be read',
    position: { file, ...placeIn(text, offset) },
    path: [],
  };
}

function placeIn(text: string, offset: number): { line: number; column: number } {
  const lines = text.slice(0, offset).split('\n');
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
}

/** The documents of a file. Throws a UserError for its first syntax error. */
export async function readDocuments(file: string, text: string): Promise<ParsedDocument[]> {
  const { documents, findings } = await parseFile(file, text);
  const fault = findings.find(({ severity }) => severity === 'error');
  if (fault) throw new UserError(`${formatPosition(fault.position)}: ${fault.message}`, { hint: fault.hint });
  return documents;
}

function looksLikeJson(file: string, text: string): boolean {
  if (/\.ya?ml$/i.test(file)) return false;
  return /\.json$/i.test(file) || /^\s*(\[|\{\s*("|\}|$))/.test(text);
}

function parseJson(file: string, text: string): ParsedFile {
  let value: unknown;
  try {
    value = parsePlainJson(text);
  } catch (error) {
    const fault = error instanceof TooDeep ? tooDeep(file, text, error.offset) : jsonFault(file, text, error);
    return { documents: [], findings: [fault] };
  }
  const document = new JsonDocument(file, text, value);
  // Only the text shows that a key is written twice.
  const findings = doubledKeys(text, value).map(({ path, offset }): Finding => {
    const name = String(path.at(-1));
    return {
      severity: 'error',
      code: 'doubled-field',
      message: `field "${name}" is written twice`,
      hint: 'Only the last one would apply: merge the two or remove one.',
      position: document.positionAt(offset),
      path,
    };
  });
  return { documents: [document], findings };
}

function jsonFault(file: string, text: string, error: unknown): Finding {
  let fault: JsonSyntaxError | undefined;
  try {
    checkJson(text);
  } catch (found) {
    if (found instanceof JsonSyntaxError) fault = found;
  }
  const offset = fault?.offset ?? text.length;
  return {
    severity: 'error',
    code: 'syntax',
    message: `malformed policy, not JSON? ${fault?.message ?? String(error)}`,
    position: { file, ...placeIn(text, offset) },
    path: [],
    excerpt: excerptOf(text, offset),
  };
}

/** The line at an offset, with a caret below the column. Long lines are cut. */
function excerptOf(text: string, offset: number): string {
  const from = text.lastIndexOf('\n', offset - 1) + 1;
  const end = text.indexOf('\n', offset);
  const line = text.slice(from, end === -1 ? undefined : end).replaceAll('\r', '');
  const column = offset - from;
  const cut = Math.max(0, column - 60);
  const shown = line.slice(cut, cut + 100);
  const pad = shown.slice(0, column - cut).replace(/[^\t]/g, ' ');
  return `${shown}\n${pad}^`;
}

class JsonDocument implements ParsedDocument {
  readonly format = 'json';
  #index: Map<string, number> | undefined;
  #lines: number[] | undefined;

  constructor(
    readonly file: string,
    private readonly text: string,
    readonly value: unknown,
  ) {}

  locate(path: Path): Position {
    this.#index ??= indexJson(this.text);
    for (let length = path.length; length >= 0; length--) {
      const offset = this.#index.get(pathKey(path.slice(0, length)));
      if (offset !== undefined) return this.positionAt(offset);
    }
    return { file: this.file, line: 1, column: 1 };
  }

  written(path: Path): string | undefined {
    this.#index ??= indexJson(this.text);
    const offset = this.#index.get(pathKey(path));
    if (offset === undefined) return undefined;
    // A field is indexed by its name.
    return /^(?:"(?:[^"\\]|\\.)*"\s*:\s*)?([^\s,:{}[\]"]+)/.exec(this.text.slice(offset))?.[1];
  }

  positionAt(offset: number): Position {
    this.#lines ??= lineStarts(this.text);
    let low = 0;
    let high = this.#lines.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#lines[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { file: this.file, line: low + 1, column: offset - (this.#lines[low] ?? 0) + 1 };
  }
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}
