#define _GNU_SOURCE
#include "kernel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

static uint64_t address(const void *pointer) {
    return (uint64_t)(uintptr_t)pointer;
}

static int bpf(enum bpf_cmd command, union bpf_attr *attr, size_t size) {
    long result;
    do {
        result = syscall(__NR_bpf, command, attr, size);
    } while (result < 0 && errno == EAGAIN && command == BPF_PROG_LOAD);
    return result < 0 ? -errno : (int)result;
}

/* The file lists ranges such as "0-3,8-11". */
int kernel_possible_cpus(void) {
    FILE *file = fopen("/sys/devices/system/cpu/possible", "re");
    unsigned first, last, count = 0;
    char separator;
    if (!file) return -errno;
    while (fscanf(file, "%u", &first) == 1) {
        last = first;
        separator = 0;
        if (fscanf(file, "%c", &separator) == 1 && separator == '-') {
            if (fscanf(file, "%u", &last) != 1 || last < first) {
                count = 0;
                break;
            }
            separator = 0;
            if (fscanf(file, "%c", &separator) != 1) separator = 0;
        }
        count += last - first + 1;
        if (separator != ',') break;
    }
    fclose(file);
    return count > 0 && count <= 65536 ? (int)count : -EINVAL;
}

int kernel_open_pin(const char *path, uint32_t flags) {
    union bpf_attr attr = {0};
    attr.pathname = address(path);
    attr.file_flags = flags;
    return bpf(BPF_OBJ_GET, &attr, sizeof(attr));
}

int kernel_open_id(enum object_kind kind, uint32_t id, uint32_t flags) {
    union bpf_attr attr = {0};
    attr.map_id = id;
    attr.open_flags = flags;
    switch (kind) {
    case OBJECT_MAP:
        return bpf(BPF_MAP_GET_FD_BY_ID, &attr, sizeof(attr));
    case OBJECT_PROGRAM:
        attr.open_flags = 0;
        return bpf(BPF_PROG_GET_FD_BY_ID, &attr, sizeof(attr));
    case OBJECT_LINK:
        attr.open_flags = 0;
        return bpf(BPF_LINK_GET_FD_BY_ID, &attr, sizeof(attr));
    case OBJECT_BTF:
        attr.open_flags = 0;
        return bpf(BPF_BTF_GET_FD_BY_ID, &attr, sizeof(attr));
    default:
        return -EINVAL;
    }
}

int kernel_next_id(enum object_kind kind, uint32_t id, uint32_t *next) {
    static const enum bpf_cmd commands[] = {
        [OBJECT_MAP] = BPF_MAP_GET_NEXT_ID,
        [OBJECT_PROGRAM] = BPF_PROG_GET_NEXT_ID,
        [OBJECT_LINK] = BPF_LINK_GET_NEXT_ID,
        [OBJECT_BTF] = BPF_BTF_GET_NEXT_ID,
    };
    union bpf_attr attr = {0};
    int result;
    if (kind < OBJECT_MAP || kind > OBJECT_BTF) return -EINVAL;
    attr.start_id = id;
    result = bpf(commands[kind], &attr, sizeof(attr));
    if (result == 0) *next = attr.next_id;
    return result;
}

/* The kernel names the anonymous file behind a descriptor after what it holds. */
enum object_kind kernel_kind(int fd) {
    char path[64], target[64];
    ssize_t length;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    length = readlink(path, target, sizeof(target) - 1);
    if (length < 0) return OBJECT_OTHER;
    target[length] = '\0';
    if (strcmp(target, "anon_inode:bpf-map") == 0) return OBJECT_MAP;
    if (strcmp(target, "anon_inode:bpf-prog") == 0) return OBJECT_PROGRAM;
    if (strcmp(target, "anon_inode:bpf_link") == 0 || strcmp(target, "anon_inode:bpf-link") == 0)
        return OBJECT_LINK;
    if (strcmp(target, "anon_inode:btf") == 0) return OBJECT_BTF;
    return OBJECT_OTHER;
}

int kernel_info(int fd, void *info, uint32_t *size) {
    union bpf_attr attr = {0};
    int result;
    attr.info.bpf_fd = (uint32_t)fd;
    attr.info.info_len = *size;
    attr.info.info = address(info);
    result = bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr));
    if (result == 0) *size = attr.info.info_len;
    return result;
}

int kernel_shape(int fd, struct map_shape *shape) {
    struct bpf_map_info info = {0};
    uint32_t size = sizeof(info);
    uint64_t stride;
    int cpus, result = kernel_info(fd, &info, &size);
    if (result < 0) return result;
    shape->type = info.type;
    shape->id = info.id;
    shape->key_size = info.key_size;
    shape->value_size = info.value_size;
    shape->max_entries = info.max_entries;
    stride = info.value_size;
    switch (info.type) {
    case BPF_MAP_TYPE_PERCPU_HASH:
    case BPF_MAP_TYPE_LRU_PERCPU_HASH:
    case BPF_MAP_TYPE_PERCPU_ARRAY:
    case BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE:
        cpus = kernel_possible_cpus();
        if (cpus < 0) return cpus;
        stride = ((stride + 7) & ~7ULL) * (uint64_t)cpus;
        break;
    default:
        break;
    }
    if (stride > UINT32_MAX) return -E2BIG;
    shape->value_stride = (uint32_t)stride;
    return 0;
}

int kernel_lookup(int fd, const void *key, void *value) {
    union bpf_attr attr = {0};
    attr.map_fd = (uint32_t)fd;
    attr.key = address(key);
    attr.value = address(value);
    return bpf(BPF_MAP_LOOKUP_ELEM, &attr, sizeof(attr));
}

int kernel_update(int fd, const void *key, const void *value, uint64_t flags) {
    union bpf_attr attr = {0};
    attr.map_fd = (uint32_t)fd;
    attr.key = address(key);
    attr.value = address(value);
    attr.flags = flags;
    return bpf(BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr));
}

int kernel_delete(int fd, const void *key) {
    union bpf_attr attr = {0};
    attr.map_fd = (uint32_t)fd;
    attr.key = address(key);
    return bpf(BPF_MAP_DELETE_ELEM, &attr, sizeof(attr));
}

/* The kernel stops a batch at the first key that is gone; the walk goes on behind it. */
int kernel_delete_batch(int fd, const uint8_t *keys, uint32_t key_size, uint32_t count, bool single) {
    uint32_t at = 0;
    int deleted = 0, result;
    while (at < count) {
        union bpf_attr attr = {0};
        if (!single) {
            attr.batch.map_fd = (uint32_t)fd;
            attr.batch.keys = address(keys + (size_t)at * key_size);
            attr.batch.count = count - at;
            result = bpf(BPF_MAP_DELETE_BATCH, &attr, sizeof(attr));
            if (result == -EINVAL || result == -EOPNOTSUPP || result == -KERNEL_ENOTSUPP) {
                single = true;
                continue;
            }
            if (result < 0 && result != -ENOENT) return result;
            if (attr.batch.count > count - at) return -EPROTO;
            deleted += (int)attr.batch.count;
            at += attr.batch.count;
            if (result == 0) break;
            at++;
            continue;
        }
        result = kernel_delete(fd, keys + (size_t)at * key_size);
        if (result == 0) deleted++;
        else if (result != -ENOENT) return result;
        at++;
    }
    return deleted;
}

int kernel_create(const struct map_spec *spec) {
    union bpf_attr attr = {0};
    attr.map_type = spec->type;
    attr.key_size = spec->key_size;
    attr.value_size = spec->value_size;
    attr.max_entries = spec->max_entries;
    attr.map_flags = spec->flags;
    if (spec->inner_fd >= 0) attr.inner_map_fd = (uint32_t)spec->inner_fd;
    memcpy(attr.map_name, spec->name, sizeof(attr.map_name));
    return bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
}

int kernel_pin(int fd, const char *path) {
    union bpf_attr attr = {0};
    attr.pathname = address(path);
    attr.bpf_fd = (uint32_t)fd;
    return bpf(BPF_OBJ_PIN, &attr, sizeof(attr));
}

int kernel_mount(const char *source, const char *path) {
    return mount(source, path, "bpf", 0, "mode=0700") < 0 ? -errno : 0;
}

int kernel_unmount(const char *path) {
    return umount2(path, MNT_DETACH) < 0 ? -errno : 0;
}

int kernel_freeze(int fd) {
    union bpf_attr attr = {0};
    attr.map_fd = (uint32_t)fd;
    return bpf(BPF_MAP_FREEZE, &attr, sizeof(attr));
}

int kernel_detach(int fd) {
    union bpf_attr attr = {0};
    attr.link_detach.link_fd = (uint32_t)fd;
    return bpf(BPF_LINK_DETACH, &attr, sizeof(attr));
}

/* BPF_PROG_QUERY as kernels have it since 6.6; the headers of older systems end before the links. */
struct prog_query {
    uint32_t target_ifindex;
    uint32_t attach_type;
    uint32_t query_flags;
    uint32_t attach_flags;
    uint64_t prog_ids;
    uint32_t count;
    uint32_t reserved;
    uint64_t prog_attach_flags;
    uint64_t link_ids;
    uint64_t link_attach_flags;
    uint64_t revision;
};

int kernel_device_links(uint32_t ifindex, uint32_t attach_type, uint32_t *links, uint32_t room) {
    uint32_t programs[ATTACHED_MAX] = {0};
    struct prog_query query = {0};
    long result;
    if (room > ATTACHED_MAX) room = ATTACHED_MAX;
    query.target_ifindex = ifindex;
    query.attach_type = attach_type;
    query.prog_ids = address(programs);
    query.link_ids = address(links);
    query.count = room;
    result = syscall(__NR_bpf, BPF_PROG_QUERY, &query, sizeof(query));
    if (result < 0) return -errno;
    return (int)(query.count < room ? query.count : room);
}
