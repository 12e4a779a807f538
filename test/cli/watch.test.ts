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

  const [enter, leave] = ['\u001b[?1049h\u001b[?25l', '\u001b[?25h\u001b[?1049l'];
  /** What the screen showed, one frame after the other, and what stood below it at the end. */
  const frames = (stdout: string) => {
    expect(stdout.startsWith(enter)).toBe(true);
    const [screen = '', after = ''] = stdout.slice(enter.length).split(leave);
    const plain = (text: string) => text.replaceAll(/\u001b\[[0-9;]*[mKJH]/g, '');
    return {
      frames: screen.split('\u001b[H').slice(1).map(plain),
      after: plain(after),
    };
  };

  test('in a terminal has a screen of its own, which colours the changes and leaves the last look', async () => {
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
    const { stdout, code } = await agent.run(['endpoint', 'list', '-w', '--columns=id', '--no-headers'], {
      signal: stop.signal,
      columns: 80,
    });
    expect(stdout).toContain('\u001b[32m+ 2\u001b[39m');
    expect([frames(stdout), code]).toEqual([
      {
        frames: ['Every 2s · 1 entry · 00:00:00\n  1', 'Every 2s · 2 entries · 00:00:00\n  1\n+ 2'],
        after: '  1\n+ 2\n',
      },
      0,
    ]);
  });

  test('fits the screen: the header stays, rows are left out with their count, cells are cropped', async () => {
    const stop = new AbortController();
    const many = Array.from({ length: 30 }, (_, i): [number, string] => [
      i + 1,
      'waiting-for-identity-and-more',
    ]);
    await using agent = await agentOf({
      'GET /v1/endpoint': [
        pods(...many),
        (_, response) => {
          stop.abort();
          response.end('[]');
          return undefined;
        },
      ],
    });
    const { stdout } = await agent.run(['endpoint', 'list', '-w', '--columns=id,status'], {
      signal: stop.signal,
      columns: 30,
      rows: 6,
    });
    expect(frames(stdout).frames[0]?.split('\n')).toEqual([
      'Every 2s · 30 entries · 00:00…',
      '  ENDPOINT   STATUS',
      '  1          waiting-for-iden…',
      '  2          waiting-for-iden…',
      '  3          waiting-for-iden…',
      '… 27 more of 30 lines do not …',
    ]);
  });

  test('keeps the last answer where none comes, and says at which attempt it is', async () => {
    const stop = new AbortController();
    await using agent = await agentOf({
      'GET /v1/endpoint': [
        pods([1, 'ready']),
        { status: 503, text: '' },
        { status: 503, text: '' },
        pods([1, 'ready']),
        (_, response) => {
          stop.abort();
          response.end('[]');
          return undefined;
        },
      ],
    });
    const { stdout, stderr } = await agent.run(['endpoint', 'list', '-w', '5s', '--columns=id'], {
      signal: stop.signal,
      columns: 100,
    });
    const shown = frames(stdout).frames.map((frame) => frame.split('\n'));
    expect(shown.map(([title]) => title)).toEqual([
      'Every 5s · 1 entry · 00:00:00',
      'No answer: attempt 1, again in 5s; shown is that of 00:00:00',
      'No answer: attempt 2, again in 5s; shown is that of 00:00:00',
      'Every 5s · 1 entry · 00:00:00',
    ]);
    expect(shown[1]?.[1]).toMatch(/^cannot get endpoint list: .*503/);
    expect(shown[1]?.slice(2)).toEqual(['  ENDPOINT', '  1']);
    expect(stderr).toBe('');
  });

  test('of a terminal that cannot be drawn on prints what changed', async () => {
    const stop = new AbortController();
    await using agent = await agentOf({
      'GET /v1/endpoint': [
        pods([1, 'ready']),
        (_, response) => {
          stop.abort();
          response.end('[]');
          return undefined;
        },
      ],
    });
    const { stdout } = await agent.run(['endpoint', 'list', '--watch=1s', '--columns=id'], {
      signal: stop.signal,
      columns: 80,
      env: { TERM: 'dumb' },
    });
    expect(stdout).toBe('  ENDPOINT\n  1\n');
  });
});
