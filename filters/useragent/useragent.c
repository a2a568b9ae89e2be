/* SPDX-License-Identifier: Apache-2.0
 *
 * useragent: what the text of a User-Agent header says about the program, the system and the device, as fields. Trying
 * the expressions of uap-core takes about a millisecond, so what a text gave is remembered.
 */
#include <assert.h>

#include "base/lru.h"
#include "base/mem.h"
#include "filters/filters.h"
#include "filters/useragent/useragent_parser.h"

static const char REGEXES_OF_DEBIAN[] = "/usr/share/uap-core/regexes.yaml";

enum { CACHE_MAX = 10000000 };

/* In the order in which they are set. */
enum field {
    FIELD_NAME,
    FIELD_DEVICE,
    FIELD_MAJOR,
    FIELD_MINOR,
    FIELD_PATCH,
    FIELD_VERSION,
    FIELD_OS_MAJOR,
    FIELD_OS_MINOR,
    FIELD_OS_PATCH,
    FIELD_OS_VERSION,
    FIELD_OS_NAME,
    FIELD_OS, /* the same as OS_NAME, without ECS only */
    FIELD_OS_FULL,
    FIELD_COUNT
};

static const struct {
    const char *legacy; /* without the prefix */
    const char *ecs;    /* below the target, or from the root when it begins with [@ */
} NAMES[FIELD_COUNT] = {
    [FIELD_NAME] = {"name", "[name]"},
    [FIELD_DEVICE] = {"device", "[device][name]"},
    [FIELD_MAJOR] = {"major", "[@metadata][filter][user_agent][version][major]"},
    [FIELD_MINOR] = {"minor", "[@metadata][filter][user_agent][version][minor]"},
    [FIELD_PATCH] = {"patch", "[@metadata][filter][user_agent][version][patch]"},
    [FIELD_VERSION] = {"version", "[version]"},
    [FIELD_OS_MAJOR] = {"os_major", "[@metadata][filter][user_agent][os][version][major]"},
    [FIELD_OS_MINOR] = {"os_minor", "[@metadata][filter][user_agent][os][version][minor]"},
    [FIELD_OS_PATCH] = {"os_patch", "[@metadata][filter][user_agent][os][version][patch]"},
    [FIELD_OS_VERSION] = {"os_version", "[os][version]"},
    [FIELD_OS_NAME] = {"os_name", "[os][name]"},
    [FIELD_OS] = {"os", NULL},
    [FIELD_OS_FULL] = {"os_full", "[os][full]"},
};

/* What a text gave; the texts follow in the same piece of memory. */
struct result {
    struct str texts[FIELD_COUNT]; /* ptr NULL: not set */
};

struct useragent_shared {
    _Atomic(struct useragent_parser *) parser; /* of the instances that are open */
};

struct useragent {
    struct field_ref source;
    struct str target;
    struct str prefix;
    struct str regexes;
    int64_t lru_cache_size;

    const struct plugin_env *env;
    struct field_ref fields[FIELD_COUNT]; /* count 0: not set */
    bool is_in_place;                     /* the target is the source */
    struct useragent_parser *parser;
    struct lru cache; /* of struct result */
    bool warned;
    struct counter *hits, *misses;
};

static const struct option OPTIONS[] = {
    {
        .name = "source",
        .doc = "Field that holds the text; of a list, its first item.",
        OPTION_IN_FIELD(struct useragent, source),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "target",
        .doc =
            "Field that the fields go below. Default: user_agent with ECS, else the event itself.",
        OPTION_IN_STRING(struct useragent, target),
    },
    {
        .name = "prefix",
        .doc = "Put before the name of each field; without ECS only.",
        OPTION_IN_STRING(struct useragent, prefix),
        .def = "",
    },
    {
        .name = "regexes",
        .doc = "A regexes.yaml of uap-core. Default: that of Debian's package uap-core.",
        OPTION_IN_STRING(struct useragent, regexes),
    },
    {
        .name = "lru_cache_size",
        .doc = "How many texts each lane remembers.",
        OPTION_IN_INT(struct useragent, lru_cache_size),
        .min = 1,
        .max = CACHE_MAX,
        .def = "100000",
    },
    OPTION_END,
};

/* ---- opening -------------------------------------------------------------------------------------- */

/* The target as a path, or nothing. */
static struct str target_path(const struct useragent *filter, const struct plugin_env *env)
{
    struct str target = filter->target;
    if (target.len == 0)
        return env->ecs == ECS_DISABLED ? STR("") : STR("[user_agent]");
    return target.ptr[0] == '[' ? target : arena_printf(env->arena, "[%.*s]", STR_FMT(target));
}

static bool find_fields(struct useragent *filter, const struct plugin_env *env, struct error *err)
{
    struct str target = target_path(filter, env);
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const char *ecs = NAMES[i].ecs;
        struct str text;
        if (env->ecs == ECS_DISABLED)
            text = arena_printf(env->arena, "%.*s[%.*s%s]", STR_FMT(target),
                                STR_FMT(filter->prefix), NAMES[i].legacy);
        else if (ecs)
            text = arena_printf(env->arena, "%.*s%s", ecs[1] == '@' ? 0 : (int)target.len,
                                target.ptr, ecs);
        else
            continue;
        if (!field_ref_parse(env->arena, text, env->settings->escape, &filter->fields[i], err))
            return error_prefix(err, "target");
    }
    return true;
}

static bool useragent_check(void *self, const struct plugin_env *env, struct error *err)
{
    struct useragent copy = *(struct useragent *)self;
    return find_fields(&copy, env, err);
}

/* The instances of one plugin share what the first of them has read. */
static bool open_parser(struct useragent *filter, struct error *err)
{
    struct useragent_shared *shared = filter->env->shared;
    filter->parser = atomic_load(&shared->parser);
    if (filter->parser) {
        useragent_parser_ref(filter->parser);
        return true;
    }
    const char *path = filter->regexes.ptr ? filter->regexes.ptr : REGEXES_OF_DEBIAN;
    filter->parser = useragent_parser_read(path, err);
    atomic_store(&shared->parser, filter->parser);
    if (filter->parser || filter->regexes.ptr)
        return filter->parser || error_prefix(err, "regexes");
    return error_prefix(err, "install the package uap-core, or name its regexes.yaml in 'regexes'");
}

static bool useragent_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct useragent *filter = self;
    filter->env = env;
    filter->hits = env->counter(env, "cache_hits");
    filter->misses = env->counter(env, "cache_misses");
    filter->is_in_place = str_equal(filter->target, filter->source.text);
    if (env->ecs != ECS_DISABLED && filter->prefix.len > 0 && env->primary)
        log_warn(env->log, "prefix_unused", "prefix has no effect with ECS", LOG_NONE);
    if (!find_fields(filter, env, err) || !open_parser(filter, err))
        return false;
    lru_init(&filter->cache, (size_t)filter->lru_cache_size, mem_free);
    return true;
}

static void useragent_close(void *self)
{
    struct useragent *filter = self;
    struct useragent_shared *shared = filter->env->shared;
    lru_release(&filter->cache);
    /* Instances are closed together: none is opened after the first of them is gone. */
    atomic_store(&shared->parser, NULL);
    useragent_parser_unref(filter->parser);
}

/* ---- composing ------------------------------------------------------------------------------------ */

static struct str joined(struct arena *arena, struct str front, const char *between,
                         struct str back)
{
    return arena_printf(arena, "%.*s%s%.*s", STR_FMT(front), between, STR_FMT(back));
}

/* As Ruby's to_i.to_s == text. */
static bool is_plain_integer(struct str text)
{
    size_t at = text.len > 1 && text.ptr[0] == '-' ? 1 : 0;
    if (at == text.len || (text.ptr[at] == '0' && text.len > 1))
        return false;
    for (; at < text.len; at++)
        if (text.ptr[at] < '0' || text.ptr[at] > '9')
            return false;
    return true;
}

/* A fourth number that follows the version in the text though no expression asked for it: 89.0.4389.90. */
static struct str with_fourth_number(struct arena *arena, struct str version, struct str text)
{
    size_t at = str_find(text, version);
    if (at == SIZE_MAX)
        return version;
    struct str rest = str_from_offset(text, at + version.len);
    if (rest.len == 0 || rest.ptr[0] != '.')
        return version;
    rest = str_from_offset(rest, 1);
    size_t len = str_find(rest, STR(" "));
    struct str number = str_make(rest.ptr, len == SIZE_MAX ? 0 : len);
    return is_plain_integer(number) ? joined(arena, version, ".", number) : version;
}

static struct str program_version(struct arena *arena, const struct useragent_product *program,
                                  struct str text)
{
    struct str version = program->versions[0];
    unsigned i = 1;
    for (; version.ptr && i < USERAGENT_VERSIONS && program->versions[i].ptr; i++)
        version = joined(arena, version, ".", program->versions[i]);
    bool three = i == 3 && version.ptr;
    return three ? with_fourth_number(arena, version, text) : version;
}

/* A name instead of a number (XP, Vista) is set apart by a blank. */
static struct str os_version(struct arena *arena, const struct useragent_product *os)
{
    struct str version = os->versions[0];
    const char *between = is_plain_integer(version) ? "." : " ";
    for (unsigned i = 1; version.ptr && i < USERAGENT_VERSIONS && os->versions[i].ptr; i++) {
        version = joined(arena, version, between, os->versions[i]);
        between = ".";
    }
    return version;
}

static void compose(struct arena *arena, const struct useragent_facts *facts, struct str text,
                    struct result *out)
{
    const struct useragent_product *program = &facts->program, *os = &facts->os;
    struct str version = os_version(arena, os);
    *out = (struct result){.texts = {
                               [FIELD_NAME] = program->family,
                               [FIELD_DEVICE] = facts->device,
                               [FIELD_MAJOR] = program->versions[0],
                               [FIELD_MINOR] = program->versions[1],
                               [FIELD_PATCH] = program->versions[2],
                               [FIELD_VERSION] = program_version(arena, program, text),
                               [FIELD_OS_MAJOR] = os->versions[0],
                               [FIELD_OS_MINOR] = os->versions[1],
                               [FIELD_OS_PATCH] = os->versions[2],
                               [FIELD_OS_VERSION] = version,
                               [FIELD_OS_NAME] = os->family,
                               [FIELD_OS] = os->family,
                               [FIELD_OS_FULL] = os->family,
                           }};
    if (version.ptr)
        out->texts[FIELD_OS_FULL] = joined(arena, os->family, " ", version);
}

/* A copy in one piece of memory, for the cache. */
static struct result *result_new(const struct result *from)
{
    size_t bytes = 0;
    for (size_t i = 0; i < FIELD_COUNT; i++)
        bytes += from->texts[i].len;
    struct result *copy = mem_alloc(sizeof *copy + bytes);
    char *at = (char *)(copy + 1);
    *copy = *from;
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (!from->texts[i].ptr)
            continue;
        memcpy(at, from->texts[i].ptr, from->texts[i].len);
        copy->texts[i].ptr = at;
        at += from->texts[i].len;
    }
    assert(at == (char *)(copy + 1) + bytes);
    return copy;
}

/* ---- on events ------------------------------------------------------------------------------------ */

static const struct result *look_up(struct useragent *filter, struct arena *arena, struct str text)
{
    struct result *known = lru_get(&filter->cache, text);
    if (known) {
        counter_add(filter->hits, 1);
        return known;
    }
    counter_add(filter->misses, 1);
    struct useragent_facts facts;
    struct result result;
    useragent_parse(filter->parser, arena, filter->env->regex, text, &facts);
    compose(arena, &facts, text, &result);
    known = result_new(&result);
    lru_add(&filter->cache, text, known);
    size_t broken = useragent_parser_broken(filter->parser);
    if (broken > 0 && !filter->warned) {
        log_warn(filter->env->log, "regexes_broken",
                 "expressions that do not compile are passed over", LOG_INT("count", broken));
        filter->warned = true;
    }
    return known;
}

static enum filter_result useragent_apply(void *self, struct event *event, struct event_sink *more)
{
    struct useragent *filter = self;
    (void)more;
    const struct value *source = event_get(event, &filter->source);
    if (source && value_type(source) == VALUE_ARRAY && value_array_count(source) > 0)
        source = value_array_at(source, 0);
    if (!value_is_str(source) || value_as_str(source).len == 0)
        return FILTER_SKIPPED;
    const struct result *result = look_up(filter, event->arena, value_as_str(source));
    if (filter->is_in_place)
        event_remove(event, &filter->source, NULL);
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (filter->fields[i].count > 0 && result->texts[i].ptr)
            event_set(event, &filter->fields[i], value_str_dup(event->arena, result->texts[i]),
                      NULL);
    }
    return FILTER_MATCHED;
}

const struct filter filter_useragent = {
    .plugin =
        {
            .name = "useragent",
            .summary = "What a User-Agent header says, as fields.",
            .options = OPTIONS,
            .size = sizeof(struct useragent),
            .shared_size = sizeof(struct useragent_shared),
            .check = useragent_check,
        },
    .open = useragent_open,
    .apply = useragent_apply,
    .close = useragent_close,
};
