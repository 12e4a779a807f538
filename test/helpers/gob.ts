/** The Go type of a value to encode. */
export type GoType =
  | 'bool'
  | 'int'
  | 'uint'
  | 'float'
  | 'bytes'
  | 'string'
  | { struct: string; fields: Readonly<Record<string, GoType>> }
  | { slice: GoType }
  | { map: readonly [key: GoType, value: GoType] }
  /** A type that marshals itself: 6 to bytes, 7 to text. */
  | { marshaler: 6 | 7; name?: string };

const BASIC = { bool: 1, int: 2, uint: 3, float: 4, bytes: 5, string: 6 } as const;

/** Encodes values as Go's encoding/gob does, for tests of the decoder. */
export class GobEncoder {
  readonly #ids = new Map<GoType, number>();
  #nextId = 65;

  /** The messages for one value: descriptions of new types first. */
  encode(type: GoType, value: unknown): Buffer {
    const definitions: Buffer[] = [];
    const id = this.#id(type, definitions);
    const body = this.#value(type, value);
    const top = typeof type === 'object' && 'struct' in type ? body : Buffer.concat([uint(0), body]);
    return Buffer.concat([...definitions, message(id, top)]);
  }

  #id(type: GoType, definitions: Buffer[]): number {
    if (typeof type === 'string') return BASIC[type];
    const known = this.#ids.get(type);
    if (known !== undefined) return known;
    const id = this.#nextId++;
    this.#ids.set(type, id);
    const common = (name: string) =>
      Buffer.concat([...(name ? [uint(1), text(name)] : []), uint(name ? 1 : 2), int(id), uint(0)]);
    let kind: number;
    let body: Buffer;
    if ('struct' in type) {
      const fields = Object.entries(type.fields).map(([name, field]) =>
        Buffer.concat([uint(1), text(name), uint(1), int(this.#id(field, definitions)), uint(0)]),
      );
      kind = 3;
      body = Buffer.concat([uint(1), common(type.struct), uint(1), uint(fields.length), ...fields, uint(0)]);
    } else if ('slice' in type) {
      kind = 2;
      const elem = this.#id(type.slice, definitions);
      body = Buffer.concat([uint(1), common(''), uint(1), int(elem), uint(0)]);
    } else if ('map' in type) {
      kind = 4;
      const [key, value] = type.map.map((t) => this.#id(t, definitions));
      body = Buffer.concat([uint(1), common(''), uint(1), int(key ?? 0), uint(1), int(value ?? 0), uint(0)]);
    } else {
      kind = type.marshaler;
      body = Buffer.concat([uint(1), common(type.name ?? ''), uint(0)]);
    }
    definitions.push(message(-id, Buffer.concat([uint(kind), body, uint(0)])));
    return id;
  }

  #value(type: GoType, value: unknown): Buffer {
    if (type === 'bool') return uint(value ? 1 : 0);
    if (type === 'int') return int(Number(value));
    if (type === 'uint') return uint(typeof value === 'bigint' ? value : Number(value));
    if (type === 'float') return float(Number(value));
    if (type === 'string') return text(String(value));
    if (type === 'bytes') return bytes(value as Uint8Array);
    if ('marshaler' in type) return typeof value === 'string' ? text(value) : bytes(value as Uint8Array);
    if ('slice' in type) {
      const items = value as unknown[];
      return Buffer.concat([uint(items.length), ...items.map((item) => this.#value(type.slice, item))]);
    }
    if ('map' in type) {
      const entries = Object.entries(value as Record<string, unknown>);
      return Buffer.concat([
        uint(entries.length),
        ...entries.flatMap(([k, v]) => [this.#value(type.map[0], k), this.#value(type.map[1], v)]),
      ]);
    }
    const parts: Buffer[] = [];
    let last = -1;
    Object.entries(type.fields).forEach(([name, field], i) => {
      const item = (value as Record<string, unknown>)[name];
      if (item === undefined || item === 0 || item === '' || item === false) return;
      parts.push(uint(i - last), this.#value(field, item));
      last = i;
    });
    return Buffer.concat([...parts, uint(0)]);
  }
}

const PAYLOAD: GoType = {
  struct: 'Payload',
  fields: { Data: 'bytes', CPU: 'int', Lost: 'uint', Type: 'int' },
};

/** A monitor stream of records; `Type` is 9 unless said otherwise. */
export function monitorStream(
  records: readonly { Data?: Uint8Array; CPU?: number; Lost?: number | bigint; Type?: number }[],
): Buffer {
  const encoder = new GobEncoder();
  return Buffer.concat(records.map((record) => encoder.encode(PAYLOAD, { Type: 9, ...record })));
}

function message(id: number, body: Buffer): Buffer {
  const whole = Buffer.concat([int(id), body]);
  return Buffer.concat([uint(whole.length), whole]);
}

function uint(value: number | bigint): Buffer {
  if (value < 128) return Buffer.from([Number(value)]);
  const hex = value.toString(16);
  const raw = Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex');
  return Buffer.concat([Buffer.from([256 - raw.length]), raw]);
}

function int(value: number): Buffer {
  return uint(value < 0 ? -value * 2 - 1 : value * 2);
}

function float(value: number): Buffer {
  const raw = Buffer.alloc(8);
  raw.writeDoubleBE(value);
  return uint(raw.readBigUInt64LE());
}

function bytes(value: Uint8Array): Buffer {
  return Buffer.concat([uint(value.length), value]);
}

function text(value: string): Buffer {
  return bytes(Buffer.from(value));
}
