// Answers that were given before, by the bytes that they depend on.
#pragma once

#include "message.h"

#define PLACES 4096

/** What of a slot an answer depends on; of a hole in a line, whether it is empty. */
enum use { NOTHING, PRESENCE_ALONE, HOLE, BYTES };

/** Answers by what they were given for. Full, it begins anew. */
struct memo {
  u64 hashes[PLACES];
  const u8 *keys[PLACES];
  u32 lengths[PLACES];
  u32 values[PLACES];
  u32 count;
  u8 *arena;
  u8 *top;
  u8 *end;
  u8 uses[SLOTS];  // what the answer depends on
  // The key that was asked for last.
  u64 hash;
  u32 place;
  u32 key_length;
};

static struct memo verdicts, lines, values;
static u8 key[65536 + 64];

enum around { BY_BYTES, EMPTY, AS_IT_IS, IN_BRACKETS };

/** What the words around a hole depend on: its bytes, where it is spelled otherwise or is a number that may have a name. */
static u32 around_hole(const struct span *at) {
  const u8 *p = at->start, *end = at->end;
  if (at->flags) return BY_BYTES;
  if (p == end) return EMPTY;
  if (end - p <= 2 && is_digit(*p)) return BY_BYTES;
  for (; p < end; p += 16) {
    u32 colons = wasm_i8x16_bitmask(wasm_i8x16_eq(wasm_v128_load(p), wasm_i8x16_splat(':')));
    if (colons && p + __builtin_ctz(colons) < end) return IN_BRACKETS;
  }
  return AS_IT_IS;
}

/** Puts together the key of a memo; 0 where it would be too long. */
static u32 make_key(const struct memo *memo) {
  u8 *k = key;
  for (u32 i = 0; i < filled_count; i++) {
    u32 slot = filled[i], use = memo->uses[slot];
    const struct span *at = &slots[slot];
    u32 length = at->end - at->start;
    if (use == NOTHING) continue;
    *k++ = slot;
    u32 around = use == HOLE ? around_hole(at) : BY_BYTES;
    if (use == PRESENCE_ALONE || around != BY_BYTES) {
      *k++ = around;
      continue;
    }
    // Behind it there is room for the other slots, where they take two bytes, and for what `copy` writes beyond its end.
    if (length > 65536 || k + length + 2 * SLOTS + 24 > key + 65536) return 0;
    *k++ = BY_BYTES;
    *(u32 *)k = length;
    k += 4;
    copy(k, at->start, length);
    k += length;
  }
  return k - key;
}

static u64 hash_key(u32 length) {
  u64 a = length, b = 0;
  wasm_v128_store(key + length, wasm_i8x16_splat(0));
  for (u32 i = 0; i < length; i += 16) {
    a = (a ^ load64(key + i)) * 0x9fb21c651e98df25ull;
    b = (b ^ load64(key + i + 8)) * 0x9e3779b97f4a7c15ull;
    a ^= a >> 29;
    b ^= b >> 32;
  }
  return a ^ b;
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
    if (i >= length) return memo->values[at];
  }
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
