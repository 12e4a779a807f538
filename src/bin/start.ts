import { existsSync } from 'node:fs';
import module from 'node:module';
import { BUNDLED } from '../version.ts';

/** Runs one command line of the program named `name` in this process, and ends it with the exit code. */
export async function start(name: 'cilium' | 'hubble'): Promise<void> {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 24) {
    const isCheckout = existsSync(`${import.meta.dirname}/../scripts/build.mjs`);
    const how = isCheckout ? 'run npm ci in the checkout' : 'take the package for Linux, which needs none';
    process.stderr.write(
      `${name} needs Node.js 24 or newer; this is ${process.version}. Install one, or ${how}.\n`,
    );
    process.exit(1);
  }
  // What the runtime warns of (NO_COLOR beside FORCE_COLOR, say) is no matter of the user's.
  if (BUNDLED) process.removeAllListeners('warning');
  if (BUNDLED) module.enableCompileCache(`${import.meta.dirname}/.cache`);
  failHalfWay();
  const { leave, main, systemContext } = await import('./program.ts');
  const words = process.argv.slice(2);
  const ctx = systemContext();
  const code = await main(name === 'hubble' ? ['hubble', ...words] : words, ctx);
  await leave(ctx, code);
}

/**
 * Makes a process fail that ends before its work does: where a promise is left that nothing will settle, Node.js ends with 0 and
 * without a word. `leave` ends it otherwise.
 */
export function failHalfWay(): void {
  process.once('beforeExit', () => {
    process.stderr.write(
      'Error: the work ended half-way, since nothing was left to wait for\nThis is a fault in the toolkit itself.\n',
    );
    process.exitCode = 1;
  });
}
