// Reads lines of flows: one pass over the bytes, sixteen at a time where it can. README.md tells how it fits in.
//
// A line is taken when its meaning is certain: JSON, UTF-8, fields and values that the tables know. What is not taken goes
// to the parser of captures/, which also words every error. Nothing here knows the names of a field: scan-tables.ts lays
// the schema out as tables.

#include "tables.h"

/** A value of the line that was read. `start` is 0 when it is unset. */
struct span {
  const u8 *start;
  const u8 *end;
  u32 flags;
};
enum span_flag { ESCAPED = 1, WIDE = 2 };

#define SLOTS 160
#define SEGMENTS 256
#define DEPTH 32

static struct span slots[SLOTS + 1];
static u32 slot_count;

/** The parts of a line that its canonical form consists of, when that is not all of it. */
static struct { const u8 *start; const u8 *end; } segments[SEGMENTS];
static u32 segment_count;
static const u8 *segment_start;

enum form { SPACED = 1, OTHERWISE = 2, STEERS = 4 };
/** How the line differs from its canonical form. */
static u32 form;
static u32 ignore_unknown;

// ---- JSON ----

static inline const u8 *space(const u8 *p) {
  if (LIKELY(*p > ' ')) return p;
  const u8 *from = p;
  while (*p == ' ' || *p == '\t' || *p == '\r') p++;
  if (p == from) return p;
  form |= SPACED;
  if (segment_count == SEGMENTS) form |= OTHERWISE;
  else if (from > segment_start) {
    segments[segment_count].start = segment_start;
    segments[segment_count++].end = from;
  }
  segment_start = p;
  return p;
}

/** Leaves the bytes from `from` to `to` out of the canonical form. */
static void leave_out(const u8 *from, const u8 *to) {
  form |= SPACED;
  while (segment_count > 0 && segments[segment_count - 1].start >= from) segment_count--;
  if (segment_count > 0 && segments[segment_count - 1].end > from) segments[segment_count - 1].end = from;
  else if (segment_start < from) {
    if (segment_count == SEGMENTS) form |= OTHERWISE;
    else {
      segments[segment_count].start = segment_start;
      segments[segment_count++].end = from;
    }
  }
  segment_start = to;
}

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

/** The hash of a name; scan-tables.ts computes the same. */
static inline u32 hash_name(const u8 *p, u32 length) {
  u64 first = load64(p);
  if (length < 8) first &= (1ull << (8 * length)) - 1;
  u32 h = (u32)first ^ (u32)(first >> 32) * 0x9e3779b1u;
  return (h ^ (length > 8 ? *(const u32 *)(p + length - 4) : 0) ^ length) * 0x85ebca6bu >> 20;
}

static inline int same(const u8 *a, const u8 *b, u32 length) {
  if (length < 8) return ((load64(a) ^ load64(b)) << (64 - 8 * length)) == 0;
  for (u32 i = 0; i + 8 <= length; i += 8) if (load64(a + i) != load64(b + i)) return 0;
  return load64(a + length - 8) == load64(b + length - 8);
}

static inline struct entry *find(const struct names *names, const u8 *p, u32 length) {
  if (length == 0) return 0;
  for (u32 at = hash_name(p, length) & names->mask;; at = (at + 1) & names->mask) {
    struct entry *entry = names->entries[at];
    if (!entry) return 0;
    if (entry->length == length && same(entry->name, p, length)) return entry;
  }
}

static const u8 *any(const u8 *p, u32 depth);

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

/** Reads the members of a list or an object that nobody asks about, behind its bracket. */
static const u8 *members(const u8 *p, u8 end, u32 depth) {
  if (depth > DEPTH) return 0;
  p = space(p);
  if (*p == end) return p + 1;
  for (;;) {
    u32 flags = 0;
    if (end == '}') {
      if (*p != '"' || !(p = text(p + 1, &flags))) return 0;
      p = space(p + 1);
      if (*p != ':') return 0;
      p = space(p + 1);
    }
    if (!(p = any(p, depth))) return 0;
    p = space(p);
    if (*p == end) return p + 1;
    if (*p != ',') return 0;
    p = space(p + 1);
  }
}

/** Reads a value that nobody asks about. */
static const u8 *any(const u8 *p, u32 depth) {
  u32 flags = 0;
  switch (*p) {
    case '"': p = text(p + 1, &flags); return p ? p + 1 : 0;
    case '{': return members(p + 1, '}', depth + 1);
    case '[': return members(p + 1, ']', depth + 1);
    case 't': return is_word(p, "true", 4) ? p + 4 : 0;
    case 'f': return is_word(p, "false", 5) ? p + 5 : 0;
    case 'n': return is_word(p, "null", 4) ? p + 4 : 0;
    default: return number(p);
  }
}

// ---- values of the schema ----

static inline int two(const u8 *p) { return (p[0] - '0') * 10 + (p[1] - '0'); }

/** Reads a time in canonical form, behind its quote; ends at the quote behind it. Days that not all months have are few. */
static const u8 *timestamp(const u8 *p) {
  static const char shape[] = "0000-00-00T00:00:00";
  // A time that is one: nothing else may be taken for it.
  static u8 last[24] = "1970-01-01T00:00:00";
  // Times come in runs of the same second.
  if (LIKELY(load64(p) == load64(last) && load64(p + 8) == load64(last + 8) && load64(p + 11) == load64(last + 11))) goto fraction;
  for (u32 i = 0; i < 19; i++) if (shape[i] == '0' ? !is_digit(p[i]) : p[i] != (u8)shape[i]) return 0;
  int month = two(p + 5), day = two(p + 8);
  if (is_word(p, "0000", 4) || month < 1 || month > 12 || day < 1 || day > 31) return 0;
  if (day > 28 && (month == 2 || (day == 31 && (month == 4 || month == 6 || month == 9 || month == 11)))) return 0;
  if (two(p + 11) > 23 || two(p + 14) > 59 || two(p + 17) > 59) return 0;
  for (u32 i = 0; i < 19; i++) last[i] = p[i];
fraction:
  p += 19;
  if (*p == '.') {
    const u8 *from = ++p;
    while (is_digit(*p)) p++;
    u32 digits = p - from;
    if (digits != 3 && digits != 6 && digits != 9) return 0;
    if (is_word(p - 3, "000", 3)) return 0;
  }
  if (p[0] != 'Z' || p[1] != '"') return 0;
  return p + 1;
}

/** Reads a whole number that is `most` at most, of which there are `digits` digits; `zero` is set where it is 0. */
static inline const u8 *whole(const u8 *p, const char *most, u32 digits, int *zero) {
  const u8 *from = p;
  if (*p == '0') {
    *zero = 1;
    return is_digit(p[1]) ? 0 : p + 1;
  }
  while (is_digit(*p)) p++;
  u32 length = p - from;
  if (length == 0 || length > digits) return 0;
  for (u32 i = 0; length == digits && i < digits && from[i] >= (u8)most[i]; i++) if (from[i] > (u8)most[i]) return 0;
  return p;
}

static const u8 *message(const u8 *p, struct names *type);

/**
 * Reads one value and keeps where it stands. `*zero` is set for what the canonical form leaves out. Returns the byte
 * behind it, or 0 where the parser has to look.
 */
static inline const u8 *value(const u8 *p, const struct entry *field, struct span *at, int *zero) {
  u32 flags = 0;
  const u8 *end;
  switch (field->kind) {
    case STRING:
      if (*p != '"' || !(end = text(p + 1, &flags))) return 0;
      at->start = p + 1;
      at->end = end;
      at->flags = flags;
      *zero = end == p + 1;
      return end + 1;
    case ENUM: {
      struct entry *guess = field->child->first;
      if (*p == '"' && guess && p[guess->length + 1] == '"' && same(guess->name, p + 1, guess->length)) {
        at->start = p + 1;
        at->end = p + 1 + guess->length;
        at->flags = 0;
        *zero = guess->index;
        return at->end + 1;
      }
      if (*p != '"' || !(end = text(p + 1, &flags)) || flags) return 0;
      struct entry *named = find(field->child, p + 1, end - p - 1);
      if (named) field->child->first = named;
      if (!named && !ignore_unknown) return 0;
      if (!named && end == p + 1) return 0;
      at->start = p + 1;
      at->end = end;
      at->flags = 0;
      if (!named) form |= OTHERWISE;
      *zero = named && named->index;
      return end + 1;
    }
    case TIMESTAMP:
      if (*p != '"' || !(end = timestamp(p + 1))) return 0;
      at->start = p + 1;
      at->end = end;
      at->flags = 0;
      return end + 1;
    case BOOL: case BOOL_VALUE:
      if (is_word(p, "true", 4)) end = p + 4;
      else if (is_word(p, "false", 5)) { end = p + 5; *zero = field->kind == BOOL; }
      else return 0;
      break;
    case UINT32: case UINT32_VALUE:
      if (!(end = whole(p, "4294967295", 10, zero))) return 0;
      if (field->kind == UINT32_VALUE) *zero = 0;
      break;
    case INT32: case INT32_VALUE:
      end = p + (*p == '-');
      if (!(end = whole(end, "2147483647", 10, zero)) || (*zero && *p == '-')) return 0;
      if (field->kind == INT32_VALUE) *zero = 0;
      break;
    case UINT64: case INT64:
      // 2^63 and more is rare where a sign is possible, and for the parser.
      end = p + 1 + (p[1] == '-' && field->kind == INT64);
      if (*p != '"' || !(end = field->kind == UINT64 ? whole(end, "18446744073709551615", 20, zero) : whole(end, "9223372036854775807", 19, zero))) return 0;
      if (*end != '"' || (*zero && p[1] == '-')) return 0;
      at->start = p + 1;
      at->end = end;
      at->flags = 0;
      return end + 1;
    case MESSAGE:
      if (*p != '{' || !(end = message(p + 1, field->child))) return 0;
      break;
    default: return 0;
  }
  at->start = p;
  at->end = end;
  at->flags = flags;
  return end;
}

/** Reads the values of a list, behind its bracket. */
static const u8 *list(const u8 *p, const struct entry *field, int *zero, u32 *flags) {
  p = space(p);
  if (*p == ']') {
    *zero = 1;
    return p + 1;
  }
  for (;;) {
    struct span each;
    int none = 0;
    if (!(p = value(p, field, &each, &none))) return 0;
    *flags |= each.flags;
    p = space(p);
    if (*p == ']') return p + 1;
    if (*p != ',') return 0;
    p = space(p + 1);
  }
}

/** Reads the fields of a message, behind its bracket; returns the byte behind the one that ends it. */
static const u8 *message(const u8 *p, struct names *type) {
  struct entry **guess = &type->first;
  u64 seen = 0;
  u32 oneofs = 0;
  int last = -1;
  const u8 *comma = 0;
  p = space(p);
  if (*p == '}') return p + 1;
  for (;;) {
    if (*p != '"') return 0;
    const u8 *name = p;
    struct entry *field = *guess;
    if (LIKELY(field && p[field->length + 1] == '"' && p[field->length + 2] == ':' && same(field->name, p + 1, field->length)))
      p = space(p + field->length + 3);
    else {
      u32 flags = 0;
      const u8 *end = text(p + 1, &flags);
      if (!end || flags & ESCAPED) return 0;
      field = find(type, p + 1, end - p - 1);
      if (field) *guess = field;
      p = space(end + 1);
      if (*p != ':') return 0;
      p = space(p + 1);
    }
    if (field) guess = &field->next;
    int dropped = 0;
    if (UNLIKELY(!field)) {
      if (!ignore_unknown || !(p = any(p, 0))) return 0;
      dropped = 1;
    } else {
      u64 bit = 1ull << field->index;
      if (seen & bit) return 0;
      seen |= bit;
      if (field->oneof) {
        if (oneofs & (1u << field->oneof)) return 0;
        oneofs |= 1u << field->oneof;
      }
      if (field->index < last || field->flags & ALIAS) form |= OTHERWISE;
      last = field->index;
      struct span at;
      int zero = 0;
      if (field->flags & REPEATED) {
        if (*p != '[') return 0;
        at.start = p;
        at.flags = 0;
        if (!(p = list(p + 1, field, &zero, &at.flags))) return 0;
        at.end = p;
      } else if (*p == 'n') {
        // As if it were not there.
        return 0;
      } else {
        if (!(p = value(p, field, &at, &zero))) return 0;
        if (field->flags & PRESENCE) zero = 0;
      }
      if (zero) form |= OTHERWISE;
      else if (field->slot >= 0) slots[field->slot] = at;
    }
    p = space(p);
    if (*p == ',') {
      if (dropped) leave_out(name, p + 1);
      else comma = p;
      p = space(p + 1);
      if (dropped) segment_start = p;
      continue;
    }
    if (*p != '}') return 0;
    if (dropped) leave_out(comma ? comma : name, p);
    return p + 1;
  }
}

// ---- what is kept of one line to the next ----

#define PLACES 4096

/** Answers by what they were given for. Full, it begins anew. */
struct memo {
  u64 hashes[PLACES];
  const u8 *keys[PLACES];
  u32 lengths[PLACES];
  u32 values[PLACES];
  u32 count;
  u32 hits;
  u32 misses;
  u8 *arena;
  u8 *top;
  u8 *end;
  // What the answer depends on: slots, of which only the presence counts where `only_presence` says so.
  u32 slot_count;
  u16 slot[SLOTS];
  u8 only_presence[SLOTS];
  // The key that was asked for last.
  u64 hash;
  u32 place;
  u32 key_length;
};

static struct memo verdicts, lines, values;
static u8 key[65536 + 64];

/** Puts together the key of a memo; 0 where it would be too long. */
static u32 make_key(const struct memo *memo, const u8 *holes) {
  u8 *k = key;
  for (u32 i = 0; i < memo->slot_count; i++) {
    u32 slot = memo->slot[i];
    const struct span *at = &slots[slot];
    u32 hole = holes ? holes[slot] : 0;
    if (!at->start) { *k++ = 0; continue; }
    u32 length = at->end - at->start;
    if (memo->only_presence[i] || (hole && !at->flags)) {
      // What fills a hole in a line may be anything; whether it is empty may change the words around it.
      *k++ = length == 0 ? 1 : 2;
      continue;
    }
    // Behind it there is room for the other slots, where they take one byte, and for what `copy` writes beyond its end.
    if (length > 65536 || k + length + SLOTS + 24 > key + 65536) return 0;
    *k++ = 3;
    *(u32 *)k = length;
    k += 4;
    copy(k, at->start, length);
    k += length;
  }
  u32 length = k - key;
  for (u32 i = 0; i < 8; i++) k[i] = 0;
  return length;
}

static u64 hash_key(u32 length) {
  u64 h = length;
  for (u32 i = 0; i < length; i += 8) {
    h = (h ^ load64(key + i)) * 0x9fb21c651e98df25ull;
    h ^= h >> 29;
  }
  return h;
}

/** Finds the answer for the key; 0 when there is none. */
static u32 recall(struct memo *memo, u32 length) {
  memo->hash = hash_key(length);
  memo->key_length = length;
  for (u32 at = (u32)(memo->hash >> 32) & (PLACES - 1);; at = (at + 1) & (PLACES - 1)) {
    memo->place = at;
    if (!memo->keys[at]) break;
    if (memo->hashes[at] != memo->hash || memo->lengths[at] != length) continue;
    u32 i = 0;
    while (i < length && load64(memo->keys[at] + i) == load64(key + i)) i += 8;
    if (i >= length) {
      memo->hits++;
      return memo->values[at];
    }
  }
  memo->misses++;
  return 0;
}

static void forget(struct memo *memo) {
  for (u32 i = 0; i < PLACES; i++) memo->keys[i] = 0;
  memo->count = 0;
  memo->top = memo->arena;
}

/** Room in the arena of a memo; begins anew when there is none. */
static u8 *room(struct memo *memo, u32 length) {
  length = (length + 31) & ~15u;
  if (memo->top + length > memo->end || memo->count > PLACES * 3 / 4) {
    forget(memo);
    memo->place = (u32)(memo->hash >> 32) & (PLACES - 1);
  }
  if (memo->top + length > memo->end) return 0;
  u8 *at = memo->top;
  memo->top += length;
  return at;
}

/** Keeps an answer for the key that was asked for last; 0 for the address of `more` bytes of room behind it. */
static u8 *keep(struct memo *memo, u32 answer, u32 more) {
  u32 behind = (memo->key_length + 8 + 15) & ~15u;
  u8 *kept = room(memo, behind + more);
  if (!kept) return 0;
  copy(kept, key, memo->key_length + 8);
  memo->hashes[memo->place] = memo->hash;
  memo->keys[memo->place] = kept;
  memo->lengths[memo->place] = memo->key_length;
  memo->values[memo->place] = answer ? answer : (u32)(kept + behind);
  memo->count++;
  return kept + behind;
}

// ---- lines of text, made of what was printed before ----

/** What fills the holes of a line. */
enum hole { TEXT, TIME, SOURCE_PORT, DESTINATION_PORT, SUMMARY };

static u8 holes[SLOTS];
static u16 hole_slots[8][4];  // slots of a hole, the first that is set counts; 0xffff ends

/** How times are printed: what stands around the fraction comes from the printer, for each second. */
static u32 fraction_digits, fraction_trimmed;
#define SECONDS 256
static struct { u8 second[24]; u8 before[40]; u8 after[8]; u32 before_length, after_length; } seconds[SECONDS];
static u32 second_place;

static inline u32 place_of_second(const u8 *p) { return (two(p + 17) + two(p + 14) * 60 + two(p + 11) * 7) & (SECONDS - 1); }

static inline int knows_second(const u8 *p) {
  second_place = place_of_second(p);
  const u8 *known = seconds[second_place].second;
  return load64(known) == load64(p) && load64(known + 8) == load64(p + 8) && known[16] == p[16] && known[17] == p[17] && known[18] == p[18];
}

static u8 *put_time(u8 *out, const struct span *at) {
  u32 before = seconds[second_place].before_length, after = seconds[second_place].after_length;
  copy(out, seconds[second_place].before, before);
  out += before;
  const u8 *p = at->start + 20;
  u32 given = at->end - at->start > 20 ? at->end - at->start - 21 : 0;
  u32 digits = fraction_digits;
  if (fraction_trimmed) {
    if (digits > given) digits = given;
    while (digits > 0 && p[digits - 1] == '0') digits--;
    if (digits > 0) *out++ = '.';
  }
  for (u32 i = 0; i < digits; i++) *out++ = i < given ? p[i] : '0';
  copy(out, seconds[second_place].after, after);
  return out + after;
}

// ---- the loop ----

/** What the caller has to do before it goes on. */
enum call { DONE, PARSE, DECIDE, RENDER, RENDER_ONCE, SECOND, WHOLE, FULL };
enum step { READ, JUDGE, JUDGED, PRINT };
enum mode { RAW, LINES, MESSAGES };

static struct {
  const u8 *cursor;
  const u8 *limit;
  u8 *out;
  u8 *out_end;
  u32 *ends;       // where each record that was put out ends
  u32 end_count;
  u32 most_ends;
  u32 line_count;  // lines that were begun
  const u8 *line;
  const u8 *line_end;
  u32 step;
  u32 mode;
  u32 judges;      // there are filters
  u32 wanted;
  u32 memoize;     // bit 0: verdicts, bit 1: lines
  u32 steers;      // something that was put out is more than plain ASCII
} at;

static struct names *response_names;
static u32 flow_slot;

static const u8 *end_of_line(const u8 *p) {
  const v128_t newline = wasm_i8x16_splat('\n');
  for (;; p += 16) {
    u32 found = wasm_i8x16_bitmask(wasm_i8x16_eq(wasm_v128_load(p), newline));
    if (found) return p + __builtin_ctz(found);
  }
}

/** Reads a line; false where the parser has to. */
static int read_line(const u8 *p) {
  for (u32 i = 0; i < slot_count; i++) slots[i].start = 0;
  segment_count = 0;
  segment_start = p;
  form = 0;
  p = space(p);
  if (*p != '{' || !(p = message(p + 1, response_names))) return 0;
  const u8 *behind = p;
  p = space(p);
  if (*p != '\n' || !slots[flow_slot].start) return 0;
  if (form & SPACED && segment_start < behind) {
    if (segment_count == SEGMENTS) form |= OTHERWISE;
    else {
      segments[segment_count].start = segment_start;
      segments[segment_count++].end = behind;
    }
  }
  at.line_end = p;
  return 1;
}

static int put_end(void) {
  at.ends[at.end_count++] = (u32)at.out;
  at.step = READ;
  return at.end_count == at.most_ends;
}

/** Puts out a line in canonical form. */
static int put_raw(void) {
  u32 length = at.line_end - at.line + 1;
  if (form & STEERS) at.steers = 1;
  if (at.out + length + 16 > at.out_end) return 0;
  if (!(form & SPACED)) {
    copy(at.out, at.line, length);
    at.out += length;
    return 1;
  }
  for (u32 i = 0; i < segment_count; i++) {
    u32 part = segments[i].end - segments[i].start;
    copy(at.out, segments[i].start, part);
    at.out += part;
  }
  *at.out++ = '\n';
  return 1;
}

static const struct span *filling(u32 hole) {
  for (u32 i = 0; i < 4 && hole_slots[hole][i] != 0xffff; i++) {
    const struct span *span = &slots[hole_slots[hole][i]];
    if (span->start) return span;
  }
  return 0;
}

/** Puts out a line from its pieces: a hole, the length of the text behind it, the text; the hole 255 ends them. */
static int put_pieces(const u8 *p) {
  for (; *p != 255;) {
    u32 hole = p[0], length = p[1] | p[2] << 8;
    p += 3;
    const struct span *span = hole == TEXT ? 0 : filling(hole);
    if (at.out + length + (span ? span->end - span->start : 0) + 80 > at.out_end) return 0;
    if (hole == TIME) at.out = put_time(at.out, span);
    else if (span) {
      copy(at.out, span->start, span->end - span->start);
      at.out += span->end - span->start;
    }
    copy(at.out, p, length);
    at.out += length;
    p += length;
  }
  return 1;
}

EXPORT(run) int run(void) {
  for (;;) switch (at.step) {
    case READ: {
      if (at.cursor >= at.limit) return DONE;
      at.line_count++;
      at.line = at.cursor;
      if (*at.cursor == '\n') { at.cursor++; continue; }
      if (!read_line(at.line)) {
        at.line_end = end_of_line(at.line);
        at.cursor = at.line_end + 1;
        return PARSE;
      }
      at.cursor = at.line_end + 1;
      at.step = JUDGE;
      continue;
    }
    case JUDGE:
      if (!at.judges) { at.step = PRINT; continue; }
      if (at.memoize & 1) {
        u32 length = make_key(&verdicts, 0);
        u32 known = length ? recall(&verdicts, length) : 0;
        if (!length) verdicts.key_length = 0;
        if (known) {
          at.step = known == 2 ? PRINT : READ;
          continue;
        }
      } else verdicts.key_length = 0;
      at.step = JUDGED;
      return DECIDE;
    case JUDGED:
      if (verdicts.key_length) keep(&verdicts, at.wanted ? 2 : 1, 0);
      at.step = at.wanted ? PRINT : READ;
      continue;
    case PRINT:
      if (at.mode == RAW) {
        if (form & OTHERWISE) { at.step = READ; return WHOLE; }
        u8 *before = at.out;
        if (!put_raw()) { at.out = before; return FULL; }
        if (put_end()) return FULL;
        continue;
      }
      if (at.mode == MESSAGES) { at.step = READ; return WHOLE; }
      if (!(at.memoize & 2)) { at.step = READ; return RENDER_ONCE; }
      {
        u32 length = make_key(&lines, holes);
        u32 known = length ? recall(&lines, length) : 0;
        if (!known) {
          if (!length) { at.step = READ; return RENDER_ONCE; }
          return RENDER;
        }
        const struct span *time = filling(TIME);
        if (time && !knows_second(time->start)) return SECOND;
        u8 *before = at.out;
        if (!put_pieces((const u8 *)known)) { at.out = before; return FULL; }
        if (put_end()) return FULL;
        continue;
      }
  }
}

/** Room for the pieces of the line that RENDER asked for; 0 when it cannot be kept. The caller fills it. */
EXPORT(pieces) u8 *pieces(u32 length) { return keep(&lines, 0, length + 16); }

/** The number that the caller gave to the text in a slot; 0 where it has none yet. */
EXPORT(value_of) u32 value_of(u32 slot) {
  u32 length = slots[slot].end - slots[slot].start;
  values.key_length = 0;
  if (length > 60000) return 0;
  *(u32 *)key = slot;
  copy(key + 4, slots[slot].start, length);
  for (u32 i = 0; i < 8; i++) key[4 + length + i] = 0;
  return recall(&values, 4 + length);
}

/** Gives a number to the text that was asked for last. */
EXPORT(keep_value) void keep_value(u32 number) {
  if (values.key_length) keep(&values, number, 0);
}

EXPORT(forget_values) void forget_values(void) { forget(&values); }

/** Addresses of what the caller reads and writes. */
EXPORT(address) u32 address(u32 what) {
  switch (what) {
    case 0: return (u32)slots;
    case 1: return (u32)&at;
    case 2: return (u32)&verdicts.slot_count;
    case 3: return (u32)&lines.slot_count;
    case 4: return (u32)holes;
    case 5: return (u32)hole_slots;
    case 6: return (u32)&seconds[second_place];
    case 7: return (u32)&form;
    case 8: return (u32)&verdicts.hits;
    case 9: return (u32)&lines.hits;
    default: return 0;
  }
}

extern u8 __heap_base;
EXPORT(heap) u32 heap(void) { return ((u32)&__heap_base + 63) & ~63u; }

EXPORT(configure) void configure(struct names *response, u32 flow, u32 count, u32 digits, u32 trimmed, u8 *arena, u32 size) {
  response_names = response;
  flow_slot = flow;
  slot_count = count;
  fraction_digits = digits;
  fraction_trimmed = trimmed;
  verdicts.arena = arena;
  verdicts.end = arena + size;
  lines.arena = arena + size;
  lines.end = arena + 2 * size;
  values.arena = arena + 2 * size;
  values.end = arena + 3 * size;
  forget(&verdicts);
  forget(&lines);
  forget(&values);
}

EXPORT(take_unknown) void take_unknown(u32 taken) { ignore_unknown = taken; }
