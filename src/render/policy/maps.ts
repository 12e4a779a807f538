import { protocolName } from '../../model/protocol.ts';
import { LIST_TABLE, tabulate } from '../text/table.ts';

/** A policy map as the table shows it. */
export interface PolicyMapView {
  endpoint: number;
  entries: readonly PolicyMapEntryView[];
}

export interface PolicyMapEntryView {
  direction: string;
  identity: number;
  protocol: number;
  port: number;
  prefix: number;
  deny: boolean;
  proxy: boolean;
  auth: number;
}

const AUTH: Readonly<Record<number, string>> = { 0: '-', 1: 'spire', 2: 'test-always-fail' };

/** One line per entry of every map. */
export function renderPolicyMaps(maps: readonly PolicyMapView[]): string {
  const lines = maps.flatMap(({ endpoint, entries }) =>
    entries.map((entry) =>
      [
        endpoint,
        entry.direction,
        entry.deny ? 'deny' : 'allow',
        entry.identity === 0 ? 'any' : entry.identity,
        portText(entry),
        entry.proxy ? 'yes' : '-',
        AUTH[entry.auth] ?? entry.auth,
        '',
      ].join('\t'),
    ),
  );
  const header = ['ENDPOINT', 'DIRECTION', 'VERDICT', 'IDENTITY', 'PORT', 'PROXY', 'AUTH', ''].join('\t');
  return tabulate([header, ...lines, ''].join('\n'), LIST_TABLE).replace(/ +$/gm, '');
}

function portText({ protocol, port, prefix }: PolicyMapEntryView): string {
  const name = protocolName(protocol);
  if (prefix === 0) return name;
  const last = port | (0xffff >> prefix);
  return `${last > port ? `${port}-${last}` : port}/${name}`;
}
