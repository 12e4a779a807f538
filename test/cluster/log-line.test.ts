import { describe, expect, test } from '@jest/globals';
import { LogSieve, logLevelOf, parseLogLine } from '../../src/cluster/log-line.ts';
import type { LogLine } from '../../src/model/log-line.ts';
import fc from '../helpers/properties.ts';

describe('a line is read', () => {
  test.each<[string, string, Partial<LogLine>]>([
    [
      'of logrus',
      'level=info msg="Serving cilium API" subsys=daemon url="unix:///x"',
      {
        form: 'logfmt',
        level: 'info',
        subsystem: 'daemon',
        message: 'Serving cilium API',
        fields: [['url', 'unix:///x']],
      },
    ],
    [
      'of logrus with a time',
      'time="2026-01-01T00:00:00Z" level=warning msg=brief subsys=x',
      { form: 'logfmt', level: 'warn', subsystem: 'x', message: 'brief', fields: [] },
    ],
    [
      'of slog',
      'time=2026-01-01T00:00:00.1Z level=error source=/go/a.go:1 msg="no way" module=agent.a.b error="x \\"y\\"\\n"',
      {
        form: 'logfmt',
        level: 'error',
        subsystem: 'agent.a.b',
        message: 'no way',
        fields: [
          ['source', '/go/a.go:1'],
          ['error', 'x "y"\n'],
        ],
      },
    ],
    [
      'of slog between two levels',
      'time=x level=INFO+2 msg=m',
      { form: 'logfmt', level: 'info', message: 'm' },
    ],
    [
      'with a level of its own',
      'level=loud msg=m',
      { form: 'logfmt', message: 'm', fields: [['level', 'loud']] },
    ],
    [
      'that breaks off',
      'level=info msg="it ends he',
      { form: 'logfmt', level: 'info', message: '', fields: [['', 'msg="it ends he']] },
    ],
    [
      'of JSON',
      '{"level":"fatal","ts":1,"time":"t","msg":"m","subsys":"s","a":{"b":[1]},"u":18446744073709551615}',
      {
        form: 'json',
        level: 'fatal',
        subsystem: 's',
        message: 'm',
        fields: [
          ['ts', 1],
          ['a', { b: [1] }],
          ['u', 18446744073709551615n],
        ],
      },
    ],
    ['of JSON that is none', '{"level":"info"', { form: 'plain', message: '{"level":"info"' }],
    [
      'of Envoy',
      '[2026-09-21 14:13:20.000][12][warning][config] [source/x.cc:9] slow [sic]',
      { form: 'envoy', level: 'warn', subsystem: 'config', message: 'slow [sic]' },
    ],
    [
      'of Envoy without a source',
      '[2026-09-21 14:13:20.000][12][info][main] hello',
      { form: 'envoy', level: 'info', subsystem: 'main', message: 'hello' },
    ],
    [
      'of klog',
      'E0921 14:13:20.000000       1 lease.go:3] lost it',
      { form: 'klog', level: 'error', message: 'lost it', fields: [['source', 'lease.go:3']] },
    ],
    ['of a panic', 'panic: oh no', { form: 'plain', level: 'fatal', message: 'panic: oh no' }],
    ['of anything else', 'hello = world', { form: 'plain', message: 'hello = world' }],
    ['that is empty', '', { form: 'plain', message: '' }],
  ])('%s', (_, text, expected) => {
    expect(parseLogLine(text)).toMatchObject(expected);
  });

  test('and none of its words is lost', () => {
    const word = fc.stringMatching(/^[a-z0-9"\\= ]{0,12}$/);
    fc.assert(
      fc.property(fc.array(word), (words) => {
        const text = `level=info msg=x ${words.join(' ')}`;
        const { message, fields } = parseLogLine(text);
        const told = [message, ...fields.flat()].join(' ');
        for (const letter of ['a', 'z', '7'])
          expect([letter, told.split(letter).length]).toEqual([
            letter,
            text.replace('level=info msg=x', 'x').split(letter).length,
          ]);
      }),
    );
  });

  test('whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        for (const line of [
          text,
          `level=info ${text}`,
          `{"msg":${text}`,
          `[2026-01-01 00:00:00][1][info][x] ${text}`,
        ])
          expect(typeof parseLogLine(line).message).toBe('string');
      }),
    );
  });

  test('in time that grows with its length, of hostile lines too', () => {
    const hostile = [
      `level=info ${'\\"'.repeat(500_000)}`,
      `msg="${'\\'.repeat(1_000_000)}`,
      `level=${'a='.repeat(500_000)}`,
    ];
    const startMs = performance.now();
    for (const line of hostile) parseLogLine(line);
    expect(performance.now() - startMs).toBeLessThan(10_000);
  });
});

test.each([
  ['WARN', 'warn'],
  ['Warning', 'warn'],
  ['ERROR-1', 'error'],
  ['critical', 'fatal'],
  ['constructor', undefined],
])('the level %s is %s', (word, level) => {
  expect(logLevelOf(word)).toBe(level);
});

describe('lines without a level follow the one before them', () => {
  const passing = (filter: ConstructorParameters<typeof LogSieve>[0], lines: readonly string[]) => {
    const sieve = new LogSieve(filter);
    return lines.filter((text) => sieve.passes(parseLogLine(text), text));
  };
  const LINES = ['stray', 'level=info msg=a', '  more of a', 'level=error msg=b', '  more of b'];

  test('by level', () => {
    expect(passing({ level: 'warn', subsystems: [] }, LINES)).toEqual([
      'stray',
      'level=error msg=b',
      '  more of b',
    ]);
  });

  test('by subsystem, whole words of it', () => {
    const lines = [
      'msg=a subsys=daemon',
      'x',
      'msg=b subsys=daemonize',
      'y',
      'msg=c module=agent.daemon.k8s',
    ];
    expect(passing({ subsystems: ['daemon'] }, lines)).toEqual([lines[0], 'x', lines[4]]);
  });

  test('but each is looked at for a pattern', () => {
    const matches = (text: string) => text.includes('more');
    expect(passing({ subsystems: [], matches }, LINES)).toEqual(['  more of a', '  more of b']);
  });
});
