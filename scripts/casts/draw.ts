import { xmlText } from '../../src/render/reports/xml.ts';
import { type Run, type Style, shownRows } from './terminal.ts';

/** A command at a prompt, and all that it sent to its terminal. */
export interface CastStep {
  command: string;
  output: string;
}

const CELL = 8.4;
const LINE = 19;
const EDGE = 16;
const BAR = 30;
/** Seconds before a command shows, and between it and what it prints. */
const PAUSE = 1.6;
const RUNS = 0.5;

const COLORS: Readonly<Record<number, string>> = {
  30: '#5c6370',
  31: '#f07178',
  32: '#a5d76e',
  33: '#f2c063',
  34: '#6cb6ff',
  35: '#d6a0f0',
  36: '#67d4c8',
  37: '#d5dae4',
};

/**
 * A terminal session as SVG. Where motion is welcome, commands come one after the other and stay; elsewhere all of it is there
 * from the start. It holds no script and loads nothing.
 */
export function drawCast(title: string, steps: readonly CastStep[], columns: number): string {
  const lines: { row: number; runs: readonly Run[]; at: number }[] = [];
  let row = 0;
  let seconds = 0;
  for (const { command, output } of steps) {
    const prompt = [{ column: 0, text: '$', style: { color: 36 } }];
    for (const [i, runs] of shownRows(command.replaceAll('\n', '\n> '), columns - 2).entries())
      lines.push({
        row: row++,
        runs: [
          ...(i === 0 ? prompt : []),
          ...runs.map((run) => ({ ...run, column: run.column + 2, style: { bold: true } })),
        ],
        at: seconds,
      });
    for (const runs of output === '' ? [] : shownRows(output, columns))
      lines.push({ row: row++, runs, at: seconds + RUNS });
    seconds += PAUSE + Math.min(2, output.length / 800);
  }
  const width = columns * CELL + 2 * EDGE;
  const height = BAR + row * LINE + 2 * EDGE - 6;
  const moments = [...new Set(lines.map(({ at }) => at))];
  const name = `s${hashOf(title)}`;
  const delays = moments.map((at, i) => `.${name}-${i}{animation:${name} .01s ${at.toFixed(1)}s both}`);
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width.toFixed(0)} ${height}" width="${width.toFixed(0)}" height="${height}" xml:space="preserve" role="img" aria-label="${xmlText(title)}">`,
    `<title>${xmlText(title)}</title>`,
    `<style>text{font:14px ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;fill:#d5dae4;white-space:pre}@media (prefers-reduced-motion:no-preference){${delays.join('')}}@keyframes ${name}{from{opacity:0}}</style>`,
    `<rect width="100%" height="100%" rx="8" fill="#171b24"/>`,
    ...[0, 1, 2].map((i) => `<circle cx="${EDGE + 6 + i * 18}" cy="${BAR / 2 + 3}" r="5" fill="#3a4252"/>`),
    ...moments.map(
      (at, i) =>
        `<g class="${name}-${i}">\n${lines
          .filter((line) => line.at === at)
          .flatMap(({ row: y, runs }) => runs.map((run) => textOf(run, BAR + EDGE + y * LINE)))
          .join('\n')}\n</g>`,
    ),
    '</svg>',
  ].join('\n')}\n`;
}

/** Each run stands at its column and has the width of its cells, whichever font there is. */
function textOf({ column, text, style }: Run, y: number): string {
  const shown = text.trim();
  const indent = text.length - text.trimStart().length;
  const x = (EDGE + (column + indent) * CELL).toFixed(1);
  const length = ([...shown].length * CELL).toFixed(1);
  return `<text x="${x}" y="${y}" textLength="${length}" lengthAdjust="spacingAndGlyphs"${look(style)}>${xmlText(shown)}</text>`;
}

function look({ color, bold, dim }: Style): string {
  const fill = color === undefined ? undefined : COLORS[color > 89 ? color - 60 : color];
  const rules = [
    ...(fill === undefined ? [] : [`fill:${fill}`]),
    ...(bold ? ['font-weight:bold'] : []),
    ...(dim ? ['opacity:.6'] : []),
  ];
  return rules.length === 0 ? '' : ` style="${rules.join(';')}"`;
}

function hashOf(text: string): string {
  let hash = 0;
  for (const symbol of text) hash = (hash * 31 + (symbol.codePointAt(0) ?? 0)) % 46_656;
  return hash.toString(36);
}

/** What a cast says, without numbers, which change from run to run, and without the width of columns. */
export function wordsOfCast(svg: string): string {
  return Array.from(svg.matchAll(/<text [^>]*>([^<]*)<\/text>/g), ([, text = '']) => text)
    .join(' ')
    .replaceAll(/\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b/g, 'Mon')
    .replaceAll(/\d+/g, '#')
    .replaceAll(/\s+/g, ' ')
    .trim();
}
