import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { AS_CILIUM, inside } from '../lib/inside.ts';
import { assetPath } from './assets.ts';

/** How to run the toolkit itself as `cilium`: as one file, from the bundle, or from the sources when this file is one of them. */
export function selfCommand(): { command: string; args: string[] } {
  const one = inside();
  if (one) return { command: one.file, args: [AS_CILIUM] };
  if (!import.meta.url.endsWith('.ts'))
    return { command: process.execPath, args: [assetPath('dist/cilium.cjs')] };
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  return { command: process.execPath, args: ['--import', loader, assetPath('src/bin/cilium.ts')] };
}

/** The first line that a background process wrote, or how it ended before that. */
export type Started = { line: string } | { code: number; stderr: string };

/** Runs the toolkit in a session of its own and waits for the first line of its output. */
export function startInBackground(
  words: readonly string[],
  options: { cwd: string; env: Readonly<Record<string, string | undefined>> },
): Promise<Started> {
  const { command, args } = selfCommand();
  const child = spawn(command, [...args, ...words], {
    cwd: options.cwd,
    env: options.env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return new Promise((resolve, reject) => {
    let stdout = '';
    let stderr = '';
    child.stderr.on('data', (part: Buffer) => {
      stderr += part.toString();
    });
    child.stdout.on('data', (part: Buffer) => {
      stdout += part.toString();
      const end = stdout.indexOf('\n');
      if (end === -1) return;
      child.stdout.destroy();
      child.stderr.destroy();
      child.unref();
      resolve({ line: stdout.slice(0, end) });
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 1, stderr }));
  });
}
