/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/engine/health.h"

#include <assert.h>

#include "base/mem.h"

void health_init(struct health *health)
{
    *health = (struct health){.troubles = NULL};
    if (uv_mutex_init(&health->lock) != 0)
        mem_abort("cannot make a mutex");
}

void health_release(struct health *health)
{
    assert(!health->troubles);
    uv_mutex_destroy(&health->lock);
}

void health_begin(struct health *health, struct trouble *trouble)
{
    uv_mutex_lock(&health->lock);
    trouble->next = health->troubles;
    health->troubles = trouble;
    uv_mutex_unlock(&health->lock);
}

void health_end(struct health *health, struct trouble *trouble)
{
    uv_mutex_lock(&health->lock);
    struct trouble **at = &health->troubles;
    while (*at && *at != trouble)
        at = &(*at)->next;
    assert(*at);
    *at = trouble->next;
    uv_mutex_unlock(&health->lock);
}

struct str health_symptom(struct health *health, struct arena *arena)
{
    uv_mutex_lock(&health->lock);
    const struct trouble *newest = health->troubles;
    struct str symptom =
        newest ? arena_dup(arena, str_from(newest->symptom)) : (struct str){.len = 0};
    uv_mutex_unlock(&health->lock);
    return symptom;
}
