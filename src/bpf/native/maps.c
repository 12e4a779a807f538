#include "handle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool to_sized(napi_env env, napi_value value, size_t size, const char *what, struct bytes *result) {
    if (!to_bytes(env, value, result)) return false;
    if (result->size == size) return true;
    throw_argument(env, what);
    return false;
}

static bool to_key(napi_env env, napi_value value, const struct handle *map, struct bytes *key) {
    return to_sized(env, value, map->shape.key_size, "the key has another size than the map's", key);
}

/* lookup(map, key): the value, one slot per possible CPU for per-CPU maps; undefined when there is none */
static napi_value js_lookup(napi_env env, napi_callback_info info) {
    napi_value args[2], value = NULL;
    struct handle *map;
    struct bytes key;
    void *data = NULL;
    int result;
    if (!arguments(env, info, 2, args) || !(map = map_of(env, args[0])) || !to_key(env, args[1], map, &key))
        return NULL;
    if (!ok(env, napi_create_buffer(env, map->shape.value_stride, &data, &value))) return NULL;
    memset(data, 0, map->shape.value_stride);
    result = kernel_lookup(map->fd, key.data, data);
    if (result == 0) return value;
    if (result == -ENOENT) return undefined(env);
    throw_system(env, result, "look up");
    return NULL;
}

/* update(map, key, value, flags) */
static napi_value js_update(napi_env env, napi_callback_info info) {
    napi_value args[4];
    struct handle *map;
    struct bytes key, value;
    uint32_t flags;
    int result;
    if (!arguments(env, info, 4, args) || !(map = map_of(env, args[0])) ||
        !to_key(env, args[1], map, &key) ||
        !to_sized(env, args[2], map->shape.value_stride, "the value has another size than the map's",
                  &value) ||
        !to_u32(env, args[3], "flags: expected a u32", &flags))
        return NULL;
    result = kernel_update(map->fd, key.data, value.data, flags);
    if (result == 0) return undefined(env);
    throw_system(env, result, "update");
    return NULL;
}

/* updateHandle(outer, key, object, flags): an object as the value (map in map, program array) */
static napi_value js_update_handle(napi_env env, napi_callback_info info) {
    napi_value args[4];
    struct handle *map, *object;
    struct bytes key;
    uint32_t flags, fd;
    int result;
    if (!arguments(env, info, 4, args) || !(map = map_of(env, args[0])) ||
        !to_key(env, args[1], map, &key) || !(object = handle_of(env, args[2])) ||
        !to_u32(env, args[3], "flags: expected a u32", &flags))
        return NULL;
    if (map->shape.value_size != sizeof(fd)) {
        throw_argument(env, "the values of this map are no objects");
        return NULL;
    }
    fd = (uint32_t)object->fd;
    result = kernel_update(map->fd, key.data, &fd, flags);
    if (result == 0) return undefined(env);
    throw_system(env, result, "update");
    return NULL;
}

/* remove(map, key): whether it was there */
static napi_value js_remove(napi_env env, napi_callback_info info) {
    napi_value args[2];
    struct handle *map;
    struct bytes key;
    int result;
    if (!arguments(env, info, 2, args) || !(map = map_of(env, args[0])) || !to_key(env, args[1], map, &key))
        return NULL;
    result = kernel_delete(map->fd, key.data);
    if (result == 0 || result == -ENOENT) return from_bool(env, result == 0);
    throw_system(env, result, "delete");
    return NULL;
}

/* removeBatch(map, keys, single): how many were there */
static napi_value js_remove_batch(napi_env env, napi_callback_info info) {
    napi_value args[3];
    struct handle *map;
    struct bytes keys;
    bool single;
    int result;
    if (!arguments(env, info, 3, args) || !(map = map_of(env, args[0])) || !to_bytes(env, args[1], &keys) ||
        !to_bool(env, args[2], &single))
        return NULL;
    if (map->shape.key_size == 0 || keys.size % map->shape.key_size != 0 ||
        keys.size / map->shape.key_size > INT32_MAX) {
        throw_argument(env, "expected whole keys");
        return NULL;
    }
    result = kernel_delete_batch(map->fd, keys.data, map->shape.key_size,
                                 (uint32_t)(keys.size / map->shape.key_size), single);
    if (result >= 0) return from_u32(env, (uint32_t)result);
    throw_system(env, result, "delete");
    return NULL;
}

/* create(type, keySize, valueSize, maxEntries, flags, name, inner map or undefined) */
static napi_value js_create(napi_env env, napi_callback_info info) {
    napi_value args[7];
    napi_valuetype inner_type;
    struct map_spec spec = {.inner_fd = -1};
    struct handle *inner;
    size_t length;
    int fd;
    if (!arguments(env, info, 7, args) || !to_u32(env, args[0], "type: expected a u32", &spec.type) ||
        !to_u32(env, args[1], "key size: expected a u32", &spec.key_size) ||
        !to_u32(env, args[2], "value size: expected a u32", &spec.value_size) ||
        !to_u32(env, args[3], "max entries: expected a u32", &spec.max_entries) ||
        !to_u32(env, args[4], "flags: expected a u32", &spec.flags))
        return NULL;
    /* The kernel keeps 15 bytes of a name; longer ones are cut, as loaders do. */
    if (!ok(env, napi_get_value_string_utf8(env, args[5], spec.name, sizeof(spec.name), &length)))
        return NULL;
    if (!ok(env, napi_typeof(env, args[6], &inner_type))) return NULL;
    if (inner_type != napi_undefined) {
        if (!(inner = map_of(env, args[6]))) return NULL;
        spec.inner_fd = inner->fd;
    }
    fd = kernel_create(&spec);
    if (fd >= 0) return handle_new(env, fd);
    throw_system(env, fd, "create map");
    return NULL;
}

/* freeze(map): no more writes from user space */
static napi_value js_freeze(napi_env env, napi_callback_info info) {
    napi_value args[1];
    struct handle *map;
    int result;
    if (!arguments(env, info, 1, args) || !(map = map_of(env, args[0]))) return NULL;
    result = kernel_freeze(map->fd);
    if (result == 0) return undefined(env);
    throw_system(env, result, "freeze");
    return NULL;
}

static napi_value js_value_stride(napi_env env, napi_callback_info info) {
    napi_value args[1];
    struct handle *map;
    if (!arguments(env, info, 1, args) || !(map = map_of(env, args[0]))) return NULL;
    return from_u32(env, map->shape.value_stride);
}

bool define_maps(napi_env env, napi_value exports) {
    const napi_property_descriptor all[] = {
        {"lookup", NULL, js_lookup, NULL, NULL, NULL, napi_enumerable, NULL},
        {"update", NULL, js_update, NULL, NULL, NULL, napi_enumerable, NULL},
        {"updateHandle", NULL, js_update_handle, NULL, NULL, NULL, napi_enumerable, NULL},
        {"remove", NULL, js_remove, NULL, NULL, NULL, napi_enumerable, NULL},
        {"removeBatch", NULL, js_remove_batch, NULL, NULL, NULL, napi_enumerable, NULL},
        {"create", NULL, js_create, NULL, NULL, NULL, napi_enumerable, NULL},
        {"freeze", NULL, js_freeze, NULL, NULL, NULL, napi_enumerable, NULL},
        {"valueStride", NULL, js_value_stride, NULL, NULL, NULL, napi_enumerable, NULL},
    };
    return define(env, exports, all, ARRAY_LENGTH(all));
}
