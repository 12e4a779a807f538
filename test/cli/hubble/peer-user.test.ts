import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { servePage } from '../../../src/cli/hubble/page-server.ts';
import { isFor } from '../../../src/cli/hubble/peer-user.ts';

const PARTS = { script: 'the script', style: 'the style', hashes: { script: '', style: '' } };
const [OWNER, OTHER] = [54_321, 54_322];
const asRoot = process.platform === 'linux' && process.getuid?.() === 0 ? test : test.skip;

/** Asks for an address as a user of this machine; half-closed says no more after the request. */
async function askAs(uid: number, url: string, way: 'open' | 'half-closed', cookie = ''): Promise<string> {
  const { port, pathname, search } = new URL(url);
  const request = `GET ${pathname}${search} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`;
  const end = way === 'open' ? 'socket.write' : 'socket.end';
  // It becomes the user itself: the program of Node.js may stand where that one may not read.
  const script = `process.setuid(${uid});
    const socket = require('node:net').connect({ port: ${port}, host: '127.0.0.1', allowHalfOpen: true }, () => ${end}(${JSON.stringify(request)}));
    socket.on('data', (data) => process.stdout.write(data)).on('end', () => socket.end());`;
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], {
    cwd: '/',
    env: {},
  });
  return stdout;
}

asRoot('the address that others see in the list of processes opens for its user alone', async () => {
  await using server = await servePage(0, PARTS, { uid: OWNER, env: {} });
  for (const way of ['open', 'half-closed'] as const) {
    const refused = await askAs(OTHER, server.url, way);
    expect(refused).toMatch(/^HTTP\/1\.1 403 /);
    expect(refused).toContain('This page is for the user of this machine who started it.');
    expect(refused).not.toContain('Set-Cookie');
  }
  const answer = await askAs(OWNER, server.url, 'open');
  expect(answer).toMatch(/^HTTP\/1\.1 303 /);
  const cookie = /Set-Cookie: ([^;]+)/.exec(answer)?.[1] ?? '';
  const page = new URL('/', server.url).href;
  expect(await askAs(OWNER, page, 'open', cookie)).toMatch(/^HTTP\/1\.1 200 /);
  // A browser sends it to whoever serves a page of another port of the same address.
  expect(await askAs(OTHER, page, 'open', cookie)).toMatch(/^HTTP\/1\.1 403 /);
});

test.each([
  { user: undefined, uid: 1000, sudo: undefined, answer: true, why: 'the system does not tell' },
  { user: 1000, uid: 1000, sudo: undefined, answer: true, why: 'it is the same' },
  { user: 1001, uid: 1000, sudo: undefined, answer: false, why: 'it is another one' },
  { user: 0, uid: 1000, sudo: undefined, answer: true, why: 'root is let in' },
  { user: 1000, uid: 0, sudo: undefined, answer: true, why: 'root serves somebody' },
  { user: 1000, uid: 0, sudo: '1000', answer: true, why: 'sudo says who it is' },
  { user: 1001, uid: 0, sudo: '1000', answer: false, why: 'sudo says that it is another one' },
  { user: 1001, uid: undefined, sudo: undefined, answer: true, why: 'there are no users' },
])('of user $user to $uid: $answer, as $why', ({ user, uid, sudo, answer }) => {
  expect(isFor(user, { uid, env: { SUDO_UID: sudo } })).toBe(answer);
});
