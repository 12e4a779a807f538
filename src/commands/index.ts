import {
  AGENT_GLOBALS,
  ARCHIVE_GLOBALS,
  BPF_GLOBALS,
  CLUSTER_GLOBALS,
  ELSEWHERE_GLOBALS,
  LIVE_CLUSTER_GLOBALS,
} from '../cli/global-flags.ts';
import type { Verb } from '../cli/tree.ts';
import { BGP } from './bgp/index.ts';
import { BPF } from './bpf/index.ts';
import { CGROUPS } from './cgroups/index.ts';
import { CLEANUP } from './cleanup/index.ts';
import { CLUSTERMESH } from './clustermesh/index.ts';
import { CONFIG } from './config/index.ts';
import { CONNECTIVITY } from './connectivity/index.ts';
import { EGRESS_GATEWAY } from './egress-gateway/index.ts';
import { ENCRYPT, ENCRYPTION } from './encrypt/index.ts';
import { ENDPOINT } from './endpoint/index.ts';
import { ENVOY } from './envoy/index.ts';
import { FEATURES } from './features/index.ts';
import { FQDN } from './fqdn/index.ts';
import { COMPLETION_VERBS, HUBBLE, OBSERVE } from './hubble/index.ts';
import { IDENTITY } from './identity/index.ts';
import { IP } from './ip/index.ts';
import { KVSTORE } from './kvstore/index.ts';
import { L2_ANNOUNCEMENT } from './l2-announcement/index.ts';
import { LAB } from './lab/index.ts';
import { LB_IP_POOL } from './lb-ip-pool/index.ts';
import { LRP } from './lrp/index.ts';
import { MAP } from './map/index.ts';
import { MULTICAST } from './multicast/index.ts';
import { NODE } from './node/index.ts';
import { NODEID } from './nodeid/index.ts';
import { POLICY } from './policy/index.ts';
import { PREFILTER } from './prefilter/index.ts';
import { PREFLIGHT } from './preflight/index.ts';
import { PROFILE } from './profile/index.ts';
import { RECORDER } from './recorder/index.ts';
import { SERVICE } from './service/index.ts';
import { STATEDB } from './statedb/index.ts';
import { TROUBLESHOOT } from './troubleshoot/index.ts';

/** The whole command tree. A verb's file is loaded when the command line names it. */
export const TREE: Verb = {
  about: 'Inspect and manage the Cilium agent of this node, and observe the flows that Hubble records',
  globals: AGENT_GLOBALS,
  verbs: {
    bpf: BPF,
    config: CONFIG,
    connectivity: CONNECTIVITY,
    encrypt: ENCRYPT,
    encryption: ENCRYPTION,
    endpoint: ENDPOINT,
    'build-config': {
      about: 'Resolve all of the configuration sources that apply to this node',
      load: async () => (await import('./build-config.ts')).addBuildConfigCommand,
    },
    completion: {
      about: 'Print the completion script for a shell, or install it',
      load: async () => (await import('./completion/completion.ts')).addCompletionCommand,
      verbs: COMPLETION_VERBS,
    },
    __complete: {
      about: 'Print completion candidates, for the completion scripts',
      hidden: true,
      load: async () => {
        const { addCompleteCommand } = await import('./completion/complete.ts');
        return (command, ctx) => addCompleteCommand(command, TREE, ctx);
      },
    },
    context: {
      about: 'Display the configuration context',
      globals: LIVE_CLUSTER_GLOBALS,
      asks: 'cluster',
      load: async () => (await import('./context.ts')).addContextCommand,
    },
    debuginfo: {
      about: 'Request available debugging information from agent',
      load: async () => (await import('./debuginfo/debuginfo.ts')).addDebuginfoCommand,
    },
    loadinfo: {
      about: 'Show load information',
      load: async () => (await import('./loadinfo.ts')).addLoadinfoCommand,
    },
    logs: {
      about: 'Show the logs of agents, operator, relay and Envoy of a cluster',
      globals: CLUSTER_GLOBALS,
      asks: 'cluster',
      load: async () => (await import('./logs/logs.ts')).addLogsCommand,
    },
    install: {
      about: 'Install Cilium in a Kubernetes cluster using Helm',
      globals: CLUSTER_GLOBALS,
      asks: 'cluster',
      changes: true,
      load: async () => (await import('./install.ts')).addInstallCommand,
    },
    images: {
      about: 'List the images that Cilium runs, of the cluster or of a chart',
      globals: LIVE_CLUSTER_GLOBALS,
      asks: 'cluster',
      load: async () => (await import('./images.ts')).addImagesCommand,
    },
    uninstall: {
      about: 'Uninstall Cilium using Helm',
      globals: CLUSTER_GLOBALS,
      asks: 'cluster',
      changes: true,
      load: async () => (await import('./uninstall.ts')).addUninstallCommand,
    },
    upgrade: {
      about: 'Upgrade a Cilium installation in a Kubernetes cluster using Helm',
      globals: CLUSTER_GLOBALS,
      asks: 'cluster',
      changes: true,
      load: async () => (await import('./upgrade.ts')).addUpgradeCommand,
    },
    sysdump: {
      about: 'Collect what is needed to look into a cluster, as an archive without secrets',
      globals: CLUSTER_GLOBALS,
      asks: 'cluster',
      load: async () => (await import('./sysdump/sysdump.ts')).addSysdumpCommand,
    },
    status: {
      about: 'Display status of daemon, or of a whole cluster',
      globals: ELSEWHERE_GLOBALS,
      asks: 'either',
      load: async () => (await import('./status/status.ts')).addStatusCommand,
    },
    cleanup: CLEANUP,
    doctor: {
      about: 'Compare the state that the agent reports with the state of the kernel',
      globals: [BPF_GLOBALS, ARCHIVE_GLOBALS],
      load: async () => (await import('./doctor/doctor.ts')).addDoctorCommand,
    },
    bgp: BGP,
    cgroups: CGROUPS,
    clustermesh: CLUSTERMESH,
    'egress-gateway': EGRESS_GATEWAY,
    'l2-announcement': L2_ANNOUNCEMENT,
    'lb-ip-pool': LB_IP_POOL,
    envoy: ENVOY,
    features: FEATURES,
    fqdn: FQDN,
    hubble: HUBBLE,
    observe: OBSERVE,
    identity: IDENTITY,
    ip: IP,
    lab: LAB,
    kvstore: KVSTORE,
    lrp: LRP,
    map: MAP,
    multicast: MULTICAST,
    node: NODE,
    nodeid: NODEID,
    policy: POLICY,
    prefilter: PREFILTER,
    preflight: PREFLIGHT,
    profile: PROFILE,
    rbac: {
      about: 'Print the smallest roles that a verb needs of the API server',
      load: async () => {
        const { addRbacCommand } = await import('./rbac/rbac.ts');
        return (command, ctx) => addRbacCommand(command, TREE, ctx);
      },
    },
    recorder: RECORDER,
    service: SERVICE,
    metrics: {
      about: 'Access metric status',
      globals: ELSEWHERE_GLOBALS,
      verbs: {
        list: {
          about: 'List all metrics',
          aliases: ['ls'],
          load: async () => (await import('./metrics/list.ts')).addMetricsListCommand,
        },
      },
    },
    statedb: STATEDB,
    troubleshoot: TROUBLESHOOT,
    monitor: {
      about: 'Display BPF program events',
      streams: true,
      globals: ELSEWHERE_GLOBALS,
      long: 'Display BPF program events: drops, packet traces, policy verdicts, debug messages, L7 records',
      load: async () => (await import('./monitor.ts')).addMonitorCommand,
    },
    shell: {
      about: 'Connect to the shell of the agent',
      globals: ELSEWHERE_GLOBALS,
      long: 'Connect to the shell of the agent (1.20 or later)',
      load: async () => (await import('./shell.ts')).addShellCommand,
    },
    version: {
      about: 'Print version information',
      globals: ELSEWHERE_GLOBALS,
      asks: 'either',
      load: async () => (await import('./version/version.ts')).addVersionCommand,
    },
  },
};
