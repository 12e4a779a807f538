import type { Output } from '../context.ts';

/** Writes whole lines behind a prefix, as they come. */
export function lineByLine(target: Output, prefix: string): Output {
  let rest = '';
  const write = async (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    if (lines.length > 0) await target.write(prefixed(`${lines.join('\n')}\n`, prefix));
  };
  return {
    isTTY: target.isTTY,
    columns: target.columns,
    write,
    pass: (bytes) => write(Buffer.from(bytes).toString('utf8')),
  };
}

/** A text with a prefix in front of each line. */
export function prefixed(text: string, prefix: string): string {
  return prefix === '' ? text : text.replace(/^(?=[^\n])/gm, () => prefix);
}
