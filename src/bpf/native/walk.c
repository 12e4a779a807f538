#define _GNU_SOURCE
#include "kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int bpf(enum bpf_cmd command, union bpf_attr *attr) {
    long result = syscall(__NR_bpf, command, attr, sizeof(*attr));
    return result < 0 ? -errno : (int)result;
}

static int next_key(int fd, const uint8_t *key, uint8_t *next) {
    union bpf_attr attr = {0};
    attr.map_fd = (uint32_t)fd;
    attr.key = (uint64_t)(uintptr_t)key;
    attr.next_key = (uint64_t)(uintptr_t)next;
    return bpf(BPF_MAP_GET_NEXT_KEY, &attr);
}

static bool is_array(uint32_t type) {
    switch (type) {
    case BPF_MAP_TYPE_ARRAY:
    case BPF_MAP_TYPE_PERCPU_ARRAY:
    case BPF_MAP_TYPE_PROG_ARRAY:
    case BPF_MAP_TYPE_PERF_EVENT_ARRAY:
    case BPF_MAP_TYPE_CGROUP_ARRAY:
    case BPF_MAP_TYPE_ARRAY_OF_MAPS:
        return true;
    default:
        return false;
    }
}

/*
 * Batches of the hash kinds go bucket by bucket, those of arrays index by index: neither repeats nor misses what
 * stays. The generic batch of other kinds starts over when a key vanishes, so those are walked key by key.
 */
static bool batches_are_safe(uint32_t type) {
    switch (type) {
    case BPF_MAP_TYPE_HASH:
    case BPF_MAP_TYPE_PERCPU_HASH:
    case BPF_MAP_TYPE_LRU_HASH:
    case BPF_MAP_TYPE_LRU_PERCPU_HASH:
    case BPF_MAP_TYPE_ARRAY:
        return true;
    default:
        return false;
    }
}

int walk_init(struct walk *walk, int fd, const struct map_shape *shape, bool single) {
    /* A batch cursor of a hash is a u32, whatever the size of its key. */
    size_t cursor = shape->key_size < 4 ? 4 : shape->key_size;
    if (shape->key_size == 0) return -EOPNOTSUPP;
    memset(walk, 0, sizeof(*walk));
    walk->fd = fd;
    walk->shape = *shape;
    walk->single = single || !batches_are_safe(shape->type);
    /* Twice, because entries that come while others go are entries too; a walk that repeats ends here. */
    walk->limit = 2 * (uint64_t)shape->max_entries + 1;
    walk->cursor = calloc(1, cursor);
    walk->next = calloc(1, cursor);
    walk->ring = calloc(WALK_RING, shape->key_size);
    if (!walk->cursor || !walk->next || !walk->ring) {
        walk_free(walk);
        return -ENOMEM;
    }
    return 0;
}

void walk_free(struct walk *walk) {
    free(walk->cursor);
    free(walk->next);
    free(walk->ring);
    walk->cursor = walk->next = walk->ring = NULL;
}

static void swap_cursor(struct walk *walk) {
    uint8_t *spare = walk->cursor;
    walk->cursor = walk->next;
    walk->next = spare;
    walk->started = true;
}

static int next_batch(struct walk *walk, uint8_t *keys, uint8_t *values, uint32_t capacity) {
    union bpf_attr attr = {0};
    int result;
    attr.batch.in_batch = walk->started ? (uint64_t)(uintptr_t)walk->cursor : 0;
    attr.batch.out_batch = (uint64_t)(uintptr_t)walk->next;
    attr.batch.keys = (uint64_t)(uintptr_t)keys;
    attr.batch.values = (uint64_t)(uintptr_t)values;
    attr.batch.count = capacity;
    attr.batch.map_fd = (uint32_t)walk->fd;
    result = bpf(BPF_MAP_LOOKUP_BATCH, &attr);
    if (result < 0 && result != -ENOENT) {
        bool unknown = result == -EINVAL || result == -EOPNOTSUPP || result == -KERNEL_ENOTSUPP;
        if (!unknown || walk->started) return result;
        walk->single = true;
        return 0;
    }
    if (attr.batch.count > capacity) return -EPROTO;
    if (result == -ENOENT) walk->done = true;
    else swap_cursor(walk);
    return (int)attr.batch.count;
}

static bool in_ring(const struct walk *walk, const uint8_t *key) {
    for (uint32_t i = 0; i < walk->ring_used; i++)
        if (memcmp(walk->ring + (size_t)i * walk->shape.key_size, key, walk->shape.key_size) == 0) return true;
    return false;
}

static void remember(struct walk *walk, const uint8_t *key) {
    memcpy(walk->ring + (size_t)walk->ring_at * walk->shape.key_size, key, walk->shape.key_size);
    walk->ring_at = (walk->ring_at + 1) % WALK_RING;
    if (walk->ring_used < WALK_RING) walk->ring_used++;
}

/*
 * The kernel answers a key that is gone with the first key of the map. Whether `next` is such an answer: a hash is
 * asked for the key itself; a look-up in a trie finds shorter prefixes too, so there the first key is compared,
 * which never follows another one.
 */
static int went_back(struct walk *walk, const uint8_t *key, const uint8_t *next, uint8_t *scratch) {
    int result;
    if (walk->shape.type == BPF_MAP_TYPE_LPM_TRIE) {
        result = next_key(walk->fd, NULL, scratch);
        if (result < 0) return result == -ENOENT ? 0 : result;
        return memcmp(scratch, next, walk->shape.key_size) == 0;
    }
    result = kernel_lookup(walk->fd, key, scratch);
    if (result == -ENOENT) return 1;
    return 0;
}

/*
 * Finds the key behind the newest walked key that is still there, over those that were given already. When all of
 * the ring is gone it starts over: the limit of the walk bounds what is repeated.
 */
static int recover(struct walk *walk, uint8_t *scratch) {
    const uint32_t size = walk->shape.key_size;
    for (uint32_t back = 1; back <= walk->ring_used; back++) {
        const uint8_t *key = walk->ring + (size_t)((walk->ring_at + WALK_RING - back) % WALK_RING) * size;
        int gone, result = next_key(walk->fd, key, walk->next);
        if (result < 0 && result != -ENOENT) return result;
        if (result == -ENOENT) return result;
        gone = went_back(walk, key, walk->next, scratch);
        if (gone < 0) return gone;
        if (gone) continue;
        for (uint32_t hops = 0; hops <= WALK_RING && in_ring(walk, walk->next); hops++) {
            memcpy(walk->cursor, walk->next, size);
            result = next_key(walk->fd, walk->cursor, walk->next);
            if (result < 0) return result;
        }
        return 0;
    }
    return next_key(walk->fd, NULL, walk->next);
}

static int next_single(struct walk *walk, uint8_t *keys, uint8_t *values, uint32_t capacity) {
    const uint32_t size = walk->shape.key_size;
    const bool array = is_array(walk->shape.type);
    const size_t scratch_size = size > walk->shape.value_stride ? size : walk->shape.value_stride;
    uint8_t *scratch = array ? NULL : malloc(scratch_size ? scratch_size : 1);
    uint32_t count = 0;
    int result = 0;
    if (!array && !scratch) return -ENOMEM;
    while (count < capacity) {
        if (walk->given + count >= walk->limit || ++walk->steps > 2 * walk->limit) {
            walk->done = true;
            break;
        }
        result = next_key(walk->fd, walk->started ? walk->cursor : NULL, walk->next);
        if (result == 0 && walk->started && !array) {
            int gone = went_back(walk, walk->cursor, walk->next, scratch);
            if (gone < 0) result = gone;
            else if (gone) result = recover(walk, scratch);
        }
        if (result < 0) break;
        result = kernel_lookup(walk->fd, walk->next, values + (size_t)count * walk->shape.value_stride);
        if (result == -ENOENT) {
            /* Gone since: asking again from the same place steps over it. An empty slot of an array stays. */
            if (array) swap_cursor(walk);
            continue;
        }
        if (result < 0) break;
        memcpy(keys + (size_t)count * size, walk->next, size);
        if (!array) remember(walk, walk->next);
        swap_cursor(walk);
        count++;
    }
    free(scratch);
    if (result == -ENOENT) walk->done = true;
    else if (result < 0) return result;
    return (int)count;
}

int walk_next(struct walk *walk, uint8_t *keys, uint8_t *values, uint32_t capacity) {
    int count = 0;
    if (walk->done || capacity == 0) return 0;
    if (!walk->single) {
        count = next_batch(walk, keys, values, capacity);
        if (count < 0) return count;
    }
    if (walk->single) {
        count = next_single(walk, keys, values, capacity);
        if (count < 0) return count;
    }
    walk->given += (uint32_t)count;
    if (walk->given >= walk->limit) walk->done = true;
    return count;
}
