import { existsSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { durationOption, examples } from '../../cli/flags.ts';
import type { Context } from '../../context.ts';
import { reportEtcd } from './report.ts';

interface TroubleshootKvstoreOptions {
  etcdConfig: string;
  timeout: number;
}

/** Declares `troubleshoot kvstore`. */
export function addTroubleshootKvstoreCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples(
      'cilium troubleshoot kvstore',
      'cilium troubleshoot kvstore --etcd-config /var/lib/etcd-config/etcd.config',
    ),
  );
  command
    .option('--etcd-config <file>', 'Path to the etcd configuration', '/var/lib/etcd-config/etcd.config')
    .addOption(
      durationOption('--timeout <duration>', 'Timeout when checking connectivity to the kvstore').default(
        5000,
        '5s',
      ),
    )
    .addOption(withoutServiceResolution())
    .action((options: TroubleshootKvstoreOptions) => runTroubleshootKvstore(options, ctx));
}

/** Names of Kubernetes services are left to DNS here in any case. */
export function withoutServiceResolution(): Option {
  return new Option(
    '--without-service-resolution',
    'Disable k8s service to IP resolution through the k8s client',
  );
}

async function runTroubleshootKvstore(options: TroubleshootKvstoreOptions, ctx: Context): Promise<void> {
  if (!existsSync(options.etcdConfig))
    return ctx.out.write(
      `Unable to read etcd configuration: ${options.etcdConfig}\nThis is expected when Cilium is running in CRD mode\n`,
    );
  await reportEtcd(ctx, options.etcdConfig, options.timeout);
}
