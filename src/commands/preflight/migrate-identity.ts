import type { Command } from 'commander';
import { failed } from '../../cli/answer.ts';
import { examples, stringSlice } from '../../cli/flags.ts';
import { withKvstore } from '../../cli/kvstore.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { parseLabels } from '../../model/label.ts';

/** Where agents keep identities in the kvstore: number → labels. */
const IDENTITIES = 'cilium/state/identities/v1/id/';

/** Declares `preflight migrate-identity`. */
export function addPreflightMigrateIdentityCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples(
      'cilium preflight migrate-identity --kvstore etcd --kvstore-opt etcd.address=http://127.0.0.1:2379 --dry-run',
    ),
  );
  command
    .option('--dry-run', 'Print the CiliumIdentity objects as YAML and change nothing')
    .option('--k8s-api-server <url>', 'API server, as Cilium up to 1.17 names the flag', '')
    .addOption(
      stringSlice('--k8s-api-server-urls <urls>', 'API servers, as Cilium from 1.18 on names the flag'),
    )
    .option('--k8s-kubeconfig-path <file>', 'Kubeconfig file, as Cilium 1.9 names the flag', '')
    .action(async (options: { dryRun?: boolean }) => {
      if (!options.dryRun)
        throw new UserError('migrate-identity writes no Kubernetes objects by itself', {
          hint: 'Print them with --dry-run, review them, and create them with "kubectl create -f -": a number that other labels have already then fails instead of being overwritten.',
        });
      await withKvstore(ctx, command, async (kvstore) => {
        const { stringify } = await import('yaml');
        let count = 0;
        try {
          for await (const page of kvstore.list(IDENTITIES)) {
            for (const { key, value } of page) {
              const id = key.slice(IDENTITIES.length);
              if (!/^\d+$/.test(id)) continue;
              await ctx.out.write(`---\n${stringify(identityObject(id, value.toString()))}`);
              count++;
            }
          }
        } catch (error) {
          failed('Cannot list identities')(error);
        }
        await ctx.err.write(`${count} identities.\n`);
      });
    });
}

/** The object that stands for an identity: its number as name, its labels both as Kubernetes' and as Cilium's. */
function identityObject(id: string, stored: string) {
  const labels = parseLabels(stored.split(';').filter((text) => text !== ''));
  return {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumIdentity',
    metadata: {
      name: id,
      labels: Object.fromEntries(
        labels.filter((label) => label.source === 'k8s').map(({ key, value }) => [key, value]),
      ),
    },
    'security-labels': Object.fromEntries(
      labels.map(({ source, key, value }) => [`${source}:${key}`, value]),
    ),
  };
}
