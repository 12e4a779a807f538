// Answers that were given before, by the bytes that they depend on.
#pragma once

#include "message.h"

#define PLACES 4096
#define ARENA_BYTES (1 << 20)
#define HOLES 32

/** What of a slot an answer depends on. From HOLE on it fills a hole of a line: on whether it is empty. */
enum use { NOTHING, PRESENCE_ALONE, BYTES, HOLE };

/** Answers by what they were given for. Full, it begins anew. */
struct memo {
  struct { u64 hash; const u8 *key; u32 length; u8 *answer; } places[PLACES];
  u32 count;
  u32 top;
  u8 uses[SLOTS];  // what the answer depends on
  // The key that was asked for last.
  u64 hash;
  u32 place;
  u32 key_length;
  u8 arena[ARENA_BYTES];
};

static struct memo verdicts, lines, seconds;
/** The one that was asked last. */
static struct memo *asked;
static u8 key[65536 + 64];
/** What fills the holes of the line whose key was made last. */
static const struct span *filling[HOLES];

enum around { BY_BYTES, EMPTY, AS_IT_IS, IN_BRACKETS };

/** The holes behind it are of the ends of a flow, whose names are printed as paths. */
#define NODE 3

/** Whether a character stands in bytes that are not empty. */
static u32 has_character(const u8 *p, const u8 *end, u8 character) {
  for (; p < end; p += 16) {
    u32 found = wasm_i8x16_bitmask(wasm_i8x16_eq(wasm_v128_load(p), wasm_i8x16_splat(character)));
    if (found) return p + __builtin_ctz(found) < end;
  }
  return 0;
}

/**
 * What the words around a hole depend on: its bytes, where it is spelled otherwise, is a number that may have a name, or
 * is a part of a path that may be printed shorter.
 */
static u32 around_hole(const struct span *at, u32 hole) {
  const u8 *p = at->start, *end = at->end;
  if (at->flags) return BY_BYTES;
  if (p == end) return EMPTY;
  if (end - p <= 2 && (is_digit(*p) || *p == '.')) return BY_BYTES;
  if (hole > NODE && has_character(p, end, '/')) return BY_BYTES;
  return has_character(p, end, ':') ? IN_BRACKETS : AS_IT_IS;
}

/** Finds the answer for the key, of so many bytes; 0 when there is none. */
static u8 *recall(struct memo *memo, u32 length) {
  u64 a = length, b = 0;
  wasm_v128_store(key + length, wasm_i8x16_splat(0));
  for (u32 i = 0; i < length; i += 16) {
    a = (a ^ load64(key + i)) * 0x9fb21c651e98df25ull;
    b = (b ^ load64(key + i + 8)) * 0x9e3779b97f4a7c15ull;
    a ^= a >> 29;
    b ^= b >> 32;
  }
  asked = memo;
  memo->hash = a ^ b;
  memo->key_length = length;
  for (u32 at = memo->hash >> 32;; at++) {
    memo->place = at %= PLACES;
    if (!memo->places[at].key) return 0;
    if (memo->places[at].hash != memo->hash || memo->places[at].length != length) continue;
    u32 i = 0;
    while (i < length && load64(memo->places[at].key + i) == load64(key + i)) i += 8;
    if (i >= length) return memo->places[at].answer;
  }
}

/** Finds the answer for the line; 0 when there is none, or when the key would be too long: then it has no length. */
static u8 *recall_line(struct memo *memo) {
  u8 *k = key;
  memo->key_length = 0;
  for (u32 i = 0; i < HOLES; i++) filling[i] = 0;
  for (u32 i = 0; i < filled_count; i++) {
    u32 slot = filled[i], use = memo->uses[slot];
    const struct span *at = &slots[slot];
    u32 length = at->end - at->start;
    if (use == NOTHING) continue;
    *k++ = slot;
    if (use == PRESENCE_ALONE) continue;
    if (use >= HOLE) {
      filling[use - HOLE] = at;
      u32 around = *k++ = around_hole(at, use - HOLE);
      if (around != BY_BYTES) continue;
    }
    // Behind it there is room for the other slots, where they take two bytes, and for what `copy` writes beyond its end.
    if (length > 65536 || k + length + 2 * SLOTS + 24 > key + 65536) return 0;
    *(u16 *)k = length;
    k += 2;
    copy(k, at->start, length);
    k += length;
  }
  return recall(memo, k - key);
}

/** Keeps an answer of so many bytes for the key that was asked for last: gives the room for it, or 0 when there is none. */
static u8 *keep(struct memo *memo, u32 length) {
  u32 behind = (memo->key_length + 8 + 15) & ~15u, size = (behind + length + 31) & ~15u;
  if (memo->key_length == 0 || size > ARENA_BYTES) return 0;
  if (memo->top + size > ARENA_BYTES || memo->count > PLACES * 3 / 4) {
    for (u32 i = 0; i < PLACES; i++) memo->places[i].key = 0;
    memo->count = memo->top = 0;
    memo->place = (u32)(memo->hash >> 32) % PLACES;
  }
  u8 *kept = memo->arena + memo->top;
  memo->top += size;
  memo->count++;
  copy(kept, key, memo->key_length + 8);
  memo->places[memo->place].hash = memo->hash;
  memo->places[memo->place].key = kept;
  memo->places[memo->place].length = memo->key_length;
  return memo->places[memo->place].answer = kept + behind;
}
