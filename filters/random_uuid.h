/* SPDX-License-Identifier: Apache-2.0
 *
 * A random UUID (version 4) as text, from the instance's random numbers; for uuid and fingerprint.
 */
#ifndef MILLRACE_FILTERS_RANDOM_UUID_H
#define MILLRACE_FILTERS_RANDOM_UUID_H

#include "pipeline/plugin.h"

static inline struct str random_uuid(struct arena *arena, const struct plugin_env *env)
{
    uint64_t high = env->random(env->random_ctx), low = env->random(env->random_ctx);
    high = (high & ~UINT64_C(0xF000)) | 0x4000;
    low = (low & ~(UINT64_C(3) << 62)) | UINT64_C(1) << 63;
    return arena_printf(arena, "%08x-%04x-%04x-%04x-%012llx", (unsigned)(high >> 32),
                        (unsigned)(high >> 16 & 0xFFFF), (unsigned)(high & 0xFFFF),
                        (unsigned)(low >> 48), (unsigned long long)(low & 0xFFFFFFFFFFFF));
}

#endif
