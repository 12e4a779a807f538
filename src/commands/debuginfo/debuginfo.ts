import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Answer } from '../../agent/decode/answer.ts';
import { type DebugReport, readDebugInfo } from '../../agent/decode/debuginfo.ts';
import { durationOption, examples, stringSlice } from '../../cli/flags.ts';
import { writeAnswer, writeStructured } from '../../cli/output.ts';
import { withProgress } from '../../cli/progress.ts';
import type { Context } from '../../context.ts';
import { systemReason, UsageError, UserError } from '../../errors.ts';
import { goJson } from '../../render/text/json.ts';
import type { TabStop } from '../../render/text/table.ts';

interface DebuginfoOptions {
  file?: boolean;
  filePerCommand?: boolean;
  output: string[];
  outputDirectory: string;
  timeout: number;
}

type Info = Answer<DebugReport>;

/** A wanted form of the report. */
type Form = { kind: 'markdown' | 'html' | 'json' } | { kind: 'jsonpath'; expression: string };

const EXTENSIONS = { markdown: 'md', html: 'html', json: 'json', jsonpath: 'jsonpath' } as const;
/** The writer of the report: tab(5,0,3). */
const DEBUG_TABLE: TabStop = { minWidth: 5, padding: 3 };

/** Declares `debuginfo`. */
export function addDebuginfoCommand(command: Command, ctx: Context): void {
  command
    .option('-f, --file', 'Redirect output to file(s)')
    .option('--file-per-command', 'Generate a single file per command')
    .addOption(stringSlice('--output <formats>', "markdown| html| json| jsonpath='{}'"))
    .option('--output-directory <folder>', 'Folder for the files (default: the current one)', '')
    .addOption(
      durationOption('--timeout <duration>', 'How long to wait for the agent to answer').default(
        90_000,
        '1m30s',
      ),
    )
    .addHelpText(
      'after',
      examples(
        'cilium debuginfo --file --output-directory /tmp',
        "cilium debuginfo --output jsonpath='{.kernel-version}'",
      ),
    )
    .action((options: DebuginfoOptions) => runDebuginfo(options, ctx));
}

/** Prints the agent's report, or writes it to files, in every wanted form. */
export async function runDebuginfo(options: DebuginfoOptions, ctx: Context): Promise<void> {
  const forms = parseForms(options);
  const agent = await ctx.agent();
  const wanted: Form[] = forms.length > 0 ? forms : [{ kind: 'markdown' }];
  const [info, pages] = await withProgress(
    ctx,
    () => 'The agent is asked',
    async (told) => {
      const asked = await readDebugInfo(agent, options.timeout);
      return [asked, wanted.some(isPage) ? await buildPages(asked, options, told) : []] as const;
    },
  );
  const stamp = fileStamp(ctx.clock.nowMs());
  for (const form of wanted) {
    if (!options.file) await print(form, info, pages, ctx);
    else await save(form, info, pages, stamp, options, ctx);
  }
}

function isPage({ kind }: Form): boolean {
  return kind === 'markdown' || kind === 'html';
}

function parseForms(options: DebuginfoOptions): Form[] {
  if (options.outputDirectory && !options.file)
    throw new UsageError(`--output-directory "${options.outputDirectory}" needs --file`);
  return options.output.map((text) => {
    const form = parseForm(text);
    if (form.kind === 'html' && !options.file) throw new UsageError('--output html needs --file');
    if (options.filePerCommand && !isPage(form))
      throw new UsageError(`--output ${text} does not support --file-per-command`);
    return form;
  });
}

function parseForm(text: string): Form {
  const name = text.toLowerCase();
  if (name === 'markdown' || name === 'html' || name === 'json') return { kind: name };
  if (name === 'jsonpath') return { kind: 'jsonpath', expression: '{}' };
  const expression = /^jsonpath=(.*)$/s.exec(text)?.[1];
  if (expression !== undefined) return { kind: 'jsonpath', expression };
  throw new UsageError(`${text} is not a valid output format`, {
    hint: "Formats: markdown, html, json, jsonpath='{…}'.",
  });
}

/** A page of the report. With --file-per-command there is one per section, else one without a name. */
interface Page {
  name: string;
  markdown: string;
}

async function buildPages(info: Info, options: DebuginfoOptions, ctx: Context): Promise<Page[]> {
  if (ctx.uid !== 0 && ctx.uid !== undefined)
    await ctx.err.write('Warning: the sections about BPF maps may be empty, as this does not run as root.\n');
  const [{ debugSections }, { DEBUG_TITLE }, { tabulate }] = await Promise.all([
    import('./sections.ts'),
    import('../../render/agent/debuginfo.ts'),
    import('../../render/text/table.ts'),
  ]);
  const sections = await debugSections(info.decode(), ctx);
  const page = (texts: string[]) => tabulate(DEBUG_TITLE + texts.join(''), DEBUG_TABLE);
  if (options.filePerCommand && options.file)
    return sections.map(({ name, text }) => ({ name, markdown: page([text]) }));
  return [{ name: '', markdown: page(sections.map(({ text }) => text)) }];
}

async function print(form: Form, info: Info, pages: readonly Page[], ctx: Context): Promise<void> {
  if (form.kind === 'json') return writeStructured(ctx, 'json', info.document);
  if (form.kind === 'jsonpath') return writeAnswer(ctx, `jsonpath=${form.expression}`, info);
  for (const { markdown } of pages) await ctx.out.write(`${markdown}\n`);
}

async function save(
  form: Form,
  info: Info,
  pages: readonly Page[],
  stamp: string,
  options: DebuginfoOptions,
  ctx: Context,
): Promise<void> {
  const folder = options.outputDirectory ? `${options.outputDirectory}/` : '';
  for (const { name, text, mode } of await filesOf(form, info, pages)) {
    const suffix = name && `-${name}`;
    const file = `${folder}cilium-debuginfo-${stamp}${suffix}.${EXTENSIONS[form.kind]}`;
    try {
      await writeFile(resolve(ctx.cwd, file), text, { mode });
    } catch (error) {
      throw new UserError(`Could not create file ${file}: ${systemReason(error)}`, { cause: error });
    }
    await ctx.out.write(`${form.kind} output at ${file}\n`);
  }
}

async function filesOf(
  form: Form,
  info: Info,
  pages: readonly Page[],
): Promise<{ name: string; text: string; mode: number }[]> {
  if (form.kind === 'json') return [{ name: '', text: goJson(info.document, 2), mode: 0o600 }];
  if (form.kind === 'jsonpath') {
    const [{ jsonpath }, { apiType }] = await Promise.all([
      import('../../render/text/jsonpath.ts'),
      import('../../agent/decode/shapes.ts'),
    ]);
    return [
      { name: '', text: jsonpath(form.expression, info.document, await apiType(info.type)), mode: 0o600 },
    ];
  }
  const { debugHtml } = await import('../../render/agent/debuginfo.ts');
  return pages.map(({ name, markdown }) =>
    form.kind === 'html'
      ? { name, text: debugHtml(markdown), mode: 0o644 }
      : { name, text: markdown, mode: 0o600 },
  );
}

/** `20261122-080526.702+0000-UTC`, in the zone of this machine. */
function fileStamp(nowMs: number): string {
  const now = new Date(nowMs);
  const two = (n: number) => String(n).padStart(2, '0');
  const date = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  const time = `${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
  const fraction = (now.getMilliseconds() / 1000)
    .toFixed(3)
    .slice(1)
    .replace(/\.?0+$/, '');
  const minutes = -now.getTimezoneOffset();
  const offset = `${minutes < 0 ? '-' : '+'}${two(Math.trunc(Math.abs(minutes) / 60))}${two(Math.abs(minutes) % 60)}`;
  const zone = new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' })
    .formatToParts(now)
    .find(({ type }) => type === 'timeZoneName')?.value;
  return `${date}-${time}${fraction}${offset}-${(zone ?? 'UTC').replace(/[^A-Za-z0-9+-]/g, '')}`;
}
