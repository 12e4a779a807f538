// Turns a message of protobuf into a line of its canonical JSON, which is printed, or which scan.c reads like any other. README.md
// tells how it fits in.
//
// What it will not take is for codec.ts: a message that comes twice, two members of a oneof, bytes that are no UTF-8, values of other
// kinds. Nothing here knows the names of a field.

#include "wire.h"

static u8 *put;
static u8 *put_end;
/** Only fields that have a slot are wanted. */
static u32 only_kept;

static inline void put_text(const char *text, u32 length) {
  for (u32 i = 0; i < length; i++) put[i] = (u8)text[i];
  put += length;
}

u8 *write_number(u8 *to, u64 value) {
  u8 digits[20];
  u32 count = 0;
  do digits[count++] = '0' + value % 10;
  while (value /= 10);
  while (count > 0) *to++ = digits[--count];
  return to;
}

static inline void put_number(u64 value) { put = write_number(put, value); }

/** Puts a text in quotes; 0 where it is no UTF-8, or holds what JSON for a terminal spells otherwise. */
static int put_string(const u8 *p, const u8 *end) {
  static const char hex[] = "0123456789abcdef";
  if (put + 6 * (end - p) + 64 > put_end) return 0;
  *put++ = '"';
  while (p < end) {
    v128_t v = wasm_v128_load(p);
    wasm_v128_store(put, v);
    u32 special = wasm_i8x16_bitmask(special_bytes(v));
    u32 plain = special ? __builtin_ctz(special) : 16;
    if (plain >= (u32)(end - p)) {
      put += end - p;
      break;
    }
    put += plain;
    p += plain;
    if (plain == 16) continue;
    u8 c = *p;
    if (c >= 0x80) {
      const u8 *next = end - p < 4 && (c >= 0xf0 || (c >= 0xe0 && end - p < 3) || end - p < 2) ? 0 : wide(p);
      if (!next) return 0;
      // Controls and marks that steer a terminal.
      if ((c == 0xc2 && p[1] < 0xa0) || (c == 0xd8 && p[1] == 0x9c) || (c == 0xe2 && (p[1] == 0x80 || p[1] == 0x81))) return 0;
      while (p < next) *put++ = *p++;
    } else if (c == '"' || c == '\\') {
      *put++ = '\\';
      *put++ = c;
      p++;
    } else if (c == '<' || c == '>' || c == '&') {
      put_text("\\u00", 4);
      *put++ = hex[c >> 4];
      *put++ = hex[c & 15];
      p++;
    } else return 0;
  }
  *put++ = '"';
  return 1;
}

static inline void write_two(u8 *to, u32 value) {
  to[0] = '0' + value / 10;
  to[1] = '0' + value % 10;
}

/** Writes a second after 1970 in 19 characters. The calendar is that of Howard Hinnant's days_from_civil, turned round. */
static void write_second(u8 *to, u64 seconds) {
  u32 days = (u32)(seconds / 86400), rest = (u32)(seconds % 86400);
  u32 z = days + 719468, era = z / 146097, doe = z - era * 146097;
  u32 yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  u32 doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
  u32 day = doy - (153 * mp + 2) / 5 + 1, month = mp < 10 ? mp + 3 : mp - 9, year = yoe + era * 400 + (month <= 2);
  write_two(to, year / 100);
  write_two(to + 2, year % 100);
  to[4] = to[7] = '-';
  write_two(to + 5, month);
  write_two(to + 8, day);
  to[10] = 'T';
  write_two(to + 11, rest / 3600);
  to[13] = to[16] = ':';
  write_two(to + 14, rest / 60 % 60);
  write_two(to + 17, rest % 60);
}

u8 *write_time(u8 *to, const u8 *p, const u8 *end) {
  // Times come in runs of the same second.
  static u64 last_second;
  static u8 last[TIME_ROOM] = "1970-01-01T00:00:00";
  u64 seconds = 0, nanos = 0;
  while (p < end) {
    u64 tag;
    if (!(p = varint(p, end, &tag))) return 0;
    if (tag == 8) p = varint(p, end, &seconds);
    else if (tag == 16) p = varint(p, end, &nanos);
    else return 0;
    if (!p) return 0;
  }
  // From 1970 to 9999.
  if (seconds >= 253402300800ull || nanos >= 1000000000ull) return 0;
  if (seconds != last_second) {
    write_second(last, seconds);
    last_second = seconds;
  }
  copy(to, last, 19);
  to += 19;
  if (nanos > 0) {
    *to++ = '.';
    u32 digits = nanos % 1000000 == 0 ? 3 : nanos % 1000 == 0 ? 6 : 9;
    u32 fraction = (u32)nanos;
    for (u32 i = 9; i-- > 0; fraction /= 10) if (i < digits) to[i] = '0' + fraction % 10;
    to += digits;
  }
  *to++ = 'Z';
  return to;
}

/** Puts a time in quotes; 0 where it has no canonical form. */
static int put_time(const u8 *p, const u8 *end) {
  u8 *behind = write_time(put + 1, p, end);
  if (!behind) return 0;
  *put = '"';
  *behind = '"';
  put = behind + 1;
  return 1;
}

/** The number in a message that wraps one: 0 when it is not set. */
static int wrapped(const u8 *p, const u8 *end, u64 *value) {
  *value = 0;
  while (p < end) {
    u64 tag;
    if (!(p = varint(p, end, &tag)) || tag != 8 || !(p = varint(p, end, value))) return 0;
  }
  return 1;
}

static int put_message(const u8 *p, const u8 *end, const struct names *type);

static int put_signed(u64 value) {
  if ((long long)value < 0) {
    *put++ = '-';
    value = -value;
  }
  put_number(value);
  return 1;
}

/** Puts a value from the place behind its tag. */
static int put_value(const u8 *p, const u8 *end, const struct entry *field) {
  u64 v;
  if (put + 64 > put_end || !(p = varint(p, end, &v))) return 0;
  switch (field->kind) {
    case STRING: return put_string(p, p + v);
    case MESSAGE: return put_message(p, p + v, field->child);
    case TIMESTAMP: return put_time(p, p + v);
    case BOOL_VALUE:
      if (!wrapped(p, p + v, &v)) return 0;
      // Falls through.
    case BOOL:
      if (v) put_text("true", 4);
      else put_text("false", 5);
      return 1;
    case UINT32_VALUE:
      if (!wrapped(p, p + v, &v)) return 0;
      // Falls through.
    case UINT32:
      put_number((u32)v);
      return 1;
    case INT32_VALUE:
      if (!wrapped(p, p + v, &v)) return 0;
      // Falls through.
    case INT32: return put_signed((u64)(long long)(int)v);
    case UINT64: case INT64:
      *put++ = '"';
      if (field->kind == UINT64) put_number(v);
      else put_signed(v);
      *put++ = '"';
      return 1;
    case ENUM: {
      const struct wire *wire = field->child->wire;
      for (u32 at = (u32)v & wire->mask;; at = (at + 1) & wire->mask) {
        const struct entry *named = wire->entries[wire->count + at];
        if (!named) return put_signed((u64)(long long)(int)v);
        if (named->number != (u32)v) continue;
        *put++ = '"';
        put_text((const char *)named->name, named->length);
        *put++ = '"';
        return 1;
      }
    }
    default: return 0;
  }
}

/** Whether a value is what JSON leaves out. */
static int is_default(const u8 *p, const u8 *end, const struct entry *field) {
  u64 v;
  if (field->flags & PRESENCE) return 0;
  switch (field->kind) {
    case STRING: case BOOL: case UINT64: case INT64: return varint(p, end, &v) && v == 0;
    case ENUM: case UINT32: case INT32: return varint(p, end, &v) && (u32)v == 0;
    default: return 0;
  }
}

#define FIELDS 64

static int put_message(const u8 *p, const u8 *end, const struct names *type) {
  const struct wire *wire = type->wire;
  const u8 *found[FIELDS];
  u32 oneofs = 0;
  for (u32 i = 0; i < wire->count; i++) found[i] = 0;
  while (p < end) {
    u64 tag;
    if (!(p = varint(p, end, &tag)) || tag > 0xffffffff) return 0;
    u32 number = (u32)tag >> 3, kind = tag & 7;
    const struct entry *field = field_of(wire, number);
    const u8 *value = p;
    if (!(p = skip(p, end, kind))) return 0;
    if (!field) continue;
    // Of a oneof the other members count: one of them takes the place of this one.
    if (only_kept && field->slot < 0 && !field->oneof) continue;
    u32 wanted = wire_type(field);
    if (kind != wanted || field->kind == OTHER) return 0;
    if (field->oneof) {
      if (oneofs & (1u << field->oneof)) return 0;
      oneofs |= 1u << field->oneof;
    }
    if (field->flags & REPEATED) {
      // The first of a list; others are found from there.
      if (wanted != 2) return 0;
      if (!found[field->index]) found[field->index] = value;
    } else {
      if (found[field->index] && wanted == 2) return 0;
      found[field->index] = is_default(value, end, field) ? 0 : value;
    }
  }
  *put++ = '{';
  u32 any = 0;
  for (u32 i = 0; i < wire->count; i++) {
    const u8 *value = found[i];
    if (!value) continue;
    const struct entry *field = wire->entries[i];
    if (only_kept && field->slot < 0) continue;
    if (put + field->length + 64 > put_end) return 0;
    if (any++) *put++ = ',';
    *put++ = '"';
    copy(put, field->name, field->length);
    put += field->length;
    *put++ = '"';
    *put++ = ':';
    if (!(field->flags & REPEATED)) {
      if (!put_value(value, end, field)) return 0;
      continue;
    }
    *put++ = '[';
    // A list is wanted as a whole.
    u32 kept = only_kept;
    only_kept = 0;
    for (u32 more = 0;; more = 1) {
      if (more) *put++ = ',';
      if (!put_value(value, end, field)) return 0;
      const u8 *at = skip(value, end, 2);
      value = 0;
      while (at < end && !value) {
        u64 tag;
        at = varint(at, end, &tag);
        if ((u32)tag >> 3 == field->number) value = at;
        else at = skip(at, end, tag & 7);
      }
      if (!value) break;
    }
    only_kept = kept;
    *put++ = ']';
  }
  *put++ = '}';
  return 1;
}

u8 *line_of(const u8 *p, u32 length, u8 *out, u8 *out_end, const struct names *type, u32 kept) {
  only_kept = kept;
  put = out;
  put_end = out_end - 64;
  if (!put_message(p, p + length, type)) return 0;
  *put++ = '\n';
  return put;
}
