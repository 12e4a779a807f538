import { type Key, keysOf, LineEditor, LineHistory } from '../../../cli/line-editor.ts';
import { errorMessage } from '../../../errors.ts';
import type { LiveState } from '../../../hubble/views/live.ts';
import type { Flow } from '../../../model/hubble.gen.ts';
import type { EdgeWithEnds } from '../../../model/traffic.ts';
import { detailLines, wrapLines } from '../../../render/hubble/live.ts';
import { HELP, OF_FLOWS, PANES, type Pane } from './live-keys.ts';
import { LiveLevels } from './live-levels.ts';
import { findText } from './live-search.ts';
import { LiveSelection } from './live-selection.ts';
import { LiveTop } from './live-top.ts';
import { LiveTraffic, type Meant } from './live-traffic.ts';

/** What the keys need of the world. */
export interface LiveActions {
  /** Compiles a filter; the text says what is wrong with it. */
  compile: (source: string) => Promise<((flow: Flow) => boolean) | string>;
  /** Gives a flow to the terminal's clipboard, and says so. */
  copy: (flow: Flow) => string;
  /** The same of a filter. */
  copyFilter: (filter: string) => string;
  /** What `policy why` says of a flow. */
  explain: (flow: Flow) => Promise<string>;
  /** The texts of a flow as the list shows them. */
  cells: (flow: Flow) => readonly string[];
  quit: () => void;
}

/** How much a pane shows. */
export interface PaneSize {
  height: number;
  columns: number;
}

/** A line that is being typed. */
export interface Typing {
  what: 'filter' | 'search';
  editor: LineEditor;
}

/** What is open on the live screen, and what keys change of it. */
export class LiveControls {
  /** Lines above what is shown of a pane. */
  scroll = 0;
  /** The filter that is applied. */
  filter = '';
  /** The text that is looked for. */
  search = '';
  /** The line that is being typed; undefined while none is. */
  typing: Typing | undefined;
  /** What is wrong with what was typed or asked last. */
  problem = '';
  /** What the last key did, where that does not show. */
  said = '';
  /** Whether flows take as many lines as they need. */
  wrapped = false;
  /** What `policy why` said. */
  why: readonly string[] = [];
  /** Map and timeline. */
  readonly traffic: LiveTraffic;
  readonly top: LiveTop;
  /** The selected flow. */
  readonly selection: LiveSelection;
  readonly #levels: LiveLevels;
  #columns = 80;
  /** The flow that is explained. */
  #asked: Flow | undefined;
  readonly #histories = { filter: new LineHistory(), search: new LineHistory() };

  constructor(
    readonly state: LiveState,
    readonly actions: LiveActions,
  ) {
    this.traffic = new LiveTraffic(state);
    this.top = new LiveTop(state);
    this.selection = new LiveSelection(state);
    this.#levels = new LiveLevels(() => {
      this.scroll = 0;
      this.top.at = 0;
      state.freshen();
    });
  }

  get pane(): Pane {
    return this.#levels.pane;
  }

  /** Whether Esc leads back to where this was opened. */
  get isDeeper(): boolean {
    return this.#levels.isDeeper;
  }

  /** The lines of the pane that is read, cut to a width. */
  lines(columns: number): string[] {
    switch (this.pane) {
      case 'edge':
        return this.traffic.edgeText(columns).map(({ text }) => text);
      case 'help':
        return wrapLines(
          HELP.map(([keys, what]) => `${keys.padEnd(14)}${what}`),
          columns,
          ' '.repeat(14),
        );
      default:
        return wrapLines(this.pane === 'why' ? this.why : detailLines(this.selection.seen?.flow), columns);
    }
  }

  /** Does what a key means. */
  async press(input: string, key: Key, size: PaneSize): Promise<void> {
    this.#columns = size.columns;
    if (key.ctrl && input === 'c') return this.actions.quit();
    // A terminal may send several keys at once.
    if ([...input].length > 1 && !key.ctrl && !key.meta) {
      for (const [one, its] of keysOf(input)) await this.press(one, its, size);
      return;
    }
    if (this.typing) return this.#type(this.typing, input, key);
    this.said = '';
    if (key.escape) await this.#back();
    else if (key.return) await this.#enter();
    else if (key.tab) this.#levels.showNext(key.shift ? -1 : 1);
    else if (input !== '' && !key.ctrl && !key.meta && !key.tab) await this.#command(input, size);
    else this.#walk(key, size);
  }

  async #command(letter: string, size: PaneSize): Promise<void> {
    const { state, actions } = this;
    switch (letter) {
      case 'q':
        return actions.quit();
      case '?':
        if (this.pane === 'help') return this.#back();
        this.#levels.open('help');
        return;
      case '1':
      case '2':
      case '3':
      case '4':
        return this.#levels.show(PANES[Number(letter) - 1] ?? 'flows');
      case 't':
        return this.#levels.show(this.pane === 'top' ? 'flows' : 'top');
      case 'f':
        return this.#edit('filter', this.filter);
      case '/':
        return this.#edit('search', '');
      case 'n':
        return this.#next('on');
      case 'N':
        return this.#next('back');
      case 'd':
        state.dropsOnly = !state.dropsOnly;
        return;
      case 'w':
        this.wrapped = !this.wrapped;
        return;
      case ' ':
        state.paused = !state.paused;
        return;
      case 'y':
        return this.#copy();
      case 'p':
        return this.#explain();
      case 'j':
        return this.#walk({ downArrow: true }, size);
      case 'k':
        return this.#walk({ upArrow: true }, size);
      case 'g':
        return this.#walk({ home: true }, size);
      case 'G':
        return this.#walk({ end: true }, size);
      default:
        if (this.pane !== 'timeline' || !this.traffic.moveByLetter(letter, size.columns)) this.#noKey(letter);
    }
  }

  #noKey(letter: string): void {
    this.said = `"${letter}" is no key here; ? lists them.`;
  }

  /** Esc: first what is wrong goes, then what is marked or looked for, then it leads up a level. */
  async #back(): Promise<void> {
    const { pane, state } = this;
    if (this.problem !== '') this.problem = '';
    else if ((pane === 'flows' || pane === 'map') && this.search !== '') this.search = '';
    else if (pane === 'timeline' && state.window) state.window = undefined;
    else if (this.isDeeper) await this.#up();
    else if (pane !== 'flows') this.#levels.show('flows');
    else state.window = undefined;
  }

  async #up(): Promise<void> {
    const level = this.#levels.up();
    this.scroll = 0;
    // A filter that was changed meanwhile is the reader's own.
    if (level?.flows?.now !== this.filter) return;
    await this.#applyFilter(level.flows.filter);
    this.selection.serial = level.flows.selected;
  }

  async #enter(): Promise<void> {
    const { pane, traffic } = this;
    switch (pane) {
      case 'flows':
        if (!this.selection.seen) return;
        this.selection.hold();
        this.#levels.open('details');
        return;
      case 'top': {
        const { chosen } = this.top;
        if (!chosen) return;
        return 'edge' in chosen ? this.#openEdge(chosen.edge) : this.#showFlows({ ...chosen, note: '' });
      }
      case 'timeline':
        this.#levels.open('map');
        return;
      case 'map': {
        const row = traffic.row(this.#columns);
        return row?.edge ? this.#openEdge(row.edge) : this.#showFlows(traffic.meant(this.#columns));
      }
      case 'edge':
        return this.#showFlows(traffic.edgeMeant);
    }
  }

  #openEdge(edge: EdgeWithEnds['edge']): void {
    this.traffic.open(edge);
    this.#levels.open('edge');
  }

  /** The list of flows with a filter, from which Esc leads back. */
  async #showFlows(meant: Meant | string): Promise<void> {
    if (typeof meant === 'string') {
      this.said = meant;
      return;
    }
    const before = { filter: this.filter, selected: this.selection.serial };
    const level = this.#levels.open('flows');
    this.selection.serial = undefined;
    this.search = '';
    await this.#applyFilter(meant.filter);
    level.flows = { ...before, now: this.filter };
    this.said = meant.note;
  }

  #walk(key: Key, { height, columns }: PaneSize): void {
    if (this.pane === 'timeline') {
      if (key.leftArrow || key.rightArrow || key.home || key.end) this.traffic.moveWindow(key, columns);
      return;
    }
    const page = Math.max(1, height - 1);
    const by = key.downArrow ? 1 : key.upArrow ? -1 : key.pageDown ? page : key.pageUp ? -page : undefined;
    const to = key.home ? 0 : key.end ? Number.POSITIVE_INFINITY : undefined;
    if (by === undefined && to === undefined) return;
    const { traffic } = this;
    if (this.pane === 'flows') this.selection.select(to ?? this.selection.at + (by ?? 0));
    else if (this.pane === 'map') traffic.choose(to ?? traffic.at(columns) + (by ?? 0), columns);
    else if (this.pane === 'top') this.top.at = within(to ?? this.top.at + (by ?? 0), this.top.length - 1);
    else this.scroll = within(to ?? this.scroll + (by ?? 0), this.lines(columns).length - height);
  }

  #edit(what: Typing['what'], text: string): void {
    this.problem = '';
    this.typing = { what, editor: new LineEditor(this.#histories[what], text) };
  }

  async #type(typing: Typing, input: string, key: Key): Promise<void> {
    const { editor, what } = typing;
    if (key.escape) {
      if (this.problem === '') this.typing = undefined;
      this.problem = '';
    } else if (key.return) {
      if (what === 'search') return this.#startSearch(editor.text);
      await this.#applyFilter(editor.text.trim());
      if (this.problem === '' && !OF_FLOWS.has(this.pane)) this.#levels.open('flows');
    } else if (!(key.ctrl && input === 'c')) {
      this.problem = '';
      editor.press(input, key);
    }
  }

  async #applyFilter(source: string): Promise<void> {
    const compiled = source === '' ? undefined : await this.actions.compile(source);
    if (typeof compiled === 'string') {
      // The line stays, so that it can be mended where it is wrong.
      this.problem = compiled;
      return;
    }
    this.typing = undefined;
    this.problem = '';
    this.#histories.filter.add(source);
    this.filter = source;
    this.state.filter = compiled;
  }

  #startSearch(text: string): void {
    this.typing = undefined;
    // As in a pager, nothing typed means the same again.
    this.search = text === '' ? (this.#histories.search.lines.at(-1) ?? '') : text;
    this.#histories.search.add(this.search);
    if (this.pane !== 'map') this.#levels.show('flows');
    if (this.search !== '') this.#find('here');
  }

  #next(which: 'on' | 'back'): void {
    if (this.pane !== 'timeline') this.#find(which);
    else if (!this.traffic.moveToDrops(which === 'on' ? 1 : -1, this.#columns))
      this.said = `Nothing was dropped ${which === 'on' ? 'after' : 'before'} it.`;
  }

  #find(which: 'here' | 'on' | 'back'): void {
    const { pane, traffic, state, actions, search } = this;
    const columns = this.#columns;
    const isMap = pane === 'map';
    const found = findText(
      isMap
        ? traffic.searched(columns)
        : {
            count: state.visible.length,
            at: this.selection.at,
            on: -1,
            texts: (i) => actions.cells(state.visible[i]?.flow ?? {}),
          },
      search,
      which,
    );
    if (typeof found === 'string') this.said = found;
    else if (isMap) traffic.choose(found, columns);
    else this.selection.serial = state.visible[found]?.serial;
  }

  #copy(): void {
    const { pane, traffic, actions } = this;
    const flow = this.#flowHere;
    if (OF_FLOWS.has(pane)) {
      if (flow) this.said = actions.copy(flow);
      return;
    }
    if (pane !== 'map' && pane !== 'edge') {
      this.#noKey('y');
      return;
    }
    const meant = pane === 'map' ? traffic.meant(this.#columns) : traffic.edgeMeant;
    this.said =
      typeof meant === 'string' ? meant : [actions.copyFilter(meant.filter), meant.note].join(' ').trim();
  }

  /** The flow that a key means here: the selected one, the one that is explained, or one that the edge dropped. */
  get #flowHere(): Flow | undefined {
    switch (this.pane) {
      case 'why':
        return this.#asked;
      case 'map':
        return this.traffic.dropped(this.traffic.row(this.#columns)?.edge);
      case 'edge':
        return this.traffic.dropped(this.traffic.edge?.edge);
      default:
        return this.selection.seen?.flow;
    }
  }

  async #explain(): Promise<void> {
    const { pane } = this;
    const isOfEdge = pane === 'map' || pane === 'edge';
    if (!isOfEdge && !OF_FLOWS.has(pane)) return this.#noKey('p');
    const flow = this.#flowHere;
    if (!flow) {
      if (isOfEdge) this.said = 'None of its flows was dropped, as far as they are kept; Enter shows them.';
      return;
    }
    if (!isOfEdge && pane !== 'why') this.selection.hold();
    this.#asked = flow;
    if (pane !== 'why') this.#levels.open('why');
    this.why = ['Asking …'];
    const said = await this.actions.explain(flow).catch(errorMessage);
    if (this.#asked === flow) this.why = said.trimEnd().split('\n');
  }
}

function within(value: number, most: number): number {
  return Math.max(0, Math.min(value, most));
}
