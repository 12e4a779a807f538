import { eventTypesOf } from '../../model/monitor.ts';
import type { Release } from '../../model/release.ts';

/** A value that changed between releases, by the first release that has it. The oldest one also counts before it. */
export type Dated<T> = T | { readonly [first in Release]?: T };

/** A part of the reference's command line that not every release has. */
interface Span {
  since?: Release;
  /** The first release that no longer has it. */
  until?: Release;
}

/** A flag as the reference lists it. */
export interface ReferenceFlag extends Span {
  /** Type of its value as the reference names it; empty for a switch. */
  type?: string;
  /** What it says of the flag, where that is not what our own help says. */
  text?: Dated<string>;
}

/** A verb as the reference's usage shows it. What is not said here is as in our own tree: name, description, aliases. */
export interface ReferenceVerb extends Span {
  /** The words after the verb. */
  args?: Dated<string>;
  /** The words that head its help. */
  about?: Dated<string>;
  aliases?: string;
  examples?: Dated<string>;
  /** By long name; a string is the type of the value. */
  flags?: Readonly<Record<string, string | ReferenceFlag>>;
}

const OUTPUT = {
  output: { type: 'string', text: { '1.9': "json| jsonpath='{}'", '1.12': "json| yaml| jsonpath='{}'" } },
} as const;
const LIST: ReferenceVerb = { flags: OUTPUT };

const ENDPOINT_LIST_FLAGS = { 'no-headers': '', ...OUTPUT };
const TIME_DIFF: ReferenceVerb['flags'] = {
  'time-diff': { text: 'print time difference for entries', since: '1.10' },
  'time-diff-clocksource-mode': {
    type: 'string',
    since: '1.10',
    text: 'manually set clock source mode (instead of contacting the server)',
  },
  'time-diff-clocksource-hz': {
    type: 'int',
    text: 'manually set clock source Hz (default 250)',
    since: '1.10',
  },
};
const POLICY_TRACE_ARGS =
  '( -s <label context> | --src-identity <security identity> | --src-endpoint <endpoint ID> | --src-k8s-pod <namespace:pod-name> | --src-k8s-yaml <path to YAML file> ) ( -d <label context> | --dst-identity <security identity> | --dst-endpoint <endpoint ID> | --dst-k8s-pod <namespace:pod-name> | --dst-k8s-yaml <path to YAML file>)';

function eventTypes(first: Release): string {
  return `Filter by event types [${Object.keys(eventTypesOf(first)).join(' ')}]`;
}

/** Flags of every verb of the in-agent command line. */
export const GLOBAL_FLAGS: Readonly<Record<string, ReferenceFlag>> = {
  config: {
    type: 'string',
    text: {
      '1.9': 'config file (default is $HOME/.cilium.yaml)',
      '1.13': 'Config file (default is $HOME/.cilium.yaml)',
    },
  },
  debug: { text: 'Enable debug messages' },
  host: { type: 'string', text: 'URI to server-side API' },
  'log-driver': { type: 'strings', text: 'Logging endpoints to use (example: syslog)', since: '1.18' },
  'log-opt': { type: 'map', text: 'Log driver options (example: format=json)', since: '1.18' },
};

/** First words of the reference's command line, with the releases that have them; hidden ones are left out. */
export const NOUNS: Readonly<Record<string, Span>> = {
  bgp: { since: '1.13' },
  bpf: {},
  'build-config': { since: '1.13' },
  cgroups: { since: '1.13' },
  cleanup: { until: '1.16' },
  completion: {},
  config: {},
  debuginfo: {},
  encrypt: { since: '1.11' },
  endpoint: {},
  envoy: { since: '1.14' },
  fqdn: {},
  help: {},
  identity: {},
  ip: {},
  kvstore: {},
  loadinfo: { since: '1.16' },
  lrp: {},
  map: {},
  metrics: {},
  monitor: {},
  node: {},
  nodeid: { since: '1.13' },
  policy: {},
  'post-uninstall-cleanup': { since: '1.16' },
  prefilter: {},
  preflight: {},
  recorder: { since: '1.10', until: '1.19' },
  service: {},
  shell: { since: '1.17' },
  statedb: { since: '1.14' },
  status: {},
  sysdump: { since: '1.17' },
  troubleshoot: { since: '1.13' },
  version: {},
};

/** The verbs of the reference that print their usage on a wrong flag or argument. */
/** Short names that people type are ours where the reference has none. */
const NO_ALIASES = { aliases: '' };

export const VERBS: Readonly<Record<string, ReferenceVerb>> = {
  'bgp peers': { since: '1.13', flags: { capabilities: { since: '1.19' }, ...OUTPUT } },
  'bgp route-policies': { since: '1.15', args: '[vrouter <asn>]', flags: OUTPUT },
  'bpf auth list': { since: '1.14', ...LIST },
  'bpf auth flush': { since: '1.15' },
  'bpf bandwidth list': LIST,
  'bpf config list': { since: '1.14', ...LIST },
  'bpf ct list': {
    args: {
      '1.9': '( <endpoint identifier> | global )',
      '1.14': '( global | endpoint | cluster ) [identifier]',
      '1.18': '( global | cluster <identifier> )',
      '1.19': '[cluster <identifier>]',
    },
    flags: { ...TIME_DIFF, ...OUTPUT },
  },
  'bpf ct flush': { args: { '1.9': '( <endpoint identifier> | global )', '1.18': 'global', '1.19': '' } },
  'bpf egress list': { since: '1.10', ...LIST },
  'bpf endpoint list': LIST,
  'bpf frag list': { since: '1.17', ...LIST },
  'bpf fs show': LIST,
  'bpf ipcache list': LIST,
  'bpf ipcache get': {},
  'bpf ipcache match': { since: '1.18' },
  'bpf ipmasq list': LIST,
  'bpf lb list': {
    flags: {
      backends: { since: '1.12' },
      frontends: { since: '1.12' },
      revnat: '',
      'source-ranges': { since: '1.13-dev' },
      ...OUTPUT,
    },
  },
  'bpf lb maglev get': { args: '<service id>', flags: OUTPUT, until: '1.18' },
  'bpf lb maglev list': LIST,
  'bpf metrics list': LIST,
  'bpf metrics flush': { since: '1.19' },
  'bpf nat list': { args: { '1.9': '', '1.14': '[cluster <cluster id>]' }, flags: OUTPUT },
  'bpf nat flush': {},
  'bpf nat retries list': { since: '1.18', ...LIST },
  'bpf nat retries flush': { since: '1.18' },
  'bpf nodeid list': { since: '1.13', ...LIST },
  'bpf policy add': {
    args: '<endpoint id> <traffic-direction> <identity> [port/proto]',
    flags: { deny: {}, cookie: { type: 'uint32', since: '1.19' } },
  },
  'bpf policy delete': {
    args: '<endpoint id> <identity> [port/proto]',
    flags: { deny: { text: 'Sets deny mode', until: '1.19' } },
  },
  'bpf policy get': {
    about: { '1.9': 'List contents of a policy BPF map', '1.13-dev': 'Get contents of a policy BPF map' },
    flags: { all: '', numeric: '', ...OUTPUT },
  },
  'bpf policy list': { since: '1.13-dev', ...LIST },
  'bpf recorder list': { since: '1.10', until: '1.19', ...LIST },
  'bpf sha list': LIST,
  'bpf sha get': { args: '<sha>', flags: OUTPUT },
  'bpf socknat list': { since: '1.18', ...LIST },
  'bpf tunnel list': { until: '1.18', ...LIST },
  'cgroups list': { since: '1.13', flags: ENDPOINT_LIST_FLAGS },
  config: {
    args: '[<option>=(enable|disable) ...]',
    flags: {
      all: { since: '1.11' },
      'list-options': '',
      'num-pages': 'int',
      'read-only': { since: '1.11' },
      ...OUTPUT,
    },
  },
  'config get': { since: '1.11', args: '<config name>', flags: OUTPUT },
  'endpoint config': {
    args: '<endpoint id> [<option>=(enable|disable) ...]',
    examples:
      'endpoint config 5421 DropNotification=false TraceNotification=false PolicyVerdictNotification=true',
    flags: { 'list-options': '', ...OUTPUT },
  },
  'endpoint disconnect': { args: '<endpoint-id>' },
  'endpoint get': {
    args: '( <endpoint identifier> | -l <endpoint labels> ) ',
    aliases: 'get, inspect, show',
    examples: {
      '1.9':
        'cilium endpoint get 4598, cilium endpoint get pod-name:default:foobar, cilium endpoint get -l id.baz',
      '1.15': ['4598', 'pod-name:default:foobar', '-l id.baz']
        .map((given) => `  {name} endpoint get ${given}`)
        .join('\n'),
    },
    flags: { labels: { type: 'strings', text: 'list of labels' }, ...OUTPUT },
  },
  'endpoint health': {
    args: '<endpoint id>',
    examples: `cilium endpoint health 5421`,
    flags: OUTPUT,
  },
  'endpoint labels': { flags: { add: 'strings', delete: 'strings' } },
  'endpoint list': { flags: ENDPOINT_LIST_FLAGS },
  'endpoint log': { args: '<endpoint id>', examples: `cilium endpoint log 5421`, flags: OUTPUT },
  'endpoint regenerate': { args: '<endpoint-id>', until: '1.15' },
  'fqdn cache clean': { flags: { force: '', matchpattern: 'string' } },
  'fqdn cache list': {
    ...NO_ALIASES,
    flags: {
      endpoint: { type: 'string', text: 'List cache entries for a specific endpoint id' },
      matchpattern: 'string',
      source: { type: 'string', since: '1.12' },
      ...OUTPUT,
    },
  },
  'fqdn names': {},
  'identity get': { flags: { label: 'strings', ...OUTPUT } },
  'identity list': {
    args: '[LABELS]',
    flags: { endpoints: { text: 'list identities of locally managed endpoints' }, ...OUTPUT },
  },
  'ip get': {
    since: '1.17',
    args: '( <cidr> |-l <identity labels> )',
    flags: { labels: { type: 'strings', text: 'list of labels' }, verbose: '', ...OUTPUT },
  },
  'ip list': { flags: { numeric: '', verbose: '', ...OUTPUT } },
  'lrp list': LIST,
  'map events': {
    since: '1.13',
    args: '<name>',
    examples: `cilium map events cilium_ipcache`,
    flags: { follow: { text: 'If set then events will be streamed' }, ...OUTPUT },
  },
  'map get': { args: '<name>', examples: `cilium map get cilium_ipcache`, flags: OUTPUT },
  'map list': {
    ...NO_ALIASES,
    examples: `cilium map list`,
    flags: { verbose: { text: 'Print cache contents of all maps' }, ...OUTPUT },
  },
  'metrics list': {
    ...NO_ALIASES,
    flags: {
      'match-pattern': { type: 'string', text: 'Show only metrics whose names match matchpattern' },
      'shell-sock-path': {
        type: 'string',
        text: 'Path to the shell UNIX socket (default "/var/run/cilium/shell.sock")',
        since: '1.19',
      },
      ...OUTPUT,
    },
  },
  monitor: {
    flags: {
      from: '[]uint16',
      hex: '',
      json: '',
      'monitor-socket': 'string',
      numeric: '',
      'related-to': '[]uint16',
      to: '[]uint16',
      type: {
        type: '[]string',
        text: {
          '1.9': eventTypes('1.9'),
          '1.13': eventTypes('1.13'),
          '1.19': eventTypes('1.19'),
        },
      },
      verbose: { type: 'bools[=false]', text: 'Enable verbose output (-v, -vv) (default [])' },
    },
  },
  'node list': LIST,
  'nodeid list': { since: '1.13', ...LIST },
  'policy delete': {
    until: '1.19',
    args: '[<labels>]',
    flags: { all: { text: 'Delete all policies' }, ...OUTPUT },
  },
  'policy get': { args: { '1.9': '[<labels>]', '1.19': '' }, flags: OUTPUT },
  'policy import': {
    until: '1.19',
    about: 'Import security policy in JSON format',
    args: '<path>',
    examples: ['~/policy.json', './policies/app/'].map((path) => `  {name} policy import ${path}`).join('\n'),
    flags: {
      print: { text: 'Print policy after import' },
      replace: { text: 'Replace existing policy', since: '1.15' },
      'replace-with-labels': {
        type: 'strings',
        text: 'Replace existing policies that match given labels',
        since: '1.15',
      },
      ...OUTPUT,
    },
  },
  'policy selectors': { flags: { verbose: { text: 'Show the full labels', since: '1.15' }, ...OUTPUT } },
  'policy trace': {
    until: '1.15',
    about: `Verifies if the source is allowed to consume
destination. Source / destination can be provided as endpoint ID, security ID, Kubernetes Pod, YAML file, set of LABELs. LABEL is represented as
SOURCE:KEY[=VALUE].
dports can be can be for example: 80/tcp, 53 or 23/udp.
If multiple sources and / or destinations are provided, each source is tested whether there is a policy allowing traffic between it and each destination.
--src-k8s-pod and --dst-k8s-pod requires cilium-agent to be running with disable-endpoint-crd option set to "false".`,
    args: {
      '1.9': `${POLICY_TRACE_ARGS} [--dport <port>[/<protocol>]`,
      '1.12': `${POLICY_TRACE_ARGS} --dport <port>[/<protocol>]`,
    },
    flags: {
      dport: {
        type: 'strings',
        text: 'L4 destination port to search on outgoing traffic of the source label context and on incoming traffic of the destination label context',
      },
      dst: 'strings',
      'dst-endpoint': 'string',
      'dst-identity': 'int',
      'dst-k8s-pod': { type: 'string', text: 'Destination k8s pod ([namespace:]podname)' },
      'dst-k8s-yaml': { type: 'string', until: '1.14' },
      src: 'strings',
      'src-endpoint': 'string',
      'src-identity': 'int',
      'src-k8s-pod': { type: 'string', text: 'Source k8s pod ([namespace:]podname)' },
      'src-k8s-yaml': { type: 'string', until: '1.14' },
      verbose: '',
      ...OUTPUT,
    },
  },
  'policy validate': {
    until: '1.19',
    about: 'Validate a policy',
    args: '<path>',
    flags: {
      print: { text: 'Print policy after validation' },
      verbose: { text: 'Enable verbose output (default true)' },
    },
  },
  'policy wait': {
    args: '<revision>',
    flags: {
      'fail-wait-time': {
        type: 'int',
        text: 'Wait time after which command fails if endpoint regeration fails (seconds) (default 60)',
      },
      'max-wait-time': 'int',
      'sleep-time': 'int',
    },
  },
  'prefilter delete': { flags: { cidr: 'strings', revision: 'uint' } },
  'prefilter list': LIST,
  'prefilter update': { flags: { cidr: 'strings', revision: 'uint' } },
  'recorder delete': { since: '1.10', until: '1.19', args: '<recorder id>' },
  'recorder get': { since: '1.10', until: '1.19', args: '<recorder id>', flags: OUTPUT },
  'recorder list': { since: '1.10', until: '1.19', ...LIST },
  'recorder update': {
    since: '1.10',
    until: '1.19',
    flags: { caplen: 'uint', filters: 'strings', id: 'uint' },
  },
  'service delete': { until: '1.18', args: '{ <service id> | --all }', flags: { all: '' } },
  'service get': { until: '1.18', args: '<service id>', flags: OUTPUT },
  'service list': { flags: { 'clustermesh-affinity': { since: '1.12' }, ...OUTPUT } },
  status: {
    flags: {
      'all-addresses': '',
      'all-clusters': '',
      'all-controllers': '',
      'all-health': '',
      'all-nodes': '',
      'all-redirects': '',
      brief: '',
      'require-k8s-connectivity': {
        since: '1.17',
        text: 'If true, when the cilium-agent cannot access the Kubernetes control plane, this status command returns a non-zero exit status. (default true)',
      },
      timeout: {
        type: 'duration',
        text: 'Sets the timeout to use when querying for health (default 30s)',
      },
      verbose: {
        text: 'Equivalent to --all-addresses --all-controllers --all-nodes --all-redirects --all-clusters --all-health',
      },
      ...OUTPUT,
    },
  },
  version: LIST,
};
