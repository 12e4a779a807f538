import { isRecord } from '../../lib/record.ts';
import { POD_ACCOUNT, POD_NAMESPACE } from '../../model/label.ts';
import { readDocuments } from './documents.ts';

/** The labels of the pods of each workload in a file, as `k8s:key=value`. */
export async function podLabels(file: string, text: string): Promise<string[][]> {
  const documents = await readDocuments(file, text);
  return documents.flatMap(({ value }) => {
    if (!isRecord(value) || !isRecord(value.metadata)) return [];
    const spec = isRecord(value.spec) ? value.spec : {};
    const pod = isRecord(spec.template) ? spec.template : value;
    const metadata = isRecord(pod.metadata) ? pod.metadata : value.metadata;
    const podSpec = isRecord(pod.spec) ? pod.spec : spec;
    const labels = Object.entries(isRecord(metadata.labels) ? metadata.labels : {});
    const namespace = value.metadata.namespace ?? 'default';
    const account = podSpec.serviceAccountName ?? podSpec.serviceAccount;
    return [
      [
        ...labels.map(([key, label]) => `k8s:${key}=${String(label)}`),
        `k8s:${POD_NAMESPACE}=${String(namespace)}`,
        ...(account === undefined ? [] : [`k8s:${POD_ACCOUNT}=${String(account)}`]),
      ],
    ];
  });
}
