import { isIP } from 'node:net';
import { UserError } from '../../errors.ts';
import { contains, parseAddress, parseRange } from '../../lib/address.ts';

/** A proxy of HTTP. */
export interface HttpProxy {
  /** Its address, with what it wants to know of the user. */
  url: URL;
  /** The variable that names it. */
  variable: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Hosts that lead to this machine. */
export const LOOPBACK = /^(?:localhost|127\.[\d.]+|\[::1\])$/;

/**
 * The proxy that the environment names for an address, as curl and the collector's own exporters take it: `https_proxy` or
 * `http_proxy`, then `all_proxy`, in small letters or large ones, unless `no_proxy` names the host. This machine is asked itself. `node` is
 * the release that runs this.
 */
export function proxyFor(
  target: URL,
  env: Environment,
  node: string = process.versions.node,
): HttpProxy | undefined {
  if (LOOPBACK.test(target.hostname) || isExempt(target, variableOf('no_proxy', env)?.value ?? ''))
    return undefined;
  const scheme = target.protocol === 'https:' ? 'https_proxy' : 'http_proxy';
  const found = [variableOf(scheme, env), variableOf('all_proxy', env)].find((one) => one?.value);
  if (found && !speaksToProxies(node))
    throw new UserError(`${found.name}: Node.js speaks to proxies since 24.5, and this is ${node}`, {
      hint: 'NO_PROXY names the hosts that are asked without one.',
    });
  return found && { url: proxyUrl(found.value, found.name), variable: found.name };
}

function variableOf(name: string, env: Environment): { name: string; value: string } | undefined {
  for (const each of [name, name.toUpperCase()]) {
    const value = env[each]?.trim();
    if (value !== undefined) return { name: each, value };
  }
  return undefined;
}

function speaksToProxies(node: string): boolean {
  const [major = 0, minor = 0] = node.split('.').map(Number);
  return major > 24 || (major === 24 && minor >= 5);
}

function proxyUrl(text: string, variable: string): URL {
  const whole = /^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(whole) ? new URL(whole) : undefined;
  if (url && url.hostname !== '' && /^https?:$/.test(url.protocol)) {
    checkUser(url, variable);
    return url;
  }
  // It may hold a password: it is not repeated.
  throw new UserError(
    `${variable}: expected the address of a proxy of HTTP, such as http://proxy.example.com:3128`,
    {
      hint: 'Others, such as SOCKS, are not spoken. NO_PROXY names the hosts that are asked without one.',
    },
  );
}

/** Refuses a user or a password in an address that cannot be told. */
export function checkUser({ username, password }: URL, from: string): void {
  if (!isPercentEncoded(username + password))
    throw new UserError(`${from}: the user or the password in the address is not percent-encoded`, {
      hint: 'A % in it is written %25.',
    });
}

function isPercentEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** Whether a list names the host: itself, a domain that it is in, a network, or `*` for all; with a port of its own that one alone. */
function isExempt({ hostname, port, protocol }: URL, list: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  const ownPort = port || (protocol === 'https:' ? '443' : '80');
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      if (entry === '*') return true;
      const [, name = entry, only] = /^(.*[^:]):(\d+)$/.exec(isIP(entry) ? '' : entry) ?? [];
      if (only !== undefined && only !== ownPort) return false;
      return isWithin(host, name.replace(/^\[|\]$/g, ''));
    });
}

function isWithin(host: string, name: string): boolean {
  const [address, range] = [parseAddress(host), parseRange(name)];
  if (address || range) return address !== undefined && range !== undefined && contains(range, address);
  const domain = name.replace(/^\*?\./, '').replace(/\.$/, '');
  return domain !== '' && (host === domain || host.endsWith(`.${domain}`));
}
