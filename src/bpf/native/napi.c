#include "napi.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
    int number;
    const char *name;
} ERRORS[] = {
    {EPERM, "EPERM"},   {ENOENT, "ENOENT"}, {EINTR, "EINTR"},     {EIO, "EIO"},         {E2BIG, "E2BIG"},
    {EBADF, "EBADF"},   {EAGAIN, "EAGAIN"}, {ENOMEM, "ENOMEM"},   {EACCES, "EACCES"},   {EFAULT, "EFAULT"},
    {EBUSY, "EBUSY"},   {EEXIST, "EEXIST"}, {ENODEV, "ENODEV"}, {ENXIO, "ENXIO"},   {ENOTDIR, "ENOTDIR"}, {EISDIR, "EISDIR"},
    {EINVAL, "EINVAL"}, {ENFILE, "ENFILE"}, {EMFILE, "EMFILE"},   {ENOTTY, "ENOTTY"},   {ENOSPC, "ENOSPC"},
    {EROFS, "EROFS"},   {ERANGE, "ERANGE"}, {ENOSYS, "ENOSYS"},   {ELOOP, "ELOOP"},     {EPROTO, "EPROTO"},
    {524, "ENOTSUPP"},  {EBADFD, "EBADFD"}, {ESTALE, "ESTALE"},   {EOPNOTSUPP, "EOPNOTSUPP"},
    {ENOLINK, "ENOLINK"}, {EOVERFLOW, "EOVERFLOW"}, {ENAMETOOLONG, "ENAMETOOLONG"},
};

napi_value system_error(napi_env env, int negative_errno, const char *operation) {
    napi_value message, code, number, error;
    char text[160], name[16];
    int known = -negative_errno;
    snprintf(name, sizeof(name), "E%d", known);
    for (size_t i = 0; i < ARRAY_LENGTH(ERRORS); i++)
        if (ERRORS[i].number == known) snprintf(name, sizeof(name), "%s", ERRORS[i].name);
    snprintf(text, sizeof(text), "%s: %s", operation,
             known == 524 ? "operation not supported by this kind of map" : strerror(known));
    if (napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &message) != napi_ok) return NULL;
    if (napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &code) != napi_ok) return NULL;
    if (napi_create_error(env, code, message, &error) != napi_ok) return NULL;
    if (napi_create_int32(env, known, &number) != napi_ok) return NULL;
    if (napi_set_named_property(env, error, "errno", number) != napi_ok) return NULL;
    return error;
}

void throw_system(napi_env env, int negative_errno, const char *operation) {
    napi_value error = system_error(env, negative_errno, operation);
    if (error) napi_throw(env, error);
    else napi_throw_error(env, NULL, operation);
}

void throw_argument(napi_env env, const char *what) {
    napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", what);
}

bool ok(napi_env env, napi_status status) {
    const napi_extended_error_info *info = NULL;
    bool pending = false;
    if (status == napi_ok) return true;
    if (napi_get_last_error_info(env, &info) != napi_ok) info = NULL;
    if (napi_is_exception_pending(env, &pending) == napi_ok && pending) return false;
    napi_throw_error(env, "ERR_NAPI",
                     info && info->error_message ? info->error_message : "a call of Node-API failed");
    return false;
}

bool arguments(napi_env env, napi_callback_info info, size_t wanted, napi_value *values) {
    size_t count = wanted;
    if (!ok(env, napi_get_cb_info(env, info, &count, values, NULL, NULL))) return false;
    if (count >= wanted) return true;
    throw_argument(env, "an argument is missing");
    return false;
}

bool to_u32(napi_env env, napi_value value, const char *what, uint32_t *result) {
    double number;
    if (napi_get_value_double(env, value, &number) != napi_ok || !(number >= 0) || number > UINT32_MAX ||
        number != (double)(uint32_t)number) {
        throw_argument(env, what);
        return false;
    }
    *result = (uint32_t)number;
    return true;
}

bool to_bool(napi_env env, napi_value value, bool *result) {
    if (napi_get_value_bool(env, value, result) == napi_ok) return true;
    throw_argument(env, "expected a boolean");
    return false;
}

bool to_path(napi_env env, napi_value value, char path[PATH_LIMIT]) {
    size_t length = 0;
    if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok || length == 0) {
        throw_argument(env, "expected a path");
        return false;
    }
    if (length >= PATH_LIMIT) {
        throw_system(env, -ENAMETOOLONG, "path");
        return false;
    }
    if (!ok(env, napi_get_value_string_utf8(env, value, path, PATH_LIMIT, &length))) return false;
    if (strlen(path) == length) return true;
    throw_argument(env, "a path holds no NUL byte");
    return false;
}

bool to_bytes(napi_env env, napi_value value, struct bytes *result) {
    napi_typedarray_type type;
    void *data = NULL;
    bool typed = false;
    if (napi_is_typedarray(env, value, &typed) != napi_ok || !typed ||
        napi_get_typedarray_info(env, value, &type, &result->size, &data, NULL, NULL) != napi_ok ||
        type != napi_uint8_array) {
        throw_argument(env, "expected a Uint8Array");
        return false;
    }
    result->data = data;
    return true;
}

napi_value from_u32(napi_env env, uint32_t value) {
    napi_value result = NULL;
    ok(env, napi_create_uint32(env, value, &result));
    return result;
}

napi_value from_bool(napi_env env, bool value) {
    napi_value result = NULL;
    ok(env, napi_get_boolean(env, value, &result));
    return result;
}

napi_value undefined(napi_env env) {
    napi_value result = NULL;
    ok(env, napi_get_undefined(env, &result));
    return result;
}

napi_value copy_of(napi_env env, const void *data, size_t size) {
    napi_value result = NULL;
    ok(env, napi_create_buffer_copy(env, size, data, NULL, &result));
    return result;
}

bool define(napi_env env, napi_value exports, const napi_property_descriptor *all, size_t count) {
    return ok(env, napi_define_properties(env, exports, count, all));
}
