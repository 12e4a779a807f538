// Reads messages as the tables have them, and keeps where the wanted values stand.
#pragma once

#include "json.h"

#define SLOTS 160

/** A value of the line that was read. `start` is 0 when it is unset. */
struct span {
  const u8 *start;
  const u8 *end;
  u32 flags;
};
static struct span slots[SLOTS + 1];
/** The slots that the line has set, in their order. */
static u8 filled[SLOTS];
static u32 filled_count;
/** Names that the tables lack are passed over. */
static u32 ignore_unknown;

/** The hash of a name; tables.ts computes the same. */
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

static inline int two(const u8 *p) { return (p[0] - '0') * 10 + (p[1] - '0'); }

/** Reads a time in canonical form, behind its quote; ends at the quote behind it. Days that not all months have are few. */
__attribute__((noinline)) static const u8 *timestamp(const u8 *p) {
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

/** Reads a whole number of a kind; `zero` is set where it is 0. */
static const u8 *whole(const u8 *p, u32 kind, int *zero) {
  static const char largest[][21] = {"4294967295", "4294967295", "2147483647", "2147483647", "18446744073709551615", "9223372036854775807"};
  static const u8 digits[] = {10, 10, 10, 10, 20, 19};
  const char *most = largest[kind - UINT32];
  u32 length = 0, longest = digits[kind - UINT32];
  while (is_digit(p[length])) length++;
  if (length == 0 || length > longest || (*p == '0' && length > 1)) return 0;
  for (u32 i = 0; length == longest && i < longest && p[i] >= (u8)most[i]; i++) if (p[i] > (u8)most[i]) return 0;
  *zero = *p == '0';
  return p + length;
}

static const u8 *object(const u8 *p, struct entry *field);

/**
 * Reads one value and keeps where it stands. `*zero` is set for what the canonical form leaves out. Returns the byte
 * behind it, or 0 where the parser has to look.
 */
static inline const u8 *value(const u8 *p, struct entry *field, struct span *at, int *zero) {
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
    case UINT32: case UINT32_VALUE: case INT32: case INT32_VALUE: case UINT64: case INT64: {
      // Numbers of 64 bits are texts. -2^63 is rare, and for the parser, as -0 is.
      u32 quotes = field->kind >= UINT64, negative = p[quotes] == '-' && field->kind != UINT64 && field->kind > UINT32_VALUE;
      if (quotes && *p != '"') return 0;
      if (!(end = whole(p + quotes + negative, field->kind, zero)) || (*zero && negative)) return 0;
      if (quotes && *end != '"') return 0;
      if (field->kind == UINT32_VALUE || field->kind == INT32_VALUE) *zero = 0;
      at->start = p + quotes;
      at->end = end;
      at->flags = 0;
      return end + quotes;
    }
    case MESSAGE:
      if (*p != '{' || !(end = object(p, field))) return 0;
      // Of a list of messages the text is read.
      if (form & STEERS) flags = WIDE;
      break;
    default: return 0;
  }
  at->start = p;
  at->end = end;
  at->flags = flags;
  return end;
}

static inline void fill(u32 slot, struct span at) {
  slots[slot] = at;
  filled[filled_count++] = slot;
}

/** Reads the values of a list, behind its bracket. */
static const u8 *list(const u8 *p, struct entry *field, int *zero, u32 *flags) {
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
      else if (field->slot >= 0) fill(field->slot, at);
    }
    p = space(p);
    if (*p == ',') {
      if (dropped) leave_out(name, p + 1);
      else comma = p;
      p = space(p + 1);
      continue;
    }
    if (*p != '}') return 0;
    if (dropped) leave_out(comma ? comma : name, p);
    return p + 1;
  }
}

// ---- objects that repeat ----

#define KEPT_SETS 128
#define KEPT_WAYS 4
#define KEPT_LEAST 32
#define KEPT_BYTES 1024
#define KEPT_SLOTS 24
#define KEPT_GAPS 64

/** An object that was read before: the same bytes have the same meaning. Places count from its bracket. */
struct kept {
  const struct entry *field;
  u16 length;
  u8 form;
  u8 slot_count;
  u8 gap_count;
  u8 slots[KEPT_SLOTS];
  struct { u16 start, end, flags; } spans[KEPT_SLOTS];
  struct { u16 from, to; } gaps[KEPT_GAPS];
  u8 bytes[KEPT_BYTES];
};
static struct kept kept_objects[KEPT_SETS * KEPT_WAYS];
static u32 kept_hashes[KEPT_SETS * KEPT_WAYS];
static u32 next_way;

static inline int same_bytes(const u8 *a, const u8 *b, u32 length) {
  for (u32 i = length - 16;; i = i < 16 ? 0 : i - 16) {
    if (wasm_v128_any_true(wasm_v128_xor(wasm_v128_load(a + i), wasm_v128_load(b + i)))) return 0;
    if (i == 0) return 1;
  }
}

/** What an object is found by: its field and its first bytes. */
static inline u64 hash_object(const u8 *p, const struct entry *field) {
  u64 h = (u32)field;
  for (u32 i = 0; i < 48; i += 8) h = (h ^ load64(p + i)) * 0x9fb21c651e98df25ull;
  return h;
}

/** Sets what an object set the last time. */
static const u8 *again(const u8 *p, const struct kept *kept) {
  form |= kept->form;
  for (u32 i = 0; i < kept->slot_count; i++)
    fill(kept->slots[i], (struct span){p + kept->spans[i].start, p + kept->spans[i].end, kept->spans[i].flags});
  for (u32 i = 0; i < kept->gap_count; i++) leave_out(p + kept->gaps[i].from, p + kept->gaps[i].to);
  return p + kept->length;
}

/** Keeps an object that was read, with the slots and gaps behind the counts that were there before. */
static int keep_object(struct kept *kept, const struct entry *field, const u8 *p, u32 length, u32 slot_from, u32 gap_from) {
  u32 slot_count = filled_count - slot_from, gap_count_inside = gap_count - gap_from;
  if (length < KEPT_LEAST || length > KEPT_BYTES || slot_count > KEPT_SLOTS || gap_count_inside > KEPT_GAPS) return 0;
  kept->field = field;
  kept->length = length;
  kept->form = form;
  kept->slot_count = slot_count;
  kept->gap_count = gap_count_inside;
  for (u32 i = 0; i < slot_count; i++) {
    u32 slot = kept->slots[i] = filled[slot_from + i];
    kept->spans[i].start = slots[slot].start - p;
    kept->spans[i].end = slots[slot].end - p;
    kept->spans[i].flags = slots[slot].flags;
  }
  for (u32 i = 0; i < gap_count_inside; i++) {
    kept->gaps[i].from = gaps[gap_from + i].from - p;
    kept->gaps[i].to = gaps[gap_from + i].to - p;
  }
  __builtin_memcpy(kept->bytes, p, length);
  return 1;
}

/** Misses in a row after which a field's objects are looked up only now and then. */
#define MOST_MISSES 64

/** Reads an object from its bracket on. Those that repeat, such as the ends of flows, are read once. */
__attribute__((noinline)) static const u8 *object(const u8 *p, struct entry *field) {
  if (field->misses > MOST_MISSES && field->misses++ % 32) return message(p + 1, field->child);
  u64 hash = hash_object(p, field);
  u32 set = (hash >> 32) % KEPT_SETS * KEPT_WAYS;
  for (u32 at = set; at < set + KEPT_WAYS; at++) {
    if (kept_hashes[at] != (u32)hash) continue;
    struct kept *kept = &kept_objects[at];
    if (kept->field != field || !same_bytes(kept->bytes, p, kept->length)) continue;
    field->misses = 0;
    return again(p, kept);
  }
  field->misses++;
  u32 slot_from = filled_count, gap_from = gap_count, before = form;
  form = 0;
  const u8 *end = message(p + 1, field->child);
  u32 place = set + next_way++ % KEPT_WAYS;
  if (end && keep_object(&kept_objects[place], field, p, end - p, slot_from, gap_from)) kept_hashes[place] = (u32)hash;
  form |= before;
  return end;
}
