import { TOPICS } from '../../src/cli/topics.ts';
import { type Entry, nameOf, type Page } from './pages.ts';

/** What stands in the head and the foot of every manual page. */
export interface Edition {
  version: string;
  /** Such as `2026-01-31`. */
  date: string;
}

/** How long lines of the source become; it leaves room for what is escaped. */
const LINE = 66;

/** Manual pages by file name, in the macros of man(7), which groff and mandoc both read. */
export function manualPages(pages: readonly Page[], edition: Edition): Map<string, string> {
  const files = new Map(pages.map((page) => [`${nameOf(page)}.1`, manualPage(page, pages, edition)]));
  for (const page of pages) {
    if (page.words[0] === 'hubble' && page.words[1] === 'observe')
      files.set(`cilium-${page.words.slice(1).join('-')}.1`, `.so man1/${nameOf(page)}.1\n`);
  }
  return files;
}

function manualPage(page: Page, pages: readonly Page[], { version, date }: Edition): string {
  const { words, about, long, aliases, usage, examples, notes, commands } = page;
  const name = nameOf(page);
  const lines = [
    `.TH ${name.toUpperCase()} 1 ${date} ${quoted(`cilium-toolkit ${version}`)} ${quoted('Cilium Toolkit')}`,
    '.SH NAME',
    `${text(name)} \\-`,
    paragraph(lowerFirst(about)),
    '.SH SYNOPSIS',
    `.B ${text(words.join(' '))}`,
    text(usage),
    '.SH DESCRIPTION',
    paragraph(`${long}.`),
  ];
  if (aliases.length > 0)
    lines.push(
      '.PP',
      text(`${aliases.length > 1 ? 'Aliases' : 'Alias'} of the last word: ${aliases.join(', ')}.`),
    );
  if (page.needsRoot) lines.push('.PP', 'Only root may run it.');
  if (notes !== '') lines.push('.PP', ...verbatim(notes.split('\n')));
  if (page.arguments.length > 0) lines.push('.SH ARGUMENTS', ...entries(page.arguments, argumentTerm));
  if (commands.length > 0)
    lines.push('.SH COMMANDS', ...entries(commands, ({ term }) => `.BR ${text(`${name}-${term}`)} (1)`));
  const titled = page.groups.length > 1;
  lines.push('.SH OPTIONS');
  for (const { title, flags } of page.groups) {
    if (titled) lines.push(`.SS ${text(title)}`);
    lines.push(...entries(flags, flagTerm));
  }
  if (words.length === 1)
    lines.push(
      '.SH ENVIRONMENT',
      ...entries(TOPICS.environment.entries, ({ term }) => `.B ${text(term)}`),
      ...FILES,
    );
  lines.push('.SH EXIT STATUS', ...entries(TOPICS['exit-codes'].entries, ({ term }) => `.B ${term}`));
  if (examples.length > 0) lines.push('.SH EXAMPLES', ...verbatim(examples));
  lines.push('.SH SEE ALSO', ...seeAlso(page, pages));
  return `${lines.filter((line) => line !== '').join('\n')}\n`;
}

const FILES = [
  '.SH FILES',
  ...entries(
    [
      { term: '~/.cilium.yaml', text: 'Settings of cilium.' },
      { term: '~/.config/hubble/config.yaml', text: 'Settings of hubble.' },
      { term: '/var/run/cilium/cilium.sock', text: 'Where an agent listens.' },
      { term: '/var/run/cilium/hubble.sock', text: 'Where the Hubble server of an agent listens.' },
    ],
    ({ term }) => `.I ${text(term)}`,
  ),
];

/** The command around it, and its neighbours. */
function seeAlso({ words }: Page, pages: readonly Page[]): string[] {
  const parent = words.slice(0, -1).join('-');
  const near = pages.filter(
    (other) =>
      nameOf(other) === parent ||
      (words.length > 1 &&
        other.words.slice(0, -1).join('-') === parent &&
        nameOf(other) !== words.join('-')),
  );
  const names = near.map(nameOf);
  if (words.length === 1) names.push(words[0] === 'hubble' ? 'cilium' : 'hubble');
  return names.map((name, i) =>
    `.BR ${text(name)} (1)${i < names.length - 1 ? ' ,' : ''}`.replace('(1) ,', '(1),'),
  );
}

function entries(list: readonly Readonly<Entry>[], head: (entry: Entry) => string): string[] {
  return list.flatMap((entry) => ['.TP', head(entry), paragraph(entry.text)]);
}

const argumentTerm = ({ term }: Entry) => `\\fI${text(term)}\\fR`;

/** The names of a flag bold, its value in italics. */
function flagTerm({ term }: Entry): string {
  const [, names = term, value = ''] = /^(.*?)(?: ([<[].*))?$/.exec(term) ?? [];
  const bold = names
    .split(', ')
    .map((name) => `\\fB${text(name)}\\fR`)
    .join(', ');
  return value === '' ? bold : `${bold} \\fI${text(value.replaceAll(/[<>]/g, ''))}\\fR`;
}

function verbatim(lines: readonly string[]): string[] {
  return ['.nf', ...lines.map((line) => text(line) || '\\&'), '.fi'];
}

/** Nothing in it is taken for a macro or an escape; a minus can be copied. */
function text(words: string): string {
  return words
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(?=[.'])/, '\\&');
}

/** Filled by the reader's formatter; in the source no line is long. */
function paragraph(words: string): string {
  const lines: string[] = [];
  for (const word of words.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length > LINE) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.map(text).join('\n') || '\\&';
}

function quoted(words: string): string {
  return `"${text(words).replaceAll('"', '\\(dq')}"`;
}

/** A sentence's first word, unless it is a name. */
function lowerFirst(words: string): string {
  return /^[A-Z][a-z]/.test(words) ? words.charAt(0).toLowerCase() + words.slice(1) : words;
}
