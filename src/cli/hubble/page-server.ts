import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Context } from '../../context.ts';
import { systemReason, UserError } from '../../errors.ts';
import type { PageParts } from '../../render/html/shell.ts';
import { SERVED_PAGE } from '../../render/html/traffic-page.ts';
import { isFor, userAtOtherEnd } from './peer-user.ts';

/** A page that is served on the loopback of this machine. */
export interface PageServer extends AsyncDisposable {
  /** Where the page is, with the token that opens it once. */
  url: string;
  /** Sends a state to every browser; one that is slow gets only the newest when it has taken the one before. */
  publish: (state: string) => void;
  /** Browsers that listen. */
  readonly listeners: number;
}

const HOST = '127.0.0.1';

/** Nothing but the page's own files is run, applied or asked for, and no other page may show it. */
const HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};

/**
 * Serves the page. Who opens it first with the token of its address gets a cookie, and the token is void; nobody else is
 * answered, no other user of this machine either where the system tells them apart, and no request under another name than
 * this machine's own (which a page elsewhere could make by DNS).
 */
export async function servePage(
  port: number,
  { script, style }: PageParts,
  owner: Pick<Context, 'uid' | 'env'>,
): Promise<PageServer> {
  const secret = randomBytes(32).toString('base64url');
  let token: string | undefined = randomBytes(24).toString('base64url');
  const browsers = new Set<ServerResponse>();
  /** Those that a state passed by while they took the one before. */
  const late = new WeakSet<ServerResponse>();
  let state: string | undefined;
  let names: readonly string[] = [];
  // Cookies know no ports: two pages at once have one each.
  let cookie = '';

  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const [pathname = '', query] = (request.url ?? '/').split('?');
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    if (!names.includes(request.headers.host ?? '')) return refuse(response, 421, 'not a name of this page');
    if (request.method !== 'GET') return refuse(response, 405, 'only GET');
    const given = new URLSearchParams(query).get('token');
    const opens = given !== null && token !== undefined && isSame(given, token);
    const isKnown = isSame(cookieOf(request, cookie), secret);
    // Other users see an address in the list of processes while it is handed to a browser, and a browser shows its cookie to
    // whoever serves a page of another port.
    if ((opens || isKnown) && !isFor(userAtOtherEnd(request.socket), owner))
      return refuse(response, 403, 'This page is for the user of this machine who started it.');
    if (opens) {
      token = undefined;
      response.setHeader('Set-Cookie', `${cookie}=${secret}; HttpOnly; SameSite=Strict; Path=/`);
      response.writeHead(303, { Location: '/' }).end();
      return;
    }
    if (!isKnown)
      return refuse(
        response,
        403,
        'Open the address that the program printed; it opens once. Start it again for another.',
      );
    switch (pathname) {
      case '/':
        return send(response, 'text/html; charset=utf-8', SERVED_PAGE);
      case '/page.js':
        return send(response, 'text/javascript; charset=utf-8', script);
      case '/page.css':
        return send(response, 'text/css; charset=utf-8', style);
      case '/events':
        return listen(response);
      default:
        return refuse(response, 404, 'there is nothing here');
    }
  };

  const listen = (response: ServerResponse) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    browsers.add(response);
    response.on('drain', () => {
      if (!late.delete(response) || state === undefined) return;
      response.write(eventOf(state));
    });
    response.on('close', () => browsers.delete(response)).on('error', () => browsers.delete(response));
    response.write(state === undefined ? 'retry: 1000\n\n' : `retry: 1000\n${eventOf(state)}`);
  };

  const server = await listenOn(port, answer);
  const address = server.address();
  const taken = typeof address === 'object' && address ? address.port : port;
  names = [HOST, 'localhost'].flatMap((name) => [`${name}:${taken}`, ...(taken === 80 ? [name] : [])]);
  cookie = `hubble-page-${taken}`;
  return {
    url: `http://${HOST}:${taken}/?token=${token}`,
    get listeners() {
      return browsers.size;
    },
    publish: (next) => {
      state = next;
      const event = eventOf(state);
      // A browser that has not taken the last state yet gets the newest one when it has.
      for (const response of browsers) {
        if (response.writableNeedDrain) late.add(response);
        else response.write(event);
      }
    },
    [Symbol.asyncDispose]: async () => {
      for (const response of browsers) response.destroy();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function listenOn(
  port: number,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Server> {
  const server = createServer(answer);
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new UserError(`listen on ${HOST}:${port}: ${systemReason(cause)}`, {
          hint: 'Name another port with --local-port, or 0 for any.',
          cause,
        }),
      ),
    );
    server.listen(port, HOST, () => resolve(server));
  });
}

/** JSON has no line breaks, which would end a field of the event. */
function eventOf(state: string): string {
  return `data: ${state}\n\n`;
}

function send(response: ServerResponse, type: string, text: string): void {
  response.writeHead(200, { 'Content-Type': type }).end(text);
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}

function cookieOf({ headers: { cookie = '' } }: IncomingMessage, name: string): string {
  const own = cookie.split(/; */).find((pair) => pair.startsWith(`${name}=`));
  return own?.slice(name.length + 1) ?? '';
}

function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
