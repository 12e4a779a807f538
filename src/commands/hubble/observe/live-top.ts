import type { LiveState } from '../../../hubble/views/live.ts';
import { rowFilter } from '../../../hubble/views/row-filter.ts';
import type { TopCounter } from '../../../hubble/views/top.ts';
import type { RankedRow } from '../../../model/ranking.ts';
import type { EdgeWithEnds } from '../../../model/traffic.ts';
import { type EdgeRow, layer7Rows } from '../../../render/hubble/traffic-edge.ts';

/** Rows of each ranking that can be selected. */
export const TOP_ROWS = 50;

/** The rankings, and the row that is selected of them, counted through all. */
export class LiveTop {
  at = 0;

  constructor(readonly state: LiveState) {}

  get talkers(): RankedRow[] {
    return this.state.talkers.rows(TOP_ROWS);
  }

  get drops(): RankedRow[] {
    return this.state.dropped.rows(TOP_ROWS);
  }

  /** Connections with requests that a proxy saw, as so many columns show them. */
  layer7(columns?: number): { header: string; rows: EdgeRow[] } {
    const { header, rows } = layer7Rows(this.state.traffic, columns);
    return { header, rows: rows.slice(0, TOP_ROWS) };
  }

  /** Rows of all rankings. */
  get length(): number {
    return this.talkers.length + this.drops.length + this.layer7().rows.length;
  }

  /** What the selected row is: flows of a filter, or an edge. */
  get chosen(): { filter: string } | EdgeWithEnds | undefined {
    const { at, talkers, drops, state } = this;
    const talker = talkers[at];
    if (talker) return { filter: filterOf(state.talkers, talker) };
    const drop = drops[at - talkers.length];
    if (drop) return { filter: filterOf(state.dropped, drop) };
    return this.layer7().rows[at - talkers.length - drops.length]?.item;
  }
}

function filterOf({ keys }: TopCounter, { values }: RankedRow): string {
  return rowFilter(
    keys.map(({ name }) => name),
    values,
  );
}
