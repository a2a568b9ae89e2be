/* SPDX-License-Identifier: Apache-2.0 */
#include "services/api/tap_request.h"

#include <assert.h>

#include "base/mem.h"
#include "conf/bind.h"

enum { SUGGESTED_MAX = 512 };

/* ---- members of the request ----------------------------------------------------------------------- */

static const struct {
    const char *name;
    enum value_type type;
} MEMBERS[] = {
    {"pipeline", VALUE_STRING}, {"plugin", VALUE_STRING}, {"where", VALUE_STRING},
    {"before", VALUE_BOOL},     {"diff", VALUE_BOOL},     {"metadata", VALUE_BOOL},
    {"sample", VALUE_INT},      {"rate", VALUE_INT},
};

static bool is_member(struct str key, const struct value *item)
{
    for (size_t i = 0; i < sizeof MEMBERS / sizeof *MEMBERS; i++)
        if (str_equal(key, str_from(MEMBERS[i].name)))
            return value_type(item) == MEMBERS[i].type;
    return false;
}

static bool check_members(const struct value *request, struct error *err)
{
    if (request->type != VALUE_OBJECT)
        return error_set(err, ERROR_CONFIG, "a tap is asked for with an object");
    for (size_t i = 0; i < value_object_count(request); i++) {
        struct str key;
        const struct value *item = value_object_at(request, i, &key);
        if (!is_member(key, item))
            return error_set(err, ERROR_CONFIG, "'%.*s' is nothing that a tap can be asked for",
                             STR_FMT(key));
    }
    return true;
}

static struct str text_of(const struct value *request, struct str name)
{
    const struct value *item = value_object_get(request, name);
    return item ? value_as_str(item) : (struct str){.len = 0};
}

static bool flag_of(const struct value *request, struct str name)
{
    const struct value *item = value_object_get(request, name);
    return item && value_as_bool(item);
}

static bool number_of(const struct value *request, struct str name, int64_t max, uint64_t *out,
                      struct error *err)
{
    const struct value *item = value_object_get(request, name);
    int64_t number = item ? value_as_int(item) : 0;
    *out = (uint64_t)number;
    return (number >= 0 && number <= max && (!item || number > 0)) ||
           error_set(err, ERROR_CONFIG, "%.*s is a number from 1 to %lld", STR_FMT(name),
                     (long long)max);
}

/* ---- what runs ------------------------------------------------------------------------------------ */

static const char *near(struct str wanted, const char *const *names)
{
    return bind_suggest(wanted, names);
}

/* Of the one named, or the only one. */
static const struct plan *find_plan(const struct tap_node *node, struct str wanted,
                                    struct str *id_out, struct arena *arena, struct error *err)
{
    const char *names[SUGGESTED_MAX + 1] = {0};
    const struct plan *plan, *found = NULL;
    struct str id, all = {.len = 0};
    size_t count = 0;
    for (; (plan = node->plan_at(node->ctx, count, &id)) && count < SUGGESTED_MAX; count++) {
        names[count] = arena_cstr(arena, id);
        all = arena_printf(arena, "%.*s%s%.*s", STR_FMT(all), count ? ", " : "", STR_FMT(id));
        if (wanted.len > 0 ? str_equal(id, wanted) : count == 0) {
            found = plan;
            *id_out = arena_dup(arena, id);
        }
    }
    if (found && (wanted.len > 0 || count == 1))
        return found;
    if (count == 0)
        error_set(err, ERROR_CONFIG, "no pipeline runs now");
    else if (wanted.len == 0)
        error_set(err, ERROR_CONFIG, "several pipelines run, so one is to be named: %.*s",
                  STR_FMT(all));
    else
        error_set(err, ERROR_CONFIG, "no pipeline '%.*s' runs now%s%s%s", STR_FMT(wanted),
                  near(wanted, names) ? "; did you mean '" : "",
                  near(wanted, names) ? near(wanted, names) : "", near(wanted, names) ? "'?" : "");
    return NULL;
}

static const struct plan_plugin *find_plugin(const struct plan *plan, struct str pipeline,
                                             struct str id, struct arena *arena, struct error *err)
{
    const char *names[SUGGESTED_MAX + 1] = {0};
    struct str all = {.len = 0};
    for (size_t i = 0; i < plan->plugin_count; i++) {
        if (str_equal(plan->plugins[i]->id, id))
            return plan->plugins[i];
        if (i < SUGGESTED_MAX) {
            names[i] = arena_cstr(arena, plan->plugins[i]->id);
            all = arena_printf(arena, "%.*s%s%s", STR_FMT(all), i ? ", " : "", names[i]);
        }
    }
    const char *suggested = near(id, names);
    error_set(err, ERROR_CONFIG, "pipeline '%.*s' has no plugin '%.*s'%s%s%s", STR_FMT(pipeline),
              STR_FMT(id), suggested ? "; did you mean '" : "; it has ",
              suggested ? suggested : arena_cstr(arena, all), suggested ? "'?" : "");
    return NULL;
}

static bool check_point(const struct tap_options *options, const struct plan *plan,
                        struct arena *arena, struct error *err)
{
    const struct plan_plugin *plugin = NULL;
    if (options->plugin.len > 0) {
        plugin = find_plugin(plan, options->pipeline, options->plugin, arena, err);
        if (!plugin)
            return false;
    }
    if ((options->diff || options->before) && (!plugin || plugin->section != CONF_FILTER))
        return error_set(err, ERROR_CONFIG, "%s needs the id of a filter",
                         options->diff ? "a difference" : "'before'");
    return true;
}

/* ---- opening -------------------------------------------------------------------------------------- */

static bool read_options(const struct value *request, struct tap_options *options,
                         struct error *err)
{
    uint64_t rate;
    options->plugin = text_of(request, STR("plugin"));
    options->where = text_of(request, STR("where"));
    options->before = flag_of(request, STR("before"));
    options->diff = flag_of(request, STR("diff"));
    options->metadata = flag_of(request, STR("metadata"));
    bool ok = number_of(request, STR("sample"), INT64_MAX, &options->sample, err) &&
              number_of(request, STR("rate"), TAP_RATE_MAX, &rate, err);
    options->rate = ok ? (unsigned)rate : 0;
    return ok;
}

static struct value describe(const struct tap_options *options, struct arena *arena)
{
    struct value about = value_object_new(arena, 0);
    unsigned rate = options->rate ? options->rate : TAP_RATE_DEFAULT;
    value_object_set(arena, &about, STR("pipeline"), value_str(options->pipeline));
    if (options->plugin.len > 0)
        value_object_set(arena, &about, STR("plugin"), value_str_dup(arena, options->plugin));
    value_object_set(arena, &about, STR("rate"), value_int(rate));
    return about;
}

struct tap *tap_request_open(const struct tap_node *node, const struct value *request,
                             const struct tap_listener *listener, struct arena *arena,
                             struct value *about, struct error *err)
{
    struct tap_options options = {.escape = node->escape,
                                  .now_ms = clock_monotonic_ms,
                                  .wake = listener->wake,
                                  .ctx = listener->ctx};
    if (!check_members(request, err) || !read_options(request, &options, err))
        return NULL;
    const struct plan *plan =
        find_plan(node, text_of(request, STR("pipeline")), &options.pipeline, arena, err);
    if (!plan || !check_point(&options, plan, arena, err))
        return NULL;
    *about = describe(&options, arena);
    return tap_open(node->taps, &options, err);
}

struct value tap_counts_json(struct tap *tap, struct arena *arena)
{
    struct tap_counts counts = tap_counts(tap);
    struct value object = value_object_new(arena, 0);
    const struct {
        const char *name;
        uint64_t count;
    } members[] = {
        {"matched", counts.matched}, {"shown", counts.shown},   {"limited", counts.limited},
        {"dropped", counts.dropped}, {"unseen", counts.unseen},
    };
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        value_object_set(arena, &object, str_from(members[i].name),
                         value_int((int64_t)members[i].count));
    return object;
}
