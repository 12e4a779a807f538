#include "handle.h"

NAPI_MODULE_INIT() {
    if (!define_handles(env, exports) || !define_maps(env, exports) || !define_walks(env, exports) ||
        !define_events(env, exports))
        return NULL;
    return exports;
}
