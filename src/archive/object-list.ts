import { errorMessage, UserError } from '../errors.ts';
import { LineSplitter } from '../lib/line-splitter.ts';
import { isRecord } from '../lib/record.ts';
import { parseYamlText } from '../lib/yaml-text.ts';
import { OtherYaml, parseBlockYaml } from './block-yaml.ts';
import type { ArchiveFiles } from './files.ts';

/** The largest object that a cluster keeps takes 1.5 MiB; YAML of it may take more. */
const MAX_OBJECT_BYTES = 8 * 1024 * 1024;
/** A whole parser takes two seconds for a MiB. */
const MAX_PARSED_BYTES = 4 * 1024 * 1024;

/**
 * The objects of a file, one after the other as they are read: those of a list, or the only one. Throws UserError where
 * the file is not YAML of objects.
 */
export async function* objectsOf(files: ArchiveFiles, name: string): AsyncGenerator<Record<string, unknown>> {
  const reader = new ItemReader(files, name);
  const splitter = new LineSplitter(MAX_OBJECT_BYTES);
  for await (const chunk of files.stream(name))
    for (const line of splitter.push(chunk)) {
      const item = reader.push(line.bytes.toString('utf8'), line.length);
      if (item !== undefined) yield await reader.parse(item);
    }
  if (splitter.pending > 0) {
    const { bytes, length } = splitter.rest();
    const item = reader.push(bytes.toString('utf8'), length);
    if (item !== undefined) yield await reader.parse(item);
  }
  for (const item of reader.end()) yield await reader.parse(item);
}

/** Cuts a list into the texts of its items, each with its indentation taken away. */
class ItemReader {
  #lines: string[] = [];
  #bytes = 0;
  #state: 'before' | 'items' | 'after' = 'before';
  #indent: number | undefined;
  #parsed = 0;

  constructor(
    private readonly files: ArchiveFiles,
    private readonly name: string,
  ) {}

  /** Takes a line; returns the text of the item that ended with the one before. */
  push(line: string, length: number): string | undefined {
    this.#bytes += length + 1;
    if (this.#bytes > MAX_OBJECT_BYTES) throw this.#fault('an object in it is larger than any cluster keeps');
    if (this.#state === 'before') {
      if (/^items:\s*$/.test(line)) {
        this.#state = 'items';
        this.#take();
        return undefined;
      }
      if (/^items: \[\]\s*$/.test(line)) {
        this.#state = 'after';
        this.#take();
        return undefined;
      }
      this.#lines.push(line);
      return undefined;
    }
    if (this.#state === 'after') {
      this.#bytes = 0;
      return undefined;
    }
    const indent = line.search(/[^ ]/);
    if (indent < 0) {
      this.#lines.push('');
      return undefined;
    }
    const isItem = line.startsWith('- ', indent) || line.slice(indent) === '-';
    if (this.#indent === undefined && isItem) this.#indent = indent;
    const own = this.#indent ?? 0;
    if (indent < own || (indent === own && !isItem)) {
      this.#state = 'after';
      return this.#take();
    }
    if (indent > own) {
      this.#lines.push(line.slice(own + 2));
      if (line.slice(own, own + 2).trim() !== '') throw this.#fault('it is not YAML of a list');
      return undefined;
    }
    const before = this.#take();
    this.#bytes = length + 1;
    this.#lines.push(line.slice(own + 2));
    return before;
  }

  /** What is left at the end: the last item, or the only object. */
  end(): string[] {
    const text = this.#take();
    return this.#state === 'after' || text === undefined ? [] : [text];
  }

  async parse(text: string): Promise<Record<string, unknown>> {
    let value: unknown;
    try {
      value = parseBlockYaml(text);
    } catch (error) {
      if (!(error instanceof OtherYaml)) throw error;
      this.#parsed += text.length;
      if (this.#parsed > MAX_PARSED_BYTES)
        throw this.#fault('it takes too long to be read: no program writes such YAML');
      value = await parseYamlText(text).catch((cause: unknown) => {
        throw this.#fault(errorMessage(cause).split('\n')[0] ?? '', cause);
      });
      if (sizeOf(value) > MAX_PARTS) throw this.#fault(`an object in it has more than ${MAX_PARTS} parts`);
    }
    if (!isRecord(value)) throw this.#fault('it is not YAML of objects');
    return value;
  }

  #take(): string | undefined {
    const text = this.#lines.length === 0 ? undefined : this.#lines.join('\n');
    this.#lines = [];
    this.#bytes = 0;
    return text === undefined || text.trim() === '' ? undefined : text;
  }

  #fault(why: string, cause?: unknown): UserError {
    return new UserError(`${this.files.label}: ${this.name}: ${why}`, { cause });
  }
}

const MAX_PARTS = 200_000;

/** How many parts a value has; aliases count as often as they stand. */
function sizeOf(value: unknown): number {
  let size = 0;
  const visit = (part: unknown): void => {
    if (++size > MAX_PARTS || typeof part !== 'object' || part === null) return;
    for (const inner of Object.values(part)) {
      visit(inner);
      if (size > MAX_PARTS) return;
    }
  };
  visit(value);
  return size;
}
