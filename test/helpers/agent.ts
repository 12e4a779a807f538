import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { close, listen } from './replay.ts';
import { type RunOptions, type RunResult, run } from './run.ts';

/** What a made-up agent answers to a request. */
export type Answer =
  | { status?: number; body?: unknown; text?: string; contentType?: string }
  | ((request: SeenRequest, response: ServerResponse) => Answer | undefined);

/** A request that came, its body decoded where it is JSON. */
export interface SeenRequest {
  call: string;
  body: unknown;
  headers: IncomingMessage['headers'];
}

/** An agent made of answers, on a real socket. */
export interface MadeAgent extends AsyncDisposable {
  socket: string;
  seen: SeenRequest[];
  /** Runs a command line against this agent. */
  run(argv: readonly string[], options?: RunOptions): Promise<RunResult>;
}

/**
 * Serves answers by `METHOD /path?query`. A list is answered in order, its last entry again and again. A function may
 * answer by itself and return nothing. Anything else is the 404 of an agent's router.
 */
export async function agentOf(
  answers: Readonly<Record<string, Answer | readonly Answer[]>>,
): Promise<MadeAgent> {
  const seen: SeenRequest[] = [];
  const served = new Map<string, number>();
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const call = `${request.method} ${request.url}`;
      const text = Buffer.concat(parts).toString();
      const entry: SeenRequest = { call, body: decode(text), headers: request.headers };
      seen.push(entry);
      const listed = answers[call];
      const list = Array.isArray(listed) ? (listed as readonly Answer[]) : listed && [listed as Answer];
      const count = served.get(call) ?? 0;
      served.set(call, count + 1);
      let answer = list?.[Math.min(count, list.length - 1)];
      if (typeof answer === 'function') {
        answer = answer(entry, response);
        if (answer === undefined) return;
      }
      send(response, answer ?? unknownPath(request.url ?? ''));
    });
  });
  const socket = await listen(server);
  return {
    socket,
    seen,
    run: (argv, options = {}) => run(argv, { ...options, env: { CILIUM_SOCK: socket, ...options.env } }),
    [Symbol.asyncDispose]: () => close(server, socket),
  };
}

/** Runs one command against an agent that gives these answers. */
export async function runWith(
  argv: readonly string[],
  answers: Readonly<Record<string, Answer | readonly Answer[]>>,
  options: RunOptions = {},
): Promise<RunResult & { seen: SeenRequest[] }> {
  await using agent = await agentOf(answers);
  return { ...(await agent.run(argv, options)), seen: agent.seen };
}

function decode(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return text;
  }
}

function unknownPath(path: string): Answer {
  return { status: 404, body: { code: 404, message: `path ${path} was not found` } };
}

function send(response: ServerResponse, answer: Answer): void {
  if (typeof answer === 'function') throw new TypeError('an answer of an answer');
  const { status = 200, body, text, contentType = 'application/json' } = answer;
  response.writeHead(status, { 'content-type': contentType });
  response.end(text ?? (body === undefined ? '' : JSON.stringify(body)));
}
