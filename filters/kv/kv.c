/* SPDX-License-Identifier: Apache-2.0
 *
 * kv: pairs of keys and values in a text become fields. A scanner (filters/kv/kv_scan.h) finds the pairs; keys and values
 * are then trimmed, stripped, changed in case, chosen and prefixed, in this order. What is found is collected in
 * an object first, because keys may repeat and a failure of one is a failure of all.
 */
#include <assert.h>

#include "base/map.h"
#include "base/text/case_map.h"
#include "filters/filters.h"
#include "filters/kv/kv_scan.h"
#include "pipeline/event/value_conf.h"
#include "pipeline/program/evaluate.h"

enum {
    KV_DEPTH_MAX = 100,          /* of values that hold pairs again */
    KV_TEXT_BYTES_MAX = 1 << 30, /* of one changed key or value */
    KV_SCRATCH_BYTES_KEPT = 64 * 1024,
};

enum kv_case { KV_CASE_AS_IS, KV_CASE_LOWER, KV_CASE_UPPER, KV_CASE_CAPITALIZE };
enum kv_whitespace { KV_LENIENT, KV_STRICT };

/* What happens to every key, or to every value. */
struct kv_change {
    struct str trim, remove; /* contents of character classes; ptr NULL: none */
    int letter_case;         /* enum kv_case */
    struct regex *trim_regex, *remove_regex;
    struct kv_set trim_set, remove_set;
    bool trims_plainly, removes_plainly; /* the sets hold */
};

struct kv_filter {
    struct field_ref source, target;
    struct str field_split, field_split_pattern, value_split, value_split_pattern;
    struct template prefix;
    struct option_templates include_keys, exclude_keys;
    struct option_hash default_keys;
    bool allow_duplicate_values, allow_empty_values, include_brackets, recursive;
    struct kv_change key, value;
    int whitespace; /* enum kv_whitespace */
    int64_t timeout_millis;
    struct str tag_on_timeout;
    struct option_strings tag_on_failure;

    const struct plugin_env *env;
    struct kv_scanner scanner;
    struct regex_replacement *nothing;
    struct buf scratch;
    struct counter *failures, *timeouts;
};

static const char *const CASES[] = {"", "lowercase", "uppercase", "capitalize", NULL};
static const char *const WHITESPACES[] = {"lenient", "strict", NULL};

static const struct option OPTIONS[] = {
    {
        .name = "source",
        .doc = "Field with the text.",
        OPTION_IN_FIELD(struct kv_filter, source),
        .def = "message",
    },
    {
        .name = "target",
        .doc = "Field that the pairs go below; what it held is replaced.",
        OPTION_IN_FIELD(struct kv_filter, target),
    },
    {
        .name = "field_split",
        .doc = "The characters that separate pairs, as in a character class.",
        OPTION_IN_STRING(struct kv_filter, field_split),
        .def = " ",
    },
    {
        .name = "field_split_pattern",
        .doc = "An expression that separates pairs, instead of field_split.",
        OPTION_IN_STRING(struct kv_filter, field_split_pattern),
    },
    {
        .name = "value_split",
        .doc = "The characters that separate a key and its value, as in a character class.",
        OPTION_IN_STRING(struct kv_filter, value_split),
        .def = "=",
    },
    {
        .name = "value_split_pattern",
        .doc = "An expression that separates a key and its value, instead of value_split.",
        OPTION_IN_STRING(struct kv_filter, value_split_pattern),
    },
    {
        .name = "prefix",
        .doc = "Put before each key; may be a template.",
        OPTION_IN_TEMPLATE(struct kv_filter, prefix),
    },
    {
        .name = "include_keys",
        .doc = "Only these keys; may be templates.",
        OPTION_IN_TEMPLATES(struct kv_filter, include_keys),
    },
    {
        .name = "exclude_keys",
        .doc = "Not these keys; may be templates.",
        OPTION_IN_TEMPLATES(struct kv_filter, exclude_keys),
    },
    {
        .name = "default_keys",
        .doc = "Key => value for keys that are not in the text.",
        OPTION_IN_HASH(struct kv_filter, default_keys),
    },
    {
        .name = "allow_duplicate_values",
        .doc = "Keep a value that its key already has.",
        OPTION_IN_BOOL(struct kv_filter, allow_duplicate_values),
        .def = "true",
    },
    {
        .name = "allow_empty_values",
        .doc = "Keep keys without a value, as an empty text.",
        OPTION_IN_BOOL(struct kv_filter, allow_empty_values),
        .def = "false",
    },
    {
        .name = "include_brackets",
        .doc = "(), [] and <> around a value are taken off like quotes.",
        OPTION_IN_BOOL(struct kv_filter, include_brackets),
        .def = "true",
    },
    {
        .name = "recursive",
        .doc = "Values that hold pairs become objects.",
        OPTION_IN_BOOL(struct kv_filter, recursive),
        .def = "false",
    },
    {
        .name = "trim_key",
        .doc = "Characters taken off both ends of keys, as in a character class.",
        OPTION_IN_STRING(struct kv_filter, key.trim),
    },
    {
        .name = "trimkey",
        .doc = "Old name of trim_key.",
        .note = "write trim_key",
        OPTION_IN_STRING(struct kv_filter, key.trim),
        .flags = OPTION_DEPRECATED,
    },
    {
        .name = "trim",
        .doc = "Old name of trim_value.",
        .note = "write trim_value",
        OPTION_IN_STRING(struct kv_filter, value.trim),
        .flags = OPTION_DEPRECATED,
    },
    {
        .name = "trim_value",
        .doc = "Characters taken off both ends of values, as in a character class.",
        OPTION_IN_STRING(struct kv_filter, value.trim),
    },
    {
        .name = "remove_char_key",
        .doc = "Characters taken out of keys, as in a character class.",
        OPTION_IN_STRING(struct kv_filter, key.remove),
    },
    {
        .name = "remove_char_value",
        .doc = "Characters taken out of values, as in a character class.",
        OPTION_IN_STRING(struct kv_filter, value.remove),
    },
    {
        .name = "transform_key",
        .doc = "Change keys to lowercase, uppercase or capitalize.",
        OPTION_IN_CHOICE(struct kv_filter, key.letter_case),
        .choices = CASES,
    },
    {
        .name = "transform_value",
        .doc = "Change values to lowercase, uppercase or capitalize.",
        OPTION_IN_CHOICE(struct kv_filter, value.letter_case),
        .choices = CASES,
    },
    {
        .name = "whitespace",
        .doc = "lenient: blanks around the separator of key and value are ignored.",
        OPTION_IN_CHOICE(struct kv_filter, whitespace),
        .choices = WHITESPACES,
        .def = "lenient",
    },
    {
        .name = "timeout_millis",
        .doc = "Longest time of one event, in milliseconds; never more than the setting "
               "regex.timeout.",
        OPTION_IN_INT(struct kv_filter, timeout_millis),
        .def = "30000",
        .max = 86400000,
    },
    {
        .name = "tag_on_timeout",
        .doc = "Tag for an event that was given up: out of time, or at a limit.",
        OPTION_IN_STRING(struct kv_filter, tag_on_timeout),
        .def = "_kv_filter_timeout",
    },
    {
        .name = "tag_on_failure",
        .doc = "Tags for an event whose pairs cannot be set.",
        OPTION_IN_STRINGS(struct kv_filter, tag_on_failure),
        .def = "_kv_filter_error",
    },
    OPTION_END,
};

/* ---- expressions ------------------------------------------------------------------------------------ */

static void release_expressions(struct kv_filter *filter)
{
    struct regex **all[] = {
        &filter->key.trim_regex,
        &filter->key.remove_regex,
        &filter->value.trim_regex,
        &filter->value.remove_regex,
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        regex_free(*all[i]);
        *all[i] = NULL;
    }
    kv_scanner_close(&filter->scanner);
}

static bool compile_change(struct kv_change *change, struct arena *arena, struct error *err)
{
    if (change->trim.ptr && !(change->trim_regex = kv_trim_compile(arena, change->trim, err)))
        return false;
    if (change->remove.ptr &&
        !(change->remove_regex = kv_remove_compile(arena, change->remove, err)))
        return false;
    change->trims_plainly = change->trim.ptr && kv_set_read(change->trim, &change->trim_set);
    change->removes_plainly =
        change->remove.ptr && kv_set_read(change->remove, &change->remove_set);
    return true;
}

static bool compile(struct kv_filter *filter, struct arena *arena, struct error *err)
{
    struct kv_separators separators = {
        .field_split = filter->field_split,
        .value_split = filter->value_split,
        .field_split_pattern = filter->field_split_pattern,
        .value_split_pattern = filter->value_split_pattern,
        .lenient = filter->whitespace == KV_LENIENT,
        .brackets = filter->include_brackets,
    };
    return kv_scanner_open(&filter->scanner, arena, &separators, err) &&
           compile_change(&filter->key, arena, err) && compile_change(&filter->value, arena, err);
}

static bool kv_check(void *self, const struct plugin_env *env, struct error *err)
{
    struct kv_filter copy = *(struct kv_filter *)self;
    const struct {
        const char *name;
        struct str text;
    } NEEDED[] = {
        {"value_split", copy.value_split},
        {"field_split_pattern", copy.field_split_pattern},
        {"value_split_pattern", copy.value_split_pattern},
    };
    for (size_t i = 0; i < sizeof NEEDED / sizeof *NEEDED; i++) {
        if (NEEDED[i].text.ptr && NEEDED[i].text.len == 0)
            return error_set(err, ERROR_CONFIG, "%s cannot be empty", NEEDED[i].name);
    }
    bool ok = compile(&copy, env->arena, err);
    release_expressions(&copy);
    return ok;
}

static bool kv_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct kv_filter *filter = self;
    filter->env = env;
    filter->failures = env->counter(env, "failures");
    filter->timeouts = env->counter(env, "timeouts");
    buf_init(&filter->scratch, KV_TEXT_BYTES_MAX);
    if (!compile(filter, env->arena, err)) {
        release_expressions(filter);
        return false;
    }
    filter->nothing = regex_replacement_parse(env->arena, filter->scanner.scan, STR(""));
    return true;
}

static void kv_close(void *self)
{
    struct kv_filter *filter = self;
    release_expressions(filter);
    buf_release(&filter->scratch);
}

/* ---- one event -------------------------------------------------------------------------------------- */

/* What holds for all pairs of one event. */
struct kv_run {
    struct kv_filter *filter;
    struct event *event;
    struct str prefix;
    struct str *include, *exclude;
    struct map seen;  /* without duplicate values: what each key of each object has */
    unsigned objects; /* made so far, to tell their keys apart in `seen` */
    bool timed_out;
};

/* Takes out what the expression matches. False at the limit of the match. */
static bool take_out(struct kv_run *run, const struct regex *regex, struct str *text)
{
    struct kv_filter *filter = run->filter;
    buf_clear(&filter->scratch, KV_SCRATCH_BYTES_KEPT);
    enum regex_result result =
        regex_replace_all(regex, filter->env->regex, *text, filter->nothing, &filter->scratch);
    if (result == REGEX_LIMIT)
        return false;
    if (result == REGEX_MATCHED)
        *text = arena_dup(run->event->arena, buf_str(&filter->scratch));
    return true;
}

static bool change_text(struct kv_run *run, const struct kv_change *change, struct str *text)
{
    struct arena *arena = run->event->arena;
    bool trimmed = change->trims_plainly && kv_set_trim(&change->trim_set, text);
    if (change->trim_regex && !trimmed && !take_out(run, change->trim_regex, text))
        return false;
    if (change->removes_plainly)
        kv_set_remove(arena, &change->remove_set, text);
    else if (change->remove_regex && !take_out(run, change->remove_regex, text))
        return false;
    if (change->letter_case == KV_CASE_LOWER)
        *text = case_lower(arena, *text);
    else if (change->letter_case == KV_CASE_UPPER)
        *text = case_upper(arena, *text);
    else if (change->letter_case == KV_CASE_CAPITALIZE)
        *text = case_capitalize(arena, *text);
    return true;
}

static bool is_listed(const struct str *list, size_t count, struct str key)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal(list[i], key))
            return true;
    }
    return false;
}

static bool is_wanted(const struct kv_run *run, struct str key)
{
    const struct kv_filter *filter = run->filter;
    if (filter->include_keys.count > 0 && !is_listed(run->include, filter->include_keys.count, key))
        return false;
    return !is_listed(run->exclude, filter->exclude_keys.count, key);
}

/* Whether the key has this value already, by what Ruby's include? says of the value that is there: a text includes its
 * parts, an object its keys. */
static bool is_duplicate(struct kv_run *run, unsigned object_number, const struct value *old,
                         struct str key, struct str value)
{
    struct str mark = arena_printf(run->event->arena, "%u %zu %.*s%.*s", object_number, key.len,
                                   STR_FMT(key), STR_FMT(value));
    bool duplicate = false;
    size_t walk = old && value_type(old) == VALUE_STRING ? value_as_str(old).len : 0;
    run->timed_out |= !regex_budget_spend(run->filter->env->regex, walk);
    if (old && value_type(old) == VALUE_STRING)
        duplicate = str_find(value_as_str(old), value) != SIZE_MAX;
    else if (old && value_type(old) == VALUE_OBJECT)
        duplicate = value_object_get(old, value) != NULL;
    else if (old)
        duplicate = map_has(&run->seen, mark);
    if (!duplicate)
        map_set(&run->seen, mark, run);
    return duplicate;
}

/* A second value of a key makes a list of both. */
static void store(struct kv_run *run, struct value *object, struct str key, struct value value)
{
    struct arena *arena = run->event->arena;
    struct value *old = value_object_get(object, key);
    if (!old) {
        value_object_set(arena, object, key, value);
    } else if (value_type(old) == VALUE_ARRAY) {
        value_array_push(arena, old, value);
    } else {
        struct value list = value_array_new(arena, 2);
        value_array_push(arena, &list, *old);
        value_array_push(arena, &list, value);
        value_object_set(arena, object, key, list);
    }
}

static void parse_text(struct kv_run *run, struct str text, unsigned depth, struct value *object);

static void take_pair(struct kv_run *run, struct str key, struct str text, unsigned depth,
                      struct value *object, unsigned object_number)
{
    struct kv_filter *filter = run->filter;
    struct arena *arena = run->event->arena;
    if (text.len == 0 && !filter->allow_empty_values)
        return;
    run->timed_out = !change_text(run, &filter->key, &key);
    if (run->timed_out || !is_wanted(run, key))
        return;
    if (run->prefix.len > 0)
        key = arena_printf(arena, "%.*s%.*s", STR_FMT(run->prefix), STR_FMT(key));
    run->timed_out = !change_text(run, &filter->value, &text);
    if (run->timed_out)
        return;
    if (!filter->allow_duplicate_values &&
        is_duplicate(run, object_number, value_object_get(object, key), key, text))
        return;
    struct value value = value_str(text);
    if (filter->recursive && depth < KV_DEPTH_MAX) {
        struct value inner = value_object_new(arena, 0);
        parse_text(run, text, depth + 1, &inner);
        if (value_object_count(&inner) > 0)
            value = inner;
    }
    store(run, object, key, value);
}

static void parse_text(struct kv_run *run, struct str text, unsigned depth, struct value *object)
{
    struct kv_filter *filter = run->filter;
    struct kv_cursor cursor = {.text = text};
    struct kv_pair pair;
    unsigned object_number = run->objects++;
    enum kv_found found = KV_PAIR;
    while (!run->timed_out &&
           (found = kv_next(&filter->scanner, &cursor, filter->env->regex, &pair)) == KV_PAIR)
        take_pair(run, pair.key, pair.value, depth, object, object_number);
    run->timed_out |= found == KV_GIVEN_UP;
}

static bool evaluate_all(const struct option_templates *templates, struct event *event,
                         struct str **out)
{
    *out = arena_alloc(event->arena, templates->count * sizeof **out);
    for (size_t i = 0; i < templates->count; i++) {
        if (!template_text(&templates->items[i], event, event->arena, &(*out)[i]))
            return false;
    }
    return true;
}

/* default_keys with what was found over them. */
static struct value with_defaults(const struct kv_filter *filter, struct arena *arena,
                                  struct value found)
{
    if (filter->default_keys.count == 0)
        return found;
    struct value all = value_object_new(arena, filter->default_keys.count);
    for (size_t i = 0; i < filter->default_keys.count; i++) {
        const struct conf_pair *pair = &filter->default_keys.pairs[i];
        value_object_set(arena, &all, pair->key.text, value_from_conf(arena, &pair->value));
    }
    for (size_t i = 0; i < value_object_count(&found); i++) {
        struct str key;
        struct value *value = value_object_at(&found, i, &key);
        value_object_set(arena, &all, key, *value);
    }
    return all;
}

static bool set_fields(const struct kv_filter *filter, struct event *event, struct value found)
{
    if (filter->target.text.ptr)
        return event_set(event, &filter->target, found, NULL);
    for (size_t i = 0; i < value_object_count(&found); i++) {
        struct str key;
        struct field_ref ref;
        const struct value *value = value_object_at(&found, i, &key);
        if (!field_ref_parse(event->arena, key, filter->env->settings->escape, &ref, NULL) ||
            !event_set(event, &ref, *value, NULL))
            return false;
    }
    return true;
}

/* False: the source is a list with something that is neither a text nor null, where Logstash's search raises. */
static bool parse_source(struct kv_run *run, const struct value *source, struct value *found)
{
    if (value_is_str(source))
        parse_text(run, value_as_str(source), 0, found);
    if (!source || value_type(source) != VALUE_ARRAY)
        return true;
    for (size_t i = 0; i < value_array_count(source) && !run->timed_out; i++) {
        const struct value *item = value_array_at(source, i);
        if (value_is_str(item))
            parse_text(run, value_as_str(item), 0, found);
        else if (value_type(item) != VALUE_NULL)
            return false;
    }
    return true;
}

static enum filter_result fail(const struct kv_filter *filter, struct event *event)
{
    counter_add(filter->failures, 1);
    event_add_tags(event, &filter->tag_on_failure);
    return FILTER_SKIPPED;
}

static enum filter_result kv_apply(void *self, struct event *event, struct event_sink *more)
{
    (void)more;
    struct kv_filter *filter = self;
    struct kv_run run = {.filter = filter, .event = event};
    regex_budget_narrow(filter->env->regex, (uint64_t)filter->timeout_millis);
    if (!evaluate_all(&filter->include_keys, event, &run.include) ||
        !evaluate_all(&filter->exclude_keys, event, &run.exclude))
        return fail(filter, event);
    if (filter->prefix.parts && !template_text(&filter->prefix, event, event->arena, &run.prefix))
        return fail(filter, event);
    struct value found = value_object_new(event->arena, 0);
    map_init(&run.seen);
    bool parsed = parse_source(&run, event_get(event, &filter->source), &found);
    map_release(&run.seen);
    if (run.timed_out) {
        counter_add(filter->timeouts, 1);
        event_add_tag(event, filter->tag_on_timeout);
        return FILTER_SKIPPED;
    }
    if (!parsed)
        return fail(filter, event);
    found = with_defaults(filter, event->arena, found);
    if (value_object_count(&found) == 0)
        return FILTER_SKIPPED;
    return set_fields(filter, event, found) ? FILTER_MATCHED : fail(filter, event);
}

const struct filter filter_kv = {
    .plugin = {.name = "kv",
               .summary = "Pairs of keys and values in a text into fields.",
               .options = OPTIONS,
               .size = sizeof(struct kv_filter),
               .check = kv_check},
    .open = kv_open,
    .apply = kv_apply,
    .close = kv_close,
};
