import { objectsOf } from '../../archive/object-list.ts';
import type { Recording } from '../../archive/recording.ts';
import { isRecord } from '../../lib/record.ts';

/** The Secret of Helm's release, made of what an archive has of it; without the manifest where that was not collected. */
export async function helmSecrets(recording: Recording, namespace: string) {
  const metadata = await only(recording, 'cilium-helm-metadata');
  if (!metadata) return [];
  const values = (await only(recording, 'cilium-helm-values')) ?? {};
  const name = String(metadata.name ?? 'cilium');
  const version = Number(metadata.revision ?? 1);
  const status = String(metadata.status ?? 'deployed');
  const release = {
    name,
    version,
    namespace: metadata.namespace ?? namespace,
    info: { status },
    chart: { metadata: { name: metadata.chart, version: metadata.version, appVersion: metadata.appVersion } },
    config: values,
  };
  const packed = Buffer.from(Buffer.from(JSON.stringify(release)).toString('base64')).toString('base64');
  return [
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: `sh.helm.release.v1.${name}.v${version}`,
        namespace: String(metadata.namespace ?? namespace),
        labels: { owner: 'helm', name, status, version: String(version) },
      },
      data: { release: packed },
    },
  ];
}

async function only(recording: Recording, stem: string): Promise<Record<string, unknown> | undefined> {
  const file = recording.fileOf(stem);
  if (file === undefined || recording.files.sizeOf(file) === 0) return undefined;
  for await (const value of objectsOf(recording.files, file)) return isRecord(value) ? value : undefined;
  return undefined;
}
