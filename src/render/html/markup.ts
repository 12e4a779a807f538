import { sanitizeCell } from '../text/sanitize.ts';

/** Text that is HTML already. Only `html` makes it: nothing else is of this type, whatever fields it has. */
class Markup {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  get text(): string {
    return this.#text;
  }
}

export type { Markup };

type Value = string | number | Markup | readonly Markup[];

/**
 * HTML with values in it. A value that is not HTML already is text of one line, and stays that in elements and in quoted
 * attributes: what would reorder or break it is escaped as for a terminal.
 */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Markup {
  return new Markup(
    parts.map((part, i) => part + (i < values.length ? markupOf(values[i] ?? '') : '')).join(''),
  );
}

function markupOf(value: Value): string {
  if (value instanceof Markup) return value.text;
  if (typeof value === 'object') return value.map(markupOf).join('');
  return htmlText(sanitizeCell(String(value).toWellFormed()));
}

/** Text that stands for itself in an element or a quoted attribute. */
export function htmlText(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
