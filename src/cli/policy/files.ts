import { open, readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Context } from '../../context.ts';
import { systemReason, UserError } from '../../errors.ts';
import { wideEncoding } from '../../lib/encoding.ts';
import { failed } from '../answer.ts';
import { readStdin, refuseLarge } from '../stdin.ts';

/** A policy file under the name that the user gave. */
export interface PolicyFile {
  file: string;
  text: string;
}

type OnFault = (file: string, error: UserError) => void;

/**
 * Reads policies from a file, from stdin (`-`) or from a folder: its plain files first, then its sub-folders; `.git`
 * and links to folders are skipped. `what` begins the message of an error. `passOver` is told of what a folder has that
 * cannot be read; without it, the first such file or folder is an error.
 */
export async function readPolicyFiles(
  path: string,
  ctx: Context,
  what: string,
  passOver?: OnFault,
): Promise<PolicyFile[]> {
  if (path === '-') return [await readInput(path, ctx, what)];
  const found = await attempt(`stat ${path}`, what, () => stat(resolve(ctx.cwd, path)));
  if (found.isDirectory()) return readFolder(path, ctx, what, passOver);
  if (!found.isFile()) throw new UserError(`${what}: ${path} is not a file or a directory`);
  return [await readInput(path, ctx, what)];
}

/** Reads one file, or stdin (`-`): also state documents and test files, under the same limits. */
export async function readInput(path: string, ctx: Context, what: string): Promise<PolicyFile> {
  const bytes = path === '-' ? await readStdin(ctx).catch(failed(what)) : await readBytes(path, ctx, what);
  return { file: path, text: decode(bytes, path, what) };
}

async function readFolder(
  path: string,
  ctx: Context,
  what: string,
  passOver: OnFault | undefined,
): Promise<PolicyFile[]> {
  const entries = await attempt(`open ${path}`, what, () =>
    readdir(resolve(ctx.cwd, path), { withFileTypes: true }),
  );
  const ordered = entries
    // A mounted ConfigMap holds its files twice: the second time below `..data`.
    .filter(({ name }) => name !== '.git' && !name.startsWith('..'))
    .toSorted((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  const files: PolicyFile[] = [];
  const tell = (name: string, error: unknown) => {
    if (!passOver || !(error instanceof UserError) || ctx.signal.aborted) throw error;
    passOver(name, error);
  };
  for (const entry of ordered) {
    if (entry.isDirectory()) continue;
    const file = join(path, entry.name);
    try {
      const found = entry.isFile()
        ? entry
        : await attempt(`stat ${file}`, what, () => stat(resolve(ctx.cwd, file)));
      // A link to a folder could lead in circles; a pipe could be waited for without end.
      if (found.isDirectory()) continue;
      if (!found.isFile()) throw new UserError(`${what}: ${file} is not a file or a directory`);
      files.push(await readInput(file, ctx, what));
    } catch (error) {
      tell(file, error);
    }
  }
  for (const entry of ordered) {
    if (!entry.isDirectory()) continue;
    const folder = join(path, entry.name);
    try {
      files.push(...(await readFolder(folder, ctx, what, passOver)));
    } catch (error) {
      tell(folder, error);
    }
  }
  return files;
}

function readBytes(path: string, ctx: Context, what: string): Promise<Buffer> {
  return attempt(`open ${path}`, what, async () => {
    await using file = await open(resolve(ctx.cwd, path));
    const { size } = await file.stat();
    refuseLarge(path, size);
    return await file.readFile();
  });
}

function decode(bytes: Uint8Array, path: string, what: string): string {
  const encoding = wideEncoding(bytes);
  if (encoding !== undefined)
    throw new UserError(`${what}: ${path} is ${encoding}, not UTF-8`, {
      hint: `Convert it first: iconv -f ${encoding} -t UTF-8 ${path === '-' ? 'FILE' : path} > utf-8.yaml`,
    });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new UserError(`${what}: ${path} is not valid UTF-8`, { cause });
  }
}

async function attempt<T>(operation: string, what: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof UserError) failed(what)(error);
    throw new UserError(`${what}: ${operation}: ${systemReason(error)}`, {
      cause: error,
    });
  }
}
