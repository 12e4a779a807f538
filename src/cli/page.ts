import { createHash } from 'node:crypto';
import { access, constants, open, realpath, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Option } from 'commander';
import type { Context } from '../context.ts';
import { systemReason, UserError } from '../errors.ts';
import { assetPath, readAsset } from '../lab/assets.ts';
import { writeNamed } from '../lib/atomic-file.ts';
import type { PageDocument } from '../model/document.ts';
import type { PageParts } from '../render/html/shell.ts';

/** Reads the script and the style of the page, which ship with the program. */
export function readPage(): PageParts {
  const [script, style] = ['page.js', 'page.css'].map(read);
  const hash = (text = '') => createHash('sha256').update(text).digest('base64');
  return { script: script ?? '', style: style ?? '', hashes: { script: hash(script), style: hash(style) } };
}

function read(name: string): string {
  try {
    return readAsset(assetPath(`dist/web/${name}`)).toString();
  } catch (cause) {
    throw new UserError(`the page is not part of this installation: dist/web/${name} cannot be read`, {
      hint: 'Install the program again; in a checkout, npm run build makes it.',
      cause,
    });
  }
}

/** `--html`, beside what a verb prints. */
export function htmlOption(shows: string): Option {
  return new Option('--html <file>', `Write ${shows} as a page too: one HTML file that needs nothing else`);
}

/** A file that a page is to be written to. */
export interface PageFile {
  parts: PageParts;
  write(page: string): Promise<void>;
  writeDocument(document: PageDocument): Promise<void>;
}

/** Looks whether a page can be written, before the work that it shows. A page that is there is replaced, and no other file. */
export async function openPage(file: string, ctx: Context): Promise<PageFile> {
  if (file === '' || file === '-')
    throw new UserError('--html needs the name of a file', {
      hint: 'Name one that ends in .html. What the verb prints goes to stdout as before.',
    });
  const path = resolve(ctx.cwd, file);
  const refuse = (cause: unknown): never => {
    throw new UserError(`--html: write ${file}: ${systemReason(cause)}`, {
      hint: 'Name a file that can be written, in a folder that is there.',
      cause,
    });
  };
  await stat(dirname(path)).catch(refuse);
  const there = await stat(path).catch(() => undefined);
  if (there?.isDirectory())
    throw new UserError(`--html: ${file} is a folder, and the name of a file is expected`);
  // A file is replaced by a new one in its folder; a pipe or a device is written to.
  const target = await realpath(path).catch(() => path);
  await access(there && !there.isFile() ? path : dirname(target), constants.W_OK).catch(refuse);
  await refuseOther(path, file);
  const parts = readPage();
  const write = async (page: string) => {
    // What the verb wrote meanwhile may have this name too, as an archive.
    await refuseOther(path, file);
    await writeNamed(path, page).catch(refuse);
    if (!ctx.globals.quiet) await ctx.err.write(`Page: ${file}\n`);
  };
  return {
    parts,
    write,
    writeDocument: async (document) => {
      const { renderDocument } = await import('../render/html/document.ts');
      await write(renderDocument(document, parts));
    },
  };
}

/** Throws where a file is something else than a page: it may be what the page is made from. */
async function refuseOther(path: string, shown: string): Promise<void> {
  const there = await stat(path).catch(() => undefined);
  if (!there?.isFile() || there.size === 0 || /\.html?$/i.test(path)) return;
  const file = await open(path).catch(() => undefined);
  const { buffer } = (await file?.read(Buffer.alloc(15), 0, 15, 0).finally(() => file.close())) ?? {};
  if (/^<!doctype html/i.test(buffer?.toString() ?? '')) return;
  throw new UserError(`--html: ${shown} is there already, and is no page`, {
    hint: 'It is left as it is. Name another file, one that ends in .html.',
  });
}
