// Reads the answers of a server, each behind the five bytes that gRPC puts in front, and puts out what is printed of them. README.md
// tells how it fits in.
//
// A line of text is found by the bytes of the fields that it depends on, as they stand on the wire. What was not printed before
// becomes a line of JSON, which scan.c reads like any other.

#pragma once

#define HEAD_BYTES 5
/** So much longer may JSON be, as a rule. */
#define LONGER 8

/** Text of the times and ports that fill holes, by their slot. */
static u8 texts[SLOTS][TIME_ROOM + 16];
/** Where a line of JSON is put that nobody prints. */
static u8 *scratch, *scratch_end;

/** Whether a text is ASCII that JSON has as it is. */
static int is_plain(const u8 *p, const u8 *end) {
  for (; p < end; p += 16) {
    u32 special = wasm_i8x16_bitmask(special_bytes(wasm_v128_load(p)));
    if (special && p + __builtin_ctz(special) < end) return 0;
  }
  return 1;
}

/** Fills a hole with a value; false where it cannot. */
static int fill_hole(const struct entry *field, const u8 *p, const u8 *end) {
  struct span at = {texts[field->slot], 0, 0};
  u64 number;
  // A field that comes again and again is for the codec.
  if (filled_count == SLOTS) return 0;
  p = varint(p, end, &number);
  switch (field->kind) {
    case TIMESTAMP:
      at.end = write_time(texts[field->slot], p, end);
      break;
    case UINT32:
      at.end = write_number(texts[field->slot], (u32)number);
      if ((u32)number == 0) return 1;
      break;
    case STRING:
      if (p == end) return 1;
      at.start = p;
      at.end = end;
      at.flags = is_plain(p, end) ? 0 : ESCAPED;
      break;
  }
  if (at.end) fill(field->slot, at);
  return at.end != 0;
}

/** Puts what a line depends on at `k`; returns where it ends, or 0 where it would be too long, or is no message of the schema. */
static u8 *put_key(u8 *k, const u8 *p, const u8 *end, const struct names *type) {
  while (p < end) {
    u64 tag;
    if (!(p = varint(p, end, &tag)) || tag > 0xffffffff) return 0;
    const struct entry *field = field_of(type->wire, (u32)tag >> 3);
    const u8 *value = p;
    if (!(p = skip(p, end, tag & 7))) return 0;
    // Of a oneof the other members count: one of them takes the place of this one.
    if (!field || (field->slot < 0 && !field->oneof)) continue;
    if (field->kind == OTHER || wire_type(field) != (tag & 7)) return 0;
    // Behind it there is room for what ends the messages around it, and for what `copy` writes beyond its end.
    if (p - value + 64 > key + sizeof key - 64 - k) return 0;
    *k++ = field->index + 1;
    if (field->slot < 0) continue;
    if (lines.uses[field->slot] == HOLE) {
      if (!fill_hole(field, value, p)) return 0;
      u32 around = slots[field->slot].start ? around_hole(&slots[field->slot]) : EMPTY;
      *k++ = around;
      if (around != BY_BYTES) continue;
    }
    if (field->kind == MESSAGE && !(field->flags & REPEATED)) {
      u64 length;
      if (!(k = put_key(k, varint(value, p, &length), p, field->child))) return 0;
      *k++ = 0;
    } else {
      copy(k, value, p - value);
      k += p - value;
    }
  }
  return k;
}

/** Asks for the line that was printed for the like of an answer; 0 when there is none. */
static u32 known_line(const u8 *p, const u8 *end) {
  while (filled_count > 0) slots[filled[--filled_count]].start = 0;
  const u8 *k = put_key(key, p, end, response_names);
  lines.key_length = 0;
  return k ? recall(&lines, k - key) : 0;
}

/** Whether an answer is a flow: news of nodes and lost events go other ways. */
static int is_flow(const u8 *p, const u8 *end) {
  while (p < end) {
    u64 tag;
    if (!(p = varint(p, end, &tag))) return 0;
    const struct entry *field = field_of(response_names->wire, (u32)tag >> 3);
    if (field && (u32)field->slot == flow_slot) return 1;
    if (!(p = skip(p, end, tag & 7))) return 0;
  }
  return 0;
}

/** Puts out an answer as a line of JSON. */
static enum call put_json(void) {
  u32 length = at.line_end - at.line;
  if (LONGER * length + 1024 > (u32)(at.out_end - at.out) && at.end_count > 0) return FULL;
  u8 *behind = is_flow(at.line, at.line_end) ? line_of(at.line, length, at.out, at.out_end, response_names, 0) : 0;
  if (!behind) return PARSE;
  at.out = behind;
  return put_end() ? FULL : DONE;
}

/** Puts out an answer as a line of text. */
static enum call put_text(void) {
  u32 known = at.memoize & 2 ? known_line(at.line, at.line_end) : 0;
  if (known) return put_line(known);
  const u8 *end = at.line_end;
  if (!is_flow(at.line, end) || !line_of(at.line, end - at.line, scratch, scratch_end, response_names, 1)) return PARSE;
  int taken = read_line(scratch);
  at.line_end = end;
  if (!taken) return PARSE;
  return at.memoize & 2 && lines.key_length ? RENDER : RENDER_ONCE;
}

/** As `run`, for answers: from the cursor to the limit, or to the last one that is complete. */
EXPORT(run_answers) int run_answers(void) {
  for (;;) {
    if (at.step == READ) {
      const u8 *p = at.cursor;
      if (at.limit - p < HEAD_BYTES) return DONE;
      u32 length = (u32)p[1] << 24 | p[2] << 16 | p[3] << 8 | p[4];
      if ((u32)(at.limit - p) - HEAD_BYTES < length) return DONE;
      at.line = p + HEAD_BYTES;
      at.line_end = at.cursor = at.line + length;
      at.step = PRINT;
    }
    enum call call = at.mode == RAW ? put_json() : put_text();
    if (call == PARSE || call == RENDER_ONCE) at.step = READ;
    if (call != DONE) return call;
  }
}

EXPORT(configure_answers) void configure_answers(u8 *room, u32 size) {
  scratch = room;
  scratch_end = room + size;
}
