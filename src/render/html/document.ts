import type { Cell, Fact, Mark, PageDocument, Section } from '../../model/document.ts';
import { html, type Markup } from './markup.ts';
import { type PageParts, wholePage } from './shell.ts';

/** Rows of a table that a browser is given. */
const MOST_ROWS = 5000;
/** Longer text is folded. */
const LONG = 600;
const SHOWN = 100;
/** More of a text, and more lines below a cell, are not shown: no text of an archive makes a page that no browser opens. */
const MOST_LETTERS = 20_000;
const MOST_LINES = 200;
/** Text that has no place to be broken at is folded earlier. */
const UNBROKEN = /\S{160}/;

/** Columns that a telephone has room for. */
const NARROW = 3;

/** A sign beside the colour, which not everybody sees. */
const SIGNS: Readonly<Record<Mark, string>> = { good: '✓', bad: '✕', warning: '!', unknown: '?' };

/** A document as one file without a script: it needs nothing else, and nothing runs in it. */
export function renderDocument(document: PageDocument, parts: PageParts): string {
  const { title, about, facts, sections, made, version } = document;
  const body = html`<div id="page">
<header>
<h1>${title}</h1>
${about.map((line) => html`<div class="muted">${folded(line)}</div>\n`)}</header>
<dl class="facts">
${facts.map(factOf)}</dl>
<div class="tables">
${sections.map(sectionOf)}</div>
<footer class="muted">cilium-toolkit ${version}, ${made}</footer>
</div>`;
  return wholePage(html`${title}`.text, body.text, parts);
}

function factOf({ name, ...cell }: Fact): Markup {
  return html`<div><dt>${name}</dt><dd>${cellOf(cell)}</dd></div>\n`;
}

function sectionOf({ title, notes = [], heads, rows, empty }: Section): Markup {
  if (rows.length === 0 && empty === undefined && notes.length === 0) return html``;
  const hidden = rows.length - MOST_ROWS;
  return html`<section>
<h2>${title}</h2>
${notes.map((note) => html`<div class="note">${folded(note)}</div>\n`)}${rows.length === 0 ? html`<p class="muted">${empty ?? ''}</p>` : tableOf(title, heads, rows)}
${hidden > 0 ? html`<p class="muted">${hidden} more rows are not shown here.</p>\n` : ''}</section>
`;
}

/** A wide table moves by itself, with the keys as well. */
function tableOf(title: string, heads: readonly string[], rows: Section['rows']): Markup {
  const isWide = heads.length > NARROW;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${title}">
<table class="${isWide ? 'cards' : 'narrow'}">
<thead><tr>${heads.map((head, i) => headOf(head, rows[0]?.[i]))}</tr></thead>
<tbody>
${rows.slice(0, MOST_ROWS).map((row) => html`<tr>${row.map((cell, i) => dataOf(cell, isWide ? heads[i] : undefined))}</tr>\n`)}</tbody>
</table>
</div>`;
}

function headOf(head: string, below: string | number | Cell | undefined): Markup {
  return html`<th scope="col" class="${typeof below === 'number' ? 'number' : 'text'}">${head}</th>`;
}

/** On a telephone a row of a wide table is a card, in which each cell names its column. */
function dataOf(cell: string | number | Cell, head: string | undefined): Markup {
  const named = head === undefined ? html`` : html` data-head="${head}"`;
  if (typeof cell === 'number') return html`<td class="number"${named}>${cell}</td>`;
  const content = cellOf(typeof cell === 'string' ? { text: cell } : cell);
  return html`<td${named}>${content}</td>`;
}

function cellOf({ text, mark, more = [] }: Cell): Markup {
  const shown = mark ? html`<b class="${mark}">${SIGNS[mark]} ${folded(text)}</b>` : folded(text);
  if (more.length === 0) return shown;
  const hidden = more.length - MOST_LINES;
  const lines = more.slice(0, MOST_LINES).map((line) => html`${cut(line)}\n`);
  const rest = hidden > 0 ? html`… (${hidden} more lines)\n` : html``;
  return html`${shown}<details><summary>more</summary><pre>${lines}${rest}</pre></details>`;
}

function folded(text: string): Markup {
  if (text.length <= LONG && !UNBROKEN.test(text)) return html`${text}`;
  return html`<details><summary>${text.slice(0, SHOWN)}…</summary>${cut(text)}</details>`;
}

function cut(text: string): string {
  return text.length <= MOST_LETTERS ? text : `${text.slice(0, MOST_LETTERS)}… (${text.length} letters)`;
}
