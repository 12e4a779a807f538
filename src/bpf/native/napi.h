/* Node-API helpers: arguments in, errors out. Each returns false with an exception pending when it fails. */
#ifndef TOOLKIT_NAPI_H
#define TOOLKIT_NAPI_H

#include <node_api.h>
#include <stdbool.h>
#include <stdint.h>

#define ARRAY_LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define PATH_LIMIT 4096

struct bytes {
    uint8_t *data;
    size_t size;
};

/* An error of ours with the errno's name as `code`, as Node's own system errors have it. */
napi_value system_error(napi_env env, int negative_errno, const char *operation);
void throw_system(napi_env env, int negative_errno, const char *operation);
void throw_argument(napi_env env, const char *what);

/* Checks a status of Node-API; throws its message unless an exception is pending already. */
bool ok(napi_env env, napi_status status);
bool arguments(napi_env env, napi_callback_info info, size_t wanted, napi_value *values);
bool to_u32(napi_env env, napi_value value, const char *what, uint32_t *result);
bool to_bool(napi_env env, napi_value value, bool *result);
bool to_path(napi_env env, napi_value value, char path[PATH_LIMIT]);
/* A view of a Uint8Array, valid while the array is referenced. */
bool to_bytes(napi_env env, napi_value value, struct bytes *result);
napi_value from_u32(napi_env env, uint32_t value);
napi_value from_bool(napi_env env, bool value);
napi_value undefined(napi_env env);
napi_value copy_of(napi_env env, const void *data, size_t size);
bool define(napi_env env, napi_value exports, const napi_property_descriptor *all, size_t count);

#endif
