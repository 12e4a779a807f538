import { validateHeaderName, validateHeaderValue } from 'node:http';
import { errorMessage, UserError } from '../../errors.ts';
import { type TlsSettings, tlsSettings } from '../grpc/target.ts';
import { checkUser, type HttpProxy, LOOPBACK, proxyFor } from './proxy.ts';

export const OTLP_PROTOCOLS = ['http/protobuf', 'http/json'] as const;
export const COMPRESSIONS = ['gzip', 'none'] as const;

/** The flags that say where records go. */
export interface OtlpFlags {
  endpoint?: string;
  header: string[];
  otlpProtocol?: (typeof OTLP_PROTOCOLS)[number];
  compression?: (typeof COMPRESSIONS)[number];
  endpointTlsCaCertFiles: string[];
  endpointTlsClientCertFile?: string;
  endpointTlsClientKeyFile?: string;
  endpointTlsServerName?: string;
  endpointTlsAllowInsecure?: boolean;
}

/** Where records go, and how. */
export interface OtlpSettings {
  url: URL;
  /** The address as it may be shown: without a password in it. */
  shown: string;
  protocol: (typeof OTLP_PROTOCOLS)[number];
  compression: (typeof COMPRESSIONS)[number];
  headers: Record<string, string>;
  /** What is never repeated: values of headers, and what the address holds beside the place. */
  secrets: string[];
  /** Credentials cross a network where others can read them. */
  isExposed: boolean;
  /** What leads there, where the environment names one. */
  proxy: HttpProxy | undefined;
  /** How long the collector has for an answer. */
  timeoutMs: number;
  tls: TlsSettings;
  /** Attributes of the resource that the environment names. */
  resource: Record<string, string>;
  /** Variables of the environment that count, and those that something else took the place of. */
  used: string[];
  overridden: string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_ENDPOINT = 'http://localhost:4318';
const LOGS_PATH = 'v1/logs';
const DEFAULT_TIMEOUT_MS = 10_000;
const LONGEST_TIMEOUT_MS = 3_600_000;

/** Variables of the environment as OpenTelemetry's specification has them: those for logs come before those for all. */
class Variables {
  readonly used: string[] = [];
  readonly overridden: string[] = [];

  constructor(private readonly env: Environment) {}

  /** The variables of this name that are set, the one that counts first. An empty one is not set. */
  all(name: string): { name: string; value: string }[] {
    return [`OTEL_EXPORTER_OTLP_LOGS_${name}`, `OTEL_EXPORTER_OTLP_${name}`].flatMap((each) => {
      const value = this.env[each]?.trim();
      return value ? [{ name: each, value }] : [];
    });
  }

  /** The one that counts, unless a flag does. */
  pick(name: string, flag: unknown): { name: string; value: string } | undefined {
    const [first, ...others] = this.all(name);
    const isFlag = flag !== undefined;
    if (first) (isFlag ? this.overridden : this.used).push(first.name);
    this.overridden.push(...others.map((other) => other.name));
    return isFlag ? undefined : first;
  }
}

/** Reads where records go from flags and, for what they do not say, from the environment. */
export async function otlpSettings(flags: OtlpFlags, env: Environment): Promise<OtlpSettings> {
  const variables = new Variables(env);
  const url = endpointOf(flags, variables);
  const protocol = wordOf('PROTOCOL', flags.otlpProtocol, OTLP_PROTOCOLS, variables) ?? 'http/protobuf';
  const compression = wordOf('COMPRESSION', flags.compression, COMPRESSIONS, variables) ?? 'none';
  const headers = headersOf(flags, variables);
  const timeoutMs = timeoutOf(variables);
  const tls = await tlsOf(flags, url, variables);
  const resource = resourceOf(env);
  const proxy = proxyFor(url, env);
  const { origin, pathname } = url;
  const { used, overridden } = variables;
  return {
    ...{ url, protocol, compression, headers, proxy, timeoutMs, tls, resource, used, overridden },
    shown: origin + pathname,
    secrets: [...secretsOf(url, headers), ...(proxy ? secretsOf(proxy.url, {}) : [])],
    isExposed: isExposed(url, headers),
  };
}

/** Headers that are credentials by their name. */
const CREDENTIALS = /^(?:(?:proxy-)?authorization|cookie|.*(?:api-?key|token|secret|password).*)$/;

function isExposed({ protocol, hostname, password }: URL, headers: Record<string, string>): boolean {
  if (protocol !== 'http:' || LOOPBACK.test(hostname)) return false;
  return password !== '' || Object.keys(headers).some((name) => CREDENTIALS.test(name));
}

/** Shorter a text is a word of any answer, and nobody's secret. */
const SHORTEST_SECRET = 6;

function secretsOf({ username, password, search }: URL, headers: Record<string, string>): string[] {
  const pair = [username, password].map(decodeURIComponent).join(':');
  const values = [...Object.values(headers), ...new URLSearchParams(search).values()];
  return [...values, password, decodeURIComponent(password), Buffer.from(pair).toString('base64')]
    .flatMap((value) => [value, ...value.split(/\s+/)])
    .filter(({ length }) => length >= SHORTEST_SECRET);
}

function endpointOf({ endpoint }: OtlpFlags, variables: Variables): URL {
  const variable = variables.pick('ENDPOINT', endpoint);
  const from = endpoint !== undefined ? '--endpoint' : (variable?.name ?? '');
  const url = httpUrl(endpoint ?? variable?.value ?? DEFAULT_ENDPOINT, from);
  // The variable for logs holds the whole address, the other one and the flag what is common to all kinds of data.
  if (variable?.name.includes('_LOGS_')) return url;
  if (!url.pathname.endsWith(`/${LOGS_PATH}`))
    url.pathname = `${url.pathname.replace(/\/+$/, '')}/${LOGS_PATH}`;
  return url;
}

function httpUrl(text: string, from: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') {
    checkUser(url, from);
    return url;
  }
  throw new UserError(`${from}: expected an address that begins with http:// or https://`, {
    hint: 'Such as http://localhost:4318, where a collector takes OTLP over HTTP.',
  });
}

function wordOf<W extends string>(
  name: string,
  flag: W | undefined,
  words: readonly W[],
  variables: Variables,
): W | undefined {
  const variable = variables.pick(name, flag);
  if (!variable) return flag;
  const word = words.find((known) => known === variable.value);
  if (word) return word;
  const isGrpc = variable.value === 'grpc';
  throw new UserError(
    isGrpc
      ? `${variable.name} is grpc, which is not spoken here`
      : `${variable.name}: "${variable.value}" is none of ${words.join(', ')}`,
    isGrpc
      ? { hint: 'Collectors take OTLP over HTTP as well, on port 4318: --otlp-protocol http/protobuf.' }
      : {},
  );
}

/** Headers that say how a request is made: another one would belie it. */
const OF_THE_REQUEST = [
  ...['connection', 'content-encoding', 'content-length', 'content-type'],
  ...['expect', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade'],
];

/** Headers of flags stand over those of the environment, those for logs over those for all. */
function headersOf({ header }: OtlpFlags, variables: Variables): Record<string, string> {
  const headers = new Map<string, string>();
  const set = (key: string, value: string, from: string) => {
    try {
      validateHeaderName(key);
      validateHeaderValue(key, value);
    } catch {
      // A header may be a secret: it is not repeated.
      throw new UserError(`${from}: not a header of HTTP`, {
        hint: 'Expected KEY=VALUE, such as x-tenant=shop.',
      });
    }
    if (OF_THE_REQUEST.includes(key.toLowerCase()))
      throw new UserError(`${from}: ${key.toLowerCase()} is what the request itself says`, {
        hint: '--otlp-protocol and --compression change how records are sent.',
      });
    headers.set(key.toLowerCase(), value);
  };
  for (const { name, value } of variables.all('HEADERS').toReversed()) {
    variables.used.push(name);
    for (const [key, text] of pairsOf(value, name)) set(key, text, name);
  }
  for (const pair of header) {
    const at = pair.indexOf('=');
    if (at < 1) throw new UserError('--header: expected KEY=VALUE, such as x-tenant=shop');
    set(pair.slice(0, at).trim(), pair.slice(at + 1).trim(), '--header');
  }
  return Object.fromEntries(headers);
}

/** `a=1,b=2`, of which the values are percent-encoded. */
function pairsOf(text: string, from: string): [string, string][] {
  return text.split(',').flatMap((pair, i): [string, string][] => {
    if (pair.trim() === '') return [];
    const at = pair.indexOf('=');
    try {
      if (at > 0) return [[pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim())]];
    } catch {
      // Told below.
    }
    throw new UserError(`${from}: expected KEY=VALUE,KEY=VALUE…, percent-encoded; entry ${i + 1} is not`);
  });
}

function timeoutOf(variables: Variables): number {
  const variable = variables.pick('TIMEOUT', undefined);
  if (!variable) return DEFAULT_TIMEOUT_MS;
  const ms = /^\d+$/.test(variable.value) ? Number(variable.value) : 0;
  if (ms > 0 && ms <= LONGEST_TIMEOUT_MS) return ms;
  throw new UserError(`${variable.name}: expected milliseconds, from 1 to ${LONGEST_TIMEOUT_MS}`);
}

async function tlsOf(flags: OtlpFlags, url: URL, variables: Variables): Promise<TlsSettings> {
  const cas = flags.endpointTlsCaCertFiles;
  const ca = variables.pick('CERTIFICATE', cas.length > 0 ? cas : undefined);
  const cert = variables.pick('CLIENT_CERTIFICATE', flags.endpointTlsClientCertFile);
  const key = variables.pick('CLIENT_KEY', flags.endpointTlsClientKeyFile);
  const settings = {
    tlsAllowInsecure: flags.endpointTlsAllowInsecure === true,
    tlsCaCertFiles: ca ? [ca.value] : cas,
    tlsClientCertFile: flags.endpointTlsClientCertFile ?? cert?.value ?? '',
    tlsClientKeyFile: flags.endpointTlsClientKeyFile ?? key?.value ?? '',
    tlsServerName: flags.endpointTlsServerName ?? '',
  };
  if ((settings.tlsClientCertFile === '') !== (settings.tlsClientKeyFile === ''))
    throw new UserError('a certificate and a private key are both required, but only one was given', {
      hint: 'Give both --endpoint-tls-client-cert-file and --endpoint-tls-client-key-file.',
    });
  const isAsked =
    cas.length > 0 ||
    settings.tlsAllowInsecure ||
    settings.tlsServerName !== '' ||
    flags.endpointTlsClientCertFile !== undefined;
  if (url.protocol === 'http:') {
    if (isAsked)
      throw new UserError('--endpoint-tls-…: the address of the collector is one without TLS', {
        hint: 'Write it with https:// in front.',
      });
    return { allowInsecure: false };
  }
  const tls = await tlsSettings(settings);
  const { createSecureContext } = await import('node:tls');
  try {
    createSecureContext(tls);
  } catch (cause) {
    throw new UserError(
      `TLS with the collector: the certificates or the key are of no use: ${errorMessage(cause)}`,
      {
        hint: 'Expected PEM, and the private key of the very certificate.',
        cause,
      },
    );
  }
  return tls;
}

/** Attributes of what sends, as the environment names them. */
function resourceOf(env: Environment): Record<string, string> {
  const attributes = Object.fromEntries(
    pairsOf(env.OTEL_RESOURCE_ATTRIBUTES ?? '', 'OTEL_RESOURCE_ATTRIBUTES'),
  );
  const name = env.OTEL_SERVICE_NAME?.trim();
  return { 'service.name': 'hubble', ...attributes, ...(name && { 'service.name': name }) };
}
