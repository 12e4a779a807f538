import type { LiveState, Seen } from '../../../hubble/views/live.ts';

/** The flow that is selected in the list, or that the newest is followed. */
export class LiveSelection {
  /** Serial number of the selected flow; undefined while the newest is followed. */
  serial: number | undefined;

  constructor(readonly state: LiveState) {}

  /** Whether the list moves on with each flow. */
  get following(): boolean {
    return this.serial === undefined && !this.state.paused;
  }

  /** Index of the selected flow in the list; -1 when the list is empty. */
  get at(): number {
    const { visible } = this.state;
    const selected = this.serial;
    const found = selected === undefined ? -1 : visible.findIndex(({ serial }) => serial >= selected);
    return found === -1 ? visible.length - 1 : found;
  }

  /** The selected flow. */
  get seen(): Seen | undefined {
    return this.state.visible[this.at];
  }

  /** Flows below the selected one. */
  get below(): number {
    return this.seen ? this.state.newerThan(this.seen.serial) : 0;
  }

  /** Selects a flow by its index; the last one means that the newest is followed. */
  select(index: number): void {
    const { visible } = this.state;
    if (index === Number.POSITIVE_INFINITY) this.state.paused = false;
    this.serial = index >= visible.length - 1 ? undefined : visible[Math.max(0, index)]?.serial;
  }

  /** Keeps the flow that is shown as selected, while others come. */
  hold(): void {
    this.serial = this.seen?.serial;
  }
}
