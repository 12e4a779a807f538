import type { Command } from 'commander';
import { durationOption, integer } from '../flags.ts';
import { type ChartFlags, chartFlags } from './chart.ts';
import { type DetectFlags, detectFlags } from './detect.ts';
import { type HelmFlags, helmFlags } from './flags.ts';
import { type ValueFlags, valueFlags } from './values.ts';

/** Flags that installing and upgrading share. */
export interface InstallFlags extends ChartFlags, ValueFlags, DetectFlags, HelmFlags {
  listVersions?: boolean;
  nodesWithoutCilium?: boolean;
  wait?: boolean;
  waitDuration: number;
  dryRun?: boolean;
  dryRunHelmValues?: boolean;
  historyMax: number;
  ignoreLint?: boolean;
  yes?: boolean;
}

/** Adds them. */
export function installFlags(command: Command): Command {
  chartFlags(command);
  detectFlags(command);
  command
    .option('--list-versions', 'List all the available versions without actually installing')
    .option(
      '--nodes-without-cilium',
      'Keep Cilium off nodes with the label cilium.io/no-schedule=true, by affinities',
    );
  valueFlags(command);
  command
    .option('--ignore-lint', 'Go on although values are wrong for the version')
    .option('--wait', 'Wait for helm to finish, and say what a roll-out that is stuck waits for')
    .addOption(durationOption('--wait-duration <duration>', 'Maximum time to wait').default(300_000, '5m'))
    .option('--dry-run', 'Write resources to be installed to stdout without actually installing them')
    .option('--dry-run-helm-values', 'Write non-default Helm values to stdout, and change nothing')
    .addOption(
      integer('--history-max <n>', 'Most revisions that are kept of the release, 0 for no limit', {
        min: 0,
      }).default(10),
    )
    .option('-y, --yes', 'Do not ask for confirmation');
  return helmFlags(command);
}
