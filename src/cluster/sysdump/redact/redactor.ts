import { type ObjectOrigin, redactObject } from './object.ts';
import { RedactingStream } from './stream.ts';
import { redactText } from './text.ts';

/** How often a rule replaced something in a file. */
export interface Redaction {
  rule: string;
  file: string;
  count: number;
}

/** Replaces secrets in everything that goes into an archive, and counts them; with `isOff` it passes all on. */
export class Redactor {
  readonly #counts = new Map<string, Map<string, number>>();

  constructor(
    private readonly origin: ObjectOrigin,
    readonly isOff = false,
  ) {}

  #teller(file: string): (rule: string) => void {
    return (rule) => {
      const rules = this.#counts.get(file) ?? new Map<string, number>();
      this.#counts.set(file, rules);
      rules.set(rule, (rules.get(rule) ?? 0) + 1);
    };
  }

  /** An object that becomes part of a file. */
  object<T>(file: string, value: T): T {
    return this.isOff ? value : redactObject(value, this.origin, this.#teller(file));
  }

  /** A short text that becomes part of a file, such as the reason of a failure. */
  text(file: string, text: string): string {
    if (this.isOff) return text;
    const bytes = Buffer.from(text, 'utf8').toString('latin1');
    return Buffer.from(redactText(bytes, this.#teller(file)), 'latin1').toString('utf8');
  }

  /** The contents of a file. */
  stream(file: string): { push(bytes: Uint8Array): Buffer; end(): Buffer } {
    if (this.isOff) return { push: (bytes) => Buffer.from(bytes), end: () => Buffer.alloc(0) };
    return new RedactingStream(this.#teller(file));
  }

  /** What was replaced, by file and rule. */
  get redactions(): Redaction[] {
    return [...this.#counts]
      .flatMap(([file, rules]) => [...rules].map(([rule, count]) => ({ rule, file, count })))
      .toSorted((a, b) => (a.file === b.file ? (a.rule < b.rule ? -1 : 1) : a.file < b.file ? -1 : 1));
  }
}
