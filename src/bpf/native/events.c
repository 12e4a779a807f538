#define _GNU_SOURCE
#include "events.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* One mapped buffer: that of a ring buffer map, or that of one CPU. */
struct buffer {
    uint32_t cpu;
    /* Of the perf event; a ring buffer belongs to its map. */
    int fd;
    uint8_t *head_page;
    size_t head_size;
    /* Ring buffers map their data apart, twice in a row, so that no event is cut. */
    uint8_t *data_pages;
    size_t data_mapped;
    uint8_t *data;
    uint64_t mask;
};

struct events {
    bool ring;
    int epoll;
    int wake;
    uint32_t count;
    struct buffer *buffers;
    /* An event that wraps in a perf buffer is put together here. */
    uint8_t *scratch;
    size_t scratch_size;
};

static int add_to_epoll(struct events *events, int fd) {
    struct epoll_event event = {.events = EPOLLIN};
    return epoll_ctl(events->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int open_ring(struct events *events, int map_fd, uint32_t size) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct buffer *buffer = &events->buffers[0];
    void *mapped = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
    if (mapped == MAP_FAILED) return -errno;
    buffer->head_page = mapped;
    buffer->head_size = page;
    /* The producer's page, then the data twice: all read-only. */
    mapped = mmap(NULL, page + 2 * (size_t)size, PROT_READ, MAP_SHARED, map_fd, (off_t)page);
    if (mapped == MAP_FAILED) return -errno;
    buffer->data_pages = mapped;
    buffer->data_mapped = page + 2 * (size_t)size;
    buffer->data = buffer->data_pages + page;
    buffer->mask = size - 1;
    return add_to_epoll(events, map_fd);
}

static int open_cpu(struct events *events, struct buffer *buffer, uint32_t cpu, int map_fd, uint32_t pages) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct perf_event_attr attr = {
        .type = PERF_TYPE_SOFTWARE,
        .size = sizeof(attr),
        .config = PERF_COUNT_SW_BPF_OUTPUT,
        .sample_type = PERF_SAMPLE_RAW,
        .sample_period = 1,
        .wakeup_events = 1,
    };
    uint32_t fd_value;
    void *mapped;
    int result;
    long fd = syscall(__NR_perf_event_open, &attr, -1, (int)cpu, -1, PERF_FLAG_FD_CLOEXEC);
    /* A CPU that is possible but not there has no events. */
    if (fd < 0) return errno == ENODEV ? 0 : -errno;
    buffer->cpu = cpu;
    buffer->fd = (int)fd;
    mapped = mmap(NULL, (pages + 1) * page, PROT_READ | PROT_WRITE, MAP_SHARED, buffer->fd, 0);
    if (mapped == MAP_FAILED) return -errno;
    buffer->head_page = mapped;
    buffer->head_size = (pages + 1) * page;
    buffer->data = buffer->head_page + page;
    buffer->mask = pages * page - 1;
    if (ioctl(buffer->fd, PERF_EVENT_IOC_ENABLE, 0) < 0) return -errno;
    fd_value = (uint32_t)buffer->fd;
    result = kernel_update(map_fd, &cpu, &fd_value, BPF_ANY);
    return result < 0 ? result : add_to_epoll(events, buffer->fd);
}

int events_open(int map_fd, const struct map_shape *shape, uint32_t pages, struct events **result) {
    struct events *events;
    int cpus, error = 0;
    const bool ring = shape->type == BPF_MAP_TYPE_RINGBUF;
    if (!ring && shape->type != BPF_MAP_TYPE_PERF_EVENT_ARRAY) return -EINVAL;
    if (pages == 0 || (pages & (pages - 1)) != 0 || pages > 65536) return -EINVAL;
    cpus = ring ? 1 : kernel_possible_cpus();
    if (cpus < 0) return cpus;
    if (!ring && (uint32_t)cpus > shape->max_entries) cpus = (int)shape->max_entries;
    events = calloc(1, sizeof(*events));
    if (!events) return -ENOMEM;
    events->ring = ring;
    events->epoll = events->wake = -1;
    events->count = (uint32_t)cpus;
    events->buffers = calloc((size_t)cpus, sizeof(*events->buffers));
    if (!events->buffers) {
        error = -ENOMEM;
        goto fail;
    }
    for (int i = 0; i < cpus; i++) events->buffers[i].fd = -1;
    events->epoll = epoll_create1(EPOLL_CLOEXEC);
    events->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (events->epoll < 0 || events->wake < 0) {
        error = -errno;
        goto fail;
    }
    error = add_to_epoll(events, events->wake);
    if (error == 0 && ring) error = open_ring(events, map_fd, shape->max_entries);
    for (int i = 0; !ring && error == 0 && i < cpus; i++)
        error = open_cpu(events, &events->buffers[i], (uint32_t)i, map_fd, pages);
    if (error == 0) {
        *result = events;
        return 0;
    }
fail:
    events_close(events);
    return error;
}

void events_close(struct events *events) {
    if (!events) return;
    for (uint32_t i = 0; events->buffers && i < events->count; i++) {
        struct buffer *buffer = &events->buffers[i];
        if (buffer->data_pages) munmap(buffer->data_pages, buffer->data_mapped);
        if (buffer->head_page) munmap(buffer->head_page, buffer->head_size);
        if (buffer->fd >= 0) close(buffer->fd);
    }
    if (events->epoll >= 0) close(events->epoll);
    if (events->wake >= 0) close(events->wake);
    free(events->scratch);
    free(events->buffers);
    free(events);
}

void events_wake(struct events *events) {
    const uint64_t one = 1;
    ssize_t ignored = write(events->wake, &one, sizeof(one));
    (void)ignored;
}

/* Where the next event goes. */
struct sink {
    uint8_t *room;
    uint32_t size;
    uint32_t used;
};

/* 1 when it was put, 0 when there is no room left, -EMSGSIZE when there never would be. */
static int put(struct sink *sink, const struct event_header *header, const uint8_t *data) {
    const uint64_t padded = sizeof(*header) + (((uint64_t)header->size + 7) & ~7ULL);
    if (padded > sink->size - sink->used) return sink->used == 0 ? -EMSGSIZE : 0;
    memcpy(sink->room + sink->used, header, sizeof(*header));
    if (header->size > 0) memcpy(sink->room + sink->used + sizeof(*header), data, header->size);
    sink->used += (uint32_t)padded;
    return 1;
}

static int drain_ring(struct buffer *buffer, struct sink *sink) {
    uint64_t *consumer = (uint64_t *)(void *)buffer->head_page;
    uint64_t *producer = (uint64_t *)(void *)buffer->data_pages;
    uint64_t at = __atomic_load_n(consumer, __ATOMIC_ACQUIRE);
    for (;;) {
        uint64_t end = __atomic_load_n(producer, __ATOMIC_ACQUIRE);
        uint32_t *length, raw, size;
        if (at >= end) return 0;
        length = (uint32_t *)(void *)(buffer->data + (at & buffer->mask));
        raw = __atomic_load_n(length, __ATOMIC_ACQUIRE);
        if (raw & BPF_RINGBUF_BUSY_BIT) return 0;
        size = raw & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
        if (size > buffer->mask) return -EPROTO;
        if (!(raw & BPF_RINGBUF_DISCARD_BIT)) {
            const struct event_header header = {.size = size};
            int result = put(sink, &header, (uint8_t *)length + BPF_RINGBUF_HDR_SZ);
            if (result <= 0) return result;
        }
        at += ((uint64_t)size + BPF_RINGBUF_HDR_SZ + 7) & ~7ULL;
        __atomic_store_n(consumer, at, __ATOMIC_RELEASE);
    }
}

/* A record of a perf buffer in one piece; NULL when there is no memory for one that wraps. */
static const uint8_t *whole(struct events *events, const struct buffer *buffer, uint64_t at, uint32_t size) {
    const uint64_t start = at & buffer->mask;
    const uint64_t first = buffer->mask + 1 - start;
    if (first >= size) return buffer->data + start;
    if (events->scratch_size < size) {
        uint8_t *larger = realloc(events->scratch, size);
        if (!larger) return NULL;
        events->scratch = larger;
        events->scratch_size = size;
    }
    memcpy(events->scratch, buffer->data + start, first);
    memcpy(events->scratch + first, buffer->data, size - first);
    return events->scratch;
}

static int drain_cpu(struct events *events, struct buffer *buffer, struct sink *sink) {
    struct perf_event_mmap_page *page = (struct perf_event_mmap_page *)(void *)buffer->head_page;
    uint64_t head, at;
    if (!page) return 0;
    head = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE);
    at = page->data_tail;
    while (at < head) {
        struct perf_event_header record;
        struct event_header header = {.cpu = buffer->cpu};
        const uint8_t *bytes = whole(events, buffer, at, sizeof(record));
        const uint8_t *data = NULL;
        int result = 1;
        if (!bytes) return -ENOMEM;
        memcpy(&record, bytes, sizeof(record));
        if (record.size < sizeof(record) || record.size > head - at) return -EPROTO;
        bytes = whole(events, buffer, at, record.size);
        if (!bytes) return -ENOMEM;
        if (record.type == PERF_RECORD_SAMPLE && record.size >= sizeof(record) + sizeof(uint32_t)) {
            memcpy(&header.size, bytes + sizeof(record), sizeof(header.size));
            data = bytes + sizeof(record) + sizeof(uint32_t);
            if (header.size > record.size - sizeof(record) - sizeof(uint32_t)) return -EPROTO;
            result = put(sink, &header, data);
        } else if (record.type == PERF_RECORD_LOST && record.size >= sizeof(record) + 2 * sizeof(uint64_t)) {
            memcpy(&header.lost, bytes + sizeof(record) + sizeof(uint64_t), sizeof(header.lost));
            result = put(sink, &header, NULL);
        }
        if (result <= 0) return result;
        at += record.size;
        __atomic_store_n(&page->data_tail, at, __ATOMIC_RELEASE);
    }
    return 0;
}

static int drain(struct events *events, struct sink *sink) {
    for (uint32_t i = 0; i < events->count; i++) {
        struct buffer *buffer = &events->buffers[i];
        int result = events->ring ? drain_ring(buffer, sink) : drain_cpu(events, buffer, sink);
        if (result == -EMSGSIZE && sink->used > 0) return 0;
        if (result < 0) return result;
    }
    return 0;
}

int events_read(struct events *events, uint8_t *room, uint32_t size, int timeout_ms) {
    struct sink sink = {.room = room, .size = size};
    struct epoll_event ready;
    int result = drain(events, &sink);
    if (result < 0 || sink.used > 0) return result < 0 ? result : (int)sink.used;
    if (epoll_wait(events->epoll, &ready, 1, timeout_ms) < 0 && errno != EINTR) return -errno;
    result = drain(events, &sink);
    return result < 0 ? result : (int)sink.used;
}
