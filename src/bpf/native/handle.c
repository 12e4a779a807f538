#include "handle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const napi_type_tag HANDLE_TAG = {0x6b1f0e9a7c3d4b52ULL, 0x9d2e85f4a1c06b37ULL};

static void close_now(struct handle *handle) {
    if (handle->fd < 0) return;
    close(handle->fd);
    handle->fd = -1;
}

static void finalize(node_api_basic_env env, void *data, void *hint) {
    struct handle *handle = data;
    (void)env;
    (void)hint;
    close_now(handle);
    free(handle);
}

napi_value handle_new(napi_env env, int fd) {
    struct handle *handle = calloc(1, sizeof(*handle));
    napi_value object = NULL;
    int result;
    if (!handle) {
        close(fd);
        throw_system(env, -ENOMEM, "allocate");
        return NULL;
    }
    handle->fd = fd;
    handle->kind = kernel_kind(fd);
    if (handle->kind == OBJECT_MAP && (result = kernel_shape(fd, &handle->shape)) < 0) {
        throw_system(env, result, "read map info");
        goto fail;
    }
    if (!ok(env, napi_create_object(env, &object))) goto fail;
    if (!ok(env, napi_type_tag_object(env, object, &HANDLE_TAG))) goto fail;
    if (!ok(env, napi_wrap(env, object, handle, finalize, NULL, NULL))) goto fail;
    return object;
fail:
    close_now(handle);
    free(handle);
    return NULL;
}

struct handle *handle_of(napi_env env, napi_value value) {
    struct handle *handle = NULL;
    napi_valuetype type;
    bool tagged = false;
    if (napi_typeof(env, value, &type) != napi_ok || type != napi_object ||
        napi_check_object_type_tag(env, value, &HANDLE_TAG, &tagged) != napi_ok || !tagged ||
        napi_unwrap(env, value, (void **)&handle) != napi_ok) {
        throw_argument(env, "expected a handle of a BPF object");
        return NULL;
    }
    if (!handle->closed) return handle;
    throw_system(env, -EBADF, "use of a closed BPF object");
    return NULL;
}

struct handle *map_of(napi_env env, napi_value value) {
    struct handle *handle = handle_of(env, value);
    if (!handle || handle->kind == OBJECT_MAP) return handle;
    throw_argument(env, "expected a handle of a map");
    return NULL;
}

void handle_hold(struct handle *handle) {
    handle->busy++;
}

void handle_release(struct handle *handle) {
    if (--handle->busy == 0 && handle->closed) close_now(handle);
}

static napi_value js_close(napi_env env, napi_callback_info info) {
    napi_value args[1];
    struct handle *handle = NULL;
    bool tagged = false;
    if (!arguments(env, info, 1, args)) return NULL;
    if (napi_check_object_type_tag(env, args[0], &HANDLE_TAG, &tagged) != napi_ok || !tagged ||
        napi_unwrap(env, args[0], (void **)&handle) != napi_ok) {
        throw_argument(env, "expected a handle of a BPF object");
        return NULL;
    }
    handle->closed = true;
    if (handle->busy == 0) close_now(handle);
    return undefined(env);
}

static napi_value opened(napi_env env, int fd, const char *operation) {
    if (fd >= 0) return handle_new(env, fd);
    throw_system(env, fd, operation);
    return NULL;
}

/* openPin(path, flags) */
static napi_value js_open_pin(napi_env env, napi_callback_info info) {
    napi_value args[2];
    char path[PATH_LIMIT];
    uint32_t flags;
    if (!arguments(env, info, 2, args) || !to_path(env, args[0], path) ||
        !to_u32(env, args[1], "flags: expected a u32", &flags))
        return NULL;
    return opened(env, kernel_open_pin(path, flags), "open pin");
}

/* openId(kind, id, flags) */
static napi_value js_open_id(napi_env env, napi_callback_info info) {
    napi_value args[3];
    uint32_t kind, id, flags;
    if (!arguments(env, info, 3, args) || !to_u32(env, args[0], "kind: expected a u32", &kind) ||
        !to_u32(env, args[1], "id: expected a u32", &id) ||
        !to_u32(env, args[2], "flags: expected a u32", &flags))
        return NULL;
    return opened(env, kernel_open_id((enum object_kind)kind, id, flags), "open by id");
}

/* nextId(kind, id): the id behind `id`, or 0 */
static napi_value js_next_id(napi_env env, napi_callback_info info) {
    napi_value args[2];
    uint32_t kind, id, next = 0;
    int result;
    if (!arguments(env, info, 2, args) || !to_u32(env, args[0], "kind: expected a u32", &kind) ||
        !to_u32(env, args[1], "id: expected a u32", &id))
        return NULL;
    result = kernel_next_id((enum object_kind)kind, id, &next);
    if (result == -ENOENT) return from_u32(env, 0);
    if (result == 0) return from_u32(env, next);
    throw_system(env, result, "next id");
    return NULL;
}

static napi_value js_kind(napi_env env, napi_callback_info info) {
    napi_value args[1];
    struct handle *handle;
    if (!arguments(env, info, 1, args) || !(handle = handle_of(env, args[0]))) return NULL;
    return from_u32(env, handle->kind);
}

static napi_value js_fd(napi_env env, napi_callback_info info) {
    napi_value args[1];
    struct handle *handle;
    if (!arguments(env, info, 1, args) || !(handle = handle_of(env, args[0]))) return NULL;
    return from_u32(env, (uint32_t)handle->fd);
}

/* info(handle): the kernel's info struct as it is */
static napi_value js_info(napi_env env, napi_callback_info info) {
    napi_value args[1];
    struct handle *handle;
    uint8_t raw[INFO_MAX] = {0};
    uint32_t size = sizeof(raw);
    int result;
    if (!arguments(env, info, 1, args) || !(handle = handle_of(env, args[0]))) return NULL;
    result = kernel_info(handle->fd, raw, &size);
    if (result == 0) return copy_of(env, raw, size < sizeof(raw) ? size : sizeof(raw));
    throw_system(env, result, "read info");
    return NULL;
}

/* btf(handle): the type information itself */
static napi_value js_btf(napi_env env, napi_callback_info info) {
    napi_value args[1], data = NULL;
    struct handle *handle;
    struct bpf_btf_info about = {0};
    uint32_t size = sizeof(about);
    void *bytes = NULL;
    int result;
    if (!arguments(env, info, 1, args) || !(handle = handle_of(env, args[0]))) return NULL;
    if (handle->kind != OBJECT_BTF) {
        throw_argument(env, "expected a handle of type information");
        return NULL;
    }
    result = kernel_info(handle->fd, &about, &size);
    if (result == 0) {
        const uint32_t room = about.btf_size;
        if (!ok(env, napi_create_buffer(env, room, &bytes, &data))) return NULL;
        memset(&about, 0, sizeof(about));
        about.btf = (uint64_t)(uintptr_t)bytes;
        about.btf_size = room;
        size = sizeof(about);
        result = kernel_info(handle->fd, &about, &size);
    }
    if (result == 0) return data;
    throw_system(env, result, "read type information");
    return NULL;
}

/* programMaps(handle): ids of the maps that a program uses, u32 each */
static napi_value js_program_maps(napi_env env, napi_callback_info info) {
    napi_value args[1], data = NULL;
    struct handle *handle;
    struct bpf_prog_info about = {0};
    uint32_t size = sizeof(about), room;
    void *ids = NULL;
    int result;
    if (!arguments(env, info, 1, args) || !(handle = handle_of(env, args[0]))) return NULL;
    if (handle->kind != OBJECT_PROGRAM) {
        throw_argument(env, "expected a handle of a program");
        return NULL;
    }
    result = kernel_info(handle->fd, &about, &size);
    if (result == 0) {
        room = about.nr_map_ids;
        if (!ok(env, napi_create_buffer(env, (size_t)room * sizeof(uint32_t), &ids, &data))) return NULL;
        memset(&about, 0, sizeof(about));
        about.nr_map_ids = room;
        about.map_ids = (uint64_t)(uintptr_t)ids;
        size = sizeof(about);
        result = kernel_info(handle->fd, &about, &size);
    }
    if (result == 0) return data;
    throw_system(env, result, "read map ids");
    return NULL;
}

/* pin(handle, path) */
static napi_value js_pin(napi_env env, napi_callback_info info) {
    napi_value args[2];
    char path[PATH_LIMIT];
    struct handle *handle;
    int result;
    if (!arguments(env, info, 2, args) || !(handle = handle_of(env, args[0])) || !to_path(env, args[1], path))
        return NULL;
    result = kernel_pin(handle->fd, path);
    if (result == 0) return undefined(env);
    throw_system(env, result, "pin");
    return NULL;
}

/* mount(source, path): a BPF file system */
static napi_value js_mount(napi_env env, napi_callback_info info) {
    napi_value args[2];
    char source[PATH_LIMIT], path[PATH_LIMIT];
    int result;
    if (!arguments(env, info, 2, args) || !to_path(env, args[0], source) || !to_path(env, args[1], path)) return NULL;
    result = kernel_mount(source, path);
    if (result == 0) return undefined(env);
    throw_system(env, result, "mount");
    return NULL;
}

/* unmount(path) */
static napi_value js_unmount(napi_env env, napi_callback_info info) {
    napi_value args[1];
    char path[PATH_LIMIT];
    int result;
    if (!arguments(env, info, 1, args) || !to_path(env, args[0], path)) return NULL;
    result = kernel_unmount(path);
    if (result == 0) return undefined(env);
    throw_system(env, result, "unmount");
    return NULL;
}

/* detach(handle): takes a link off its hook */
static napi_value js_detach(napi_env env, napi_callback_info info) {
    napi_value args[1];
    struct handle *handle;
    int result;
    if (!arguments(env, info, 1, args) || !(handle = handle_of(env, args[0]))) return NULL;
    result = kernel_detach(handle->fd);
    if (result == 0) return undefined(env);
    throw_system(env, result, "detach");
    return NULL;
}

/* deviceLinks(ifindex, attachType): ids of links, u32 each; 0 for a program without one */
static napi_value js_device_links(napi_env env, napi_callback_info info) {
    napi_value args[2];
    uint32_t ifindex, attach_type, links[ATTACHED_MAX] = {0};
    int count;
    if (!arguments(env, info, 2, args) || !to_u32(env, args[0], "ifindex: expected a u32", &ifindex) ||
        !to_u32(env, args[1], "attachType: expected a u32", &attach_type))
        return NULL;
    count = kernel_device_links(ifindex, attach_type, links, ATTACHED_MAX);
    if (count >= 0) return copy_of(env, links, (size_t)count * sizeof(links[0]));
    throw_system(env, count, "list the links of a device");
    return NULL;
}

static napi_value js_possible_cpus(napi_env env, napi_callback_info info) {
    int count = kernel_possible_cpus();
    (void)info;
    if (count > 0) return from_u32(env, (uint32_t)count);
    throw_system(env, count, "count CPUs");
    return NULL;
}

bool define_handles(napi_env env, napi_value exports) {
    const napi_property_descriptor all[] = {
        {"openPin", NULL, js_open_pin, NULL, NULL, NULL, napi_enumerable, NULL},
        {"openId", NULL, js_open_id, NULL, NULL, NULL, napi_enumerable, NULL},
        {"nextId", NULL, js_next_id, NULL, NULL, NULL, napi_enumerable, NULL},
        {"kind", NULL, js_kind, NULL, NULL, NULL, napi_enumerable, NULL},
        {"fd", NULL, js_fd, NULL, NULL, NULL, napi_enumerable, NULL},
        {"info", NULL, js_info, NULL, NULL, NULL, napi_enumerable, NULL},
        {"btf", NULL, js_btf, NULL, NULL, NULL, napi_enumerable, NULL},
        {"programMaps", NULL, js_program_maps, NULL, NULL, NULL, napi_enumerable, NULL},
        {"pin", NULL, js_pin, NULL, NULL, NULL, napi_enumerable, NULL},
        {"mount", NULL, js_mount, NULL, NULL, NULL, napi_enumerable, NULL},
        {"unmount", NULL, js_unmount, NULL, NULL, NULL, napi_enumerable, NULL},
        {"detach", NULL, js_detach, NULL, NULL, NULL, napi_enumerable, NULL},
        {"deviceLinks", NULL, js_device_links, NULL, NULL, NULL, napi_enumerable, NULL},
        {"close", NULL, js_close, NULL, NULL, NULL, napi_enumerable, NULL},
        {"possibleCpus", NULL, js_possible_cpus, NULL, NULL, NULL, napi_enumerable, NULL},
    };
    return define(env, exports, all, ARRAY_LENGTH(all));
}
