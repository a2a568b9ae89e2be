/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/aggregate/maps.h"

#include <assert.h>
#include <pthread.h>

#include "base/mem.h"
#include "pipeline/engine/lane.h"

struct aggregate_maps {
    struct aggregate_maps *next;
    const struct engine *engine;
    unsigned references;
    bool has_path;
    struct account *charged;
    struct aggregate_pattern *patterns;
};

/* Filters know nothing of each other: the pipelines of the process that have some, found when a filter opens or closes. */
static struct aggregate_maps *all;
static pthread_mutex_t all_mutex = PTHREAD_MUTEX_INITIALIZER;

static struct aggregate_maps *new_maps(const struct plugin_env *env)
{
    struct aggregate_maps *maps = mem_zero(1, sizeof *maps);
    maps->engine = env->engine;
    maps->charged = env->lane ? lane_memory(env->lane) : NULL;
    maps->next = all;
    all = maps;
    return maps;
}

struct aggregate_maps *aggregate_maps_ref(const struct plugin_env *env)
{
    pthread_mutex_lock(&all_mutex);
    struct aggregate_maps *maps = all;
    while (maps && maps->engine != env->engine)
        maps = maps->next;
    if (!maps)
        maps = new_maps(env);
    maps->references++;
    pthread_mutex_unlock(&all_mutex);
    return maps;
}

static void free_maps(struct aggregate_maps *maps)
{
    struct aggregate_maps **link = &all;
    while (*link != maps)
        link = &(*link)->next;
    *link = maps->next;
    for (struct aggregate_pattern *pattern = maps->patterns, *next; pattern; pattern = next) {
        next = pattern->next;
        tasks_release(&pattern->tasks);
        mem_free(pattern);
    }
    mem_free(maps);
}

void aggregate_maps_unref(struct aggregate_maps *maps)
{
    if (!maps)
        return;
    pthread_mutex_lock(&all_mutex);
    assert(maps->references > 0);
    if (--maps->references == 0)
        free_maps(maps);
    pthread_mutex_unlock(&all_mutex);
}

struct aggregate_pattern *aggregate_maps_pattern(struct aggregate_maps *maps, struct str text)
{
    struct aggregate_pattern **link = &maps->patterns;
    while (*link && !str_equal((*link)->text, text))
        link = &(*link)->next;
    if (*link)
        return *link;
    struct aggregate_pattern *pattern = mem_alloc(sizeof *pattern + text.len);
    memcpy(pattern + 1, text.ptr, text.len);
    *pattern = (struct aggregate_pattern){.text = str_make((char *)(pattern + 1), text.len)};
    tasks_init(&pattern->tasks, maps->charged);
    return *link = pattern;
}

struct aggregate_pattern *aggregate_maps_next(struct aggregate_maps *maps,
                                              struct aggregate_pattern *pattern)
{
    return pattern ? pattern->next : maps->patterns;
}

bool aggregate_maps_claim_path(struct aggregate_maps *maps)
{
    bool claimed = !maps->has_path;
    maps->has_path = true;
    return claimed;
}
