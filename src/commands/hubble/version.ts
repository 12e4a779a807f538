import { arch, platform } from 'node:os';
import type { Command } from 'commander';
import { examples } from '../../cli/flags.ts';
import type { Context } from '../../context.ts';
import { VERSION } from '../../version.ts';

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

/** Declares `hubble version`. */
export function addHubbleVersionCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('hubble version'));
  command.action(async () =>
    ctx.out.write(
      `hubble ${VERSION} compiled with node on ${platform()}/${ARCHITECTURES[arch()] ?? arch()}\n`,
    ),
  );
}
