import { KEYS } from '../../model/hubble-key.ts';

/** What a setting of a profile holds. */
export type ProfileValue = string | boolean | readonly string[];

/** A setting that a profile may have. */
export interface ProfileKey {
  name: string;
  type: 'text' | 'truth' | 'texts' | 'duration';
  description: string;
  /** The key of Hubble's settings that it stands for. */
  hubble?: string;
  /** Is not shown. */
  secret?: true;
}

/** Keys of Hubble that the profile has under a name of its own, or not at all. */
const OWN = new Set(['config', 'debug', 'kube-context', 'kube-namespace', 'kubeconfig', 'port-forward-port']);

/** Every setting that a profile may have. */
export const PROFILE_KEYS: readonly ProfileKey[] = [
  { name: 'host', type: 'text', description: 'Agent: unix://PATH or tcp://HOST:PORT' },
  { name: 'node', type: 'text', description: 'Agent: that of this node of the cluster' },
  {
    name: 'kubeconfig',
    type: 'text',
    description: 'Cluster: file that says how to reach it',
    hubble: 'kubeconfig',
  },
  {
    name: 'context',
    type: 'text',
    description: 'Cluster: context of the kubeconfig',
    hubble: 'kube-context',
  },
  {
    name: 'namespace',
    type: 'text',
    description: 'Cluster: namespace that Cilium is installed in',
    hubble: 'kube-namespace',
  },
  ...KEYS.filter(({ name }) => !OWN.has(name)).map(
    ({ name, type, description }): ProfileKey => ({
      name,
      type:
        type === 'bool'
          ? 'truth'
          : type === 'stringSlice'
            ? 'texts'
            : type === 'duration'
              ? 'duration'
              : 'text',
      description: `Hubble: ${description}`,
      hubble: name,
      ...(name === 'basic-auth-password' && { secret: true }),
    }),
  ),
];
