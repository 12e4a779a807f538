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
  const share = max_flows === '0' ? '' : ` (${((Number(num_flows) / Number(max_flows)) * 100).toFixed(2)}%)`;
  const lines = [
    `Current/Max Flows: ${grouped(num_flows)}/${grouped(max_flows)}${share}`,
    `Flows/s: ${rate(status)}`,
  ];
  if (connected !== undefined)
    lines.push(
      `Connected Nodes: ${grouped(connected)}${
        status.num_unavailable_nodes === undefined ? '' : `/${grouped(connected + unavailable)}`
      }`,
    );
  if (unavailable > 0) {
    lines.push(`Unavailable Nodes: ${grouped(unavailable)}`);
    for (const name of names.toSorted()) lines.push(`  - ${sanitizeCell(name)}`);
    if (names.length < unavailable) lines.push(`  - and ${unavailable - names.length} more...`);
  }
  return `${lines.join('\n')}\n`;
}

/** What the server says, else the average since it started. */
function rate({ flows_rate = 0, seen_flows = '0', uptime_ns = '0' }: ServerStatusResponse): string {
  if (flows_rate > 0) return flows_rate.toFixed(2);
  return uptime_ns === '0' ? UNKNOWN : (Number(seen_flows) / (Number(uptime_ns) / 1e9)).toFixed(2);
}

function facts(status: ServerStatusResponse, unavailable: string): (readonly [string, string])[] {
  const { flows_rate = 0, num_connected_nodes, num_unavailable_nodes } = status;
  return [
    ['NUM FLOWS', grouped(status.num_flows ?? '0')],
    ['MAX FLOWS', grouped(status.max_flows ?? '0')],
    ['SEEN FLOWS', grouped(status.seen_flows ?? '0')],
    ['FLOWS PER SECOND', flows_rate > 0 ? flows_rate.toFixed(2) : UNKNOWN],
    ['UPTIME', uptime(status.uptime_ns ?? '0')],
    ['NUM CONNECTED NODES', num_connected_nodes === undefined ? UNKNOWN : grouped(num_connected_nodes)],
    [unavailable, num_unavailable_nodes === undefined ? UNKNOWN : grouped(num_unavailable_nodes)],
    ['VERSION', sanitizeCell(status.version ?? '')],
  ];
}

function uptime(ns: string): string {
  const value = BigInt(ns);
  return value > 0x7fff_ffff_ffff_ffffn ? `${ns}ns` : goDuration(value);
}

function grouped(n: string | number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ',');
}
