import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname } from 'node:path';
import type { Command } from 'commander';
import { examples } from '../../cli/flags.ts';
import type { Context, Output } from '../../context.ts';
import { errorCode, systemReason, UserError } from '../../errors.ts';
import { assetPath } from '../../lab/assets.ts';
import { labEnvironment } from '../../lab/environment.ts';
import { inside } from '../../lib/inside.ts';

import { addPlayOptions, labOptions, type PlayFlags, startLabOrCluster } from './flags.ts';

/** How long an interrupted command may take to end by itself. */
const PATIENCE_MS = 1000;

/** Declares `lab run`. */
export function addLabRunCommand(command: Command, ctx: Context): void {
  command

    .argument('<command...>', 'the command and its arguments, after --')
    .passThroughOptions()
    .addHelpText(
      'after',
      examples(
        'cilium lab run -- cilium endpoint list',
        'cilium lab run --scenario shop -- hubble observe --last 5',
      ),
    )
    .action((words: string[], flags: PlayFlags) => runLabRun(words, flags, ctx));
  addPlayOptions(command);
}

/** Starts a lab in this process, runs the command with its environment, and stops the lab. */
export async function runLabRun(words: readonly string[], flags: PlayFlags, ctx: Context): Promise<void> {
  const lab = await startLabOrCluster(flags, { ...labOptions(flags, ctx), throwaway: true });
  try {
    ctx.exitCode = await execute(
      words,
      { ...ctx.env, ...withOurPath(ctx), ...labEnvironment(lab.info) },
      ctx,
    );
  } finally {
    await lab.close();
  }
}

/** So that `cilium` and `hubble` are this toolkit's, installed or not. */
function withOurPath(ctx: Context): Record<string, string> {
  const one = inside();
  if (!one && !existsSync(assetPath('dist/cilium.cjs'))) return {};
  const folder = one ? dirname(one.file) : assetPath('bin');
  return { PATH: `${folder}${delimiter}${ctx.env.PATH ?? ''}` };
}

async function execute(
  [command = '', ...args]: readonly string[],
  env: Record<string, string | undefined>,
  ctx: Context,
): Promise<number> {
  const child = spawn(command, args, {
    cwd: ctx.cwd,
    env,
    // A terminal goes through as it is; a pipe is passed on, so that back-pressure and a gone reader are seen.
    stdio: ['inherit', ctx.out.isTTY ? 'inherit' : 'pipe', ctx.err.isTTY ? 'inherit' : 'pipe'],
  });
  // An interrupt in a terminal reaches the command by itself.
  const stop = () => void setTimeout(() => child.kill('SIGTERM'), PATIENCE_MS).unref();
  ctx.signal.addEventListener('abort', stop, { once: true });
  const ended = exitOf(child, command);
  try {
    const [code] = await Promise.all([ended, forward(child.stdout, ctx.out), forward(child.stderr, ctx.err)]);
    return code;
  } catch (error) {
    child.kill('SIGTERM');
    await ended.catch(() => {});
    throw error;
  } finally {
    ctx.signal.removeEventListener('abort', stop);
  }
}

async function forward(from: ChildProcess['stdout'], to: Output): Promise<void> {
  if (!from) return;
  for await (const chunk of from as AsyncIterable<Buffer>) await to.pass(chunk);
}

function exitOf(child: ChildProcess, command: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.on('error', (cause) => {
      const code = errorCode(cause);
      const text = code === 'ENOENT' ? 'command not found' : systemReason(cause);
      reject(new UserError(`${command}: ${text}`, { cause, exitCode: code === 'ENOENT' ? 127 : 126 }));
    });
    child.on('close', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}
