import { durationSeconds } from '../../lib/duration.ts';
import { goFixed } from '../../lib/go-fixed.ts';
import { compareBytes } from '../../lib/order.ts';
import type { ServerStatusResponse } from '../../model/hubble.gen.ts';
import { goDuration } from '../text/duration.ts';
import { goJson } from '../text/json.ts';
import { sanitizeCell } from '../text/sanitize.ts';
import { tabulate } from '../text/table.ts';
import { HUBBLE_TABLE, renderPairs, tableLine } from './flow-records.ts';

const UNKNOWN = 'N/A';
const DICT_WIDTH = 19;

/** The state of a server in one of the formats; undefined stands for a format that there is not. */
export function renderServerStatus(status: ServerStatusResponse, format: string): string | undefined {
  switch (format.toLowerCase()) {
    case 'compact':
      return renderCompactStatus(status);
    case 'dict':
      return renderPairs(facts(status, 'NUM UNAVAIL. NODES'), DICT_WIDTH);
    case 'table':
    case 'tab': {
      const cells = facts(status, 'NUM UNAVAILABLE NODES');
      return tabulate(
        tableLine(cells.map(([key]) => key)) + tableLine(cells.map(([, value]) => value)),
        HUBBLE_TABLE,
      );
    }
    case 'json':
    case 'jsonpb':
      return `${goJson(status)}\n`;
    default:
      return undefined;
  }
}

function renderCompactStatus(status: ServerStatusResponse): string {
  const { num_flows = '0', max_flows = '0', num_connected_nodes: connected } = status;
  const { num_unavailable_nodes: unavailable = 0, unavailable_nodes: names = [] } = status;
  const share = max_flows === '0' ? '' : ` (${goFixed((Number(num_flows) / Number(max_flows)) * 100, 2)}%)`;
  const lines = [
    `Current/Max Flows: ${grouped(num_flows)}/${grouped(max_flows)}${share}`,
    `Flows/s: ${rate(status)}`,
  ];
  if (connected !== undefined)
    lines.push(
      `Connected Nodes: ${connected}${
        status.num_unavailable_nodes === undefined ? '' : `/${(connected + unavailable) >>> 0}`
      }`,
    );
  if (unavailable > 0) {
    lines.push(`Unavailable Nodes: ${unavailable}`);
    for (const name of names.toSorted(compareBytes)) lines.push(`  - ${sanitizeCell(name)}`);
    if (names.length > 0 && names.length < unavailable)
      lines.push(`  - and ${unavailable - names.length} more...`);
  }
  return `${lines.join('\n')}\n`;
}

/** What the server says, else the average since it started. */
function rate(status: ServerStatusResponse): string {
  const { seen_flows = '0', uptime_ns = '0' } = status;
  const seconds = durationSeconds(BigInt(uptime_ns));
  const told = toldRate(status);
  return told !== UNKNOWN || seconds <= 0 ? told : goFixed(Number(seen_flows) / seconds, 2);
}

/** The rate that the server says. Of a double without a number, JSON has its name. */
function toldRate({ flows_rate = 0 }: ServerStatusResponse): string {
  const rate = Number(flows_rate);
  return rate > 0 ? goFixed(rate, 2) : UNKNOWN;
}

function facts(status: ServerStatusResponse, unavailable: string): (readonly [string, string])[] {
  const { num_connected_nodes, num_unavailable_nodes } = status;
  return [
    ['NUM FLOWS', grouped(status.num_flows ?? '0')],
    ['MAX FLOWS', grouped(status.max_flows ?? '0')],
    ['SEEN FLOWS', grouped(status.seen_flows ?? '0')],
    ['FLOWS PER SECOND', toldRate(status)],
    ['UPTIME', uptime(status.uptime_ns ?? '0')],
    ['NUM CONNECTED NODES', String(num_connected_nodes ?? UNKNOWN)],
    [unavailable, String(num_unavailable_nodes ?? UNKNOWN)],
    ['VERSION', sanitizeCell(status.version ?? '')],
  ];
}

function uptime(ns: string): string {
  const value = BigInt(ns);
  return value > 0x7fff_ffff_ffff_ffffn ? `${ns}ns` : goDuration(value);
}

function grouped(n: string): string {
  return n.replace(/\B(?=(\d{3})+$)/g, ',');
}
