import { FlowRow, readFlow } from '../../model/flow-row.ts';
import type { GetFlowsResponse, LostEvent, NodeStatusEvent } from '../../model/hubble.gen.ts';
import { goJson } from '../text/json.ts';
import { renderNodeStatus, renderNodeStatusDict } from './events.ts';
import { type FlowStyle, lostCells, renderCompact, renderLostCompact, sanitizeRow } from './flow.ts';
import { flowLine, renderDict, renderLostDict, SEPARATOR, tableLine } from './flow-records.ts';
import { printedTime } from './flow-time.ts';

/** Formats of flows; `legacy-json` is JSON without the envelope around a flow. */
export type FlowFormat = 'compact' | 'dict' | 'table' | 'json' | 'legacy-json';

/** Which news of nodes are told. */
export type StatusDetail = 'none' | 'problems' | 'all';

/**
 * Turns answers of a server into text. Each record of the dict format starts with the separator, which the very
 * first one has to lose unless news came before it; lines of the table are aligned by whoever has them all.
 */
export class FlowRenderer {
  readonly #row = new FlowRow();
  #status = '';
  #printed = false;
  /** News of a node came before any record: it counts as the first one of the dict format, even where it is not told. */
  startsWithNews = false;

  readonly style: FlowStyle;

  constructor(
    readonly format: FlowFormat,
    style: FlowStyle,
    private readonly statuses: StatusDetail,
  ) {
    // Sequences of colours would count as width, so that tables have none.
    this.style = format === 'table' ? { ...style, color: false } : style;
    this.#lineStyle = { ...this.style, time: printedTime(style.time) };
  }

  readonly #lineStyle: FlowStyle;

  /** Text of an answer for stdout; news of nodes go to `takeStatus`. */
  response(message: GetFlowsResponse): string {
    const text = this.#text(message);
    this.#printed ||= text !== '';
    return text;
  }

  #text(message: GetFlowsResponse): string {
    const { flow, lost_events: lost, node_status: status } = message;
    if (status) this.#status += this.#nodeStatus(message, status);
    if (flow) {
      if (this.format === 'json') return `${goJson(message)}\n`;
      if (this.format === 'legacy-json') return `${goJson(flow)}\n`;
      readFlow(this.#row, flow);
      sanitizeRow(this.#row);
      return this.#flow(this.#row, this.style);
    }
    return lost ? this.#lost(message, lost) : '';
  }

  /** Text of a row that is safe to print, whose time is text already, for the formats that are not JSON. */
  line(row: FlowRow): string {
    return this.#flow(row, this.#lineStyle);
  }

  #flow(row: FlowRow, style: FlowStyle): string {
    this.#printed = true;
    switch (this.format) {
      case 'dict':
        return `${SEPARATOR}\n${renderDict(row, style)}`;
      case 'table':
        return flowLine(row, style);
      default:
        return renderCompact(row, style);
    }
  }

  #lost(message: GetFlowsResponse, lost: LostEvent): string {
    const { time = '', node_name = '' } = message;
    switch (this.format) {
      case 'json':
        return `${goJson(message)}\n`;
      case 'legacy-json':
        return `${goJson(lost)}\n`;
      case 'dict':
        return `${SEPARATOR}\n${renderLostDict(time, node_name, lost, this.style)}`;
      case 'table':
        return tableLine(lostCells(time, node_name, lost, this.style));
      default:
        return renderLostCompact(time, lost, this.style);
    }
  }

  #nodeStatus(message: GetFlowsResponse, status: NodeStatusEvent): string {
    const bad = status.state_change === 'NODE_ERROR' || status.state_change === 'NODE_UNAVAILABLE';
    if (!bad && this.statuses !== 'all') return '';
    const isFirst = !this.#printed;
    if (this.format === 'dict' && isFirst) this.#printed = this.startsWithNews = true;
    if (this.statuses === 'none') return '';
    const at = { time: message.time ?? '', node: message.node_name ?? '' };
    switch (this.format) {
      case 'json':
        return `${goJson(message)}\n`;
      case 'legacy-json':
        return '';
      case 'dict':
        return `${isFirst ? '' : `${SEPARATOR}\n`}${renderNodeStatusDict(at, status, this.style)}`;
      default:
        return renderNodeStatus(at, status, this.style);
    }
  }

  /** News of nodes since the last call, for stderr. */
  takeStatus(): string {
    const text = this.#status;
    this.#status = '';
    return text;
  }
}
