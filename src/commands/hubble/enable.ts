import type { Command } from 'commander';
import { mayWrite, type WriteOptions, writeFlags } from '../../cli/confirm.ts';
import { examples } from '../../cli/flags.ts';
import { type HelmFlags, helmFlags } from '../../cli/helm/flags.ts';
import { asFailure } from '../../cli/helm/told.ts';
import { requireRelease, upgradeRelease } from '../../cli/helm/upgrade-release.ts';
import type { Context } from '../../context.ts';
import { ciliumNamespace } from '../../kube/install.ts';
import { openCluster } from '../../kube/road.ts';
import { isRecord } from '../../lib/record.ts';

interface EnableFlags extends HelmFlags, WriteOptions {
  relay?: boolean;
  ui?: boolean;
}

/** Declares `hubble enable`. */
export function addHubbleEnableCommand(command: Command, ctx: Context): void {
  command
    .option('--relay', 'Deploy Hubble Relay', true)
    .option('--ui', 'Enable Hubble UI; without this flag it stays as it is');
  writeFlags(helmFlags(command))
    .addHelpText(
      'after',
      examples('cilium hubble enable', 'cilium hubble enable --ui', 'cilium hubble enable --ui=false'),
    )
    .action((_, own: Command) => runHubbleEnable(own.opts<EnableFlags>(), uiOf(own), ctx));
}

/** What was said of the UI; undefined where nothing was. */
function uiOf(command: Command): boolean | undefined {
  return command.getOptionValueSource('ui') === undefined ? undefined : command.getOptionValue('ui') === true;
}

/** Switches Hubble Relay on, and Hubble UI as far as it is said. */
export async function runHubbleEnable(
  flags: EnableFlags,
  ui: boolean | undefined,
  ctx: Context,
): Promise<void> {
  await setHubble(
    'Unable to enable Hubble',
    { relay: { enabled: flags.relay !== false }, ...(ui !== undefined && { ui: { enabled: ui } }) },
    flags,
    ctx,
  );
}

/** Upgrades the release with other switches of Hubble. */
export async function setHubble(
  what: string,
  switches: { relay: { enabled: boolean }; ui?: { enabled: boolean } },
  flags: HelmFlags & WriteOptions,
  ctx: Context,
): Promise<void> {
  await using client = await openCluster(ctx);
  try {
    const namespace = await ciliumNamespace(client, ctx.globals.cluster?.namespace);
    const release = flags.helmReleaseName;
    const { values } = await requireRelease(client, namespace, release);
    const isOff = isRecord(values.hubble) && values.hubble.enabled === false;
    const isOn = switches.relay.enabled || switches.ui?.enabled === true;
    // The chart refuses a relay without it.
    const hubble = { ...(isOff && isOn && { enabled: true }), ...switches };
    const said = Object.entries(hubble).map(
      ([name, value]) =>
        `hubble.${name === 'enabled' ? name : `${name}.enabled`}=${typeof value === 'object' ? value.enabled : value}`,
    );
    if (!(await mayWrite(ctx, `set ${said.join(' and ')} in the release ${namespace}/${release}`, flags)))
      return;
    const { revision } = await upgradeRelease(ctx, client, {
      namespace,
      release,
      helm: flags.helm,
      values: { hubble },
    });
    await ctx.err.write(`Revision ${revision} of the release ${release}: ${said.join(', ')}.\n`);
  } catch (error) {
    throw asFailure(what, error);
  }
}
