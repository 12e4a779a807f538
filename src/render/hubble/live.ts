const BARS = '▁▂▃▄▅▆▇█';

/** A row of bars, the highest as high as the highest value. */
export function sparkline(values: readonly number[]): string {
  const most = Math.max(1, ...values);
  return values.map((value) => BARS[Math.round((value / most) * (BARS.length - 1))] ?? BARS[0]).join('');
}

/** `1234567` as `1.2M`. */
export function short(n: number): string {
  if (n < 10_000) return String(Math.round(n));
  return n < 1e6 ? `${(n / 1e3).toFixed(1)}k` : `${(n / 1e6).toFixed(1)}M`;
}

/** A flow's fields one per line, nested by dots: what the details pane shows. */
export function detailLines(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) {
    const plain = value.every((item) => typeof item !== 'object');
    return plain
      ? [`${path}: ${value.join(', ')}`]
      : value.flatMap((item, i) => detailLines(item, `${path}[${i}]`));
  }
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).flatMap(([key, child]) =>
      detailLines(child, path === '' ? key : `${path}.${key}`),
    );
  return [`${path}: ${String(value)}`];
}
