// Reads messages of protobuf: what they hold is put into slots, as if it had been read from JSON, or written as a line of JSON.
//
// What it will not take is for codec.ts: a field that comes twice, two members of a oneof, bytes that are no UTF-8, values of other
// kinds. Nothing here knows the names of a field.
#pragma once

#include "memo.h"

/** Where text is put, and the flags of a text that was put. */
static u8 *put;
static u8 *put_limit;
static u32 put_flags;

/** Reads a number of the wire; 0 where it does not end. */
static inline const u8 *varint(const u8 *p, const u8 *end, u64 *value) {
  u64 read = 0;
  for (u32 shift = 0; p < end && shift < 70; shift += 7) {
    u8 byte = *p++;
    read |= (u64)(byte & 0x7f) << shift;
    *value = read;
    if (LIKELY(byte < 0x80)) return p;
  }
  return 0;
}

/** Skips a value of a wire type; 0 where it does not end. */
static inline const u8 *skip(const u8 *p, const u8 *end, u32 type) {
  u64 length = type == 1 ? 8 : 4;
  if (type == 0) return varint(p, end, &length);
  if (type == 2) p = varint(p, end, &length);
  else if (type != 1 && type != 5) return 0;
  return !p || length > (u64)(end - p) ? 0 : p + length;
}

/** Whether the values of a field have their length in front of them; others that are read are numbers. */
static inline int has_length(const struct entry *field) {
  return field->kind == STRING || field->kind == MESSAGE || field->kind == TIMESTAMP || field->kind == BOOL_VALUE;
}

/** The field of a number, or the value of an enum; 0 where the schema has none. */
static inline struct entry *numbered(struct names *names, u32 number) {
  struct entry *entry = &names->entries[names->places[(number ^ number >> 6) % 64]];
  if (LIKELY(entry->number == number)) return entry;
  for (entry = names->entries; entry < names->entries + names->count; entry++) if (entry->number == number) return entry;
  return 0;
}

// Where text is put is kept at hand where more than a byte is: each store of a byte might change it.

static inline void put_bytes(const void *from, u32 length) {
  copy(put, from, length);
  put += length;
}

static inline void put_text(const char *text) {
  u8 *to = put;
  while (*text) *to++ = *text++;
  put = to;
}

static void put_number(u64 value) {
  u8 digits[20 + 16];
  u32 at = 20;
  for (; value >> 32; value /= 10) digits[--at] = '0' + value % 10;
  // Numbers of 32 bits are divided faster.
  u32 rest = (u32)value;
  do digits[--at] = '0' + rest % 10;
  while (rest /= 10);
  put_bytes(digits + at, 20 - at);
}

static void put_signed(u32 value) {
  if ((int)value < 0) *put++ = '-';
  put_number((int)value < 0 ? -value : value);
}

/** Puts a text; 0 where it is no UTF-8, or holds what JSON for a terminal spells otherwise. */
static int put_string(const u8 *p, const u8 *end) {
  static const char hex[] = "0123456789abcdef";
  u8 *to = put;
  if (to + 6 * (end - p) + 64 > put_limit) return 0;
  while (p < end) {
    v128_t v = wasm_v128_load(p);
    wasm_v128_store(to, v);
    u32 special = wasm_i8x16_bitmask(special_bytes(v));
    u32 plain = special ? __builtin_ctz(special) : 16;
    if (plain >= (u32)(end - p)) {
      to += end - p;
      break;
    }
    to += plain;
    p += plain;
    if (plain == 16) continue;
    put_flags = ESCAPED;
    u8 c = *p;
    const u8 *next = c < 0x80 ? p + 1 : wide(p);
    // Controls and marks that steer a terminal are not put.
    if (c < ' ' || c == 0x7f || !next || next > end || (c == 0xc2 && p[1] < 0xa0) || (c == 0xd8 && p[1] == 0x9c) ||
        (c == 0xe2 && (p[1] == 0x80 || p[1] == 0x81)))
      return 0;
    if (c < 0x80) *to++ = '\\';
    if (c == '<' || c == '>' || c == '&') {
      *to++ = 'u';
      *to++ = '0';
      *to++ = '0';
      *to++ = hex[c >> 4];
      *to++ = hex[c & 15];
    } else while (p < next) *to++ = *p++;
    p = next;
  }
  put = to;
  return 1;
}

static inline void set_two(u8 *to, u32 value) {
  to[0] = '0' + value / 10;
  to[1] = '0' + value % 10;
}

/** Puts a time in canonical form; 0 where it has none. The calendar is that of Howard Hinnant's days_from_civil, turned round. */
static int put_timestamp(const u8 *p, const u8 *end) {
  // Times come in runs of the same second.
  static u64 last_second;
  static u8 last[32] = "1970-01-01T00:00:00.";
  u64 tag, second = 0, nanos = 0;
  while (p < end) {
    if (!(p = varint(p, end, &tag)) || (tag != 8 && tag != 16)) return 0;
    if (!(p = varint(p, end, tag == 8 ? &second : &nanos))) return 0;
  }
  // From 1970 to 9999.
  if (second >= 253402300800ull || nanos >= 1000000000ull) return 0;
  if (second != last_second) {
    last_second = second;
    u32 rest = (u32)(second % 86400), z = (u32)(second / 86400) + 719468, era = z / 146097, doe = z - era * 146097;
    u32 yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    u32 doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    u32 month = mp < 10 ? mp + 3 : mp - 9, year = yoe + era * 400 + (month <= 2);
    u32 parts[] = {year / 100, month, doy - (153 * mp + 2) / 5 + 1, rest / 3600, rest / 60 % 60, rest % 60};
    set_two(last + 2, year % 100);
    for (u32 i = 0; i < 6; i++) set_two(last + (i ? 2 + 3 * i : 0), parts[i]);
  }
  u8 *to = put + 20;
  copy(put, last, 20);
  u32 fraction = (u32)nanos;
  for (u32 i = 9; i-- > 0; fraction /= 10) to[i] = '0' + fraction % 10;
  // Without a fraction its dot goes as well.
  to += nanos == 0 ? -1 : nanos % 1000000 == 0 ? 3 : nanos % 1000 == 0 ? 6 : 9;
  *to++ = 'Z';
  put = to;
  return 1;
}

static int put_message(const u8 *p, const u8 *end, struct names *type, int json);

/** Puts a value from the place behind its tag; `*zero` is set for what JSON leaves out. */
static int put_value(const u8 *p, const u8 *end, struct entry *field, int json, int *zero) {
  u64 v, tag;
  if (put + 64 > put_limit || !(p = varint(p, end, &v))) return 0;
  if (field->kind == MESSAGE) return put_message(p, p + v, field->child, json);
  struct entry *named = field->kind == ENUM ? numbered(field->child, (u32)v) : 0;
  int quotes = field->kind == STRING || field->kind == TIMESTAMP || field->kind == UINT64 || named, taken = 1;
  if (quotes) *put++ = '"';
  *zero = v == 0 && field->kind != TIMESTAMP;
  switch (field->kind) {
    case STRING: taken = put_string(p, p + v); break;
    case TIMESTAMP: taken = put_timestamp(p, p + v); break;
    case BOOL_VALUE:
      for (end = p + v, v = 0; p < end;) if (!(p = varint(p, end, &tag)) || tag != 8 || !(p = varint(p, end, &v))) return 0;
      // Falls through.
    case BOOL: put_text(v ? "true" : "false"); break;
    case UINT64: put_number(v); break;
    default:
      *zero = (u32)v == 0;
      if (named) put_bytes(named->name, named->length);
      else if (field->kind == UINT32) put_number((u32)v);
      else put_signed((u32)v);
  }
  if (quotes) *put++ = '"';
  return taken;
}

/** Puts a list from its first value on, which has a length; others are found from there. */
static int put_list(const u8 *p, const u8 *end, struct entry *field) {
  int zero;
  *put++ = '[';
  for (const u8 *value = p; value;) {
    if (!put_value(value, end, field, 1, &zero)) return 0;
    p = skip(value, end, 2);
    for (value = 0; p < end && !value;) {
      u64 tag;
      p = varint(p, end, &tag);
      if ((u32)tag >> 3 == field->number) value = p;
      else p = skip(p, end, tag & 7);
    }
    *put++ = value ? ',' : ']';
  }
  return 1;
}

/** Puts a field of a message that began at `start`, and fills its slot. */
static int put_field(const u8 *value, const u8 *end, struct entry *field, int json, const u8 *start) {
  u8 *before = put, *from = put;
  int zero = 0, is_list = field->flags & REPEATED;
  u32 flags = put_flags;
  if (put + field->length + 64 > put_limit) return 0;
  if (json) {
    put_text(put == start ? "{\"" : ",\"");
    put_bytes(field->name, field->length);
    put_text("\":");
    from = put;
  }
  put_flags = 0;
  if (!(is_list ? put_list(value, end, field) : put_value(value, end, field, json, &zero))) return 0;
  if (!json && field->kind == MESSAGE && !is_list) {
    from = put - 2;
    put_flags = 0;
  }
  if (zero && !(field->flags & PRESENCE)) put = before;
  else if (field->slot >= 0) {
    int quotes = *from == '"';
    fill(field->slot, (struct span){from + quotes, put - quotes, put_flags});
  }
  put_flags |= flags;
  return 1;
}

/**
 * Puts the JSON of a message, and what its fields hold into their slots. What is not to become JSON has nothing but the values
 * that have slots, and in the end an empty object.
 */
static int put_message(const u8 *p, const u8 *end, struct names *type, int json) {
  const u8 *found[64], *start = put;
  u64 seen = 0, fields = 0;
  while (p < end) {
    u64 tag;
    if (!(p = varint(p, end, &tag)) || tag > 0xffffffff) return 0;
    struct entry *field = numbered(type, (u32)tag >> 3);
    const u8 *value = p;
    if (!(p = skip(p, end, tag & 7))) return 0;
    // Of a oneof the other members count: one of them takes the place of this one.
    if (!field || (!json && field->slot < 0 && !field->oneof)) continue;
    u32 is_list = field->flags & REPEATED;
    if ((tag & 7) != (has_length(field) ? 2 : 0) || field->kind == OTHER || (is_list && !has_length(field))) return 0;
    if (!is_new(field, &seen)) {
      if (is_list) continue;
      return 0;
    }
    found[field->index] = value;
    if (json || field->slot >= 0) fields |= 1ull << field->index;
  }
  for (; fields; fields &= fields - 1) {
    u32 index = __builtin_ctzll(fields);
    if (!put_field(found[index], end, &type->entries[index], json, start)) return 0;
  }
  if (json && put > start) *put++ = '}';
  else put_text("{}");
  return 1;
}

/** Fills a hole with a value; 0 where it cannot. */
static const struct span *fill_hole(const struct entry *field, const u8 *p, const u8 *end) {
  struct span at = {put, 0, 0};
  u64 number;
  // A field that comes again and again is for the codec.
  if (filled_count == SLOTS || put + 64 > put_limit) return 0;
  p = varint(p, end, &number);
  if (field->kind == STRING) {
    at.start = p;
    for (const u8 *from = p; from < end && !at.flags; from += 16) {
      u32 special = wasm_i8x16_bitmask(special_bytes(wasm_v128_load(from)));
      if (special && from + __builtin_ctz(special) < end) at.flags = ESCAPED;
    }
  } else if (field->kind == UINT32) {
    if (number > 0) put_number((u32)number);
  } else if (!put_timestamp(p, end)) return 0;
  at.end = field->kind == STRING ? end : put;
  fill(field->slot, at);
  return &slots[field->slot];
}

/** Puts what a line depends on at `k`; returns where it ends, or 0 where it would be too long, or is no message of the schema. */
static u8 *put_key(u8 *k, const u8 *p, const u8 *end, struct names *type) {
  while (p < end) {
    u64 tag, length;
    if (!(p = varint(p, end, &tag)) || tag > 0xffffffff) return 0;
    struct entry *field = numbered(type, (u32)tag >> 3);
    const u8 *value = p;
    if (!(p = skip(p, end, tag & 7))) return 0;
    if (!field || (field->slot < 0 && !field->oneof)) continue;
    if ((tag & 7) != (has_length(field) ? 2 : 0) || field->kind == OTHER) return 0;
    // Behind it there is room for what ends the messages around it, and for what `copy` writes beyond its end.
    if (p - value + 64 > key + sizeof key - 64 - k) return 0;
    *k++ = field->index + 1;
    if (field->slot < 0) continue;
    u32 use = lines.uses[field->slot];
    if (use >= HOLE) {
      const struct span *hole = filling[use - HOLE] = fill_hole(field, value, p);
      if (!hole) return 0;
      u32 around = *k++ = around_hole(hole, use - HOLE);
      if (around != BY_BYTES) continue;
    }
    if (field->kind == MESSAGE && !(field->flags & REPEATED)) {
      if (!(k = put_key(k, varint(value, p, &length), p, field->child))) return 0;
      *k++ = 0;
    } else {
      copy(k, value, p - value);
      k += p - value;
    }
  }
  return k;
}

/** Finds the line that was printed for the like of an answer, by the bytes of its fields; 0 when there is none. */
static u8 *recall_answer(const u8 *p, const u8 *end, struct names *type) {
  lines.key_length = 0;
  for (u32 i = 0; i < HOLES; i++) filling[i] = 0;
  u8 *k = put_key(key, p, end, type);
  return k ? recall(&lines, k - key) : 0;
}
