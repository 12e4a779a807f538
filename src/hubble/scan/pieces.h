// Lines of text, put together from pieces that were printed before.
#pragma once

#include "memo.h"

/** Holes have the numbers of holes.ts; that of time is filled in another form. */
enum hole { TEXT, TIME };

#define HOLES 32
#define HOLE_SLOTS 4
static u16 hole_slots[HOLES][HOLE_SLOTS];  // slots of a hole, the first that is set counts; 0xffff ends

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
