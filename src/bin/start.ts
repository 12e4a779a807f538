import module from 'node:module';
import { BUNDLED } from '../version.ts';

/** Runs one command line of the program named `name` in this process, and ends it with the exit code. */
export async function start(name: 'cilium' | 'hubble'): Promise<void> {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 24) {
    process.stderr.write(
      `${name} needs Node.js 24 or newer; this is ${process.version}. Install one, or run npm ci in the checkout.\n`,
    );
    process.exit(1);
  }
  // What the runtime warns of (NO_COLOR beside FORCE_COLOR, say) is no matter of the user's.
  if (BUNDLED) process.removeAllListeners('warning');
  if (BUNDLED) module.enableCompileCache(`${import.meta.dirname}/.cache`);
  const { leave, main, systemContext } = await import('./program.ts');
  const words = process.argv.slice(2);
  const ctx = systemContext();
  const code = await main(name === 'hubble' ? ['hubble', ...words] : words, ctx);
  leave(ctx, code);
}
