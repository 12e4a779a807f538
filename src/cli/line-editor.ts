/** The keys that are no text, as Ink tells them. */
export type Key = Partial<
  Record<
    | 'upArrow'
    | 'downArrow'
    | 'leftArrow'
    | 'rightArrow'
    | 'pageUp'
    | 'pageDown'
    | 'home'
    | 'end'
    | 'return'
    | 'escape'
    | 'backspace'
    | 'delete'
    | 'tab'
    | 'shift'
    | 'ctrl'
    | 'meta',
    boolean
  >
>;

/**
 * The keys of what came in one go, as a fast typist or a paste sends it: a character each. A line break at the end is Enter;
 * one inside is of a paste, and a blank.
 */
export function keysOf(input: string): [input: string, key: Key][] {
  const text = input.replace(/(\r\n|[\r\n])$/, '');
  const keys = [...text.replaceAll(/[\r\n\t]+/g, ' ')].map((c): [string, Key] => {
    if (c === '\u007f' || c === '\b') return ['', { backspace: true }];
    const code = c.charCodeAt(0);
    return code > 0 && code <= 26 ? [String.fromCharCode(code + 96), { ctrl: true }] : [c, {}];
  });
  return text === input ? keys : [...keys, ['', { return: true }]];
}

/** What was typed before, oldest first. */
export class LineHistory {
  readonly lines: string[] = [];

  /** Remembers a line that was used; one that is there already moves to the end. */
  add(line: string): void {
    if (line === '') return;
    const at = this.lines.indexOf(line);
    if (at !== -1) this.lines.splice(at, 1);
    this.lines.push(line);
  }
}

const IN_WORD = /[\p{L}\p{N}_]/u;
const CONTROLS = /\p{Cc}+/gu;

/** A line that is edited with the keys of a shell: by characters and words, with a history. */
export class LineEditor {
  #before: string[];
  #after: string[] = [];
  /** Place in the history; its length while the line is a new one. */
  #place: number;
  #draft = '';

  constructor(
    private readonly history = new LineHistory(),
    text = '',
  ) {
    this.#before = [...text];
    this.#place = history.lines.length;
  }

  /** The whole line. */
  get text(): string {
    return this.before + this.after;
  }

  /** What stands before the cursor. */
  get before(): string {
    return this.#before.join('');
  }

  /** What stands behind it. */
  get after(): string {
    return this.#after.join('');
  }

  /** Does what a key means; those that end the line are not its own. */
  press(input: string, key: Key): void {
    const byWord = key.ctrl || key.meta;
    if (key.upArrow) this.#recall(-1);
    else if (key.downArrow) this.#recall(1);
    else if (key.leftArrow) this.#left(byWord ? this.#wordBefore() : 1);
    else if (key.rightArrow) this.#right(byWord ? this.#wordAfter() : 1);
    else if (key.home) this.#left(this.#before.length);
    else if (key.end) this.#right(this.#after.length);
    else if (key.backspace) this.#cutBefore(byWord ? this.#wordBefore() : 1);
    else if (key.delete) this.#after.splice(0, byWord ? this.#wordAfter() : 1);
    else if (key.ctrl) this.#control(input);
    else if (key.meta) this.#alt(input);
    else this.#before.push(...input.replaceAll(CONTROLS, ' '));
  }

  #control(letter: string): void {
    if (letter === 'a') this.#left(this.#before.length);
    else if (letter === 'e') this.#right(this.#after.length);
    else if (letter === 'b') this.#left(1);
    else if (letter === 'f') this.#right(1);
    else if (letter === 'u') this.#before = [];
    else if (letter === 'k') this.#after = [];
    else if (letter === 'w') this.#cutBefore(this.#wordBefore(/\S/u));
    else if (letter === 'h') this.#cutBefore(1);
    else if (letter === 'd') this.#after.shift();
    else if (letter === 'p') this.#recall(-1);
    else if (letter === 'n') this.#recall(1);
  }

  #alt(letter: string): void {
    if (letter === 'b') this.#left(this.#wordBefore());
    else if (letter === 'f') this.#right(this.#wordAfter());
    else if (letter === 'd') this.#after.splice(0, this.#wordAfter());
  }

  #left(by: number): void {
    this.#after.unshift(...this.#cutBefore(by));
  }

  #right(by: number): void {
    this.#before.push(...this.#after.splice(0, by));
  }

  #cutBefore(count: number): string[] {
    return this.#before.splice(Math.max(0, this.#before.length - count));
  }

  #wordBefore(inWord = IN_WORD): number {
    return wordLength(this.#before.toReversed(), inWord);
  }

  #wordAfter(): number {
    return wordLength(this.#after, IN_WORD);
  }

  #recall(by: number): void {
    const { lines } = this.history;
    const place = this.#place + by;
    if (place < 0 || place > lines.length) return;
    if (this.#place === lines.length) this.#draft = this.text;
    this.#place = place;
    this.#before = [...(lines[place] ?? this.#draft)];
    this.#after = [];
  }
}

/** Characters to the end of the next word: what is between comes along. */
function wordLength(characters: readonly string[], inWord: RegExp): number {
  const start = characters.findIndex((c) => inWord.test(c));
  if (start === -1) return characters.length;
  const end = characters.findIndex((c, i) => i > start && !inWord.test(c));
  return end === -1 ? characters.length : end;
}
