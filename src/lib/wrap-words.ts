/**
 * Breaks lines between words where they are longer than a terminal is wide. What stands in quotes stays together where it
 * fits, a command line in any case, so that it can be copied. Lines that are set in are drawings or output, and stay.
 */
export function wrapWords(text: string, width: number): string {
  return text
    .split('\n')
    .flatMap((line) => (line.length <= width || /^\s/.test(line) ? [line] : wrapLine(line, width)))
    .join('\n');
}

function wrapLine(line: string, width: number): string[] {
  const lines: string[] = [];
  let current = '';
  for (const unit of unitsOf(line, width)) {
    if (current !== '' && current.length + 1 + unit.length > width) {
      lines.push(current);
      current = unit;
    } else current = current === '' ? unit : `${current} ${unit}`;
  }
  return [...lines, current];
}

/** Words; a command line in quotes or behind a colon is one, however long: the terminal's own break is not copied. */
const UNIT = /(?<=: )(?:cilium|hubble) .*$|"(?:cilium|hubble) [^"]*"\S*|"[^"]*"\S*|\S+/g;

function unitsOf(line: string, width: number): string[] {
  return (line.match(UNIT) ?? []).flatMap((unit) =>
    unit.length > width && !/^"?(?:cilium|hubble) /.test(unit) ? unit.split(' ') : [unit],
  );
}
