import { protocolName } from '../../model/protocol.ts';
import { rowTable, type Table } from '../text/blocks.ts';

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
export function policyMapsTable(maps: readonly PolicyMapView[]): Table {
  const rows = maps.flatMap(({ endpoint, entries }) =>
    entries.map((entry) => [
      String(endpoint),
      entry.direction,
      entry.deny ? 'deny' : 'allow',
      entry.identity === 0 ? 'any' : String(entry.identity),
      portText(entry),
      entry.proxy ? 'yes' : '-',
      String(AUTH[entry.auth] ?? entry.auth),
    ]),
  );
  const header = ['ENDPOINT', 'DIRECTION', 'VERDICT', 'IDENTITY', 'PORT', 'PROXY', 'AUTH'];
  return rowTable(header, rows, { isOurs: true });
}

function portText({ protocol, port, prefix }: PolicyMapEntryView): string {
  const name = protocolName(protocol);
  if (prefix === 0) return name;
  const last = port | (0xffff >> prefix);
  return `${last > port ? `${port}-${last}` : port}/${name}`;
}
