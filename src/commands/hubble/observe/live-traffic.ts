import type { Key } from '../../../cli/line-editor.ts';
import { edgeFilter, nodeFilter } from '../../../hubble/views/edge-filter.ts';
import type { LiveState } from '../../../hubble/views/live.ts';
import { cut, spanOf } from '../../../hubble/views/traffic/selection.ts';
import type { Flow } from '../../../model/hubble.gen.ts';
import type { EdgeWithEnds, Traffic } from '../../../model/traffic.ts';
import { wrapLines } from '../../../render/hubble/live.ts';
import { type Bar, barsOf } from '../../../render/hubble/timeline.ts';
import { type TrafficRow, trafficRows } from '../../../render/hubble/traffic.ts';
import { type EdgeLine, edgeLines } from '../../../render/hubble/traffic-edge.ts';

import type { Searched } from './live-search.ts';

/** Flows that are meant by a row of the map, as an expression. */
export interface Meant {
  filter: string;
  /** What has to be said of it; empty when it means the row and nothing else. */
  note: string;
}

type Map = ReturnType<typeof trafficRows>;

/** What of the map and the timeline is looked at. */
export class LiveTraffic {
  /** The chosen row of the map, by its ends; undefined is the first. */
  #row: string | undefined;
  /** Where it was, for when it is gone. */
  #rowAt = 0;
  /** The edge that is open, by its ends. */
  #open: Pick<EdgeWithEnds['edge'], 'client' | 'server'> | undefined;
  #map: { of: Traffic; columns: number; made: Map } | undefined;
  #shown: { of: Traffic; window: unknown; dropsOnly: boolean; made: Traffic } | undefined;

  constructor(readonly state: LiveState) {}

  /** What the window of time and "drops only" leave of all traffic. */
  get shown(): Traffic {
    const { traffic: of, window, dropsOnly } = this.state;
    const known = this.#shown;
    if (known?.of === of && known.window === window && known.dropsOnly === dropsOnly) return known.made;
    const made = this.#cut(of);
    this.#shown = { of, window, dropsOnly, made };
    return made;
  }

  #cut(whole: Traffic): Traffic {
    const { window, dropsOnly } = this.state;
    if (!window && !dropsOnly) return whole;
    const span = spanOf(window, whole.timeline);
    const { nodes, edges, flows } = cut(whole, span, dropsOnly ? ({ edge }) => edge.dropped > 0 : undefined);
    return {
      ...whole,
      ...{ nodes, edges, flows, endless: 0 },
      ...(window && {
        firstMs: Math.max(window.fromMs, whole.firstMs ?? window.fromMs),
        lastMs: Math.min(window.toMs, whole.lastMs ?? window.toMs),
      }),
    };
  }

  /** The tree of who talks to whom, for so many columns. */
  map(columns: number): Map {
    const of = this.shown;
    const known = this.#map;
    if (known?.of === of && known.columns === columns) return known.made;
    const made = trafficRows(of, columns);
    this.#map = { of, columns, made };
    return made;
  }

  /** Index of the chosen row; 0 when there is none. */
  at(columns: number): number {
    const { rows } = this.map(columns);
    const found = this.#row === undefined ? -1 : rows.findIndex((row) => keyOf(row) === this.#row);
    return found === -1 ? Math.max(0, Math.min(this.#rowAt, rows.length - 1)) : found;
  }

  /** Chooses a row of the map. */
  choose(index: number, columns: number): void {
    const { rows } = this.map(columns);
    const at = Math.max(0, Math.min(index, rows.length - 1));
    const row = rows[at];
    this.#row = row && keyOf(row);
    this.#rowAt = at;
  }

  /** The chosen row. */
  row(columns: number): TrafficRow | undefined {
    return this.map(columns).rows[this.at(columns)];
  }

  /** The map, as it is searched. */
  searched(columns: number): Searched {
    const { rows } = this.map(columns);
    return { count: rows.length, at: this.at(columns), on: 1, texts: (i) => [rows[i]?.text ?? ''] };
  }

  /** Opens an edge. */
  open({ client, server }: EdgeWithEnds['edge']): void {
    this.#open = { client, server };
  }

  /** The edge that is open, with all that is known of it by now; undefined once there was no room for it. */
  get edge(): EdgeWithEnds | undefined {
    const open = this.#open;
    const edge = this.state.traffic.edges.find(
      ({ client, server }) => client === open?.client && server === open.server,
    );
    return edge && this.#withEnds(edge);
  }

  #withEnds(edge: EdgeWithEnds['edge']): EdgeWithEnds | undefined {
    const { nodes } = this.state.traffic;
    const [client, server] = [edge.client, edge.server].map((end) => nodes.find(({ id }) => id === end));
    return client && server && { edge, client, server };
  }

  /** The lines about the edge that is open, cut to a width. */
  edgeText(columns: number): EdgeLine[] {
    const item = this.edge;
    if (!item) return [{ text: 'It had so few flows that it is counted among others by now.', bad: false }];
    const lines = edgeLines(item, edgeFilter(item.client, item.server)?.text);
    return lines.flatMap(({ text, bad }) =>
      wrapLines([text], columns, ' '.repeat(Math.min(11, columns >> 1))).map((part) => ({ text: part, bad })),
    );
  }

  /** The flows of the open edge. */
  get edgeMeant(): Meant | string {
    const item = this.edge;
    return item ? meantBy(item) : 'The edge is counted among others by now.';
  }

  /** The flows of the chosen row of the map: of an edge, or of an end with all others. */
  meant(columns: number): Meant | string {
    const row = this.row(columns);
    if (!row) return 'There is nothing here.';
    const item = row.edge && this.#withEnds(row.edge);
    if (item) return meantBy(item);
    if (row.client.kind === 'others') return `"${row.client.name}" are many ends, which no filter can name.`;
    return { filter: nodeFilter(row.client), note: '' };
  }

  /** A flow that an edge dropped, for the question why. */
  dropped(edge: EdgeWithEnds['edge'] | undefined): Flow | undefined {
    return edge?.drops.find(({ example }) => example !== undefined)?.example;
  }

  /** The bars of the timeline. */
  bars(columns: number): Bar[] {
    return barsOf(this.state.traffic.timeline, columns);
  }

  /** What there is in the window, or in all of the time; undefined while no flow has a time. */
  get looked(): Bar | undefined {
    const { window, traffic } = this.state;
    const { first, widthMs, flows, dropped } = traffic.timeline;
    if (flows.length === 0) return undefined;
    const all = { fromMs: first * widthMs, toMs: (first + flows.length) * widthMs };
    const { fromMs, toMs } = window ?? all;
    const sum = (counts: readonly number[]) =>
      counts
        .slice(Math.max(0, fromMs / widthMs - first), Math.max(0, toMs / widthMs - first))
        .reduce((whole, count) => whole + count, 0);
    return { fromMs, toMs, flows: sum(flows), dropped: sum(dropped) };
  }

  /** Numbers of the first and the last bar of the window. */
  marked(bars: readonly Bar[]): [number, number] | undefined {
    const { window } = this.state;
    if (!window) return undefined;
    const from = bars.findIndex(({ toMs }) => toMs > window.fromMs);
    const to = bars.findLastIndex(({ fromMs }) => fromMs < window.toMs);
    return from === -1 || to < from ? undefined : [from, to];
  }

  /** Moves the window by bars, or to the first or the last ones. */
  moveWindow(key: Key, columns: number): void {
    const bars = this.bars(columns);
    if (bars.length === 0) return;
    const last = bars.length - 1;
    const [from, to] = this.marked(bars) ?? (key.rightArrow || key.home ? [-1, -1] : [last + 1, last + 1]);
    const by = key.leftArrow ? -1 : key.rightArrow ? 1 : key.home ? -from : last - to;
    this.#look(bars, from + by, to - from);
  }

  /** Moves the window to the next bar with drops, or to the one before; false when there is none. */
  moveToDrops(step: 1 | -1, columns: number): boolean {
    const bars = this.bars(columns);
    const [from, to] = this.marked(bars) ?? (step > 0 ? [-1, -1] : [bars.length, bars.length]);
    const at =
      step > 0
        ? bars.findIndex(({ dropped }, i) => i > to && dropped > 0)
        : bars.findLastIndex(({ dropped }, i) => i < from && dropped > 0);
    if (at !== -1) this.#look(bars, at, 0);
    return at !== -1;
  }

  /** The keys of the window that are letters; false for others. */
  moveByLetter(letter: string, columns: number): boolean {
    switch (letter) {
      case 'h':
        this.moveWindow({ leftArrow: true }, columns);
        return true;
      case 'l':
        this.moveWindow({ rightArrow: true }, columns);
        return true;
      case '+':
      case '=':
        this.resizeWindow('wider', columns);
        return true;
      case '-':
        this.resizeWindow('narrower', columns);
        return true;
      default:
        return false;
    }
  }

  /** Makes the window twice or half as long. */
  resizeWindow(how: 'wider' | 'narrower', columns: number): void {
    const bars = this.bars(columns);
    const last = bars.length - 1;
    if (last < 0) return;
    const [from, to] = this.marked(bars) ?? [0, last];
    const length = how === 'wider' ? (to - from + 1) * 2 : Math.max(1, Math.floor((to - from + 1) / 2));
    this.#look(bars, from, Math.min(length, bars.length) - 1);
  }

  #look(bars: readonly Bar[], wanted: number, more: number): void {
    const from = Math.max(0, Math.min(wanted, bars.length - 1 - more));
    const [first, last] = [bars[from], bars[from + more]];
    if (first && last) this.state.window = { fromMs: first.fromMs, toMs: last.toMs };
  }
}

function keyOf({ client, edge }: TrafficRow): string {
  return edge ? `${edge.client} ${edge.server}` : client.id;
}

function meantBy({ client, server }: EdgeWithEnds): Meant | string {
  const filter = edgeFilter(client, server);
  if (!filter) return `"${client.name}" and "${server.name}" are many ends, which no filter can name.`;
  const many = client.kind === 'others' ? client : server;
  return {
    filter: filter.text,
    note: filter.wider
      ? `"${many.name}" are many ends, which no filter can name: these are all flows of the other end.`
      : '',
  };
}
