/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs/file/told.h"

#include <assert.h>

bool told_again(struct told_at *told, uint64_t now_ms)
{
    if (told->at_ms != 0 && now_ms - (told->at_ms - 1) < TOLD_AGAIN_MS)
        return false;
    told->at_ms = now_ms + 1; /* 0 is never */
    return true;
}

void told_init(struct told *told)
{
    *told = (struct told){.look = 0};
    map_init(&told->things);
}

void told_release(struct told *told)
{
    map_release(&told->things);
}

void told_begin(struct told *told)
{
    told->look++;
}

bool told_is_new(struct told *told, const char *thing)
{
    assert(told->look > 0);
    bool is_new = !map_has(&told->things, str_from(thing));
    if (is_new && told->things.count >= TOLD_MAX)
        return false;
    map_set(&told->things, str_from(thing), (void *)told->look);
    return is_new;
}

/* One that was not met; NULL: there is none. */
static const char *unmet(const struct told *told)
{
    size_t at = 0;
    struct str key;
    void *look;
    while (map_next(&told->things, &at, &key, &look)) {
        if ((uintptr_t)look != told->look)
            return key.ptr;
    }
    return NULL;
}

void told_end(struct told *told)
{
    const char *thing;
    while ((thing = unmet(told)))
        map_remove(&told->things, str_from(thing));
}
