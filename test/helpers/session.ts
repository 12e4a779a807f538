import { spawn } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A command of a terminal session, and what was printed. */
export interface Step {
  command: string;
  output: string;
}

/** The steps of the console block below a heading of a Markdown text. */
export function sessionOf(markdown: string, heading: string): Step[] {
  const section = markdown.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const block = section.split('```console\n')[1]?.split('```')[0] ?? '';
  const steps: Step[] = [];
  for (const line of block.split('\n').slice(0, -1)) {
    const step = steps.at(-1);
    if (line.startsWith('$ ')) steps.push({ command: line.slice(2), output: '' });
    else if (step && line.startsWith('> ') && step.output === '') step.command += `\n${line.slice(2)}`;
    else if (step) step.output += `${line}\n`;
  }
  return steps;
}

/** The headings of a Markdown text that a console block stands below. */
export function headingsOf(markdown: string): string[] {
  const headings = Array.from(markdown.matchAll(/^## (.+)$/gm), ([, heading = '']) => heading);
  return headings.filter((heading) => sessionOf(markdown, heading).length > 0);
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Puts `cilium` and `hubble` into a folder; they run the sources of this checkout. */
export function installSources(folder: string): void {
  for (const name of ['cilium', 'hubble']) {
    const words = [process.execPath, '--import', join(ROOT, 'node_modules/tsx/dist/loader.mjs')];
    const script = `#!/bin/sh\nexec ${[...words, join(ROOT, `src/bin/${name}.ts`)].join(' ')} "$@"\n`;
    writeFileSync(join(folder, name), script);
    chmodSync(join(folder, name), 0o755);
  }
}

/** Runs the commands in one shell and says what each printed, stdout and stderr together. */
export async function runSession(
  commands: readonly string[],
  options: { cwd: string; env: Record<string, string> },
): Promise<string[]> {
  const mark = '==> step';
  // Through one pipe, or what belongs to one step could come after the mark of the next.
  const script = `exec 2>&1\n${commands.map((command) => `echo '${mark}'\n${command}\n`).join('')}`;
  const shell = spawn('bash', ['-c', script], { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  const collect = (chunk: Buffer) => {
    text += chunk.toString();
  };
  shell.stdout.on('data', collect);
  shell.stderr.on('data', collect);
  await new Promise((resolve) => shell.on('close', resolve));
  return text.split(`${mark}\n`).slice(1);
}
