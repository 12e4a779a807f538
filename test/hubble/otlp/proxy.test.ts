import { describe, expect, test } from '@jest/globals';
import { proxyFor } from '../../../src/hubble/otlp/proxy.ts';

const found = (target: string, env: Record<string, string>) => {
  const proxy = proxyFor(new URL(target), env, '24.5.0');
  return proxy && `${proxy.variable} ${proxy.url.host}`;
};
const SET = { HTTPS_PROXY: 'http://secure:1', http_proxy: 'plain:2', ALL_PROXY: 'http://all:3' };

test.each<[target: string, env: Record<string, string>, proxy: string | undefined]>([
  ['https://a.example', {}, undefined],
  ['https://a.example', SET, 'HTTPS_PROXY secure:1'],
  ['http://a.example', SET, 'http_proxy plain:2'],
  ['http://a.example', { HTTP_PROXY: 'http://large:4' }, 'HTTP_PROXY large:4'],
  ['https://a.example', { ALL_PROXY: 'http://all:3' }, 'ALL_PROXY all:3'],
  [
    'https://a.example',
    { https_proxy: 'https://small:5', HTTPS_PROXY: 'http://large:6' },
    'https_proxy small:5',
  ],
  ['https://a.example', { https_proxy: '', HTTPS_PROXY: 'http://large:6' }, undefined],
  ['http://localhost:4318', SET, undefined],
  ['http://127.0.0.1:4318', SET, undefined],
  ['http://[::1]:4318', SET, undefined],
])('%s with %j goes through %s', (target, env, proxy) => {
  expect(found(target, env)).toBe(proxy);
});

describe('NO_PROXY', () => {
  test.each<[list: string, target: string, isExempt: boolean]>([
    ['*', 'https://a.example', true],
    ['a.example', 'https://a.example', true],
    ['A.Example', 'https://a.example', true],
    ['example', 'https://a.example', true],
    ['.example', 'https://a.example', true],
    ['*.example', 'https://a.example', true],
    ['ample', 'https://a.example', false],
    ['b.example, ,a.example.', 'https://a.example', true],
    ['a.example:443', 'https://a.example', true],
    ['a.example:4318', 'https://a.example', false],
    ['a.example:4318', 'https://a.example:4318', true],
    ['10.0.0.0/8', 'http://10.1.2.3:4318', true],
    ['10.0.0.0/8', 'http://11.1.2.3:4318', false],
    ['10.0.0.0/99', 'http://10.1.2.3:4318', false],
    ['10.1.2.3', 'http://10.1.2.3:4318', true],
    ['1.2.3', 'http://10.1.2.3:4318', false],
    ['10.0.0.0/8', 'http://a.example', false],
    ['fd00::/8', 'http://[fd00::1]:4318', true],
    ['[fd00::1]', 'http://[fd00::1]:4318', true],
    ['fd00::2', 'http://[fd00::1]:4318', false],
    ['', 'https://a.example', false],
  ])('%j and %s: %s', (list, target, isExempt) => {
    const env = { ...SET, no_proxy: list };
    expect(found(target, env) === undefined).toBe(isExempt);
  });
});

test.each(['socks5://u:secret@h:1', 'http://', 'ftp://secret', 'http://u:%zz@h'])(
  'an address that is of no use is refused, and not repeated: %s',
  (text) => {
    const ask = () => proxyFor(new URL('https://a.example'), { HTTPS_PROXY: text }, '26.0.0');
    expect(ask).toThrow(/^HTTPS_PROXY: (?!.*secret)/);
  },
);

test('a Node that cannot speak to a proxy goes around none', () => {
  expect(() => proxyFor(new URL('https://a.example'), SET, '24.4.1')).toThrow(
    'HTTPS_PROXY: Node.js speaks to proxies since 24.5, and this is 24.4.1',
  );
  expect(proxyFor(new URL('https://a.example'), { ...SET, NO_PROXY: '*' }, '24.4.1')).toBeUndefined();
});
