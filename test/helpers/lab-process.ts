import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LabInfo } from '../../src/lab/folder.ts';
import { unmountWithin } from './mounts.ts';
import type { RunOptions, RunResult } from './run.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
let bundle: string | undefined;

/**
 * The toolkit as users run it: the bundle, which starts in a fraction of the time that the sources take. It is made anew
 * where the sources are newer; `npm test` has done so before.
 */
export function builtCommand(): { command: string; args: string[] } {
  if (bundle === undefined) {
    execFileSync(process.execPath, [join(ROOT, 'scripts/prepare.mjs')], { stdio: 'pipe' });
    bundle = join(ROOT, 'dist/cilium.cjs');
  }
  return { command: process.execPath, args: [bundle] };
}

/** Runs one command line of the bundle in a process of its own. */
export async function runBuilt(
  words: readonly string[],
  { env = {}, cwd }: Pick<RunOptions, 'env' | 'cwd'>,
): Promise<RunResult> {
  const { command, args } = builtCommand();
  const child = spawn(command, [...args, ...words], {
    cwd,
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (part: Buffer) => stdout.push(part));
  child.stderr.on('data', (part: Buffer) => stderr.push(part));
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve(status ?? -1));
  });
  return { stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString(), code };
}

/** A lab in a process of its own, as a user starts it. */
export interface LabProcess {
  info: LabInfo;
  child: ChildProcess;
  /** Ends it in the given way and waits. */
  end(signal: NodeJS.Signals): Promise<void>;
}

/** Starts `lab start --foreground` with more words; resolves when it answers. */
export async function startLabProcess(words: string[], env: Record<string, string>): Promise<LabProcess> {
  const { command, args } = builtCommand();
  const child = spawn(command, [...args, 'lab', 'start', '--foreground', '--announce', ...words], {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const info = await new Promise<LabInfo>((resolve, reject) => {
    let out = '';
    let err = '';
    child.stderr.on('data', (part: Buffer) => {
      err += part.toString();
    });
    child.stdout.on('data', (part: Buffer) => {
      out += part.toString();
      if (out.includes('\n')) resolve(JSON.parse(out) as LabInfo);
    });
    child.once('close', (code) => reject(new Error(`the lab ended with ${code}: ${err}`)));
  });
  return {
    info,
    child,
    end: async (signal) => {
      child.kill(signal);
      await ended;
    },
  };
}

/** A folder that is private, and gone after the test with what is mounted in it. */
export function privateFolder(): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), 'labs-'));
  return {
    path,
    [Symbol.dispose]: () => {
      unmountWithin(path);
      // A lab that has just been ended may still put something there.
      rmSync(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    },
  };
}
