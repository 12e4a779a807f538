// The loop over lines of flows: one pass over the bytes, sixteen at a time where it can. README.md tells how it fits in.
//
// A line is taken when its meaning is certain: JSON, UTF-8, fields and values that the tables know. What is not taken goes
// to the parser of captures/, which also words every error. Nothing here knows the names of a field: tables.ts lays
// the schema out as tables.

#include "pieces.h"
#include "wire.h"

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
  while (filled_count > 0) slots[filled[--filled_count]].start = 0;
  gap_count = 0;
  form = 0;
  p = space(p);
  if (*p != '{' || !(p = message(p + 1, response_names))) return 0;
  p = space(p);
  if (*p != '\n' || !slots[flow_slot].start) return 0;
  at.line_end = p;
  return 1;
}

static int put_end(void) {
  at.ends[at.end_count++] = (u32)at.out;
  at.step = READ;
  return at.end_count == at.most_ends;
}

static inline void put(const u8 *from, const u8 *end) {
  copy(at.out, from, end - from);
  at.out += end - from;
}

/** Puts out a line in canonical form. */
static int put_raw(void) {
  u32 length = at.line_end - at.line + 1;
  if (form & STEERS) at.steers = 1;
  if (at.out + length + 16 > at.out_end) return 0;
  const u8 *from = at.line;
  for (u32 i = 0; i < gap_count; i++) {
    put(from, gaps[i].from);
    from = gaps[i].to;
  }
  put(from, at.line_end + 1);
  return 1;
}

static const struct span *filling(u32 hole) {
  for (u32 i = 0; i < HOLE_SLOTS && hole_slots[hole][i] != 0xffff; i++) {
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

/** Puts out a line from pieces that are known, its holes filled from the slots; DONE, or what the caller has to do. */
static enum call put_line(u32 known) {
  const struct span *time = filling(TIME);
  if (time && !knows_second(time->start)) return SECOND;
  u8 *before = at.out;
  if (!put_pieces((const u8 *)known)) {
    at.out = before;
    return FULL;
  }
  return put_end() ? FULL : DONE;
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
        u32 length = make_key(&verdicts);
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
        u32 length = make_key(&lines);
        u32 known = length ? recall(&lines, length) : 0;
        if (!known) {
          if (!length) { at.step = READ; return RENDER_ONCE; }
          return RENDER;
        }
        enum call call = put_line(known);
        if (call != DONE) return call;
        continue;
      }
  }
}

#include "answers.h"

/** Room for the pieces of the line that RENDER asked for; 0 when it cannot be kept. The caller fills it. */
EXPORT(pieces) u8 *pieces(u32 length) { return keep(&lines, 0, length + 16); }

/** The number that the caller gave to the text in a slot; 0 where it has none yet. */
EXPORT(value_of) u32 value_of(u32 slot) {
  u32 length = slots[slot].end - slots[slot].start;
  values.key_length = 0;
  if (length > 60000) return 0;
  *(u32 *)key = slot;
  copy(key + 4, slots[slot].start, length);
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
    case 2: return (u32)verdicts.uses;
    case 3: return (u32)lines.uses;
    case 4: return (u32)hole_slots;
    case 5: return (u32)&seconds[second_place];
    case 6: return (u32)&form;
    default: return 0;
  }
}

extern u8 __heap_base;
EXPORT(heap) u32 heap(void) { return ((u32)&__heap_base + 63) & ~63u; }

EXPORT(configure) void configure(struct names *response, u32 flow, u32 digits, u32 trimmed, u8 *arena, u32 size) {
  response_names = response;
  flow_slot = flow;
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
