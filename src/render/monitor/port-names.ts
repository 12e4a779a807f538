import type { PortNames } from './packet-layers.ts';
import { PORT_NAMES } from './port-names.gen.ts';

const PROTOCOLS = ['tcp', 'udp', 'sctp'] as const;

/** Reads the table of registered names. It is large: load this file only where layers are printed. */
export function readPortNames(): PortNames {
  const names = new Map<string, string>();
  for (const line of PORT_NAMES.split('\n')) {
    const [port, tcp, udp = tcp, sctp] = line.split(' ');
    if (tcp === undefined) continue;
    [tcp, udp, sctp].forEach((name, i) => {
      if (name !== undefined && name !== '-') names.set(`${PROTOCOLS[i]}/${port}`, name.replaceAll('~', ' '));
    });
  }
  return (protocol, port) => names.get(`${protocol}/${port}`);
}
