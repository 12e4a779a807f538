import { type Entry, type Group, nameOf, type Page } from './pages.ts';

const NOTICE = '<!-- Made by "npm run reference" from the declarations of the commands. Edit those. -->';

/** The pages of docs/reference by file name: one for each noun, and an index. */
export function referencePages(pages: readonly Page[]): Map<string, string> {
  const nouns = Map.groupBy(pages, ({ words }) => words.slice(0, 2).join('-'));
  const files = new Map<string, string>();
  for (const [noun, verbs] of nouns) {
    if (verbs[0] && verbs[0].words.length > 1) files.set(`${noun}.md`, nounPage(verbs));
  }
  files.set('README.md', index(pages));
  return files;
}

function nounPage(pages: readonly Page[]): string {
  const parts = pages.map((page) => verbPart(page));
  return `${[NOTICE, ...parts].join('\n\n')}\n`;
}

function verbPart(page: Page): string {
  const { words, long, aliases, usage, examples, notes, commands, needsRoot } = page;
  const own = page.groups.filter(({ isShared }) => !isShared);
  const shared = page.groups.filter(({ isShared }) => isShared);
  const parts = [
    `${words.length > 2 ? '##' : '#'} ${words.join(' ')}`,
    `${prose(long)}.${needsRoot ? ' Only root may run it.' : ''}`,
    code([`${words.join(' ')} ${usage}`]),
  ];
  if (aliases.length > 0) parts.push(`Aliases: ${aliases.map((alias) => `\`${alias}\``).join(', ')}.`);
  if (commands.length > 0)
    parts.push(table('command', commands, ({ term }) => `[${term}](#${[...words, term].join('-')})`));
  if (page.arguments.length > 0) parts.push(table('argument', page.arguments));
  for (const { title, flags } of own) {
    const named = flags.filter(({ term }) => term !== '-h, --help');
    if (named.length > 0) parts.push(table(own.length > 1 ? title.toLowerCase() : 'flag', named));
  }
  if (notes !== '') parts.push(code(notes.split('\n')));
  if (examples.length > 0) parts.push('Examples:', code(examples));
  if (shared.length > 0 && page.runs) parts.push(`Also: ${shared.map(sharedLine).join('; ')}.`);
  return parts.join('\n\n');
}

function sharedLine({ title, flags }: Group): string {
  const names = flags.map(({ term }) => `\`${/--[\w-]+/.exec(term)?.[0] ?? term}\``);
  return `[${title.toLowerCase()}](README.md#${anchor(title)}) ${names.join(' ')}`;
}

/** All commands in one table, and the flags that many of them share. */
function index(pages: readonly Page[]): string {
  const rows = pages.map((page) => ({ term: page.words.join(' '), text: page.about }));
  const files = new Map(pages.map((page) => [page.words.join(' '), linkOf(page)]));
  const parts = [
    NOTICE,
    '# Command reference',
    'What `--help` says of every command. `hubble` is a program of its own; `cilium hubble` is the same, and `cilium observe` is `hubble observe`.',
    table('command', rows, ({ term }) => {
      const link = files.get(term);
      return link ? `[${term}](${link})` : term;
    }),
    '## Flags that commands share',
    'Where a flag means something else beside some commands, each meaning has a row.',
  ];
  for (const [title, flags] of sharedFlags(pages)) parts.push(`### ${title}`, table('flag', flags));
  return `${parts.join('\n\n')}\n`;
}

function linkOf(page: Page): string | undefined {
  const { words } = page;
  if (words.length === 1) return undefined;
  const file = `${words.slice(0, 2).join('-')}.md`;
  return words.length === 2 ? file : `${file}#${nameOf(page)}`;
}

function sharedFlags(pages: readonly Page[]): Map<string, Entry[]> {
  const titles = new Map<string, Map<string, Entry>>();
  for (const { title, isShared, flags } of pages.flatMap(({ groups }) => groups)) {
    if (!isShared) continue;
    const seen = titles.get(title) ?? new Map<string, Entry>();
    titles.set(title, seen);
    for (const flag of flags) {
      const key = `${/--[\w-]+/.exec(flag.term)?.[0]} ${flag.text}`;
      // Of a verb that has taken the letter for itself only the long form stays.
      const known = seen.get(key);
      if (!known || known.term.length < flag.term.length) seen.set(key, flag);
    }
  }
  return new Map(Array.from(titles, ([title, seen]) => [title, [...seen.values()].sort(byFlag)] as const));
}

function byFlag(a: Entry, b: Entry): number {
  const [left, right] = [a, b].map(({ term }) => term.slice(term.indexOf('--')));
  return (left ?? '') < (right ?? '') ? -1 : 1;
}

function table(head: string, rows: readonly Entry[], first = ({ term }: Entry) => `\`${term}\``): string {
  const cell = (words: string) => words.replaceAll('|', '\\|');
  return [
    `| ${head} | |`,
    '|---|---|',
    ...rows.map((row) => `| ${cell(first(row))} | ${cell(prose(row.text))} |`),
  ].join('\n');
}

function code(lines: readonly string[]): string {
  return ['```', ...lines, '```'].join('\n');
}

/** Words of help in which Markdown finds nothing of its own. */
function prose(words: string): string {
  return words.replaceAll(/[\\`*_<>[\]]/g, (mark) => `\\${mark}`);
}

function anchor(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\w -]/g, '')
    .replaceAll(' ', '-');
}
