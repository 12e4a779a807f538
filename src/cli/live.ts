import type { Context } from '../context.ts';
import { crop } from '../render/text/fit.ts';
import { paletteFor } from '../render/text/palette.ts';
import { drawnOver, ENTER_SCREEN, LEAVE_SCREEN } from '../render/text/screen.ts';

/** What a live screen shows. */
export interface Frame {
  /** What the screen is about, and its state: nothing of it stays when the screen ends. */
  title: readonly string[];
  /** Stays when the lines below it do not all fit. */
  header: readonly string[];
  lines: readonly string[];
}

/** Where the size of a terminal is not known. */
const USUAL = { columns: 80, rows: 24 };

/**
 * A screen of the terminal's own that shows one frame after the other and is drawn anew when the terminal changes its size.
 * When it ends, by itself or by a signal, the terminal is as it was, with the last frame below what stood there.
 */
export class LiveScreen {
  #frame: ((width: number) => Frame) | undefined;
  #isOpen = false;
  readonly #forget: () => void;

  constructor(private readonly ctx: Context) {
    const onResize = () => {
      if (this.#isOpen) void this.#draw().catch(() => {});
    };
    const onAbort = () => void this.end().catch(() => {});
    const deafen = ctx.out.onResize?.(onResize);
    ctx.signal.addEventListener('abort', onAbort, { once: true });
    this.#forget = () => {
      deafen?.();
      ctx.signal.removeEventListener('abort', onAbort);
    };
  }

  /** Whether there is a terminal that can be drawn on. */
  static fits(ctx: Context): boolean {
    return ctx.out.isTTY && ctx.env.TERM !== 'dumb';
  }

  /** Shows a frame, which is made for the width of the terminal. */
  async show(frame: (width: number) => Frame): Promise<void> {
    if (this.ctx.signal.aborted) return;
    this.#frame = frame;
    if (!this.#isOpen) await this.ctx.out.write(ENTER_SCREEN);
    this.#isOpen = true;
    await this.#draw();
  }

  /** Gives the terminal back. */
  async end(): Promise<void> {
    this.#forget();
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const last = this.#lines({ withTitle: false });
    await this.ctx.out.write(`${LEAVE_SCREEN}${last.map((line) => `${line}\n`).join('')}`);
  }

  async #draw(): Promise<void> {
    await this.ctx.out.write(drawnOver(this.#lines({ withTitle: true })));
  }

  #lines({ withTitle }: { withTitle: boolean }): string[] {
    const { columns = USUAL.columns, rows = USUAL.rows } = this.ctx.out;
    if (!this.#frame) return [];
    const { title, header, lines } = this.#frame(columns);
    const room = Math.max(1, rows - title.length - header.length);
    const shown = lines.length > room ? lines.slice(0, room - 1) : lines;
    const left = lines.length - shown.length;
    const { dim } = paletteFor(this.ctx.globals.color, this.ctx.env, this.ctx.out.isTTY);
    return [
      ...[...(withTitle ? title : []), ...header, ...shown].map((line) => crop(line, columns)),
      ...(left > 0 ? [dim(crop(`… ${left} more of ${lines.length} lines do not fit`, columns))] : []),
    ];
  }
}
