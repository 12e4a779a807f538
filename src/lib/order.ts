/** Orders strings by code point, which is the order of their UTF-8 bytes and so Go's. */
export function compareBytes(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  for (let i = 0; i < end; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above all others, so they sort behind U+E000–U+FFFF. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** Orders texts as people do: runs of digits count as numbers, so 9 comes before 10. */
export function compareNatural(a: string, b: string): number {
  const one = a.match(/\d+|\D+/g) ?? [];
  const two = b.match(/\d+|\D+/g) ?? [];
  for (let i = 0; i < Math.min(one.length, two.length); i++) {
    const x = one[i] ?? '';
    const y = two[i] ?? '';
    if (x === y) continue;
    const numeric = /^\d/.test(x) && /^\d/.test(y) ? Number(x) - Number(y) : 0;
    return numeric !== 0 ? numeric : compareBytes(x, y);
  }
  return one.length - two.length;
}
