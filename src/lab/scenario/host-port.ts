import { splitHostPort } from '../../lib/address.ts';

/** Splits `HOST:PORT[/PROTOCOL]`; an IPv6 HOST is in brackets. The port is NaN when the text is not of that form. */
export function hostPort(text: string): { ip: string; port: number; protocol: string } {
  const [address = '', protocol = 'TCP'] = text.split(/\/(?=[A-Z]+$)/);
  const { host, port } = splitHostPort(address) ?? { host: '', port: Number.NaN };
  return { ip: host, port, protocol };
}
