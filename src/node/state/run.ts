import { execFile } from 'node:child_process';
import { errorCode, errorMessage } from '../../errors.ts';
import { parsePlainJson } from '../../lib/exact-json.ts';
import { type Form, Misfit, ofForm } from '../../lib/form.ts';

/** What a program left behind. */
export interface Ran {
  /** Exit code; 127 when the program does not exist. */
  code: number;
  stdout: string;
  stderr: string;
  /** There is no such program. */
  missing: boolean;
}

/** Why a program failed, in one line. */
export function failureOf({ code, stdout, stderr }: Ran): string {
  return (stderr.trim() || stdout.trim()).split('\n')[0] || `exit code ${code}`;
}

/**
 * The JSON list that a program printed, each of the form that is given; empty when it printed nothing.
 * What failed, or cannot be read, counts as empty too and goes to `notes`.
 */
export async function listFrom<T>(
  run: Run,
  command: readonly string[],
  form: Form,
  notes: string[],
): Promise<T[]> {
  const ran = await run(command);
  if (ran.code !== 0) {
    notes.push(`${command.join(' ')}: ${failureOf(ran)}`);
    return [];
  }
  if (ran.stdout.trim() === '') return [];
  try {
    return ofForm<T[]>(parsePlainJson(withEscapes(ran.stdout)), { list: form });
  } catch (error) {
    const why = error instanceof Misfit ? 'not as this program knows it' : 'not JSON';
    notes.push(`${command.join(' ')}: ${why}: ${errorMessage(error)}`);
    return [];
  }
}

/** ip writes what stands in a name or an alias as it is, which JSON allows no control character. Between values none stands. */
function withEscapes(json: string): string {
  return json.replaceAll(
    /[\u0000-\u0008\u000b-\u001f]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Runs a program with arguments (no shell) and waits for its end. Never throws for a failure of the program. */
export type Run = (command: readonly string[], stdin?: string) => Promise<Ran>;

const LIMIT_MS = 30_000;
/** Administrators' folders are not on every PATH. */
const SEARCH = '/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin';

/** Runs programs of this machine. */
export function systemRun(env: Readonly<Record<string, string | undefined>>): Run {
  const path = env.PATH ? `${env.PATH}:${SEARCH}` : SEARCH;
  return ([program = '', ...args], stdin) =>
    new Promise((resolve) => {
      const child = execFile(
        program,
        args,
        { env: { ...env, PATH: path, LC_ALL: 'C' }, timeout: LIMIT_MS, maxBuffer: 256 * 1024 * 1024 },
        (error, stdout, stderr) => {
          const code = error ? (typeof error.code === 'number' ? error.code : 127) : 0;
          const missing = errorCode(error) === 'ENOENT';
          // Nobody else ends it: the time is up.
          const said = error?.killed ? `${program}: no end after ${LIMIT_MS / 1000} s` : stderr;
          resolve({ code, stdout, stderr: missing ? `${program}: not installed` : said, missing });
        },
      );
      child.stdin?.on('error', () => {});
      child.stdin?.end(stdin ?? '');
    });
}
