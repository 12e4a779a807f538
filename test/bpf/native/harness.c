/* Exercises the helper's kernel part without Node, for valgrind and the sanitizers: scripts/check-native.mjs. */
#include "../../../src/bpf/native/events.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ENTRIES 3000
#define BATCH 64

static int create(uint32_t type, uint32_t key_size, uint32_t value_size, uint32_t entries, uint32_t flags) {
    struct map_spec spec = {type, key_size, value_size, entries, flags, "harness", -1};
    int fd = kernel_create(&spec);
    if (fd < 0) fprintf(stderr, "create map of type %u: %s\n", type, strerror(-fd));
    assert(fd >= 0);
    assert(kernel_kind(fd) == OBJECT_MAP);
    return fd;
}

/* Walks a map of u32 keys while it deletes what it has seen; every key must come. */
static void check_walk(uint32_t type, bool single, bool deletes) {
    const int fd = create(type, 4, 8, type == BPF_MAP_TYPE_LRU_HASH ? 2 * ENTRIES : ENTRIES, 0);
    struct map_shape shape;
    struct walk walk;
    uint8_t *keys, *values, *seen = calloc(ENTRIES, 1);
    uint8_t *value;
    uint32_t total = 0, capacity = 4;
    assert(seen && kernel_shape(fd, &shape) == 0);
    value = calloc(1, shape.value_stride);
    /* Cleared, because valgrind does not know that the kernel fills them. */
    keys = calloc((size_t)BATCH * 1024, shape.key_size);
    values = calloc((size_t)BATCH * 1024, shape.value_stride);
    assert(value && keys && values);
    for (uint32_t i = 0; i < ENTRIES; i++) assert(kernel_update(fd, &i, value, BPF_ANY) == 0);
    assert(walk_init(&walk, fd, &shape, single) == 0);
    while (!walk.done) {
        int count = walk_next(&walk, keys, values, capacity);
        if (count == -ENOSPC) {
            capacity *= 4;
            assert(capacity <= BATCH * 1024);
            continue;
        }
        assert(count >= 0);
        for (int i = 0; i < count; i++) {
            uint32_t key;
            memcpy(&key, keys + (size_t)i * shape.key_size, sizeof(key));
            assert(key < ENTRIES);
            seen[key] = 1;
        }
        if (deletes) assert(kernel_delete_batch(fd, keys, 4, (uint32_t)count, single) == count);
    }
    for (uint32_t i = 0; i < ENTRIES; i++) total += seen[i];
    assert(total == ENTRIES);
    walk_free(&walk);
    free(value);
    free(values);
    free(keys);
    free(seen);
    close(fd);
}

static void check_trie(void) {
    const int fd = create(BPF_MAP_TYPE_LPM_TRIE, 8, 4, ENTRIES, BPF_F_NO_PREALLOC);
    struct map_shape shape;
    struct walk walk;
    uint8_t keys[BATCH * 8] = {0}, values[BATCH * 4] = {0};
    uint32_t total = 0;
    assert(kernel_shape(fd, &shape) == 0);
    for (uint32_t i = 0; i < ENTRIES; i++) {
        uint8_t key[8] = {32, 0, 0, 0, 10, 0, (uint8_t)(i >> 8), (uint8_t)i};
        assert(kernel_update(fd, key, &i, BPF_ANY) == 0);
    }
    assert(walk_init(&walk, fd, &shape, false) == 0);
    while (!walk.done) {
        int count = walk_next(&walk, keys, values, BATCH);
        assert(count >= 0);
        total += (uint32_t)count;
        if (count > 0) assert(kernel_delete(fd, keys + 8 * (count - 1)) == 0);
    }
    assert(total == ENTRIES);
    walk_free(&walk);
    close(fd);
}

static void check_errors(void) {
    struct map_shape shape = {0};
    struct walk walk;
    struct events *events = NULL;
    uint32_t key = 1, size = INFO_MAX, next = 0;
    uint64_t value = 7;
    uint8_t info[INFO_MAX] = {0};
    const int fd = create(BPF_MAP_TYPE_HASH, 4, 8, 1, 0);
    assert(kernel_possible_cpus() > 0);
    assert(kernel_shape(fd, &shape) == 0 && shape.key_size == 4 && shape.value_stride == 8);
    assert(kernel_info(fd, info, &size) == 0 && size <= INFO_MAX);
    assert(kernel_next_id(OBJECT_MAP, shape.id - 1, &next) == 0 && next == shape.id);
    assert(kernel_next_id(OBJECT_OTHER, 0, &next) == -EINVAL);
    assert(kernel_lookup(fd, &key, &value) == -ENOENT);
    assert(kernel_delete(fd, &key) == -ENOENT);
    assert(kernel_delete_batch(fd, (uint8_t *)&key, 4, 1, true) == 0);
    assert(kernel_update(fd, &key, &value, BPF_ANY) == 0);
    assert(kernel_freeze(fd) == 0);
    assert(kernel_update(fd, &key, &value, BPF_ANY) == -EPERM);
    assert(kernel_open_pin("/nonexistent", 0) == -ENOENT);
    assert(kernel_open_id(OBJECT_MAP, 0xfffffff0, 0) == -ENOENT);
    assert(kernel_open_id(OBJECT_OTHER, 1, 0) == -EINVAL);
    assert(kernel_kind(STDIN_FILENO) == OBJECT_OTHER);
    assert(events_open(fd, &shape, 8, &events) == -EINVAL);
    shape.key_size = 0;
    assert(walk_init(&walk, fd, &shape, false) == -EOPNOTSUPP);
    close(fd);
}

static void check_events(void) {
    uint8_t room[4096];
    struct map_shape shape;
    struct events *events = NULL;
    int fd = create(BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0);
    assert(kernel_shape(fd, &shape) == 0);
    assert(events_open(fd, &shape, 3, &events) == -EINVAL);
    assert(events_open(fd, &shape, 1, &events) == 0);
    assert(events_read(events, room, sizeof(room), 0) == 0);
    events_wake(events);
    assert(events_read(events, room, sizeof(room), 10000) == 0);
    events_close(events);
    close(fd);
    fd = create(BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 4, (uint32_t)kernel_possible_cpus(), 0);
    assert(kernel_shape(fd, &shape) == 0);
    assert(events_open(fd, &shape, 8, &events) == 0);
    assert(events_read(events, room, sizeof(room), 0) == 0);
    events_close(events);
    events_close(NULL);
    close(fd);
}

int main(int argc, char **argv) {
    static const uint32_t hashes[] = {BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_LRU_HASH, BPF_MAP_TYPE_PERCPU_HASH};
    for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
        for (int mode = 0; mode < 4; mode++) check_walk(hashes[i], mode & 1, mode & 2);
    check_walk(BPF_MAP_TYPE_ARRAY, false, false);
    check_walk(BPF_MAP_TYPE_PERCPU_ARRAY, true, false);
    check_trie();
    check_errors();
    /* Valgrind knows nothing of the memory that the kernel maps for events. */
    if (argc < 2 || strcmp(argv[1], "--no-events") != 0) check_events();
    puts("all checks passed");
    return 0;
}
