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
