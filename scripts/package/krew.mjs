// Manifests of the two plugins for krew.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { stringify } from 'yaml';
import { MACHINES } from '../machines.mjs';
import { version } from './facts.mjs';

const PLUGINS = {
  cilium: {
    shortDescription: 'Check, read and change Cilium in the cluster',
    description: `The cilium command line against the cluster of the kubeconfig: its status, the
agents of all nodes, policies that are checked, tested and explained, logs,
configuration and archives for support.`,
  },
  hubble: {
    shortDescription: 'Watch the flows that Cilium sees',
    description: `The hubble command line: flows of the cluster, live or recorded, with filters,
rankings and a live screen. With -P it forwards a port to Hubble Relay first.`,
  },
};

/** Writes krew/cilium.yaml and krew/hubble.yaml, and returns their paths. */
export function writeKrew({ archives, url, out }) {
  const folder = join(out, 'krew');
  mkdirSync(folder, { recursive: true });
  return Object.entries(PLUGINS).map(([name, texts]) => {
    const manifest = {
      apiVersion: 'krew.googlecontainertools.github.com/v1alpha2',
      kind: 'Plugin',
      metadata: { name },
      spec: {
        version: `v${version}`,
        homepage: url,
        ...texts,
        platforms: archives.map(({ arch, path }) => ({
          selector: { matchLabels: { os: 'linux', arch: MACHINES[arch].go } },
          uri: `${url}/${basename(path)}`,
          sha256: createHash('sha256').update(readFileSync(path)).digest('hex'),
          // The name by which it is started says which program it is.
          files: [
            { from: 'cilium-toolkit', to: `kubectl-${name}` },
            { from: 'LICENSE', to: '.' },
            { from: 'THIRD-PARTY-LICENSES', to: '.' },
          ],
          bin: `kubectl-${name}`,
        })),
      },
    };
    const path = join(folder, `${name}.yaml`);
    writeFileSync(path, stringify(manifest));
    return path;
  });
}
