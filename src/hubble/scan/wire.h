// What wire.c and answers.c share: how values stand on the wire.
#pragma once

#include "tables.h"

/** Reads a number of the wire; 0 where it does not end. */
static inline const u8 *varint(const u8 *p, const u8 *end, u64 *value) {
  u64 v = 0;
  if (LIKELY(p < end && *p < 0x80)) {
    *value = *p;
    return p + 1;
  }
  for (u32 shift = 0; p < end && shift < 70; shift += 7) {
    u8 byte = *p++;
    v |= (u64)(byte & 0x7f) << shift;
    if (byte < 0x80) {
      *value = v;
      return p;
    }
  }
  return 0;
}

/** Skips a value of a wire type; 0 where it does not end. */
static inline const u8 *skip(const u8 *p, const u8 *end, u32 type) {
  u64 length;
  switch (type) {
    case 0: return varint(p, end, &length);
    case 1: return end - p < 8 ? 0 : p + 8;
    case 2:
      p = varint(p, end, &length);
      return !p || length > (u64)(end - p) ? 0 : p + length;
    case 5: return end - p < 4 ? 0 : p + 4;
    default: return 0;
  }
}

/** The wire type of the values of a field. */
static inline u32 wire_type(const struct entry *field) {
  switch (field->kind) {
    case STRING: case MESSAGE: case TIMESTAMP: case BOOL_VALUE: case UINT32_VALUE: case INT32_VALUE: return 2;
    default: return 0;
  }
}

/** The field of a number; 0 where the schema has none. */
static inline const struct entry *field_of(const struct wire *wire, u32 number) {
  for (u32 at = number & wire->mask;; at = (at + 1) & wire->mask) {
    const struct entry *field = wire->entries[wire->count + at];
    if (!field || field->number == number) return field;
  }
}

#define TIME_ROOM 32

/** Writes a time in canonical form; returns where it ends, or 0 where it has no such form. */
u8 *write_time(u8 *to, const u8 *p, const u8 *end);

/** Writes digits; returns where they end. */
u8 *write_number(u8 *to, u64 value);

/** Writes the JSON of a message and a newline; returns where it ends, or 0 when it is for the codec or there is no room. */
u8 *line_of(const u8 *p, u32 length, u8 *out, u8 *out_end, const struct names *type, u32 kept);
