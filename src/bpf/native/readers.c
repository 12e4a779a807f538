#include "events.h"
#include "handle.h"

#include <errno.h>
#include <stdlib.h>

static const napi_type_tag READER_TAG = {0x91c5e2a70d3f4b68ULL, 0x4e7bd018f62a93c5ULL};

/* A reader in JS. It owns its buffers; one read runs at a time. */
struct reader {
    struct events *events;
    struct handle *map;
    napi_ref map_object;
    bool running;
    bool closed;
};

/* One read on a thread of the pool. */
struct reading {
    struct reader *reader;
    napi_ref reader_object, room_object;
    napi_async_work work;
    napi_deferred deferred;
    struct bytes room;
    int timeout_ms;
    int result;
};

static void close_now(struct reader *reader) {
    events_close(reader->events);
    reader->events = NULL;
}

static void finalize(napi_env env, void *data, void *hint) {
    struct reader *reader = data;
    (void)hint;
    close_now(reader);
    if (reader->map_object) napi_delete_reference(env, reader->map_object);
    free(reader);
}

/* events(map, pages) */
static napi_value js_events(napi_env env, napi_callback_info info) {
    napi_value args[2], object = NULL;
    struct reader *reader = NULL;
    struct handle *map;
    uint32_t pages;
    int result;
    if (!arguments(env, info, 2, args) || !(map = map_of(env, args[0])) ||
        !to_u32(env, args[1], "pages: expected a u32", &pages))
        return NULL;
    reader = calloc(1, sizeof(*reader));
    if (!reader) {
        throw_system(env, -ENOMEM, "allocate");
        return NULL;
    }
    reader->map = map;
    result = events_open(map->fd, &map->shape, pages, &reader->events);
    if (result < 0) {
        throw_system(env, result, "open events");
        goto fail;
    }
    if (!ok(env, napi_create_object(env, &object))) goto fail;
    if (!ok(env, napi_type_tag_object(env, object, &READER_TAG))) goto fail;
    if (!ok(env, napi_create_reference(env, args[0], 1, &reader->map_object))) goto fail;
    if (!ok(env, napi_wrap(env, object, reader, finalize, NULL, NULL))) goto fail;
    return object;
fail:
    finalize(env, reader, NULL);
    return NULL;
}

static struct reader *reader_of(napi_env env, napi_value value) {
    struct reader *reader = NULL;
    bool tagged = false;
    if (napi_check_object_type_tag(env, value, &READER_TAG, &tagged) == napi_ok && tagged &&
        napi_unwrap(env, value, (void **)&reader) == napi_ok)
        return reader;
    throw_argument(env, "expected a reader of events");
    return NULL;
}

static void reading_free(napi_env env, struct reading *reading) {
    if (reading->work) napi_delete_async_work(env, reading->work);
    if (reading->room_object) napi_delete_reference(env, reading->room_object);
    if (reading->reader_object) napi_delete_reference(env, reading->reader_object);
    free(reading);
}

static void run(napi_env env, void *data) {
    struct reading *reading = data;
    (void)env;
    reading->result = events_read(reading->reader->events, reading->room.data, (uint32_t)reading->room.size,
                                  reading->timeout_ms);
}

static void finish(napi_env env, napi_status status, void *data) {
    struct reading *reading = data;
    struct reader *reader = reading->reader;
    napi_value value = NULL;
    int result = status == napi_ok ? reading->result : -EINTR;
    reader->running = false;
    if (reader->closed) close_now(reader);
    if (result >= 0 && napi_create_int32(env, result, &value) == napi_ok)
        napi_resolve_deferred(env, reading->deferred, value);
    else if ((value = system_error(env, result < 0 ? result : -EIO, "read events")) != NULL)
        napi_reject_deferred(env, reading->deferred, value);
    reading_free(env, reading);
}

/* eventsRead(reader, room, timeoutMs): a promise of the bytes that are now in the room */
static napi_value js_events_read(napi_env env, napi_callback_info info) {
    napi_value args[3], promise = NULL, name;
    struct reading *reading;
    struct reader *reader;
    struct bytes room;
    uint32_t timeout_ms;
    if (!arguments(env, info, 3, args) || !(reader = reader_of(env, args[0])) ||
        !to_bytes(env, args[1], &room) || !to_u32(env, args[2], "timeout: expected a u32", &timeout_ms))
        return NULL;
    if (reader->closed || reader->running) {
        throw_argument(env, reader->closed ? "this reader is closed" : "this reader has a read under way");
        return NULL;
    }
    if (room.size > INT32_MAX || timeout_ms > INT32_MAX) {
        throw_argument(env, "the room or the timeout is too large");
        return NULL;
    }
    reading = calloc(1, sizeof(*reading));
    if (!reading) {
        throw_system(env, -ENOMEM, "allocate");
        return NULL;
    }
    reading->reader = reader;
    reading->room = room;
    reading->timeout_ms = (int)timeout_ms;
    if (!ok(env, napi_create_reference(env, args[0], 1, &reading->reader_object)) ||
        !ok(env, napi_create_reference(env, args[1], 1, &reading->room_object)) ||
        !ok(env, napi_create_string_utf8(env, "bpf events", NAPI_AUTO_LENGTH, &name)) ||
        !ok(env, napi_create_async_work(env, NULL, name, run, finish, reading, &reading->work)) ||
        !ok(env, napi_create_promise(env, &reading->deferred, &promise)))
        goto fail;
    reader->running = true;
    if (ok(env, napi_queue_async_work(env, reading->work))) return promise;
    reader->running = false;
fail:
    reading_free(env, reading);
    return NULL;
}

/* eventsClose(reader): ends a read that waits */
static napi_value js_events_close(napi_env env, napi_callback_info info) {
    napi_value args[1];
    struct reader *reader;
    if (!arguments(env, info, 1, args) || !(reader = reader_of(env, args[0]))) return NULL;
    reader->closed = true;
    if (reader->running) events_wake(reader->events);
    else close_now(reader);
    return undefined(env);
}

bool define_events(napi_env env, napi_value exports) {
    const napi_property_descriptor all[] = {
        {"events", NULL, js_events, NULL, NULL, NULL, napi_enumerable, NULL},
        {"eventsRead", NULL, js_events_read, NULL, NULL, NULL, napi_enumerable, NULL},
        {"eventsClose", NULL, js_events_close, NULL, NULL, NULL, napi_enumerable, NULL},
    };
    return define(env, exports, all, ARRAY_LENGTH(all));
}
