import { Option } from 'commander';
import { fromOption, integer, stringSlice } from '../flags.ts';
import type { GlobalFlags } from '../tree.ts';

/** What a setting holds. */
export type KeyType = 'string' | 'bool' | 'duration' | 'uint16' | 'stringSlice';

/** A setting that the command line, the environment and the config file can give. */
export interface Key {
  name: string;
  type: KeyType;
  /** In the form that the config file holds. */
  initial: string | boolean | readonly string[];
  description: string;
  short?: string;
  /** Help does not name its initial value, which is not what counts without the flag. */
  hidesInitial?: boolean;
  /** Shown under the global flags rather than the server flags. */
  global?: boolean;
}

/** Every setting, by name. The default of `config` depends on the machine and is found where it is read. */
export const KEYS: readonly Key[] = [
  {
    name: 'basic-auth-password',
    type: 'string',
    initial: '',
    description: 'Password for basic authentication',
  },
  {
    name: 'basic-auth-username',
    type: 'string',
    initial: '',
    description: 'User name for basic authentication',
  },
  { name: 'config', type: 'string', initial: '', description: 'Config file', global: true },
  {
    name: 'debug',
    type: 'bool',
    initial: false,
    description: 'Log debug messages',
    short: 'D',
    global: true,
  },
  {
    name: 'kube-context',
    type: 'string',
    initial: '',
    description: 'Kubernetes context, for --port-forward and --node',
  },
  {
    name: 'kube-namespace',
    type: 'string',
    initial: 'kube-system',
    description: 'Namespace that Cilium runs in, for --port-forward and --node',
  },
  {
    name: 'kubeconfig',
    type: 'string',
    initial: '',
    description: 'Kubeconfig file, for --port-forward and --node',
  },
  {
    name: 'port-forward',
    type: 'bool',
    initial: false,
    description: 'Reach Hubble Relay through the Kubernetes API; --server is ignored',
    short: 'P',
  },
  {
    name: 'port-forward-port',
    type: 'uint16',
    initial: '4245',
    hidesInitial: true,
    description: 'With --port-forward: a local port that leads to the relay too, 0 for any',
  },
  {
    name: 'request-timeout',
    type: 'duration',
    initial: '12s',
    description: 'Timeout of requests with a single answer',
  },
  {
    name: 'server',
    type: 'string',
    initial: 'localhost:4245',
    description: 'Hubble server: HOST:PORT, tls://HOST:PORT or unix:///PATH',
  },
  {
    name: 'timeout',
    type: 'duration',
    initial: '5s',
    description: 'Timeout for connecting to the server',
  },
  { name: 'tls', type: 'bool', initial: false, description: 'Use TLS, as the prefix tls:// does' },
  {
    name: 'tls-allow-insecure',
    type: 'bool',
    initial: false,
    description:
      'Do not verify the certificate of the server: anybody in between can read and change what is sent',
  },
  {
    name: 'tls-ca-cert-files',
    type: 'stringSlice',
    initial: [],
    description: 'PEM files of the authorities to trust instead of those of the system',
  },
  {
    name: 'tls-client-cert-file',
    type: 'string',
    initial: '',
    description: 'PEM file of the client certificate; needs --tls',
  },
  {
    name: 'tls-client-key-file',
    type: 'string',
    initial: '',
    description: 'PEM file of the key of the client certificate',
  },
  {
    name: 'tls-server-name',
    type: 'string',
    initial: '',
    description: "Name to verify the server's certificate against",
  },
];

/** A key by its name. */
export function keyOf(name: string): Key | undefined {
  return KEYS.find((key) => key.name === name);
}

/** All settings as flags. Their defaults are not given to commander: a file or the environment may come before. */
export const HUBBLE_GLOBALS: GlobalFlags = {
  title: 'Server and Global Flags:',
  options: () => KEYS.map(optionOf),
};

/** Flags that name agents of a cluster, whose own servers are asked instead of a relay. They are no settings. */
const NODE_FLAGS: GlobalFlags = {
  title: 'Node Flags:',
  options: () => [
    new Option('--node <name>', 'Ask the agent of this node of a cluster itself, without a relay'),
    new Option('--all-nodes', 'Ask the agents of all nodes of a cluster, each for itself'),
    new Option('--limit-nodes <selector>', 'Ask the agents of the nodes with these labels'),
    integer('--concurrency <n>', 'Agents that are asked at once (default 10)', { min: 1, max: 500 }),
    fromOption(),
  ],
};

/** Flags of a verb that asks a server. */
export const ASKING_GLOBALS: GlobalFlags = {
  title: HUBBLE_GLOBALS.title,
  options: () => [...HUBBLE_GLOBALS.options(), ...NODE_FLAGS.options()],
};

function optionOf(key: Key): Option {
  const initial = String(key.initial);
  const about =
    initial === '' || initial === 'false' || key.hidesInitial
      ? key.description
      : `${key.description} (default ${initial})`;
  const short = key.short ? `-${key.short}, ` : '';
  switch (key.type) {
    case 'bool':
      return new Option(`${short}--${key.name}`, about);
    case 'stringSlice':
      return stringSlice(`${short}--${key.name} <files>`, about);
    case 'uint16':
      return integer(`${short}--${key.name} <port>`, about, { min: 0, max: 65_535 });
    default:
      return new Option(`${short}--${key.name} <${key.type === 'duration' ? 'duration' : 'value'}>`, about);
  }
}
