import { PANES, type Pane } from './live-keys.ts';

/** What the list of flows showed before another filter took its place. */
export interface FlowsBefore {
  filter: string;
  /** Serial number of the selected flow. */
  selected: number | undefined;
  /** The filter that took the place. */
  now: string;
}

/** A pane that Esc leads back to. */
export interface Level {
  pane: Pane;
  flows?: FlowsBefore;
}

/** The pane that is open, and those that Esc leads back to. */
export class LiveLevels {
  pane: Pane = 'flows';
  /** Where Esc leads, the last one first. */
  #levels: Level[] = [];

  /** Told of each pane that is entered anew. */
  constructor(readonly onEnter: () => void) {}

  /** Whether Esc leads back to where this was opened. */
  get isDeeper(): boolean {
    return this.#levels.length > 0;
  }

  /** One of the panes that the digits show: none leads back from there. */
  show(pane: Pane): void {
    this.#levels = [];
    this.pane = pane;
    this.onEnter();
  }

  /** The pane that the digits show next, or before. */
  showNext(step: 1 | -1): void {
    const at = PANES.findIndex((pane) => pane === (this.#levels[0]?.pane ?? this.pane));
    this.show(PANES.at((at + step) % PANES.length) ?? 'flows');
  }

  /** A pane from which Esc leads back to this one. */
  open(pane: Pane): Level {
    const level: Level = { pane: this.pane };
    this.#levels.push(level);
    this.pane = pane;
    this.onEnter();
    return level;
  }

  /** Leads back to where this was opened; undefined where nothing led here. */
  up(): Level | undefined {
    const level = this.#levels.pop();
    if (level) this.pane = level.pane;
    return level;
  }
}
