import { spawn } from 'node:child_process';
import type { Context } from '../../context.ts';

/** Whether there is a screen to open a browser on. One that does not start is no error: the address was said. */
export function openInBrowser(url: string, { env }: Context): boolean {
  const isLinux = process.platform === 'linux';
  if (isLinux && !env.DISPLAY && !env.WAYLAND_DISPLAY) return false;
  const program = isLinux ? 'xdg-open' : 'open';
  spawn(program, [url], { env, stdio: 'ignore', detached: true })
    .on('error', () => {})
    .unref();
  return true;
}
