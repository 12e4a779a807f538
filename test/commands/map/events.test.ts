import { describe, expect, test } from '@jest/globals';
import { agentOf } from '../../helpers/agent.ts';

const EVENT = {
  action: 'update',
  'desired-action': 'sync',
  key: '10.0.0.1/32',
  'last-error': '<nil>',
  timestamp: '2026-11-22T08:03:30.809Z',
  value: 'identity=7',
};

describe('map events', () => {
  const call = 'GET /v1/map/cilium_lxc/events?follow=false';

  test('takes events that are split and joined at any byte', async () => {
    const text = `${JSON.stringify({ ...EVENT, value: 'a}{"b' })}\n${JSON.stringify(EVENT)}${JSON.stringify(EVENT)}`;
    await using agent = await agentOf({
      [call]: (_, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        const bytes = Buffer.from(text);
        const send = (at: number) => {
          if (at >= bytes.length) return response.end();
          response.write(bytes.subarray(at, at + 7), () => setImmediate(send, at + 7));
        };
        send(0);
        return undefined;
      },
    });
    const { stdout, code } = await agent.run(['map', 'events', 'cilium_lxc']);
    const plain =
      'key="10.0.0.1/32" value="identity=7" time=2026-11-22T08:03:30Z action=update desiredState=sync lastError="<nil>"\n';
    expect(stdout).toBe(plain.replace('identity=7', 'a}{\\\\\\"b') + plain + plain);
    expect(code).toBe(0);
  });

  // differs: map-events
  test('quotes twice, as the reference does, and lets no control character through', async () => {
    await using agent = await agentOf({
      [call]: {
        body: {
          ...EVENT,
          key: 'a"b\tc\nd\u001b',
          action: '\u001b[2J',
          timestamp: '2026-11-22T10:03:30+02:00',
        },
      },
    });
    const { stdout } = await agent.run(['map', 'events', 'cilium_lxc']);
    expect(stdout).toBe(
      'key="a\\\\\\"b\\\\nc\\\\nd\\x1b" value="identity=7" time=2026-11-22T10:03:30+02:00 action=^[[2J desiredState=sync lastError="<nil>"\n',
    );
  });

  test('follows until Ctrl-C, and ends well', async () => {
    const stop = new AbortController();
    await using agent = await agentOf({
      'GET /v1/map/cilium_lxc/events?follow=true': (_, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.write(JSON.stringify(EVENT));
        return undefined;
      },
    });
    const { stdout, stderr, code } = await agent.run(['map', 'events', 'cilium_lxc', '-f'], {
      signal: stop.signal,
      onStdout: () => stop.abort(),
    });
    expect(stdout).toContain('key="10.0.0.1/32"');
    expect(stderr).toBe('\nReceived an interrupt, disconnecting from event stream...\n\n');
    expect(code).toBe(0);
  });

  test.each([
    [{ text: '{"key":"a"' }, 'the stream broke off within an event'],
    [{ text: '{"key":}' }, 'the agent sent an event that is not JSON'],
    [{ text: '{"key":7}' }, 'expected a string at .key, found a number'],
    [{ status: 404 }, '[GET /map/{name}/events][404]'],
  ])('fails with a sentence on %j', async (answer, message) => {
    await using agent = await agentOf({ [call]: answer });
    const { stderr, code } = await agent.run(['map', 'events', 'cilium_lxc']);
    expect(stderr).toContain('could not get map name events');
    expect(stderr).toContain(message);
    expect(code).toBe(1);
  });
});
