// The schema as tables.ts lays it out, and characters.
#pragma once

#include <wasm_simd128.h>

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define EXPORT(name) __attribute__((export_name(#name)))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

// ---- tables, laid out by tables.ts ----

enum kind { STRING, ENUM, TIMESTAMP, BOOL, BOOL_VALUE, UINT32, INT32, UINT64, MESSAGE, OTHER };
enum field_flag { REPEATED = 1, PRESENCE = 2, ALIAS = 4 };

/** A name, and what stands behind it: a field of a message, or a value of an enum. */
struct entry {
  const u8 *name;
  u16 length;
  u8 kind;
  u8 flags;
  short slot;  // where the value is kept; -1 for nowhere
  u8 index;    // place in the declaration
  u8 oneof;    // 0 for none
  struct names *child;
  u32 number;          // on the wire, or of an enum's value
  struct entry *next;  // the field that came behind this one the last time
  u32 misses;          // how often in a row its object was one that had not been read before
};

/** The names of a message in the order of their declaration, then their other spellings; or those of an enum. */
struct names {
  u32 count;
  struct entry *first;  // the one that came first the last time, or that an enum had
  u8 places[64];        // of entries by their number
  struct entry entries[];
};

/** Whether a field may stand in its message, behind those that were `seen`: none comes twice, and of a oneof one alone. */
static inline int is_new(const struct entry *field, u64 *seen) {
  u64 bits = 1ull << field->index | (field->oneof ? 1ull << (64 - field->oneof) : 0);
  if (*seen & bits) return 0;
  *seen |= bits;
  return 1;
}

static inline u64 load64(const u8 *p) { return *(const u64 *)p; }

static inline void copy(u8 *to, const u8 *from, u32 length) {
  if (UNLIKELY(length > 256)) {
    __builtin_memcpy(to, from, length);
    return;
  }
  for (u32 i = 0; i < length; i += 16) wasm_v128_store(to + i, wasm_v128_load(from + i));
}

/** Reads a character of more than one byte; 0 where it is none. */
static inline const u8 *wide(const u8 *p) {
  u8 c = *p;
  if (c < 0xc2) return 0;
  if (c < 0xe0) {
    if ((p[1] & 0xc0) != 0x80) return 0;
    return p + 2;
  }
  if (c < 0xf0) {
    if ((p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80) return 0;
    if ((c == 0xe0 && p[1] < 0xa0) || (c == 0xed && p[1] >= 0xa0)) return 0;
    return p + 3;
  }
  if (c > 0xf4 || (p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80 || (p[3] & 0xc0) != 0x80) return 0;
  if ((c == 0xf0 && p[1] < 0x90) || (c == 0xf4 && p[1] >= 0x90)) return 0;
  return p + 4;
}

/** Marks the bytes of a text that somebody has to look at: " \\ < > & and all but printable ASCII. */
static inline v128_t special_bytes(v128_t v) {
  const v128_t two = wasm_i8x16_splat(2), four = wasm_i8x16_splat(4), one = wasm_i8x16_splat(1);
  const v128_t angle = wasm_i8x16_splat('>'), quote = wasm_i8x16_splat('&'), slash = wasm_i8x16_splat('\\');
  // < and > differ in one bit, " and & in another. One higher, all but printable ASCII is below 0x21 as a signed number.
  return wasm_v128_or(wasm_v128_or(wasm_i8x16_eq(wasm_v128_or(v, two), angle), wasm_i8x16_eq(wasm_v128_or(v, four), quote)),
                      wasm_v128_or(wasm_i8x16_eq(v, slash), wasm_i8x16_lt(wasm_i8x16_add(v, one), wasm_i8x16_splat(0x21))));
}
