// JSON: reads any value, and keeps what of a line is not in canonical form.
#pragma once

#include "tables.h"

#define GAPS 256

/** Stretches of a line that its canonical form lacks: spaces, and members that the schema does not know. */
struct gap {
  const u8 *from;
  const u8 *to;
};
static struct gap gaps[GAPS];
static u32 gap_count;

enum form { SPACED = 1, OTHERWISE = 2, STEERS = 4 };
/** How the line differs from its canonical form; with SPACED it is what stands around the gaps. */
static u32 form;

/** Leaves the bytes from `from` to `to` out of the canonical form. */
static void leave_out(const u8 *from, const u8 *to) {
  form |= SPACED;
  // Gaps within a member go with it.
  while (gap_count > 0 && gaps[gap_count - 1].from >= from) gap_count--;
  if (gap_count > 0 && gaps[gap_count - 1].to >= from) gaps[gap_count - 1].to = to;
  else if (gap_count < GAPS) gaps[gap_count++] = (struct gap){from, to};
  else form |= OTHERWISE;
}

static inline const u8 *space(const u8 *p) {
  if (LIKELY(*p > ' ')) return p;
  const u8 *from = p;
  while (*p == ' ' || *p == '\t' || *p == '\r') p++;
  if (p > from) leave_out(from, p);
  return p;
}

enum text_flag { ESCAPED = 1, WIDE = 2 };

static inline int is_hex(u8 c) { return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'f'); }

/** Reads an escape, behind its backslash. */
static const u8 *escape(const u8 *p) {
  switch (*p) {
    case '"': case '\\': return p + 1;
    case '/': case 'b': case 'f': case 'n': case 'r': case 't': form |= OTHERWISE; return p + 1;
    case 'u': break;
    default: return 0;
  }
  for (int i = 1; i <= 4; i++) if (!is_hex(p[i])) return 0;
  // Halves of a surrogate pair are for the parser.
  if ((p[1] | 32) == 'd' && p[2] >= '8') return 0;
  // <, > and & are escaped in canonical form, in lower case.
  if (!(p[1] == '0' && p[2] == '0' && ((p[3] == '3' && (p[4] == 'c' || p[4] == 'e')) || (p[3] == '2' && p[4] == '6'))))
    form |= OTHERWISE;
  return p + 5;
}

/** Reads a text, behind its first quote; ends at the quote behind it. Adds to `flags`. */
static inline const u8 *text(const u8 *p, u32 *flags) {
  for (;;) {
    u32 found = wasm_i8x16_bitmask(special_bytes(wasm_v128_load(p)));
    if (found == 0) { p += 16; continue; }
    p += __builtin_ctz(found);
    if (LIKELY(*p == '"')) return p;
    if (*p < ' ') return 0;
    if (*p == '\\') {
      *flags |= ESCAPED;
      p = escape(p + 1);
    } else if (*p >= 0x7f) {
      *flags |= WIDE;
      form |= STEERS;
      // The canonical form escapes the separators of lines and paragraphs.
      if (*p == 0xe2 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9)) form |= OTHERWISE;
      p = *p == 0x7f ? p + 1 : wide(p);
    } else {
      // The canonical form escapes <, > and &.
      form |= OTHERWISE;
      p++;
    }
    if (!p) return 0;
  }
}

static inline int is_digit(u8 c) { return c >= '0' && c <= '9'; }

/** Reads any number as JSON has it. */
static const u8 *number(const u8 *p) {
  if (*p == '-') p++;
  if (*p == '0') p++;
  else if (is_digit(*p)) while (is_digit(*p)) p++;
  else return 0;
  if (*p == '.') {
    if (!is_digit(*++p)) return 0;
    while (is_digit(*p)) p++;
  }
  if ((*p | 32) == 'e') {
    p++;
    if (*p == '+' || *p == '-') p++;
    if (!is_digit(*p)) return 0;
    while (is_digit(*p)) p++;
  }
  return p;
}

static inline int is_word(const u8 *p, const char *word, u32 length) {
  for (u32 i = 0; i < length; i++) if (p[i] != (u8)word[i]) return 0;
  return 1;
}
