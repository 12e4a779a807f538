/*
 * The bpf(2) system call for the toolkit: bytes up, nothing else. This part knows nothing of Node, so that the
 * same code runs under valgrind in a plain C program (scripts/check-native.mjs).
 *
 * Every function returns 0, a count or a descriptor, or a negative errno.
 */
#ifndef TOOLKIT_KERNEL_H
#define TOOLKIT_KERNEL_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The kernel copies as much of an info struct as both sides know; none is this long today. */
#define INFO_MAX 512
/* What an unsupported map operation returns inside the kernel; it has no name in user space. */
#define KERNEL_ENOTSUPP 524
/* Recently walked keys that a walk without batches can go back to. */
#define WALK_RING 64
/* Programs on one hook; the kernel takes no more than 64. */
#define ATTACHED_MAX 64

enum object_kind { OBJECT_OTHER, OBJECT_MAP, OBJECT_PROGRAM, OBJECT_LINK, OBJECT_BTF };

/* Sizes of one map. */
struct map_shape {
    uint32_t type;
    uint32_t id;
    uint32_t key_size;
    uint32_t value_size;
    uint32_t max_entries;
    /* Bytes of one value as a look-up returns it: for per-CPU maps one slot of 8n bytes per possible CPU. */
    uint32_t value_stride;
};

struct map_spec {
    uint32_t type;
    uint32_t key_size;
    uint32_t value_size;
    uint32_t max_entries;
    uint32_t flags;
    char name[BPF_OBJ_NAME_LEN];
    /* Descriptor of the template of the inner maps, or -1. */
    int inner_fd;
};

int kernel_possible_cpus(void);
int kernel_open_pin(const char *path, uint32_t flags);
int kernel_open_id(enum object_kind kind, uint32_t id, uint32_t flags);
int kernel_next_id(enum object_kind kind, uint32_t id, uint32_t *next);
enum object_kind kernel_kind(int fd);
int kernel_info(int fd, void *info, uint32_t *size);
int kernel_shape(int fd, struct map_shape *shape);
int kernel_lookup(int fd, const void *key, void *value);
int kernel_update(int fd, const void *key, const void *value, uint64_t flags);
int kernel_delete(int fd, const void *key);
/* Deletes `count` keys; keys that are gone already are no error. Returns how many were deleted. */
int kernel_delete_batch(int fd, const uint8_t *keys, uint32_t key_size, uint32_t count, bool single);
int kernel_create(const struct map_spec *spec);
int kernel_pin(int fd, const char *path);
int kernel_freeze(int fd);
/* Mounts a BPF file system that only its owner can enter, and takes one away even while it is in use. */
int kernel_mount(const char *source, const char *path);
int kernel_unmount(const char *path);
int kernel_detach(int fd);
/* Ids of the links that hang on a hook of a device of this network namespace. Returns their number, at most `room`. */
int kernel_device_links(uint32_t ifindex, uint32_t attach_type, uint32_t *links, uint32_t room);

/* A walk over all entries of a map. It does not own the descriptor. */
struct walk {
    int fd;
    struct map_shape shape;
    bool single;
    bool started;
    bool done;
    uint64_t given;
    uint64_t limit;
    uint64_t steps;
    uint8_t *cursor;
    uint8_t *next;
    uint8_t *ring;
    uint32_t ring_used;
    uint32_t ring_at;
};

int walk_init(struct walk *walk, int fd, const struct map_shape *shape, bool single);
void walk_free(struct walk *walk);
/*
 * Fills up to `capacity` entries and returns their number; walk->done tells whether more may follow. -ENOSPC:
 * one bucket holds more than `capacity` entries; call again with more room.
 */
int walk_next(struct walk *walk, uint8_t *keys, uint8_t *values, uint32_t capacity);

#endif
