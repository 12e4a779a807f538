/* Events that programs send to user space: ring buffers, and perf buffers of every CPU. Free of Node. */
#ifndef TOOLKIT_EVENTS_H
#define TOOLKIT_EVENTS_H

#include "kernel.h"

/* Goes before each event in the bytes that events_read fills in. */
struct event_header {
    uint32_t size;
    uint32_t cpu;
    /* Events that were lost before this one; its size is then 0. */
    uint64_t lost;
};

struct events;

/*
 * Reads a ring buffer, or a perf event array, whose slots it takes over: only for arrays that nobody else reads.
 * `pages` is the size of each perf buffer, a power of two.
 */
int events_open(int map_fd, const struct map_shape *shape, uint32_t pages, struct events **result);
/*
 * Waits up to `timeout_ms` and fills `room` with events, each behind its header and padded to 8 bytes. Returns the
 * bytes used; 0 when nothing came or events_wake was called. An event that fits into no empty `room` gives -EMSGSIZE.
 */
int events_read(struct events *events, uint8_t *room, uint32_t size, int timeout_ms);
/* Ends a waiting events_read; may be called from another thread. */
void events_wake(struct events *events);
void events_close(struct events *events);

#endif
