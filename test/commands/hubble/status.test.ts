import { expect, test } from '@jest/globals';
import { decode, encode } from '../../../src/hubble/protobuf/codec.ts';
import { serveGrpc } from '../../helpers/grpc.ts';
import { run } from '../../helpers/run.ts';

test('hubble status asks for the health of the service by the name that Hubble gives it', async () => {
  const messages = [encode('grpc.health.v1.HealthCheckResponse', { status: 'SERVING' })];
  await using server = await serveGrpc({ '/grpc.health.v1.Health/Check': { messages } });
  await run(['hubble', 'status', '--server', server.address]);
  const request = server.seen[0]?.requests[0] ?? Buffer.alloc(0);
  expect(decode('grpc.health.v1.HealthCheckRequest', request)).toEqual({ service: 'hubble.server.Observer' });
});
