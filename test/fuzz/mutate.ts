import type { Random } from './random.ts';

/** What would clear a screen, set a title, hide or reorder text, if a terminal got to see it. */
export const STEERING = '\u001b[2J\u001b]0;x\u0007\u009b31m\u202e\u200f\u2028\r\b\u007f';

/** Text of JSON that JSON.stringify does not make. */
class Raw {
  constructor(readonly text: string) {}
}

/** A list of texts of JSON. What has grown does not grow again, which would make gigabytes of it. */
class Many extends Raw {
  constructor(values: readonly string[]) {
    super(`[${values.join(',')}]`);
  }

  toJSON(): unknown {
    try {
      return JSON.parse(this.text);
    } catch {
      return this.text;
    }
  }
}

const STRINGS: readonly string[] = [
  '',
  ' ',
  '-',
  ':::::',
  'k8s:',
  `k8s:${STEERING}=${STEERING}`,
  STEERING,
  '\0',
  '\ud800',
  'a\tb\nc',
  'a\nb: c\n---\nkind: Evil',
  '__proto__',
  'constructor',
  'toString',
  '2026-99-99T99:99:99Z',
  '9999999999-01-01T00:00:00Z',
  '999.999.999.999/99',
  'fe80::%eth0',
  '10.0.0.0/33',
  '::ffff:1.2.3.4',
  '4294967296',
  '-1',
  '1e400',
  '0x1f',
  '*a',
  '&a',
  '!!binary x',
  '$(id)',
  '=cmd|calc',
  '<script>',
  '{{ .x }}',
  '%s%n',
  '(a+)+$',
  'A'.repeat(20_000),
  'é'.repeat(300),
  '🙂'.repeat(50),
  `${'9'.repeat(400)}s`,
];

const VALUES: readonly ((random: Random) => unknown)[] = [
  (random) => random.pick(STRINGS),
  (random) => random.pick(STRINGS),
  () => null,
  () => 0,
  () => -1,
  () => 0.5,
  () => 1e300,
  () => 2 ** 53,
  () => 4_294_967_296,
  () => true,
  () => false,
  () => [],
  () => ({}),
  () => [null],
  () => [[]],
  () => ['x', 1, null, {}],
  () => ({ a: {} }),
  () => ({ length: 1e9 }),
  () => new Raw('1e400'),
  () => new Raw('-1e400'),
  () => new Raw('123456789012345678901234567890'),
  () =>
    new Raw(
      '{"__proto__":{"x":1},"constructor":{"prototype":{"y":1}},"toString":1,"hasOwnProperty":0,"length":-1}',
    ),
  (random) => nested(random.pick([50, 900, 5_000, 100_000])),
  (random) => new Raw(`${'{"a":'.repeat(20_000)}${random.pick(['1', '[]'])}${'}'.repeat(20_000)}`),
];

function nested(depth: number): Raw {
  return new Raw('['.repeat(depth) + ']'.repeat(depth));
}

type Place = { holder: Record<string | number, unknown>; key: string | number };

/** Everywhere in a value where something else could stand. */
function placesOf(value: unknown, found: Place[] = []): Place[] {
  if (typeof value !== 'object' || value === null || value instanceof Raw) return found;
  const holder = value as Record<string | number, unknown>;
  for (const key of Array.isArray(value) ? value.keys() : Object.keys(value)) {
    found.push({ holder, key });
    placesOf(holder[key], found);
  }
  return found;
}

/** Changes some places of a value, which it may alter. */
export function mutateValue(value: unknown, random: Random): unknown {
  for (let left = 1 + random.below(3); left > 0; left--) {
    const places = placesOf(value);
    if (places.length === 0) return random.pick(VALUES)(random);
    const strings = places.filter(({ holder, key }) => typeof holder[key] === 'string');
    const { holder, key } =
      strings.length > 0 && random.chance(0.4) ? random.pick(strings) : random.pick(places);
    const kind = random.next();
    if (kind < 0.6)
      holder[key] =
        typeof holder[key] === 'string' && random.chance(0.6)
          ? random.pick(STRINGS)
          : random.pick(VALUES)(random);
    else if (kind < 0.7) remove(holder, key);
    else if (kind < 0.78) grow(holder, key, random);
    else if (kind < 0.84 && !Array.isArray(holder)) twice(holder, key, String(key), random);
    else if (kind < 0.9 && !Array.isArray(holder)) twice(holder, key, '__proto__', random);
    else if (kind < 0.95 && !Array.isArray(holder)) holder[STEERING + String(key)] = holder[key];
    else
      for (const place of strings) place.holder[place.key] = `${String(place.holder[place.key])}${STEERING}`;
  }
  return value;
}

function remove(holder: Place['holder'], key: string | number): void {
  if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else delete holder[key];
}

function grow(holder: Place['holder'], key: string | number, random: Random): void {
  const value = holder[key];
  const values = Array.isArray(value) && value.length > 0 ? value.map(serialise) : [serialise(value)];
  const size = values.reduce((sum, { length }) => sum + length, 1);
  const length = Math.min(random.pick([2, 50, 1000]), Math.ceil((LONGEST * values.length) / size));
  holder[key] = new Many(Array.from({ length }, (_, i) => values[i % values.length] ?? 'null'));
}

/** Writes a second member behind one, as no serialiser does. */
function twice(holder: Place['holder'], key: string | number, name: string, random: Random): void {
  holder[key] = new Raw(
    `${serialise(holder[key])},${JSON.stringify(name)}:${serialise(random.pick(VALUES)(random))}`,
  );
}

/** JSON of a value with raw parts. */
export function serialise(value: unknown): string {
  if (value instanceof Raw) return value.text;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(serialise).join(',')}]`;
  return `{${Object.entries(value)
    .map(([key, inner]) => `${JSON.stringify(key)}:${serialise(inner)}`)
    .join(',')}}`;
}

/** Changes text of JSON: mostly its values, sometimes the text itself. */
export function mutateJson(text: string, random: Random): string {
  if (random.chance(0.1)) return mutateText(text, random);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return mutateText(text, random);
  }
  return serialise(mutateValue(value, random));
}

const SNIPPETS: readonly string[] = [
  '&a ',
  '*a ',
  '*gone ',
  '<<: ',
  '!!int ',
  '!!binary ',
  '? ',
  '- ',
  ': ',
  '|\n',
  '>-\n',
  '"',
  "'",
  '{',
  '[',
  '}',
  ']',
  '#',
  '\n---\n',
  '\n...\n',
  '%YAML 1.1\n',
  '\t',
  '@',
  '`',
  '\ufeff',
  '{"a":'.repeat(3000),
  '['.repeat(30_000),
  '- '.repeat(3000),
  STEERING,
];

/** Changes text of any kind. */
export function mutateText(text: string, random: Random): string {
  let changed = text;
  for (let left = 1 + random.below(3); left > 0; left--) {
    const at = random.below(changed.length + 1);
    const to = Math.min(changed.length, at + random.below(30));
    changed = random.pick([
      () => changed.slice(0, at),
      () => changed.slice(0, at) + changed.slice(to),
      () => changed.slice(0, at) + random.pick(SNIPPETS) + changed.slice(at),
      () => changed.slice(0, at) + random.pick(STRINGS) + changed.slice(to),
      () => changed.slice(0, at) + changed.slice(at, to).repeat(random.pick([2, 300])) + changed.slice(to),
      () => changed + changed.slice(at),
      () => `\ufeff${changed}`,
      () => `${changed}garbage`,
      () => '',
    ])();
    changed = changed.slice(0, LONGEST);
  }
  return changed;
}

/** Longer texts only take time: limits of size have tests of their own. */
const LONGEST = 400_000;

/** Changes bytes of any kind. */
export function mutateBytes(bytes: Uint8Array, random: Random): Buffer {
  let changed = Buffer.from(bytes);
  for (let left = 1 + random.below(4); left > 0; left--) {
    const at = random.below(changed.length + 1);
    const to = Math.min(changed.length, at + random.below(24));
    const [before, part, after] = [changed.subarray(0, at), changed.subarray(at, to), changed.subarray(to)];
    changed = Buffer.concat(
      random.pick([
        () => [before, Buffer.from([random.below(256)]), changed.subarray(Math.min(at + 1, changed.length))],
        () => [before, Buffer.from(STEERING), after],
        () => [before, Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f]), after],
        () => [before, Buffer.from([0xff, 0xfe, 0xc0, 0x80, 0xed, 0xa0, 0x80]), after],
        () => [before],
        () => [before, part, part, after],
        () => [before, after],
        () => [before, Buffer.alloc(part.length, random.pick([0, 0xff, 0x80])), after],
      ])(),
    );
  }
  return changed;
}
