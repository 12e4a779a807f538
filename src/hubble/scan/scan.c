// The loop over flows: lines of JSON, one pass over the bytes, sixteen at a time where it can, or the answers of a server, each behind
// the five bytes that gRPC puts in front. README.md tells how it fits in.
//
// A flow is taken when its meaning is certain: JSON, UTF-8, fields and values that the tables know. What is not taken goes
// to the parser of captures/ or to the codec, which also word every error. Nothing here knows the names of a field: tables.ts lays
// the schema out as tables.

#include "wire.h"

#define INPUT_BYTES (1 << 20)
#define OUT_BYTES (2 * INPUT_BYTES)
#define TABLE_BYTES (256 * 1024)
/** Room for what one answer puts into slots. */
#define SCRATCH_BYTES (256 * 1024)
#define MOST_ENDS (16 * 1024)
/** Beyond its end a buffer is read and written in steps. */
#define SLACK 128
#define HEAD_BYTES 5
/** So much longer than an answer may its JSON be, as a rule. */
#define LONGER 8
/** Hole of a time, which is put out in another form, and what stands at the end of pieces. */
#define TIME 1
#define END_OF_PIECES 255
/** The slot of the flow. */
#define FLOW 0

/** What the caller has to do before it goes on. */
enum call { DONE, PARSE, DECIDE, LINE, SECOND, RECORD, FULL };
enum step { READ, JUDGE, JUDGED, PRINT };
enum mode { AS_JSON, AS_TEXT, AS_RECORDS };

static u8 tables[TABLE_BYTES], input[INPUT_BYTES + SLACK], outs[2][OUT_BYTES + SLACK], scratch[SCRATCH_BYTES + SLACK];
static u32 ends[MOST_ENDS];

/** What the caller reads and writes, word by word, in this order. */
struct shared {
  const u8 *cursor;
  const u8 *limit;
  u8 *out;
  u32 turn;        // which of the two outs it is
  u32 end_count;   // of the ends of records that were put out
  u32 most_ends;
  u32 line_count;  // lines that were begun
  const u8 *line;
  const u8 *line_end;
  u32 step;
  u32 wanted;
  u32 steers;      // something that was put out is more than plain ASCII
  u32 mode;
  u32 framed;      // answers, not lines
  u32 judges;      // there are filters; 2 when their judgements are kept
  u32 digits;      // of the fraction of a time, trimmed or not
  u32 trimmed;
  struct names *root;
  u32 *form;
  u32 *ignore_unknown;
  struct span *slots;
  u8 *judged_by;
  u8 *printed_by;
  u8 *tables;
  u8 *input;
  u8 *outs[2];
  u32 *ends;
} at = {
    .form = &form,
    .ignore_unknown = &ignore_unknown,
    .slots = slots,
    .judged_by = verdicts.uses,
    .printed_by = lines.uses,
    .tables = tables,
    .input = input,
    .outs = {outs[0], outs[1]},
    .ends = ends,
};

static const u8 *end_of_line(const u8 *p) {
  const v128_t newline = wasm_i8x16_splat('\n');
  for (;; p += 16) {
    u32 found = wasm_i8x16_bitmask(wasm_i8x16_eq(wasm_v128_load(p), newline));
    if (found) return p + __builtin_ctz(found);
  }
}

/** Finds the next record; false where no whole one is left. */
static int next_record(void) {
  if (at.framed) {
    const u8 *p = at.cursor;
    if (at.limit - p < HEAD_BYTES) return 0;
    u32 length = (u32)p[1] << 24 | p[2] << 16 | p[3] << 8 | p[4];
    if ((u32)(at.limit - p) - HEAD_BYTES < length) return 0;
    at.line = p + HEAD_BYTES;
    at.line_end = at.cursor = at.line + length;
    return 1;
  }
  for (; at.cursor < at.limit && *at.cursor == '\n'; at.cursor++) at.line_count++;
  at.line_count += at.cursor < at.limit;
  at.line = at.cursor;
  return at.cursor < at.limit;
}

/** Reads a line; false where the parser has to. */
static int read_line(void) {
  const u8 *p = space(at.line);
  p = *p == '{' ? message(p + 1, at.root) : 0;
  if (p) p = space(p);
  int taken = p && *p == '\n' && slots[FLOW].start;
  at.line_end = taken ? p : end_of_line(at.line);
  at.cursor = at.line_end + 1;
  return taken;
}

static void begin_record(u8 *to, u8 *limit) {
  while (filled_count > 0) slots[filled[--filled_count]].start = 0;
  gap_count = form = 0;
  put = to;
  put_limit = limit;
}

/** Reads an answer; false where the codec has to: news of nodes and lost events too. */
static int read_answer(void) {
  begin_record(scratch, scratch + SCRATCH_BYTES);
  return put_message(at.line, at.line_end, at.root, 0) && slots[FLOW].start;
}

/** Puts out the JSON of an answer; false where the codec has to. */
static int put_answer(void) {
  begin_record(at.out, at.outs[at.turn] + OUT_BYTES - SLACK);
  if (!put_message(at.line, at.line_end, at.root, 1) || !slots[FLOW].start) return 0;
  *put++ = '\n';
  at.out = put;
  return 1;
}

static inline int has_room(u32 length) { return at.out + length + 80 <= at.outs[at.turn] + OUT_BYTES; }

static inline void put_out(const u8 *from, u32 length) {
  copy(at.out, from, length);
  at.out += length;
}

/** Puts out a line in canonical form. */
static int put_line(void) {
  if (form & STEERS) at.steers = 1;
  if (!has_room(at.line_end - at.line + 1)) return 0;
  const u8 *from = at.line;
  for (u32 i = 0; i < gap_count; i++) {
    put_out(from, gaps[i].from - from);
    from = gaps[i].to;
  }
  put_out(from, at.line_end + 1 - from);
  return 1;
}

/** Puts out a time. What stands around its fraction was made for its second: two lengths, and the texts. */
static void put_time(const struct span *time, const u8 *around) {
  put_out(around + 2, around[0]);
  const u8 *p = time->start + 20;
  u32 given = time->end - time->start > 20 ? time->end - time->start - 21 : 0, digits = at.digits;
  if (at.trimmed) {
    if (digits > given) digits = given;
    while (digits > 0 && p[digits - 1] == '0') digits--;
    if (digits > 0) *at.out++ = '.';
  }
  for (u32 i = 0; i < digits; i++) *at.out++ = i < given ? p[i] : '0';
  put_out(around + 2 + around[0], around[1]);
}

/** Puts out a line of text from its pieces: a hole, the length of the text behind it, the text. */
static enum call put_pieces(const u8 *p) {
  const struct span *time = filling[TIME];
  const u8 *around = 0;
  if (time) {
    copy(key, time->start, 19);
    if (!(around = recall(&seconds, 19))) return SECOND;
  }
  u8 *before = at.out;
  while (*p != END_OF_PIECES) {
    const struct span *span = filling[p[0]];
    u32 length = p[1] | p[2] << 8, filled = span ? span->end - span->start : 0;
    if (!has_room(length + filled)) {
      at.out = before;
      return FULL;
    }
    if (span && span == time) put_time(time, around);
    else if (span) put_out(span->start, filled);
    put_out(p + 3, length);
    p += 3 + length;
  }
  return DONE;
}

/** Leaves a record to the caller. */
static enum call leave(enum call call) {
  at.step = READ;
  return call;
}

/** Puts out a record; DONE when it was. */
static enum call print(void) {
  if (at.mode == AS_JSON && at.framed) {
    if (!has_room(LONGER * (at.line_end - at.line) + 1024) && at.end_count > 0) return FULL;
    return put_answer() ? DONE : leave(PARSE);
  }
  if (at.mode == AS_JSON) return form & OTHERWISE ? leave(RECORD) : put_line() ? DONE : FULL;
  if (at.mode == AS_TEXT) {
    if (at.framed) begin_record(scratch, scratch + SCRATCH_BYTES);
    const u8 *known = at.framed ? recall_answer(at.line, at.line_end, at.root) : recall_line(&lines);
    if (known) return put_pieces(known);
  }
  if (at.framed && !read_answer()) return leave(PARSE);
  if (at.mode == AS_RECORDS) return leave(RECORD);
  return lines.key_length ? LINE : leave(RECORD);
}

EXPORT(run) enum call run(void) {
  for (;;) switch (at.step) {
    case READ:
      if (!next_record()) return DONE;
      begin_record(0, 0);
      if (!at.framed && !read_line()) return PARSE;
      at.step = at.judges ? JUDGE : PRINT;
      continue;
    case JUDGE: {
      const u8 *known = at.judges == 2 ? recall_line(&verdicts) : 0;
      at.step = JUDGED;
      if (!known) return DECIDE;
      at.step = *known ? PRINT : READ;
      continue;
    }
    case JUDGED: {
      u8 *verdict = at.judges == 2 ? keep(&verdicts, 1) : 0;
      if (verdict) *verdict = at.wanted;
      at.step = at.wanted ? PRINT : READ;
      continue;
    }
    case PRINT: {
      enum call call = print();
      if (call != DONE) return call;
      ends[at.end_count++] = (u32)at.out;
      at.step = READ;
      if (at.end_count == at.most_ends) return FULL;
    }
  }
}

/** Room for so many bytes of what the caller was asked for; 0 when it cannot be kept. */
EXPORT(answer) u8 *answer(u32 length) { return keep(asked, length + 16); }
