/* SPDX-License-Identifier: Apache-2.0
 *
 * The filters slow and slow_lone: each event takes `ticks` of the clock, which goes on by one whenever it is looked at.
 * They see how many events they had within one turn of their loop.
 */
#include "tests/unit/pipeline/fake_plugins.h"

#include <check.h>

struct slow {
    int64_t ticks;
    bool marks; /* with a text that `[mark] =~ /^(a+)+$/` takes long for */
    const struct plugin_env *env;
    uv_prepare_t turns;
    unsigned in_turn;
};

static const struct option SLOW_OPTIONS[] = {
    {.name = "ticks", .doc = "d", OPTION_IN_INT(struct slow, ticks), .def = "25"},
    {.name = "marks", .doc = "d", OPTION_IN_BOOL(struct slow, marks), .def = "false"},
    OPTION_END,
};

static const struct field_ref MARK = FIELD_REF_TOP("mark");
static atomic_uint_fast64_t now_ms;
static atomic_uint looks_in_turn;

uint64_t fake_clock(void)
{
    struct fake_world *world = fake_plugins_world();
    unsigned looks = atomic_fetch_add(&looks_in_turn, 1) + 1;
    if (looks > world->most_looks)
        atomic_store(&world->most_looks, looks);
    return atomic_fetch_add(&now_ms, 1) + 1;
}

static void on_turn(uv_prepare_t *turns)
{
    struct slow *slow = turns->data;
    slow->in_turn = 0;
    atomic_store(&looks_in_turn, 0);
}

static bool slow_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct slow *slow = self;
    (void)err;
    slow->env = env;
    uv_prepare_init(env->loop, &slow->turns);
    slow->turns.data = slow;
    uv_prepare_start(&slow->turns, on_turn);
    uv_unref((uv_handle_t *)&slow->turns);
    return true;
}

static enum filter_result slow_apply(void *self, struct event *event, struct event_sink *more)
{
    struct slow *slow = self;
    struct fake_world *world = fake_plugins_world();
    (void)more;
    atomic_fetch_add(&world->applied, 1);
    slow->in_turn++;
    if (slow->in_turn > atomic_load(&world->most_in_turn))
        atomic_store(&world->most_in_turn, slow->in_turn);
    if (slow->ticks > 0)
        regex_budget_watch(slow->env->regex);
    while (regex_budget_used_ms(slow->env->regex) < (uint64_t)slow->ticks)
        ;
    if (slow->marks)
        event_set(event, &MARK, value_str(STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab")), NULL);
    return FILTER_MATCHED;
}

static void slow_close(void *self)
{
    struct slow *slow = self;
    uv_close((uv_handle_t *)&slow->turns, NULL);
}

#define SLOW_FILTER(title, where)                                                                  \
    {                                                                                              \
        .plugin = {.name = title,                                                                  \
                   .options = SLOW_OPTIONS,                                                        \
                   .size = sizeof(struct slow),                                                    \
                   .scope = where},                                                                \
        .open = slow_open, .apply = slow_apply, .close = slow_close,                               \
    }
const struct filter fake_slow = SLOW_FILTER("slow", SCOPE_LANE);
const struct filter fake_slow_lone = SLOW_FILTER("slow_lone", SCOPE_PIPELINE);
