import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LabInfo } from '../../src/lab/folder.ts';
import { selfCommand } from '../../src/lab/spawn.ts';

/** A lab in a process of its own, as a user starts it. */
export interface LabProcess {
  info: LabInfo;
  child: ChildProcess;
  /** Ends it in the given way and waits. */
  end(signal: NodeJS.Signals): Promise<void>;
}

/** Starts `lab start --foreground` with more words; resolves when it answers. */
export async function startLabProcess(words: string[], env: Record<string, string>): Promise<LabProcess> {
  const { command, args } = selfCommand();
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

/** A folder that is private and gone after the test. */
export function privateFolder(): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), 'labs-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
