import type { NewObject } from './objects.ts';

const LABELS = { 'k8s-app': 'kube-dns' };
/** Of every cluster whose pods run: what they look names up at. */
const DNS_ADDRESS = '10.96.0.10';

/** The cluster's DNS, which pods that run need, and the Service of the API. */
export function clusterServices(): NewObject[] {
  const ports = [
    { name: 'dns', port: 53, protocol: 'UDP' },
    { name: 'dns-tcp', port: 53, protocol: 'TCP' },
  ];
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'kubernetes', namespace: 'default' },
      spec: {
        type: 'ClusterIP',
        clusterIP: '10.96.0.1',
        ports: [{ name: 'https', port: 443, targetPort: 6443, protocol: 'TCP' }],
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'kube-dns', namespace: 'kube-system', labels: LABELS },
      spec: { type: 'ClusterIP', clusterIP: DNS_ADDRESS, selector: LABELS, ports },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'coredns', namespace: 'kube-system', labels: LABELS },
      spec: {
        replicas: 1,
        selector: { matchLabels: LABELS },
        template: {
          metadata: { labels: LABELS },
          spec: {
            serviceAccountName: 'coredns',
            containers: [
              {
                name: 'coredns',
                image: 'registry.k8s.io/coredns/coredns:v1.12.1',
                ports: ports.map(({ name, port, protocol }) => ({ name, containerPort: port, protocol })),
              },
            ],
          },
        },
      },
    },
  ];
}
