import { isRecord } from './record.ts';

/** What a value has to be, as far as this program reads it. Fields that a form does not name may be anything. */
export type Form =
  | 'text'
  | 'number'
  | 'flag'
  /** Any of the three above. */
  | 'plain'
  | { list: Form }
  | { map: Form }
  | { fields: Readonly<Record<string, Form>>; needs?: readonly string[] };

/** A value is not what it has to be. */
export class Misfit extends Error {
  override name = 'Misfit';
}

const NOUNS = {
  text: 'a text',
  number: 'a number',
  flag: 'true or false',
  plain: 'a text, a number, true or false',
};
const TYPES = {
  text: ['string'],
  number: ['number'],
  flag: ['boolean'],
  plain: ['string', 'number', 'boolean'],
};

/** The value, when it has the form; a field that is null counts as missing. Throws Misfit, which names the place. */
export function ofForm<T>(value: unknown, form: Form, where = ''): T {
  return fitted(value, form, where) as T;
}

function fitted(value: unknown, form: Form, where: string): unknown {
  if (typeof form === 'string') {
    if (!TYPES[form].includes(typeof value)) throw misfit(where, NOUNS[form]);
    // Half of a surrogate pair is no character: Go has U+FFFD for it, and no path can hold it.
    return typeof value === 'string' ? value.toWellFormed() : value;
  }
  if ('list' in form) {
    if (!Array.isArray(value)) throw misfit(where, 'a list');
    return value.map((item, i) => fitted(item, form.list, `${where}[${i}]`));
  }
  if (!isRecord(value)) throw misfit(where, 'an object');
  if ('map' in form)
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, fitted(item, form.map, inside(where, key))]),
    );
  const whole = { ...value };
  for (const [key, inner] of Object.entries(form.fields)) {
    const found = Object.hasOwn(value, key) ? value[key] : undefined;
    if (found !== undefined && found !== null) whole[key] = fitted(found, inner, inside(where, key));
    else if (form.needs?.includes(key)) throw misfit(inside(where, key), 'there');
    else delete whole[key];
  }
  return whole;
}

function inside(where: string, key: string): string {
  return where === '' ? key : `${where}.${key}`;
}

function misfit(where: string, what: string): Misfit {
  return new Misfit(`${where === '' ? 'it' : where} should be ${what}`);
}
