import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Ajv, type ValidateFunction } from 'ajv';
import { errorMessage } from '../../errors.ts';
import { parsePlainJson } from '../../lib/exact-json.ts';
import { escapeHtml } from '../../lib/go-html.ts';
import type { Agent } from '../agent/agent.ts';
import { type ApiDescription, type ApiOperation, pruneFields, readApi } from './api.ts';
import { type Answer, ApiFailure, type Call } from './call.ts';
import { HANDLERS } from './handlers.ts';
import { Router } from './router.ts';
import { tableAnswer } from './statedb.ts';

/** Bodies above this are refused. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** Serves the agent's REST API: not listening yet. */
export function restServer(agent: Agent): Server {
  const api = readApi();
  const router = new Router(api, agent.version);
  const bodies = new BodyChecks(api);
  return createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    serve(request, response).catch((error: unknown) => {
      agent.log(`${request.method} ${request.url}: ${errorMessage(error)}`);
      if (!response.headersSent) sendJson(response, 500, errorMessage(error));
      else response.destroy();
    });
  });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = request.method ?? 'GET';
    const [path = '', query = ''] = (request.url ?? '').split(/\?(.*)/s);
    const rows = path.startsWith('/statedb/')
      ? tableAnswer(path, parsed(await readBody(request)), agent)
      : undefined;
    if (rows !== undefined) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(rows);
      return;
    }
    const route = router.find(method, path);
    if (route.kind === 'no-path')
      return sendJson(response, 404, { code: 404, message: `path ${path} was not found` });
    if (route.kind === 'no-method') {
      response.setHeader('allow', route.allowed.join(','));
      const message = `method ${method} is not allowed, but [${route.allowed.join(',')}] are`;
      return sendJson(response, 405, { code: 405, message });
    }
    const handler = HANDLERS[route.key];
    if (!handler) return sendJson(response, 501, `${route.key} is not part of the lab`);
    try {
      const params = new URLSearchParams(query);
      checkQuery(route.operation, params);
      const call: Call = {
        params: route.params,
        query: params,
        headers: request.headers,
        body: bodies.check(route.key, route.operation, await readBody(request)),
      };
      const answer = await handler(call, agent);
      await send(response, answer, route.operation);
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      send(response, { status: error.status, body: error.payload }, undefined);
    }
  }

  async function send(
    response: ServerResponse,
    answer: Answer,
    operation: ApiOperation | undefined,
  ): Promise<void> {
    if (answer.stream) {
      response.writeHead(answer.status, { 'content-type': 'application/json' });
      const gone = new AbortController();
      response.on('close', () => gone.abort());
      for await (const piece of answer.stream(gone.signal)) {
        if (!response.write(piece) && !gone.signal.aborted)
          await new Promise<void>((resolve) => {
            response.once('drain', resolve);
            response.once('close', resolve);
          });
      }
      response.end();
      return;
    }
    if (answer.body === undefined) {
      response.writeHead(answer.status, { 'content-length': 0 });
      response.end();
      return;
    }
    const schema = operation?.responses[String(answer.status)];
    sendJson(response, answer.status, pruneFields(answer.body, schema, api, agent.version));
  }
}

/** A value as the reference writes it, its newline included. */
export function encode(value: unknown, indent = 0): string {
  return `${escapeHtml(JSON.stringify(value, null, indent))}\n`;
}

function parsed(text: string): unknown {
  try {
    return parsePlainJson(text);
  } catch {
    return undefined;
  }
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(encode(value));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length });
  response.end(body);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MAX_BODY_BYTES) throw new ApiFailure(413, `the body is larger than ${MAX_BODY_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts, size).toString('utf8');
}

function checkQuery(operation: ApiOperation, query: URLSearchParams): void {
  for (const { name, in: place, required, schema } of operation.parameters ?? []) {
    if (place !== 'query') continue;
    const value = query.get(name);
    if (value === null && required)
      throw new ApiFailure(422, { code: 602, message: `${name} in query is required` });
    if (value !== null && schema.enum && !schema.enum.includes(value))
      throw new ApiFailure(422, {
        code: 606,
        message: `${name} in query should be one of [${schema.enum.join(' ')}]`,
      });
  }
}

/** Holds request bodies against the description of the API. */
class BodyChecks {
  #ajv: Ajv | undefined;
  readonly #checks = new Map<string, ValidateFunction>();

  constructor(private readonly api: ApiDescription) {}

  check(key: string, operation: ApiOperation, text: string): unknown {
    const parameter = operation.parameters?.find((p) => p.in === 'body');
    // Agents up to 1.17 take labels in the body of GET /policy, which the common description leaves out.
    if (text.trim() === '') {
      if (parameter?.required)
        throw new ApiFailure(422, { code: 602, message: `${parameter.name} in body is required` });
      return undefined;
    }
    let body: unknown;
    try {
      body = parsePlainJson(text);
    } catch (error) {
      throw new ApiFailure(400, {
        code: 400,
        message: `parsing ${parameter?.name ?? 'the'} body from "" failed, because ${errorMessage(error)}`,
      });
    }
    if (!parameter) return body;
    const check = this.#checks.get(key) ?? this.#compile(key, parameter.schema);
    if (check(body)) return body;
    const [error] = check.errors ?? [];
    const where = [parameter.name, ...(error?.instancePath ?? '').split('/').slice(1)].join('.');
    throw new ApiFailure(422, { code: 601, message: `${where} in body ${error?.message ?? 'is wrong'}` });
  }

  #compile(key: string, schema: object): ValidateFunction {
    this.#ajv ??= new Ajv({ strict: false, validateFormats: false }).addSchema(this.api, 'agent-api.json');
    const check = this.#ajv.compile(
      JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"agent-api.json#/')) as object,
    );
    this.#checks.set(key, check);
    return check;
  }
}
