/** Parts of a unit divide: a fraction of ten has no exact double, its inverse has. */
const PARTS: Readonly<Record<string, number>> = { n: 1e9, u: 1e6, m: 1e3 };

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** Parses a quantity of Kubernetes, such as `250m`, `1.5Gi` or `1e3`; undefined when it is none. */
export function parseQuantity(text: string): number | undefined {
  const parts = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)([numkMGTPE]i?|Ki)?$/.exec(text);
  const [, number, name = ''] = parts ?? [];
  const part = PARTS[name];
  if (part !== undefined) return Number(number) / part;
  const unit = UNITS[name];
  return parts && unit !== undefined ? Number(number) * unit : undefined;
}
