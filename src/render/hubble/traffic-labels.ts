import type { Box, Layout, Point } from './traffic-layout.ts';

/** What is written beside a line. */
export interface Label {
  /** The key of its edge. */
  key: string;
  text: string;
  /** It is written even where it covers something: it tells what went wrong. */
  isNeeded: boolean;
}

/** How wide a letter of a label is, at most of them, and how high a label is. */
const LETTER = 6.4;
const HEIGHT = 12;
/** How far above its line a label stands, how far below, and how far beside it. */
const ABOVE = -5;
const BELOW = 13;
const BESIDE = 6;
/** Places along a line that are tried, the middle first: of two that are as good the one before is taken. */
const SHARES = [0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8, 0.12, 0.88];
/** Pieces of each curve of a line. */
const STEPS = 8;
/** How far points are apart that say where lines run. */
const APART = 6;
/** How much worse it is to cover a point of an end, or of another label, than a piece of a line. */
const WORSE = 4;

/**
 * Where labels stand: beside their lines, the needed ones first, each where it covers least of ends, names of namespaces, other
 * labels and lines. One that would cover anything but a line is left out if it is not needed.
 */
export function placeLabels(labels: readonly Label[], layout: Layout): ReadonlyMap<string, Point> {
  const taken: Box[] = [...layout.nodes.values(), ...[...layout.namespaces].map(titleOf)];
  const curves = new Map([...layout.edges].map(([key, points]) => [key, curveOf(points)]));
  const lines = new Grid([...curves.values()].flatMap(evenly));
  const places = new Map<string, Point>();
  for (const { key, text, isNeeded } of labels.toSorted((a, b) => Number(b.isNeeded) - Number(a.isNeeded))) {
    const line = curves.get(key) ?? [];
    if (text === '' || line.length === 0) continue;
    const size = { width: [...text].length * LETTER, height: HEIGHT };
    const tried = SHARES.map((share) => pointAt(line, share)).flatMap((on) =>
      sidesOf(on, size.width).map((at) => {
        const box = { x: at.x, y: at.y - HEIGHT / 3, ...size };
        const covered = taken.reduce((sum, other) => sum + overlap(box, other), 0);
        return { at, box, covered, cost: WORSE * covered + APART * lines.within(box) };
      }),
    );
    const best = tried.reduce((least, each) => (each.cost < least.cost ? each : least));
    if (best.covered > 0 && !isNeeded) continue;
    taken.push(best.box);
    places.set(key, best.at);
  }
  return places;
}

/** Where the middle of a label may stand beside a point of its line. */
function sidesOf({ x, y }: Point, width: number): Point[] {
  const [beside, level] = [width / 2 + BESIDE, y + HEIGHT / 3];
  return [
    { x, y: y + ABOVE },
    { x, y: y + BELOW },
    { x: x + beside, y: level },
    { x: x - beside, y: level },
  ];
}

/** Points by where they are. */
class Grid {
  static readonly #CELL = 32;
  readonly #cells = new Map<string, Point[]>();

  constructor(points: readonly Point[]) {
    for (const point of points) {
      const key = `${Math.floor(point.x / Grid.#CELL)} ${Math.floor(point.y / Grid.#CELL)}`;
      const cell = this.#cells.get(key);
      if (cell) cell.push(point);
      else this.#cells.set(key, [point]);
    }
  }

  /** How many points lie in a box. */
  within({ x, y, width, height }: Box): number {
    const [left, right, top, bottom] = [x - width / 2, x + width / 2, y - height / 2, y + height / 2];
    let found = 0;
    for (let column = Math.floor(left / Grid.#CELL); column * Grid.#CELL <= right; column++)
      for (let row = Math.floor(top / Grid.#CELL); row * Grid.#CELL <= bottom; row++)
        for (const point of this.#cells.get(`${column} ${row}`) ?? [])
          if (point.x >= left && point.x <= right && point.y >= top && point.y <= bottom) found++;
    return found;
  }
}

/** The name of a namespace, which stands in the corner of its box. */
function titleOf([name, { x, y, width, height }]: [string, Box]): Box {
  const wide = Math.min(width, [...name].length * 7.3);
  return { x: x - width / 2 + 8 + wide / 2, y: y - height / 2 + 10, width: wide, height: 14 };
}

/** How much of a box lies on another. */
function overlap(a: Box, b: Box): number {
  const shared = (at: 'x' | 'y', size: 'width' | 'height') =>
    Math.min(a[at] + a[size] / 2, b[at] + b[size] / 2) - Math.max(a[at] - a[size] / 2, b[at] - b[size] / 2);
  return Math.max(0, shared('x', 'width')) * Math.max(0, shared('y', 'height'));
}

/** Points on the smooth line that `pathOf` draws. */
function curveOf(points: readonly Point[]): Point[] {
  const [first, ...rest] = points;
  if (!first) return [];
  const line = [first];
  for (const [i, control] of rest.entries()) {
    const next = rest[i + 1];
    if (!next) {
      line.push(control);
      continue;
    }
    const from = line.at(-1) ?? first;
    const to = { x: (control.x + next.x) / 2, y: (control.y + next.y) / 2 };
    for (let step = 1; step <= STEPS; step++) {
      const t = step / STEPS;
      const on = (at: 'x' | 'y') => (1 - t) ** 2 * from[at] + 2 * t * (1 - t) * control[at] + t ** 2 * to[at];
      line.push({ x: on('x'), y: on('y') });
    }
  }
  return line;
}

function lengthOf(line: readonly Point[]): number {
  return line.reduce((sum, point, i) => {
    const before = line[i - 1] ?? point;
    return sum + Math.hypot(point.x - before.x, point.y - before.y);
  }, 0);
}

/** Points on a line that are no farther apart than a piece of it that counts. */
function evenly(line: readonly Point[]): Point[] {
  return line.flatMap((to, i) => {
    const from = line[i - 1] ?? to;
    const pieces = Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / APART);
    return Array.from({ length: pieces }, (_, piece) => ({
      x: to.x + (piece / pieces) * (from.x - to.x),
      y: to.y + (piece / pieces) * (from.y - to.y),
    }));
  });
}

/** The point at a share of the length of a line. */
function pointAt(line: readonly Point[], share: number): Point {
  let left = share * lengthOf(line);
  for (const [i, to] of line.entries()) {
    const from = line[i - 1] ?? to;
    const length = Math.hypot(to.x - from.x, to.y - from.y);
    if (left <= length && length > 0) {
      const part = left / length;
      return { x: from.x + part * (to.x - from.x), y: from.y + part * (to.y - from.y) };
    }
    left -= length;
  }
  return line.at(-1) ?? { x: 0, y: 0 };
}
