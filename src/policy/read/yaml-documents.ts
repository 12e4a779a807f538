import type { Document, LineCounter, YAMLError } from 'yaml';
import type { Finding } from '../../model/finding.ts';
import type { Path, Position } from '../rule.ts';
import type { ParsedDocument, ParsedFile } from './parsed.ts';
import { parsePlainYaml } from './plain-yaml.ts';
import { PARSE_OPTIONS, type YamlFault, type YamlValue, yamlValueOf } from './yaml-values.ts';

type Yaml = typeof import('yaml');

/** Parses a YAML file as kubectl does. A document that cannot be read is an error; the others are returned. */
export async function parseYaml(file: string, text: string): Promise<ParsedFile> {
  const yaml = await import('yaml');
  const plain = parsePlainYaml(text);
  return plain ? plainDocuments(file, text, plain, yaml) : parseFullYaml(file, text, yaml);
}

/** Errors that are told of a document: after the first ones the parser only guesses, one for each letter. */
const MOST_ERRORS = 20;

/** Any YAML, with the full parser. */
export function parseFullYaml(file: string, text: string, yaml: Yaml): ParsedFile {
  const lines = new yaml.LineCounter();
  const documents: ParsedDocument[] = [];
  const findings: Finding[] = [];
  for (const document of parseAll(text, lines, yaml)) {
    const faults = document.errors
      .slice(0, MOST_ERRORS)
      .map((error) => syntaxFault(file, text, lines, error));
    // After a syntax error the parser guesses, so there is nothing to check.
    const read = faults.length === 0 ? yamlValueOf(document, yaml) : undefined;
    faults.push(...(read?.faults ?? []).map((fault) => finding(file, lines, fault)));
    findings.push(...faults);
    const refused = faults.some(({ severity, code }) => severity === 'error' && code === 'syntax');
    if (refused) continue;
    if (!read || read.value === undefined) throw new Error(`a document of ${file} was lost`);
    // A file may begin or end with an empty document (`---`).
    if (read.value !== null) documents.push(new YamlDocument(file, text, lines, read, yaml));
  }
  return { documents, findings };
}

function parseAll(text: string, lines: LineCounter, yaml: Yaml): Document.Parsed[] {
  const parsed = yaml.parseAllDocuments(text, { ...PARSE_OPTIONS, lineCounter: lines });
  return Array.isArray(parsed) ? parsed : [];
}

/** Documents whose values are already known; the full YAML parser only runs to locate something in one. */
function plainDocuments(file: string, text: string, values: readonly unknown[], yaml: Yaml): ParsedFile {
  const present = values.filter((value) => value !== null);
  let parsed: ParsedDocument[] | undefined;
  const full = (i: number): ParsedDocument | undefined => {
    parsed ??= parseFullYaml(file, text, yaml).documents;
    if (parsed.length !== present.length) throw new Error(`two readings of ${file} differ`);
    return parsed[i];
  };
  return {
    documents: present.map((value, i) => ({
      file,
      format: 'yaml',
      value,
      locate: (path) => full(i)?.locate(path) ?? { file, line: 1, column: 1 },
      written: (path) => full(i)?.written(path),
    })),
    findings: [],
  };
}

function syntaxFault(file: string, text: string, lines: LineCounter, error: YAMLError): Finding {
  // The parser makes a fault of its text of it.
  if (error.message.includes('call stack')) throw new RangeError(error.message);
  const misplaced = error.code === 'BAD_INDENT' && error.message.includes('mapping items');
  let [offset] = error.pos;
  while (misplaced && text[offset] === ' ') offset++;
  return finding(file, lines, {
    severity: 'error',
    code: 'syntax',
    message: `malformed policy, not YAML? ${error.message}`,
    ...(misplaced && {
      hint: 'Indent the fields of a list item to the column of the text after the dash, not to the dash.',
    }),
    offset,
  });
}

function finding(file: string, lines: LineCounter, { offset, ...fault }: YamlFault): Finding {
  return { ...fault, position: { file, ...positionOf(lines, offset) }, path: [] };
}

function positionOf(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

class YamlDocument implements ParsedDocument {
  readonly format = 'yaml';
  readonly value: unknown;

  constructor(
    readonly file: string,
    private readonly text: string,
    private readonly lines: LineCounter,
    private readonly read: YamlValue,
    private readonly yaml: Yaml,
  ) {
    this.value = read.value;
  }

  locate(path: Path): Position {
    const offset = this.read
      .trace(path)
      .map(({ at }) => this.#range(at)?.[0])
      .findLast((start) => start !== undefined);
    return { file: this.file, ...positionOf(this.lines, offset ?? 0) };
  }

  written(path: Path): string | undefined {
    const places = this.read.trace(path);
    const range = places.length === path.length + 1 ? this.#range(places.at(-1)?.node) : undefined;
    return range && this.text.slice(range[0], range[1]);
  }

  #range(node: unknown): readonly [number, number, number] | undefined {
    return (this.yaml.isNode(node) ? node.range : undefined) ?? undefined;
  }
}
