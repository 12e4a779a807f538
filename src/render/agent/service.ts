import { joinHostPort } from '../../lib/address.ts';
import type { BackendRow, ServiceAddress, ServiceRow } from '../../model/service.ts';
import type { Block, Table } from '../text/blocks.ts';
import { sanitizeCell } from '../text/sanitize.ts';

/** `ip:port/PROTO`, `/i` for the internal scope. */
function serviceAddress({ ip, port, protocol, internal }: ServiceAddress): string {
  return `${joinHostPort(ip, port)}${protocol && `/${protocol}`}${internal ? '/i' : ''}`;
}

/** `service list`; with `affinity` preferred backends are marked. */
export function serviceTable(rows: readonly ServiceRow[], options: { affinity?: boolean }): Table {
  const backend = ({ address, state, preferred }: BackendRow, i: number) =>
    sanitizeCell(
      `${i + 1} => ${serviceAddress(address)}${state && ` (${state})`}${
        options.affinity && preferred ? ' (preferred)' : ''
      }`,
    );
  const block = (row: ServiceRow): Block => {
    const [first = '', ...more] = row.backends.map(backend);
    const type = sanitizeCell(row.cluster ? `${row.type} (Remote)` : row.type);
    return {
      key: String(row.id),
      lines: [
        `${row.id}\t${sanitizeCell(serviceAddress(row.frontend))}\t${type}\t${first}\t`,
        ...more.map((line) => `\t\t\t${line}\t`),
      ],
    };
  };
  return { headers: ['ID\tFrontend\tService Type\tBackend\t'], blocks: rows.map(block) };
}

/** `service get` up to 1.13. */
export function renderOldService({ id, frontend, backends }: ServiceRow): string {
  const lines = backends.map(
    ({ address }, i) => `\t\t${i + 1} => ${sanitizeCell(serviceAddress(address))} (${id})\n`,
  );
  return `${sanitizeCell(serviceAddress(frontend))} =>\n${lines.join('')}`;
}
