import { type Command, Option } from 'commander';
import { durationOption, integer, stringArray, stringSlice } from '../../cli/flags.ts';
import { DEFAULT_LOG_BYTES, DEFAULT_SINCE_MS } from '../../cli/sysdump/prepare.ts';
import { type DumpOptions, GROUP_NAMES, type Group, parseSize } from '../../cluster/sysdump/options.ts';
import { UsageError, UserError } from '../../errors.ts';

/** Labels by which cilium-cli finds pods: the flag, its default, and of what. */
const SELECTORS: readonly (readonly [string, string, string])[] = [
  ['cilium-label-selector', 'k8s-app=cilium', 'Labels of the Cilium pods'],
  ['cilium-daemon-set-label-selector', 'k8s-app=cilium', 'Labels of the Cilium DaemonSet'],
  ['cilium-envoy-label-selector', 'k8s-app=cilium-envoy', 'Labels of the Envoy pods'],
  ['cilium-operator-label-selector', 'io.cilium/app=operator', 'Labels of the operator pods'],
  [
    'clustermesh-apiserver-label-selector',
    'k8s-app=clustermesh-apiserver',
    'Labels of the Cluster Mesh API server',
  ],
  [
    'clustermesh-generate-certs-label-selector',
    'k8s-app=clustermesh-apiserver-generate-certs',
    'Labels of the pods that make the certificates of Cluster Mesh',
  ],
  ['cilium-node-init-selector', 'app=cilium-node-init', 'Labels of the node-init pods'],
  ['cilium-spire-agent-selector', 'app=spire-agent', 'Labels of the SPIRE agents'],
  ['cilium-spire-server-selector', 'app=spire-server', 'Labels of the SPIRE server'],
  ['hubble-label-selector', 'k8s-app=hubble', 'Labels of the Hubble pods'],
  ['hubble-relay-labels', 'k8s-app=hubble-relay', 'Labels of Hubble Relay'],
  ['hubble-ui-labels', 'k8s-app=hubble-ui', 'Labels of the Hubble UI'],
  [
    'hubble-generate-certs-labels',
    'k8s-app=hubble-generate-certs',
    "Labels of the pods that make Hubble's certificates",
  ],
  ['tetragon-label-selector', 'app.kubernetes.io/name=tetragon', 'Labels of the Tetragon pods'],
  [
    'tetragon-operator-label-selector',
    'app.kubernetes.io/name=tetragon-operator',
    'Labels of the Tetragon operator',
  ],
];

/** A switch that is on unless it is turned off: `--profiling=false`. */
const on = (flags: string, description: string) =>
  new Option(flags, `${description} (default true)`).default(true, '');

function groups(flags: string, description: string): Option {
  const option = stringSlice(flags, description);
  const parse = option.parseArg as (value: string, previous: string[] | undefined) => string[];
  return option.argParser((value: string, previous: string[] | undefined) => {
    const all = parse(value, previous);
    const unknown = all.find((one) => !GROUP_NAMES.includes(one as Group));
    if (unknown !== undefined)
      throw new UserError(`${option.long} does not know the group "${unknown}"`, {
        hint: `Groups: ${GROUP_NAMES.join(', ')}.`,
      });
    return all;
  });
}

function size(flags: string, description: string): Option {
  const option = new Option(flags, description);
  return option.argParser((value: string) => {
    const bytes = parseSize(value);
    if (bytes === undefined)
      throw new UsageError(
        `invalid argument "${value}" for "${option.long}" flag: expected a size such as 500Mi or 2G`,
      );
    return bytes;
  });
}

/** Adds the flags of cilium-cli, with its defaults, and ours. */
export function addDumpFlags(command: Command): void {
  command
    .optionsGroup('What is collected:')
    .addOption(groups('--only <groups>', `Only these groups: ${GROUP_NAMES.join(', ')}`))
    .addOption(groups('--skip <groups>', 'All but these groups'))
    .option('--quick', 'Only what is quick: no logs, no bugtool, no profiles, no flows', false)
    .option('--node-list <nodes>', 'Only pods on these nodes, by name or address, with commas between', '')
    .addOption(
      durationOption('--since <duration>', 'Only events and log lines of the last so long, such as 2h'),
    )
    .addOption(on('--profiling', 'Profiles of agents and operators'))
    .option('--tracing', 'Traces of the Go runtime of agents', false)
    .addOption(
      on('--collect-logs-from-not-ready-agents', 'Logs of agents that crash or are not ready, of every node'),
    )
    .addOption(stringArray('--extra-label-selectors <labels>', 'Logs of the pods with these labels, too'))
    .addOption(stringArray('--cilium-bugtool-flags <flag>', 'Handed on to cilium-bugtool'))
    .optionsGroup('How much:')
    .option('--estimate', 'Say what would be collected and how large it may be, and collect nothing', false)
    .addOption(
      size('--max-size <size>', 'Of all logs together; the newest lines are kept, of each pod as much'),
    )
    .addOption(
      integer('--logs-limit-bytes <bytes>', 'Of each log (default 1073741824)', { min: 1 }).default(
        DEFAULT_LOG_BYTES,
        '',
      ),
    )
    .addOption(
      durationOption('--logs-since-time <duration>', 'How old log lines may be (default 8760h)').default(
        DEFAULT_SINCE_MS,
        '',
      ),
    )
    .addOption(
      integer('--hubble-flows-count <n>', 'Flows of each agent, 0 for none (default 10000)', {
        min: 0,
      }).default(10_000, ''),
    )
    .addOption(
      durationOption('--hubble-flows-timeout <duration>', 'What reading them may take (default 5s)').default(
        5000,
        '',
      ),
    )
    .addOption(
      integer('--worker-count <n>', 'Tasks at once (default 20)', { min: 1, max: 500 }).default(20, ''),
    )
    .addOption(
      durationOption('--node-timeout <duration>', 'What one task in a pod may take (default 5m)').default(
        300_000,
        '',
      ),
    )
    .addOption(
      integer('--copy-retry-limit <n>', 'Retries of a copy out of a pod, -1 without end (default 100)', {
        min: -1,
      }).default(100, ''),
    )
    .optionsGroup('The archive:')
    .option('--output-filename <name>', 'Name without .zip; <ts> becomes the time', 'cilium-sysdump-<ts>')
    .option('--no-redact', 'Keep passwords, tokens and keys in it')
    .optionsGroup('Where things are:')
    .option('--cilium-namespace <name>', 'Namespace of Cilium (default: that of --namespace, or detected)')
    .option('--cilium-operator-namespace <name>', 'Namespace of the operator (default: detected)')
    .option('--cilium-spire-namespace <name>', 'Namespace of SPIRE (default: detected)')
    .option('--tetragon-namespace <name>', 'Namespace of Tetragon', 'kube-system')
    .option('--cilium-helm-release-name <name>', 'Helm release of Cilium (default cilium)')
    .option('--tetragon-helm-release-name <name>', 'Helm release of Tetragon (default tetragon)')
    .option('--cni-config-directory <folder>', 'CNI configuration on the nodes', '/etc/cni/net.d/')
    .option('--cni-configmap-name <name>', 'ConfigMap with the CNI configuration', 'cni-configuration')
    .option('--detect-gops-pid', 'Ask gops for the process instead of taking process 1', false);
  for (const [name, preset, about] of SELECTORS) command.option(`--${name} <labels>`, about, preset);
}

/** What the flags ask for. */
export type DumpFlags = Omit<DumpOptions, 'debug'>;
