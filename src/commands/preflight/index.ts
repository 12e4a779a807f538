import { CLUSTER_GLOBALS, KVSTORE_GLOBALS } from '../../cli/global-flags.ts';
import type { Verb } from '../../cli/tree.ts';

/** `cilium preflight …` */
export const PREFLIGHT: Verb = {
  about: 'Cilium upgrade helper',
  verbs: {
    'fqdn-poller': {
      about: 'Prepare for DNS Polling upgrades to cilium 1.4',
      load: async () => (await import('./fqdn-poller.ts')).addPreflightFqdnPollerCommand,
    },
    upgrade: {
      about: 'Check a cluster before an upgrade',
      globals: CLUSTER_GLOBALS,
      asks: 'cluster',
      load: async () => (await import('./upgrade.ts')).addPreflightUpgradeCommand,
    },
    'validate-cnp': {
      about: 'Validate Cilium Network Policies deployed in the cluster',
      load: async () => (await import('./validate-cnp.ts')).addPreflightValidateCnpCommand,
    },
    'migrate-identity': {
      about: 'Migrate KVStore-backed identities to kubernetes CRD-backed identities',
      globals: KVSTORE_GLOBALS,
      load: async () => (await import('./migrate-identity.ts')).addPreflightMigrateIdentityCommand,
    },
  },
};
