import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { Address } from '../agent/http/http.ts';
import { errorCode, errorMessage, UserError } from '../errors.ts';
import { bracketed, unbracketed } from '../lib/address.ts';
import { parseYamlText } from '../lib/yaml-text.ts';

/** How to reach an etcd cluster. */
export interface EtcdConfig {
  /** `http://host:port` or `https://host:port`. */
  endpoints: string[];
  /** Files. */
  caFile?: string;
  certFile?: string;
  keyFile?: string;
  username?: string;
  password?: string;
  /** Names that stand for fixed addresses. */
  hostAliases?: Record<string, string[]>;
}

/** Reads an etcd configuration file (YAML, as the agent and Cluster Mesh use it). */
export async function readEtcdConfig(path: string): Promise<EtcdConfig> {
  let value: unknown;
  try {
    value = await parseYamlText(await readText(path));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`etcd configuration ${path}: ${errorMessage(error).split('\n')[0]}`, {
      cause: error,
    });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new UserError(`etcd configuration ${path}: expected a map with the key endpoints`);
  const fields = value as Record<string, unknown>;
  const endpoints = fields.endpoints;
  if (endpoints !== undefined && endpoints !== null && !isStrings(endpoints))
    throw new UserError(`etcd configuration ${path}: endpoints should be a list of URLs`);
  const text = (...names: string[]): string | undefined => {
    const found = names.map((name) => fields[name]).find((field) => field !== undefined && field !== null);
    if (found === undefined || typeof found === 'string') return found || undefined;
    throw new UserError(`etcd configuration ${path}: ${names[0]} should be a string`);
  };
  const ca = text('trusted-ca-file', 'ca-file');
  const cert = text('cert-file');
  const key = text('key-file');
  const username = text('username');
  const password = text('password');
  return {
    endpoints: endpoints ?? [],
    ...(ca && { caFile: ca }),
    ...(cert && { certFile: cert }),
    ...(key && { keyFile: key }),
    ...(username && { username }),
    ...(password && { password }),
    hostAliases: aliasesOf(fields.cilium),
  };
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/** `cilium: {host-aliases: [{ip, hostnames}]}` or the form with a hostname and its addresses. */
function aliasesOf(section: unknown): Record<string, string[]> {
  if (typeof section !== 'object' || section === null) return {};
  const list = Object.entries(section).find(([name]) => /^host-?aliases$/i.test(name))?.[1];
  if (!Array.isArray(list)) return {};
  const aliases: Record<string, string[]> = {};
  for (const entry of list) {
    if (typeof entry !== 'object' || entry === null) continue;
    const { hostname, ips } = entry as { hostname?: unknown; ips?: unknown };
    if (typeof hostname === 'string' && isStrings(ips)) aliases[hostname] = ips;
  }
  return aliases;
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const why = errorCode(error) === 'ENOENT' ? 'no such file' : errorMessage(error);
    throw new UserError(`cannot read ${path}: ${why}`, { cause: error });
  }
}

/** The options of `--kvstore-opt`, or of the agent's own configuration. */
export async function etcdConfigOf(options: Readonly<Record<string, string>>): Promise<EtcdConfig> {
  const file = options['etcd.config'];
  if (file) return readEtcdConfig(file);
  const address = options['etcd.address'];
  if (!address)
    throw new UserError('the kvstore options name neither etcd.config nor etcd.address', {
      hint: 'Give one of them, as in --kvstore etcd --kvstore-opt etcd.address=http://127.0.0.1:2379.',
    });
  return { endpoints: [address.includes('://') ? address : `http://${address}`] };
}

/** Where an endpoint is and what it needs for TLS. Reads the certificates' files. */
export async function endpointAddress(endpoint: string, config: EtcdConfig): Promise<Address> {
  const url = URL.parse(endpoint);
  if (!url?.host) throw new UserError(`"${endpoint}" is not the URL of an etcd member`);
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  const alias = config.hostAliases?.[url.hostname]?.[0];
  const host = alias ? bracketed(alias) : url.hostname;
  const target = `${host}:${port}`;
  if (url.protocol !== 'https:') return { network: 'tcp', target };
  const [ca, cert, key] = await Promise.all(
    [config.caFile, config.certFile, config.keyFile].map((file) => (file ? readText(file) : undefined)),
  );
  const name = unbracketed(url.hostname);
  return {
    network: 'tcp',
    target,
    tls: {
      ...(ca && { ca }),
      ...(cert && { cert }),
      ...(key && { key }),
      ...(!isIP(name) && { servername: name }),
    },
  };
}
