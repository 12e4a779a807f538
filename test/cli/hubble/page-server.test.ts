import { request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type PageServer, servePage } from '../../../src/cli/hubble/page-server.ts';

const PARTS = { script: 'the script', style: 'the style', hashes: { script: '', style: '' } };
const OWNER = { uid: process.getuid?.(), env: {} };

let server: PageServer;
beforeEach(async () => {
  server = await servePage(0, PARTS, OWNER);
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

interface Answer {
  status: number | undefined;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

/** One request, with nothing added that a browser would add. */
function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  const { port } = new URL(server.url);
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode,
          headers: response.headers,
          text: Buffer.concat(chunks).toString(),
        }),
      );
    })
      .on('error', reject)
      .end();
  });
}

/** Opens the page with its token, as a browser does; what it returns is the cookie. */
async function open(): Promise<string> {
  const { pathname, search } = new URL(server.url);
  const { headers } = await ask(`${pathname}${search}`);
  return String(headers['set-cookie']).split(';')[0] ?? '';
}

describe('a page on the loopback', () => {
  test('opens once with its token, then for the browser that has the cookie', async () => {
    const { pathname, search } = new URL(server.url);
    const first = await ask(`${pathname}${search}`);
    expect([first.status, first.headers.location]).toEqual([303, '/']);
    expect(String(first.headers['set-cookie'])).toMatch(/; HttpOnly; SameSite=Strict; Path=\/$/);
    const cookie = String(first.headers['set-cookie']).split(';')[0] ?? '';
    expect((await ask('/page.js', { cookie })).text).toBe('the script');
    expect((await ask('/page.css', { cookie })).text).toBe('the style');
    expect((await ask('/', { cookie })).status).toBe(200);
    expect((await ask(`${pathname}${search}`)).status).toBe(403);
  });

  test.each<{ what: string; path: string; headers: Record<string, string>; status: number }>([
    { what: 'without a cookie', path: '/', headers: {}, status: 403 },
    { what: 'with a wrong token', path: '/?token=x', headers: {}, status: 403 },
    { what: 'with a wrong cookie', path: '/events', headers: { cookie: 'hubble-page=x' }, status: 403 },
    { what: 'under the name of another host', path: '/', headers: { host: 'evil.example' }, status: 421 },
  ])('refuses a request $what', async ({ path, headers, status }) => {
    expect((await ask(path, headers)).status).toBe(status);
  });

  test('takes nothing but GET, and has no other files', async () => {
    const cookie = await open();
    expect((await ask('/', { cookie }, 'POST')).status).toBe(405);
    expect((await ask('/../../etc/passwd', { cookie })).status).toBe(404);
    expect((await ask('//evil.example/', { cookie })).status).toBe(404);
  });

  test('lets a browser run and ask for nothing but its own files', async () => {
    const cookie = await open();
    const { headers, text } = await ask('/', { cookie });
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'; script-src 'self'; style-src 'self';/,
    );
    expect(headers['x-frame-options']).toBe('DENY');
    expect(headers['cache-control']).toBe('no-store');
    expect(text).not.toMatch(/<script(?! src=)|<style|style=|onload=/);
  });

  test('has a cookie of its own, so that two pages stay open in one browser', async () => {
    await using other = await servePage(0, PARTS, OWNER);
    const { port, pathname, search } = new URL(other.url);
    const answer = await fetch(`http://127.0.0.1:${port}${pathname}${search}`, { redirect: 'manual' });
    const [second = ''] = String(answer.headers.get('set-cookie')).split(';');
    const first = await open();
    expect(first.split('=')[0]).not.toBe(second.split('=')[0]);
    expect((await ask('/', { cookie: `${second}; ${first}` })).status).toBe(200);
  });

  test('answers a request that is no URL', async () => {
    const { port } = new URL(server.url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write('GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n');
    const text = await new Promise<string>((resolve) =>
      socket.once('data', (data) => resolve(data.toString())),
    );
    socket.destroy();
    expect(text).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect((await ask('/')).status).toBe(403);
  });

  test('a browser that takes nothing gets the newest state later, and holds nobody up', async () => {
    const cookie = await open();
    const { port } = new URL(server.url);
    const slow = connect(Number(port), '127.0.0.1');
    slow.write(`GET /events HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nCookie: ${cookie}\r\n\r\n`);
    await new Promise((resolve) => slow.once('data', resolve));
    slow.pause();
    const state = JSON.stringify({ text: 'x'.repeat(1_000_000) });
    for (let i = 0; i < 500; i++) {
      server.publish(state);
      await new Promise((resolve) => setImmediate(resolve));
    }
    server.publish('"last"');
    let seen = '';
    slow.on('data', (data) => {
      seen += data.toString();
    });
    slow.resume();
    // Nothing comes after it, as at the end of a capture.
    while (!seen.includes('data: "last"')) await new Promise((resolve) => setTimeout(resolve, 20));
    // Nothing was kept for it but what was on its way.
    expect(seen.length).toBeLessThan(100_000_000);
    slow.destroy();
    while (server.listeners > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  });
});
