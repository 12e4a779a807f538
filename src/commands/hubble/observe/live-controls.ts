import type { LiveState, Seen } from '../../../hubble/views/live.ts';
import type { Flow } from '../../../model/hubble.gen.ts';
import { detailLines } from '../../../render/hubble/live.ts';

/** What the screen shows between its first line and its last. */
export type Pane = 'flows' | 'details' | 'top' | 'help';

/** The keys that are no text, as Ink tells them. */
export type Key = Partial<
  Record<
    | 'upArrow'
    | 'downArrow'
    | 'pageUp'
    | 'pageDown'
    | 'return'
    | 'escape'
    | 'backspace'
    | 'delete'
    | 'ctrl'
    | 'meta',
    boolean
  >
>;

/** Compiles a filter; the text says what is wrong with it. */
export type CompileFilter = (source: string) => Promise<((flow: Flow) => boolean) | string>;

/** What is open on the live screen, and what keys change of it. */
export class LiveControls {
  pane: Pane = 'flows';
  /** Lines of the details above the screen. */
  scroll = 0;
  /** The filter that is applied. */
  filter = '';
  /** The filter that is being typed; undefined while none is. */
  typing: string | undefined;
  /** What is wrong with the filter that was typed last. */
  problem = '';
  /** Serial number of the selected flow; undefined while the newest is followed. */
  #selected: number | undefined;

  constructor(
    readonly state: LiveState,
    private readonly compile: CompileFilter,
    private readonly quit: () => void,
  ) {}

  /** Whether the list moves on with each flow. */
  get following(): boolean {
    return this.#selected === undefined && !this.state.paused;
  }

  /** Index of the selected flow in the list; -1 when the list is empty. */
  get at(): number {
    const { visible } = this.state;
    const selected = this.#selected;
    const found = selected === undefined ? -1 : visible.findIndex(({ serial }) => serial >= selected);
    return found === -1 ? visible.length - 1 : found;
  }

  /** The selected flow. */
  get seen(): Seen | undefined {
    return this.state.visible[this.at];
  }

  /** Does what a key means; `height` is the number of lines in a pane. */
  async press(input: string, key: Key, height: number): Promise<void> {
    if (key.ctrl && input === 'c') this.quit();
    else if (this.typing !== undefined) await this.#type(this.typing, input, key);
    else if (input === 'q') this.quit();
    else if (input === '?') this.#toggle('help');
    else if (key.escape) this.pane = 'flows';
    else if (input === 't') this.#toggle('top');
    else if (input === '/') this.typing = this.filter;
    else if (input === 'd') this.state.dropsOnly = !this.state.dropsOnly;
    else if (input === ' ') this.state.paused = !this.state.paused;
    else if (key.downArrow || input === 'j') this.#moveOrScroll(1, height);
    else if (key.upArrow || input === 'k') this.#moveOrScroll(-1, height);
    else if (key.pageDown) this.#move(height - 1);
    else if (key.pageUp) this.#move(1 - height);
    else if (input === 'g') this.#selected = this.state.visible[0]?.serial;
    else if (input === 'G') {
      this.#selected = undefined;
      this.state.paused = false;
    } else if (key.return && this.seen) {
      this.#selected = this.seen.serial;
      this.scroll = 0;
      this.pane = 'details';
    }
  }

  async #type(text: string, input: string, key: Key): Promise<void> {
    if (key.return) await this.#apply(text.trim());
    else if (key.escape) this.typing = undefined;
    else if (key.backspace || key.delete) this.typing = text.slice(0, -1);
    else if (!key.ctrl && !key.meta && input >= ' ') this.typing = text + input;
  }

  async #apply(source: string): Promise<void> {
    this.typing = undefined;
    const compiled = source === '' ? undefined : await this.compile(source);
    this.problem = typeof compiled === 'string' ? compiled : '';
    if (typeof compiled === 'string') return;
    this.filter = source;
    this.state.filter = compiled;
  }

  #toggle(pane: Pane): void {
    this.pane = this.pane === pane ? 'flows' : pane;
  }

  #moveOrScroll(by: number, height: number): void {
    if (this.pane === 'details') {
      const last = Math.max(0, detailLines(this.seen?.flow).length - height);
      this.scroll = Math.min(last, Math.max(0, this.scroll + by));
    } else this.#move(by);
  }

  #move(by: number): void {
    const { visible } = this.state;
    const target = Math.max(0, this.at + by);
    this.#selected = target >= visible.length - 1 ? undefined : visible[target]?.serial;
  }
}
