const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1e3,
  m: 6e4,
  h: 3.6e6,
};

/** Parses Go's duration syntax to milliseconds; undefined when it is none. */
export function parseDurationMs(text: string): number | undefined {
  const body = /^([+-]?)(.*)$/.exec(text);
  if (!body || body[2] === '' || body[2] === undefined) return undefined;
  if (body[2] === '0') return 0;
  let total = 0;
  let rest = body[2];
  while (rest !== '') {
    const part = /^(\d+\.?\d*|\.\d+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/.exec(rest);
    if (!part) return undefined;
    total += Number(part[1]) * (UNIT_MS[part[2] ?? ''] ?? Number.NaN);
    rest = rest.slice(part[0].length);
  }
  return body[1] === '-' ? -total : total;
}

/** As `parseDurationMs`, in nanoseconds. */
export function parseDurationNs(text: string): number | undefined {
  const ms = parseDurationMs(text);
  return ms === undefined ? undefined : ms * 1e6;
}

/** Seconds of nanoseconds, as Go's Duration.Seconds counts them: in 64 bits with a sign, and the fraction by itself. */
export function durationSeconds(ns: bigint): number {
  const signed = BigInt.asIntN(64, ns);
  return Number(signed / 1_000_000_000n) + Number(signed % 1_000_000_000n) / 1e9;
}
