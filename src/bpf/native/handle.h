/* A JS object that owns one descriptor of the kernel. */
#ifndef TOOLKIT_HANDLE_H
#define TOOLKIT_HANDLE_H

#include "kernel.h"
#include "napi.h"

struct handle {
    int fd;
    enum object_kind kind;
    /* Filled for maps only. */
    struct map_shape shape;
    /* Work on other threads that uses the descriptor; it is closed when the last one is done. */
    uint32_t busy;
    bool closed;
};

/* Takes over the descriptor: it is closed here when anything fails. */
napi_value handle_new(napi_env env, int fd);
/* The handle of a JS value; NULL with an exception pending when it is none or closed. */
struct handle *handle_of(napi_env env, napi_value value);
struct handle *map_of(napi_env env, napi_value value);
void handle_hold(struct handle *handle);
void handle_release(struct handle *handle);
bool define_handles(napi_env env, napi_value exports);
bool define_maps(napi_env env, napi_value exports);
bool define_walks(napi_env env, napi_value exports);
bool define_events(napi_env env, napi_value exports);

#endif
