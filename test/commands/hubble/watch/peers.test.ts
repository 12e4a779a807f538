import { expect, test } from '@jest/globals';
import { encode } from '../../../../src/hubble/protobuf/codec.ts';
import { serveGrpc } from '../../../helpers/grpc.ts';
import { run } from '../../../helpers/run.ts';

test('watch peers prints who comes and goes', async () => {
  const messages = [
    encode('peer.ChangeNotification', {
      name: 'lab/node1',
      address: '10.0.0.1:4244',
      type: 'PEER_ADDED',
      tls: { server_name: 'node1.lab.hubble-grpc.cilium.io' },
    }),
  ];
  await using server = await serveGrpc({ '/peer.Peer/Notify': { messages } });
  const { stdout } = await run(['hubble', 'watch', 'peers', '--server', server.address]);
  expect(stdout).toBe(
    'PEER_ADDED   10.0.0.1:4244 lab/node1 (TLS.ServerName: node1.lab.hubble-grpc.cilium.io)\n',
  );
});
