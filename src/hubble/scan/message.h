// Reads messages as the tables have them, and keeps where the wanted values stand.
#pragma once

#include "json.h"

#define SLOTS 192
#define DEPTH 32

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

static inline int same(const u8 *a, const u8 *b, u32 length) {
  if (length < 8) return ((load64(a) ^ load64(b)) << (64 - 8 * length)) == 0;
  for (u32 i = 0; i + 8 <= length; i += 8) if (load64(a + i) != load64(b + i)) return 0;
  return load64(a + length - 8) == load64(b + length - 8);
}

/** Finds a name; places behind `from` are tried first. */
static struct entry *find(struct names *names, const u8 *p, u32 length, u32 from) {
  for (u32 i = 0; i < names->count; i++, from++) {
    if (from >= names->count) from = 0;
    struct entry *entry = &names->entries[from];
    if (entry->length == length && same(entry->name, p, length)) return entry;
  }
  return 0;
}

static inline int two(const u8 *p) { return (p[0] - '0') * 10 + (p[1] - '0'); }

/** Reads a time in canonical form, behind its quote; ends at the quote behind it. Days that not all months have are few. */
__attribute__((noinline)) static const u8 *timestamp(const u8 *p) {
  static const char shape[] = "0000-00-00T00:00:00";
  for (u32 i = 0; i < 19; i++) if (shape[i] == '0' ? !is_digit(p[i]) : p[i] != (u8)shape[i]) return 0;
  int month = two(p + 5), day = two(p + 8);
  if (is_word(p, "0000", 4) || month < 1 || month > 12 || day < 1 || day > 31) return 0;
  if (day > 28 && (month == 2 || (day == 31 && (month == 4 || month == 6 || month == 9 || month == 11)))) return 0;
  if (two(p + 11) > 23 || two(p + 14) > 59 || two(p + 17) > 59) return 0;
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

/** Reads a whole number up to the largest of its kind; of twenty digits it is for the parser. */
static inline const u8 *whole(const u8 *p, u64 largest) {
  u64 read = 0;
  u32 length = 0;
  for (; is_digit(p[length]) && length < 20; length++) read = 10 * read + (p[length] - '0');
  return length == 0 || length == 20 || read > largest || (*p == '0' && length > 1) ? 0 : p + length;
}

static const u8 *object(const u8 *p, struct entry *field);
static const u8 *any(const u8 *p);

/**
 * Reads one value and keeps where it stands. `*zero` is set for what the canonical form leaves out. Returns the byte
 * behind it, or 0 where the parser has to look.
 */
static inline const u8 *value(const u8 *p, struct entry *field, struct span *at, int *zero) {
  u32 kind = field->kind, quotes = kind == STRING || kind == ENUM || kind == TIMESTAMP || kind == UINT64;
  const u8 *end;
  if (quotes && *p != '"') return 0;
  p += quotes;
  at->flags = 0;
  switch (kind) {
    case STRING:
      end = text(p, &at->flags);
      *zero = end == p;
      break;
    case ENUM: {
      struct entry *named = field->child->first;
      if (named && p[named->length] == '"' && same(named->name, p, named->length)) end = p + named->length;
      else {
        if (!(end = text(p, &at->flags)) || at->flags) return 0;
        named = find(field->child, p, end - p, 0);
        if (named) field->child->first = named;
        else if (!ignore_unknown || end == p) return 0;
        else form |= OTHERWISE;
      }
      *zero = named && named->number == 0;
      break;
    }
    case TIMESTAMP: end = timestamp(p); break;
    case BOOL: case BOOL_VALUE:
      *zero = *p == 'f';
      end = is_word(p, "true", 4) ? p + 4 : is_word(p, "false", 5) ? p + 5 : 0;
      break;
    case UINT32: case INT32: case UINT64: {
      u32 negative = kind == INT32 && *p == '-';
      *zero = p[negative] == '0';
      // -0 is for the parser.
      end = *zero && negative ? 0 : whole(p + negative, kind == UINT64 ? ~0ull : kind == UINT32 ? 0xffffffff : 0x7fffffff);
      if (quotes && end && *end != '"') return 0;
      break;
    }
    case MESSAGE:
      end = *p == '{' ? object(p, field) : 0;
      // Of a list of messages the text is read.
      if (form & STEERS) at->flags = WIDE;
      break;
    default: return 0;
  }
  at->start = p;
  at->end = end;
  return end ? end + quotes : 0;
}

static inline void fill(u32 slot, struct span at) {
  slots[slot] = at;
  filled[filled_count++] = slot;
}

/** Reads the values of a list, behind its bracket; without a field they are of any kind. */
static const u8 *list(const u8 *p, struct entry *field, int *zero, u32 *flags) {
  p = space(p);
  if (*p == ']') {
    *zero = 1;
    return p + 1;
  }
  for (;;) {
    struct span each;
    int none = 0;
    if (!(p = field ? value(p, field, &each, &none) : any(p))) return 0;
    if (field) *flags |= each.flags;
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
      field = find(type, p + 1, end - p - 1, last + 1);
      if (field) *guess = field;
      p = space(end + 1);
      if (*p != ':') return 0;
      p = space(p + 1);
    }
    if (field) guess = &field->next;
    int dropped = 0;
    if (UNLIKELY(!field)) {
      if (!ignore_unknown || !(p = any(p))) return 0;
      dropped = 1;
    } else {
      if (!is_new(field, &seen)) return 0;
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

/** Reads a value that nobody asks about. */
static const u8 *any(const u8 *p) {
  /** A message without fields: all that is in it is unknown. */
  static struct names unknown;
  static u32 depth;
  u32 flags = 0;
  int zero;
  switch (*p) {
    case '"': p = text(p + 1, &flags); return p ? p + 1 : 0;
    case '{': case '[':
      if (depth == DEPTH) return 0;
      depth++;
      p = *p == '{' ? message(p + 1, &unknown) : list(p + 1, 0, &zero, &flags);
      depth--;
      return p;
    case 't': return is_word(p, "true", 4) ? p + 4 : 0;
    case 'f': return is_word(p, "false", 5) ? p + 5 : 0;
    case 'n': return is_word(p, "null", 4) ? p + 4 : 0;
    default: return number(p);
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
