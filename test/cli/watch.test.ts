import { describe, expect, test } from '@jest/globals';
import { agentOf } from '../helpers/agent.ts';

describe('--watch', () => {
  const pods = (...rows: [number, string][]) => ({
    body: rows.map(([id, state]) => ({ id, status: { state } })),
  });

  test('elsewhere than in a terminal prints the list, then only what changed', async () => {
    const stop = new AbortController();
    await using agent = await agentOf({
      'GET /v1/endpoint': [
        pods([1, 'ready'], [2, 'ready']),
        pods([1, 'ready'], [2, 'ready']),
        { status: 503, text: '' },
        pods([1, 'regenerating'], [3, 'ready']),
        (_, response) => {
          stop.abort();
          response.end('[]');
          return undefined;
        },
      ],
    });
    const { stdout, stderr, code } = await agent.run(['endpoint', 'list', '--watch', '--columns=id,status'], {
      signal: stop.signal,
    });
    expect(stdout).toBe(
      [
        '  ENDPOINT   STATUS',
        '  1          ready',
        '  2          ready',
        '~ 1          regenerating',
        '- 2          ready',
        '+ 3          ready',
        '',
      ].join('\n'),
    );
    expect(stderr).toContain('Still watching.\nThe agent answers again.\n');
    expect(code).toBe(0);
  });

  test('is refused together with a structured form', async () => {
    await using agent = await agentOf({});
    const { stderr, code } = await agent.run(['identity', 'list', '-w', '-o', 'json']);
    expect(stderr).toContain('--watch shows a table: it cannot be combined with -o');
    expect(code).toBe(1);
  });

  test('in a terminal replaces the screen and colours the changes', async () => {
    const stop = new AbortController();
    await using agent = await agentOf({
      'GET /v1/endpoint': [
        pods([1, 'ready']),
        pods([1, 'ready'], [2, 'ready']),
        (_, response) => {
          stop.abort();
          response.end('[]');
          return undefined;
        },
      ],
    });
    const { stdout } = await agent.run(['endpoint', 'list', '-w', '--columns=id', '--no-headers'], {
      signal: stop.signal,
      columns: 80,
    });
    const clear = '\u001b[H\u001b[2J';
    expect(stdout).toBe(`${clear}  1\n${clear}  1\n\u001b[32m+ 2\u001b[39m\n`);
  });
});
