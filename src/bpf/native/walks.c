#include "handle.h"

#include <errno.h>
#include <stdlib.h>

static const napi_type_tag WALK_TAG = {0x2f7a4c1be05d4863ULL, 0xb6c9d3720e8f4a15ULL};

/* A walk in JS: it keeps its map alive, and lets one batch run at a time. */
struct js_walk {
    struct walk walk;
    struct handle *map;
    napi_ref map_object;
    bool running;
};

/* One batch on a thread of the pool. The buffers and the walk are referenced while it runs. */
struct batch {
    struct js_walk *walk;
    napi_ref walk_object, keys_object, values_object;
    napi_async_work work;
    napi_deferred deferred;
    uint8_t *keys, *values;
    uint32_t capacity;
    int result;
};

static void finalize(napi_env env, void *data, void *hint) {
    struct js_walk *walk = data;
    (void)hint;
    if (walk->map_object) napi_delete_reference(env, walk->map_object);
    walk_free(&walk->walk);
    free(walk);
}

/* walk(map, single) */
static napi_value js_walk(napi_env env, napi_callback_info info) {
    napi_value args[2], object = NULL;
    struct handle *map;
    struct js_walk *walk = NULL;
    bool single;
    int result;
    if (!arguments(env, info, 2, args) || !(map = map_of(env, args[0])) || !to_bool(env, args[1], &single))
        return NULL;
    walk = calloc(1, sizeof(*walk));
    if (!walk) {
        throw_system(env, -ENOMEM, "allocate");
        return NULL;
    }
    walk->map = map;
    result = walk_init(&walk->walk, map->fd, &map->shape, single);
    if (result < 0) {
        throw_system(env, result, "walk");
        goto fail;
    }
    if (!ok(env, napi_create_object(env, &object))) goto fail;
    if (!ok(env, napi_type_tag_object(env, object, &WALK_TAG))) goto fail;
    if (!ok(env, napi_create_reference(env, args[0], 1, &walk->map_object))) goto fail;
    if (!ok(env, napi_wrap(env, object, walk, finalize, NULL, NULL))) goto fail;
    return object;
fail:
    finalize(env, walk, NULL);
    return NULL;
}

static struct js_walk *walk_of(napi_env env, napi_value value) {
    struct js_walk *walk = NULL;
    bool tagged = false;
    if (napi_check_object_type_tag(env, value, &WALK_TAG, &tagged) == napi_ok && tagged &&
        napi_unwrap(env, value, (void **)&walk) == napi_ok)
        return walk;
    throw_argument(env, "expected a walk");
    return NULL;
}

static void batch_free(napi_env env, struct batch *batch) {
    if (batch->work) napi_delete_async_work(env, batch->work);
    if (batch->values_object) napi_delete_reference(env, batch->values_object);
    if (batch->keys_object) napi_delete_reference(env, batch->keys_object);
    if (batch->walk_object) napi_delete_reference(env, batch->walk_object);
    free(batch);
}

static void run(napi_env env, void *data) {
    struct batch *batch = data;
    (void)env;
    batch->result = walk_next(&batch->walk->walk, batch->keys, batch->values, batch->capacity);
}

static void finish(napi_env env, napi_status status, void *data) {
    struct batch *batch = data;
    napi_value value = NULL;
    int result = status == napi_ok ? batch->result : -EINTR;
    batch->walk->running = false;
    handle_release(batch->walk->map);
    if (result >= 0 && napi_create_int32(env, result, &value) == napi_ok)
        napi_resolve_deferred(env, batch->deferred, value);
    else if ((value = system_error(env, result < 0 ? result : -EIO, "walk")) != NULL)
        napi_reject_deferred(env, batch->deferred, value);
    batch_free(env, batch);
}

/* walkNext(walk, keys, values): a promise of the number of entries now in the buffers */
static napi_value js_walk_next(napi_env env, napi_callback_info info) {
    napi_value args[3], promise = NULL, name;
    struct batch *batch = NULL;
    struct js_walk *walk;
    struct bytes keys, values;
    size_t capacity;
    if (!arguments(env, info, 3, args) || !(walk = walk_of(env, args[0])) ||
        !to_bytes(env, args[1], &keys) || !to_bytes(env, args[2], &values))
        return NULL;
    if (walk->map->closed) {
        throw_system(env, -EBADF, "walk of a closed map");
        return NULL;
    }
    if (walk->running) {
        throw_argument(env, "this walk has a batch under way");
        return NULL;
    }
    capacity = keys.size / walk->walk.shape.key_size;
    if (capacity == 0 || capacity > INT32_MAX ||
        (uint64_t)values.size < (uint64_t)capacity * walk->walk.shape.value_stride) {
        throw_argument(env, "the buffers do not hold the same number of keys and values");
        return NULL;
    }
    batch = calloc(1, sizeof(*batch));
    if (!batch) {
        throw_system(env, -ENOMEM, "allocate");
        return NULL;
    }
    batch->walk = walk;
    batch->keys = keys.data;
    batch->values = values.data;
    batch->capacity = (uint32_t)capacity;
    if (!ok(env, napi_create_reference(env, args[0], 1, &batch->walk_object)) ||
        !ok(env, napi_create_reference(env, args[1], 1, &batch->keys_object)) ||
        !ok(env, napi_create_reference(env, args[2], 1, &batch->values_object)) ||
        !ok(env, napi_create_string_utf8(env, "bpf walk", NAPI_AUTO_LENGTH, &name)) ||
        !ok(env, napi_create_async_work(env, NULL, name, run, finish, batch, &batch->work)) ||
        !ok(env, napi_create_promise(env, &batch->deferred, &promise)))
        goto fail;
    walk->running = true;
    handle_hold(walk->map);
    if (ok(env, napi_queue_async_work(env, batch->work))) return promise;
    walk->running = false;
    handle_release(walk->map);
fail:
    batch_free(env, batch);
    return NULL;
}

static napi_value js_walk_done(napi_env env, napi_callback_info info) {
    napi_value args[1];
    struct js_walk *walk;
    if (!arguments(env, info, 1, args) || !(walk = walk_of(env, args[0]))) return NULL;
    return from_bool(env, walk->walk.done);
}

bool define_walks(napi_env env, napi_value exports) {
    const napi_property_descriptor all[] = {
        {"walk", NULL, js_walk, NULL, NULL, NULL, napi_enumerable, NULL},
        {"walkNext", NULL, js_walk_next, NULL, NULL, NULL, napi_enumerable, NULL},
        {"walkDone", NULL, js_walk_done, NULL, NULL, NULL, napi_enumerable, NULL},
    };
    return define(env, exports, all, ARRAY_LENGTH(all));
}
