import { UserError } from '../../errors.ts';
import { parseIp } from '../../lib/cidr.ts';

const PROTOCOLS = ['tcp', 'udp', 'any'] as const;

/** An address as the API takes it. */
interface ParsedAddress {
  ip: string;
  port: number;
}

/** Parses `ip:port`, `[ip]:port` or an address alone, with an optional `/protocol`. */
export function parseFrontendAddress(
  text: string,
): ParsedAddress & { protocol?: (typeof PROTOCOLS)[number] } {
  const slash = text.lastIndexOf('/');
  const word = slash === -1 ? undefined : text.slice(slash + 1).toLowerCase();
  const protocol = PROTOCOLS.find((known) => known === word);
  if (word !== undefined && !protocol)
    throw new UserError(`Cannot update service: "${word}" is no protocol`, {
      hint: `Expected one of ${PROTOCOLS.join(', ')}.`,
    });
  const address = parseAddress(slash === -1 ? text : text.slice(0, slash));
  if (!address)
    throw new UserError(`Cannot update service: "${text}" is no frontend address`, {
      hint: 'Expected --frontend IP:PORT, as in 10.96.0.10:80 or [fd00::10]:80.',
    });
  return { ...address, ...(protocol && { protocol }) };
}

/** Parses a backend's `ip:port`. */
export function parseBackendAddress(text: string): ParsedAddress {
  const address = parseAddress(text);
  if (!address)
    throw new UserError(`Cannot parse backend address "${text}"`, {
      hint: 'Expected IP:PORT, as in 10.0.0.5:8080 or [fd00::5]:8080.',
    });
  return address;
}

function parseAddress(text: string): ParsedAddress | undefined {
  if (parseIp(text)) return { ip: text, port: 0 };
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const ip = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3]);
  return match && parseIp(ip) && port <= 0xffff ? { ip, port } : undefined;
}
