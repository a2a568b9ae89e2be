/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/engine/heirs.h"

#include <string.h>

#include "base/mem.h"

/* Where an output has them they mean the same, and say nothing of what is encoded; nor does anything that begins with "ssl_". */
static const char *const COMMON[] = {"id",
                                     "enable_metric",
                                     "hold_max",
                                     "on_full",
                                     "spool_max_bytes",
                                     "host",
                                     "hosts",
                                     "user",
                                     "username",
                                     "password",
                                     "proxy",
                                     "ssl",
                                     "cacert",
                                     "keystore",
                                     "keystore_password",
                                     "truststore",
                                     "truststore_password",
                                     "request_timeout",
                                     "connect_timeout",
                                     "reconnect_interval",
                                     NULL};
static const char *const ONLY_ID[] = {"id", NULL};

/* Names of options that do not matter; a value with fields always does. */
struct ignored {
    const char *const *names, *const *more;
};

/* ---- texts of plugins ----------------------------------------------------------------------------- */

static bool is_one_of(struct str name, const char *const *names)
{
    for (; names && *names; names++)
        if (str_equal(name, str_from(*names)))
            return true;
    return false;
}

static bool is_ignored(struct str name, const struct ignored *ignored)
{
    return is_one_of(name, ignored->names) || is_one_of(name, ignored->more) ||
           (ignored->more && str_starts_with(name, STR("ssl_")));
}

/* It is filled in for each event. */
static bool has_fields(const struct conf_value *value)
{
    bool has = str_find(value->text, STR("%{")) != SIZE_MAX;
    for (size_t i = 0; !has && i < value->count; i++)
        has = value->type == CONF_HASH ? has_fields(&value->pairs[i].value)
                                       : has_fields(&value->items[i]);
    return has;
}

static const struct conf_attribute *next_that_matters(const struct conf_plugin *plugin, size_t *at,
                                                      const struct ignored *ignored)
{
    while (*at < plugin->count) {
        const struct conf_attribute *attribute = &plugin->attributes[(*at)++];
        if (has_fields(&attribute->value) || !is_ignored(attribute->name, ignored))
            return attribute;
    }
    return NULL;
}

static bool equal_but(const struct plan_plugin *one, const struct plan_plugin *other,
                      const struct ignored *ignored)
{
    size_t at_one = 0, at_other = 0;
    const struct conf_attribute *mine, *theirs;
    if (one->ecs != other->ecs || one->source->broken || other->source->broken)
        return false;
    do {
        mine = next_that_matters(one->source, &at_one, ignored);
        theirs = next_that_matters(other->source, &at_other, ignored);
        if (mine && theirs &&
            !(str_equal(mine->name, theirs->name) &&
              conf_value_equal(&mine->value, &theirs->value)))
            return false;
    } while (mine && theirs);
    return !mine && !theirs;
}

static bool encode_alike(const struct plan_plugin *one, const struct plan_plugin *other)
{
    const struct output *output = one->as.output;
    if (output->link)
        return true; /* events are not encoded */
    /* What a dead letter needs is noted beside an item only where there may be one. */
    bool notes = output->refuses || one->common.on_full != ON_FULL_BLOCK ||
                 other->common.on_full == ON_FULL_BLOCK;
    return notes && output->sent_by &&
           equal_but(one, other, &(struct ignored){COMMON, output->sent_by});
}

/* ---- places --------------------------------------------------------------------------------------- */

/* The arm of `branch` that the block is of. */
static size_t arm_of(const struct plan_step *branch, const struct plan_block *block)
{
    size_t arm = 0;
    while (&branch->arms[arm].block != block)
        arm++;
    return arm;
}

static bool same_arms(const struct plan_step *one, const struct plan_step *other, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!str_equal(one->arms[i].text, other->arms[i].text))
            return false;
    return true;
}

/* The same conditions lead to both. */
static bool same_place(const struct plan_plugin *one, const struct plan_plugin *other)
{
    const struct plan_block *mine = one->step->block, *theirs = other->step->block;
    while (mine->branch && theirs->branch) {
        size_t arm = arm_of(mine->branch, mine);
        if (arm != arm_of(theirs->branch, theirs) ||
            !same_arms(mine->branch, theirs->branch, arm + 1))
            return false;
        mine = mine->branch->block;
        theirs = theirs->branch->block;
    }
    return !mine->branch && !theirs->branch;
}

/* ---- matching ------------------------------------------------------------------------------------- */

struct match {
    const struct plan *plan, *next;
    bool *gone, *new; /* for each plugin of the two: an output that has no equal, and no heir yet */
};

static bool has_own_id(const struct plan_plugin *plugin)
{
    return plugin->common.id.ptr != NULL;
}

static size_t find_by_id(const struct match *match, const struct plan_plugin *plugin)
{
    for (size_t i = 0; has_own_id(plugin) && i < match->next->plugin_count; i++) {
        const struct plan_plugin *other = match->next->plugins[i];
        if (match->new[i] && other->as.plugin == plugin->as.plugin && has_own_id(other) &&
            str_equal(other->id, plugin->id))
            return i;
    }
    return SIZE_MAX;
}

/* The only one of these that is of the type; SIZE_MAX: none is, or several. */
static size_t find_only(const struct plan *plan, const bool *among, const struct plugin *type)
{
    size_t found = SIZE_MAX, count = 0;
    for (size_t i = 0; i < plan->plugin_count; i++) {
        if (!among[i] || plan->plugins[i]->as.plugin != type)
            continue;
        found = i;
        count++;
    }
    return count == 1 ? found : SIZE_MAX;
}

static size_t find_by_place(const struct match *match, const struct plan_plugin *plugin)
{
    size_t found = find_only(match->next, match->new, plugin->as.plugin);
    if (found == SIZE_MAX || find_only(match->plan, match->gone, plugin->as.plugin) == SIZE_MAX)
        return SIZE_MAX;
    const struct plan_plugin *other = match->next->plugins[found];
    bool may = (!has_own_id(plugin) && !has_own_id(other)) ||
               equal_but(plugin, other, &(struct ignored){ONLY_ID, NULL});
    return may && same_place(plugin, other) ? found : SIZE_MAX;
}

/* JSON does not tell where an event came from. */
static bool wants_provenance(const struct plan_plugin *plugin)
{
    const struct plugin *type = plugin->as.plugin;
    return type->needs_provenance && type->needs_provenance(plugin->options);
}

static void settle(struct match *match, struct heir *heirs, size_t index, size_t found)
{
    const struct plan_plugin *plugin = match->plan->plugins[index], *other;
    if (found == SIZE_MAX)
        return;
    other = match->next->plugins[found];
    match->gone[index] = match->new[found] = false;
    heirs[index].index = found;
    heirs[index].takes = encode_alike(plugin, other);
    heirs[index].anew =
        !plugin->as.output->link && !wants_provenance(plugin) && !wants_provenance(other);
    heirs[index].spool =
        heirs_has_spool(plugin) && heirs_has_spool(other) && str_equal(plugin->id, other->id);
}

static struct match match_begin(const struct plan *plan, const struct plan *next,
                                const size_t *from)
{
    struct match match = {
        .plan = plan,
        .next = next,
        .gone = mem_zero(plan->plugin_count + 1, sizeof(bool)),
        .new = mem_zero(next->plugin_count + 1, sizeof(bool)),
    };
    for (size_t i = 0; i < plan->plugin_count; i++)
        match.gone[i] = plan->plugins[i]->section == CONF_OUTPUT;
    for (size_t i = 0; i < next->plugin_count; i++) {
        bool stays = from[i] != SIZE_MAX;
        match.new[i] = !stays && next->plugins[i]->section == CONF_OUTPUT;
        if (stays)
            match.gone[from[i]] = false;
    }
    return match;
}

struct heir *heirs_match(const struct plan *plan, const struct plan *next, const size_t *from)
{
    struct match match = match_begin(plan, next, from);
    struct heir *heirs = mem_zero(plan->plugin_count + 1, sizeof *heirs);
    for (size_t i = 0; i < plan->plugin_count; i++)
        heirs[i].index = SIZE_MAX;
    for (size_t i = 0; i < plan->plugin_count; i++)
        if (match.gone[i])
            settle(&match, heirs, i, find_by_id(&match, plan->plugins[i]));
    for (size_t i = 0; i < plan->plugin_count; i++)
        if (match.gone[i])
            settle(&match, heirs, i, find_by_place(&match, plan->plugins[i]));
    mem_free(match.gone);
    mem_free(match.new);
    return heirs;
}

bool heirs_has_spool(const struct plan_plugin *plugin)
{
    return plugin->section == CONF_OUTPUT && !plugin->as.output->link &&
           plugin->common.on_full == ON_FULL_SPOOL;
}
