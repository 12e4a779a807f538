import { existsSync, realpathSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import type { Context } from '../context.ts';
import type { Report } from '../model/report.ts';
import type { ReportFormat } from '../model/report-format.ts';
import type { Locate, Place } from '../render/reports/place.ts';
import { VERSION } from '../version.ts';

/** Prints a report; paths are those of the repository, wherever in it the command was run. */
export async function writeReport(ctx: Context, format: ReportFormat, report: Report): Promise<void> {
  const { renderReport } = await import('../render/reports/index.ts');
  await ctx.out.write(renderReport(report, format, { version: VERSION, locate: locatorOf(ctx) }));
}

/** Where CI systems say that they have checked the repository out. */
const ROOTS = ['GITHUB_WORKSPACE', 'CI_PROJECT_DIR'];

function locatorOf({ cwd, env }: Context): Locate {
  const here = realOf(cwd);
  const told = ROOTS.flatMap((name) => env[name] || []).map(realOf);
  const root = told.find((each) => isBelow(each, here)) ?? checkoutOf(here) ?? here;
  const known = new Map<string, Place>();
  return (file) => {
    const place = known.get(file) ?? placeOf(file, here, root);
    known.set(file, place);
    return place;
  };
}

function placeOf(file: string, cwd: string, root: string): Place {
  const path = resolve(cwd, file);
  // What was read from stdin, an agent or the API server has a name that is no path.
  if (file === '-' || !existsSync(path)) return { kind: 'object', name: file === '-' ? 'stdin' : file };
  const real = realOf(path);
  if (!isBelow(root, real)) return { kind: 'outside', name: real.split(sep).join('/') };
  return { kind: 'inside', name: relative(root, real).split(sep).join('/') };
}

function isBelow(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

/** The nearest folder upwards that holds `.git`. */
function checkoutOf(folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, '.git'))) return at;
    if (dirname(at) === at) return undefined;
  }
}
