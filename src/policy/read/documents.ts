import type { Document, LineCounter, YAMLError } from 'yaml';
import { UserError } from '../../errors.ts';
import { type Finding, formatPosition } from '../../model/finding.ts';
import type { Path, Position, SourceDocument } from '../rule.ts';
import { checkJson, doubledKeys, indexJson, JsonSyntaxError, pathKey } from './json-text.ts';
import { parsePlainYaml } from './plain-yaml.ts';

/** One document of a file: the value and where its parts are written. */
export interface ParsedDocument extends SourceDocument {
  readonly value: unknown;
  readonly format: 'json' | 'yaml';
}

export interface ParsedFile {
  documents: ParsedDocument[];
  findings: Finding[];
}

/**
 * Parses a JSON file, or a YAML file of one or more documents. Syntax errors are findings. A document with one is left
 * out; the others are returned, so that all errors of a file are reported at once.
 */
export async function parseFile(file: string, text: string): Promise<ParsedFile> {
  const plain = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  if (looksLikeJson(file, plain)) return parseJson(file, plain);
  return parseYaml(file, plain);
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
    value = JSON.parse(text);
  } catch (error) {
    return { documents: [], findings: [jsonFault(file, text, error)] };
  }
  const document = new JsonDocument(file, text, value);
  // Only the text shows that a key is written twice.
  const findings = doubledKeys(text).map(({ path, offset }): Finding => {
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
  const line = text.slice(0, offset).split('\n');
  return {
    severity: 'error',
    code: 'syntax',
    message: `malformed policy, not JSON? ${fault?.message ?? String(error)}`,
    position: { file, line: line.length, column: (line.at(-1)?.length ?? 0) + 1 },
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

async function parseYaml(file: string, text: string): Promise<ParsedFile> {
  const yaml = await import('yaml');
  const plain = parsePlainYaml(text);
  if (plain) return plainDocuments(file, text, plain, yaml);
  const lines = new yaml.LineCounter();
  const parsed = yaml.parseAllDocuments(text, {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'silent',
  });
  const documents: ParsedDocument[] = [];
  const findings: Finding[] = [];
  for (const document of Array.isArray(parsed) ? parsed : []) {
    const faults = document.errors.map((error) => yamlFault(file, text, lines, error));
    findings.push(...faults);
    // After a syntax error the parser guesses, so there is nothing to check.
    if (faults.some(({ code }) => code === 'syntax')) continue;
    const value = yamlValue(document);
    // A file may begin or end with an empty document (`---`).
    if (value !== null && value !== undefined) {
      documents.push(new YamlDocument(file, document, lines, value, yaml));
    }
  }
  return { documents, findings };
}

/** Documents whose values are already known; the full YAML parser only runs to locate something in one. */
function plainDocuments(
  file: string,
  text: string,
  values: readonly unknown[],
  yaml: typeof import('yaml'),
): ParsedFile {
  let parsed: YamlDocument[] | undefined;
  const located = (index: number, path: Path): Position => {
    parsed ??= yamlDocuments(file, text, yaml);
    return parsed[index]?.locate(path) ?? { file, line: 1, column: 1 };
  };
  const present = values.filter((value) => value !== null);
  return {
    documents: present.map((value, i) => ({
      file,
      format: 'yaml',
      value,
      locate: (path) => located(i, path),
    })),
    findings: [],
  };
}

function yamlDocuments(file: string, text: string, yaml: typeof import('yaml')): YamlDocument[] {
  const lines = new yaml.LineCounter();
  const parsed = yaml.parseAllDocuments(text, {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'silent',
  });
  return (Array.isArray(parsed) ? parsed : []).flatMap((document) => {
    const value = yamlValue(document);
    return value === null || value === undefined
      ? []
      : [new YamlDocument(file, document, lines, value, yaml)];
  });
}

function yamlValue(document: Document.Parsed): unknown {
  try {
    return document.toJS({ maxAliasCount: 1000 });
  } catch {
    return undefined;
  }
}

function yamlFault(file: string, text: string, lines: LineCounter, error: YAMLError): Finding {
  const doubled = error.code === 'DUPLICATE_KEY';
  const misplaced = error.code === 'BAD_INDENT' && error.message.includes('mapping items');
  let [offset] = error.pos;
  while (misplaced && text[offset] === ' ') offset++;
  return {
    severity: 'error',
    code: doubled ? 'doubled-field' : 'syntax',
    message: doubled ? 'this field is written twice' : `malformed policy, not YAML? ${error.message}`,
    ...(doubled && { hint: 'Only one of them would apply: merge the two or remove one.' }),
    ...(misplaced && {
      hint: 'Indent the fields of a list item to the column of the text after the dash, not to the dash.',
    }),
    position: { file, ...positionOf(lines, offset) },
    path: [],
  };
}

function positionOf(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

class YamlDocument implements ParsedDocument {
  readonly format = 'yaml';

  constructor(
    readonly file: string,
    private readonly document: Document.Parsed,
    private readonly lines: LineCounter,
    readonly value: unknown,
    private readonly yaml: typeof import('yaml'),
  ) {}

  locate(path: Path): Position {
    let node: unknown = this.document.contents;
    let offset = this.#start(node) ?? 0;
    for (const step of path) {
      if (this.yaml.isAlias(node)) node = node.resolve(this.document);
      if (this.yaml.isMap(node)) {
        const pair = node.items.find(
          (item) => this.yaml.isScalar(item.key) && String(item.key.value) === step,
        );
        if (!pair) break;
        offset = this.#start(pair.key) ?? offset;
        node = pair.value;
      } else if (this.yaml.isSeq(node) && typeof step === 'number') {
        node = node.items[step];
        offset = this.#start(node) ?? offset;
      } else break;
    }
    return { file: this.file, ...positionOf(this.lines, offset) };
  }

  #start(node: unknown): number | undefined {
    return this.yaml.isNode(node) ? node.range?.[0] : undefined;
  }
}
