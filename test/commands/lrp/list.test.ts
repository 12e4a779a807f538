import { expect, test } from '@jest/globals';
import { runWith } from '../../helpers/agent.ts';

test('lrp list shows where each frontend leads', async () => {
  const body = [
    {
      namespace: 'kube-system',
      name: 'dns',
      'frontend-type': 'clusterIP + all svc ports',
      'service-id': 'kube-system/kube-dns',
      'frontend-mappings': [
        {
          'frontend-address': { ip: '10.96.0.10', port: 53, protocol: 'UDP' },
          backends: [{ 'pod-id': 'kube-system/node-local', 'backend-address': { ip: '10.0.0.9', port: 53 } }],
        },
        { 'frontend-address': { ip: '10.96.0.10', port: 53, protocol: 'TCP' } },
      ],
    },
  ];
  const { stdout } = await runWith(['lrp', 'ls'], { 'GET /v1/lrp': { body } });
  expect(stdout).toBe(
    [
      'LRP namespace   LRP name   FrontendType                Matching Service',
      'kube-system     dns        clusterIP + all svc ports   kube-system/kube-dns',
      '                |          10.96.0.10:53/UDP -> 10.0.0.9:53(kube-system/node-local), ',
      '                |          10.96.0.10:53/TCP -> ',
      '',
    ].join('\n'),
  );
});
