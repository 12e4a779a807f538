import { UserError } from '../../errors.ts';
import { parseAddress, splitHostPort } from '../../lib/address.ts';

const PROTOCOLS = ['tcp', 'udp', 'any'] as const;
export type ServiceProtocol = (typeof PROTOCOLS)[number];

/** The protocol of a name in letters of either case. */
export function protocolName(word: string): ServiceProtocol {
  const protocol = PROTOCOLS.find((known) => known === word.toLowerCase());
  if (protocol) return protocol;
  throw new UserError(`Cannot update service: "${word.toLowerCase()}" is not a protocol`, {
    hint: `Expected one of ${PROTOCOLS.join(', ')}.`,
  });
}

/** An address as the API takes it. */
interface ParsedAddress {
  ip: string;
  port: number;
}

/** Parses `ip:port`, `[ip]:port` or an address alone, with an optional `/protocol`. */
export function parseFrontendAddress(text: string): ParsedAddress & { protocol?: ServiceProtocol } {
  const slash = text.lastIndexOf('/');
  const protocol = slash === -1 ? undefined : protocolName(text.slice(slash + 1));
  const address = addressAndPort(slash === -1 ? text : text.slice(0, slash));
  if (!address)
    throw new UserError(`Cannot update service: "${text}" is not a frontend address`, {
      hint: 'Expected --frontend IP:PORT, as in 10.96.0.10:80 or [fd00::10]:80.',
    });
  return { ...address, ...(protocol && { protocol }) };
}

/** Parses a backend's `ip:port`. */
export function parseBackendAddress(text: string): ParsedAddress {
  const address = addressAndPort(text);
  if (!address)
    throw new UserError(`Cannot parse backend address "${text}"`, {
      hint: 'Expected IP:PORT, as in 10.0.0.5:8080 or [fd00::5]:8080.',
    });
  return address;
}

function addressAndPort(text: string): ParsedAddress | undefined {
  if (parseAddress(text)) return { ip: text, port: 0 };
  const { host, port } = splitHostPort(text) ?? { host: '', port: 0 };
  return parseAddress(host) ? { ip: host, port } : undefined;
}
