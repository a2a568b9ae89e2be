/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/bind_value.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "conf/java_order.h"
#include "conf/merge.h"
#include "conf/number.h"
#include "conf/parser.h"

static void *member(const struct option *option, void *self)
{
    assert(option->offset != SIZE_MAX);
    return (char *)self + option->offset;
}

/* ---- what was expected, and found ---- */

static const char *describe(const struct option *option, const struct conf_value *value,
                            char out[80])
{
    enum { SHOWN_MAX = 60 };
    int len = (int)(value->text.len < SHOWN_MAX ? value->text.len : SHOWN_MAX);
    bool secret = option->type == OPTION_PASSWORD || (option->flags & OPTION_SECRET);
    switch (value->type) {
    case CONF_STRING:
    case CONF_BAREWORD:
    case CONF_NUMBER:
        if (secret)
            snprintf(out, 80, "something else");
        else if (value->type == CONF_NUMBER)
            snprintf(out, 80, "%.*s", len, value->text.ptr);
        else
            snprintf(out, 80, "\"%.*s\"", len, value->text.ptr ? value->text.ptr : "");
        break;
    case CONF_ARRAY:
        snprintf(out, 80, "a list of %zu values", value->count);
        break;
    case CONF_HASH:
        snprintf(out, 80, "a hash");
        break;
    case CONF_BLOCK:
        snprintf(out, 80, "a block");
        break;
    }
    return out;
}

static bool expected(const struct option *option, const struct conf_value *value, const char *what,
                     struct error *err)
{
    char found[80];
    return error_set(err, ERROR_CONFIG, "must be %s, found %s", what,
                     describe(option, value, found));
}

static bool is_scalar(const struct conf_value *value)
{
    return value->type == CONF_STRING || value->type == CONF_BAREWORD || value->type == CONF_NUMBER;
}

/* The one value where one is wanted; a list of one counts. */
static bool single(const struct option *option, const struct conf_value **value, const char *what,
                   struct error *err)
{
    const struct conf_value *one = *value;
    if (one->type == CONF_ARRAY && one->count == 1)
        one = one->items;
    if (!is_scalar(one))
        return expected(option, *value, what, err);
    *value = one;
    return true;
}

/* ---- numbers ---- */

static bool in_range(const struct option *option, double number, struct error *err)
{
    bool any = option->min == 0 && option->max == 0;
    assert(option->min <= option->max);
    if (any || (number >= option->min && number <= option->max))
        return true;
    if (option->max == 0 || option->max >= 9.0e15)
        return error_set(err, ERROR_CONFIG, "must be at least %.15g, found %.15g", option->min,
                         number);
    return error_set(err, ERROR_CONFIG, "must be from %.15g to %.15g, found %.15g", option->min,
                     option->max, number);
}

/* A number, or a text that is exactly how the number would be printed ("12", "1.5"; not "1e3"). */
static bool read_number(const struct conf_value *value, double *out)
{
    char text[NUMBER_TEXT_MAX];
    int64_t integer;
    if (!str_to_double(value->text, out) || !isfinite(*out))
        return false;
    if (value->type == CONF_NUMBER || str_equal(number_float_text(*out, text), value->text))
        return true;
    if (!str_to_int(value->text, &integer))
        return false;
    int len = snprintf(text, sizeof text, "%lld", (long long)integer);
    return str_equal(value->text, str_make(text, (size_t)len));
}

static bool bind_int(const struct option *option, const struct conf_value *value, int64_t *out,
                     struct error *err)
{
    double number;
    int64_t integer;
    if (!single(option, &value, "a whole number", err))
        return false;
    if (!read_number(value, &number) || number != trunc(number))
        return expected(option, value, "a whole number", err);
    if (!str_to_int(value->text, &integer)) {
        if (fabs(number) > 9.0e15)
            return expected(option, value, "a whole number of at most 64 bits", err);
        integer = (int64_t)number;
    }
    if (!in_range(option, number, err))
        return false;
    *out = integer;
    return true;
}

static bool bind_float(const struct option *option, const struct conf_value *value, double *out,
                       struct error *err)
{
    double number;
    if (!single(option, &value, "a number", err))
        return false;
    if (!read_number(value, &number))
        return expected(option, value, "a number", err);
    if (!in_range(option, number, err))
        return false;
    *out = number;
    return true;
}

static bool bind_bool(const struct option *option, const struct conf_value *value, bool *out,
                      struct error *err)
{
    if (!single(option, &value, "true or false", err))
        return false;
    bool yes = str_equal(value->text, STR("true"));
    if (!yes && !str_equal(value->text, STR("false")))
        return expected(option, value, "true or false", err);
    *out = yes;
    return true;
}

static bool bind_bytes(const struct option *option, const struct conf_value *value, int64_t *out,
                       struct error *err)
{
    static const char WHAT[] = "a size such as 1048576, \"10 MiB\" or \"10mb\"";
    int64_t bytes;
    if (!single(option, &value, WHAT, err))
        return false;
    if (!bind_parse_bytes(value->text, &bytes))
        return expected(option, value, WHAT, err);
    if (!in_range(option, (double)bytes, err))
        return false;
    *out = bytes;
    return true;
}

static bool bind_duration(const struct option *option, const struct conf_value *value, int64_t *out,
                          struct error *err)
{
    static const char WHAT[] = "a time such as 5, 0.5, \"1 hour\" or \"500 ms\"";
    int64_t ms, unit_ms = option->unit_ms ? option->unit_ms : 1000;
    if (!single(option, &value, WHAT, err))
        return false;
    if (!bind_parse_duration_ms(value->text, unit_ms, &ms))
        return expected(option, value, WHAT, err);
    if (!in_range(option, (double)ms, err))
        return false;
    *out = ms;
    return true;
}

/* ---- texts ---- */

static bool bind_string(const struct bind_context *ctx, const struct option *option,
                        const struct conf_value *value, struct str *out, struct error *err)
{
    if (!single(option, &value, "one text", err))
        return false;
    *out = bind_text(ctx->arena, value);
    return true;
}

static bool bind_path(const struct bind_context *ctx, const struct option *option,
                      const struct conf_value *value, struct str *out, struct error *err)
{
    struct str path;
    if (!bind_string(ctx, option, value, &path, err))
        return false;
    if (path.len == 0 || access(path.ptr, F_OK) != 0)
        return error_set(err, ERROR_CONFIG, "names a file that is not there: '%.*s'",
                         STR_FMT(path));
    *out = path;
    return true;
}

static bool bind_choice(const struct option *option, const struct conf_value *value, int *out,
                        struct error *err)
{
    char list[160] = "";
    size_t len = 0;
    assert(option->choices);
    for (size_t i = 0; option->choices[i] && len < sizeof list; i++)
        len += (size_t)snprintf(list + len, sizeof list - len, "%s%s", i > 0 ? ", " : "one of ",
                                option->choices[i]);
    if (!single(option, &value, list, err))
        return false;
    for (int i = 0; option->choices[i]; i++)
        if (str_equal(value->text, str_from(option->choices[i]))) {
            *out = i;
            return true;
        }
    char found[80];
    const char *near = bind_suggest(value->text, option->choices);
    return error_set(err, ERROR_CONFIG, "must be %s, found %s%s%s%s", list,
                     describe(option, value, found), near ? "; did you mean '" : "",
                     near ? near : "", near ? "'?" : "");
}

static bool bind_field(const struct bind_context *ctx, const struct option *option,
                       const struct conf_value *value, struct field_ref *out, struct error *err)
{
    bool lost_brackets = value->lost_brackets;
    if (!single(option, &value, "one field", err))
        return false;
    struct field_ref ref;
    struct str text = bind_text(ctx->arena, value);
    if (!field_ref_parse(ctx->arena, text, ctx->escape, &ref, err)) {
        if (lost_brackets)
            return error_set(err, ERROR_CONFIG,
                             "must be a field, but with ${…} in it a text in [ ] is a list, as in "
                             "Logstash, and '%.*s' is left; write the outer brackets twice: "
                             "\"[[a][${b}]]\"",
                             STR_FMT(text));
        return error_prefix(err, "must be a field");
    }
    *out = ref;
    return true;
}

static bool bind_template(const struct bind_context *ctx, const struct option *option,
                          const struct conf_value *value, struct template *out, struct error *err)
{
    if (!single(option, &value, "one text", err))
        return false;
    template_parse(ctx->arena, bind_text(ctx->arena, value), ctx->escape, out);
    return true;
}

/* ---- lists ---- */

struct list_view {
    const struct conf_value *items;
    size_t count;
};

/* A single value is a list of one. */
static bool as_list(const struct option *option, const struct conf_value *value,
                    struct list_view *out, struct error *err)
{
    if (value->type == CONF_HASH || value->type == CONF_BLOCK)
        return expected(option, value, "a list", err);
    if (value->type == CONF_ARRAY)
        *out = (struct list_view){value->items, value->count};
    else
        *out = (struct list_view){value, 1};
    return true;
}

/* Lists inside a list of texts stand for their text; hashes are a mistake. */
static bool as_texts(const struct option *option, const struct conf_value *value,
                     struct list_view *out, struct error *err)
{
    if (!as_list(option, value, out, err))
        return false;
    for (size_t i = 0; i < out->count; i++)
        if (out->items[i].type == CONF_HASH || out->items[i].type == CONF_BLOCK)
            return expected(option, &out->items[i], "a list of texts", err);
    return true;
}

static bool bind_strings(const struct bind_context *ctx, const struct option *option,
                         const struct conf_value *value, struct option_strings *out,
                         struct error *err)
{
    struct list_view list = {0};
    if (!as_texts(option, value, &list, err))
        return false;
    out->items = arena_alloc(ctx->arena, list.count * sizeof *out->items);
    out->count = list.count;
    for (size_t i = 0; i < list.count; i++)
        out->items[i] = bind_text(ctx->arena, &list.items[i]);
    return true;
}

static bool bind_templates(const struct bind_context *ctx, const struct option *option,
                           const struct conf_value *value, struct option_templates *out,
                           struct error *err)
{
    struct list_view list = {0};
    if (!as_texts(option, value, &list, err))
        return false;
    out->items = arena_alloc(ctx->arena, list.count * sizeof *out->items);
    out->count = list.count;
    for (size_t i = 0; i < list.count; i++)
        template_parse(ctx->arena, bind_text(ctx->arena, &list.items[i]), ctx->escape,
                       &out->items[i]);
    return true;
}

static bool bind_fields(const struct bind_context *ctx, const struct option *option,
                        const struct conf_value *value, struct option_fields *out,
                        struct error *err)
{
    struct list_view list = {0};
    if (!as_texts(option, value, &list, err))
        return false;
    out->items = arena_alloc(ctx->arena, list.count * sizeof *out->items);
    out->count = list.count;
    for (size_t i = 0; i < list.count; i++)
        if (!field_ref_parse(ctx->arena, bind_text(ctx->arena, &list.items[i]), ctx->escape,
                             &out->items[i], err))
            return error_prefix(err, "must be a list of fields");
    return true;
}

static bool bind_array(const struct option *option, const struct conf_value *value,
                       struct option_array *out, struct error *err)
{
    struct list_view list = {value, 1};
    if (value->type != CONF_HASH && !as_list(option, value, &list, err))
        return false;
    *out = (struct option_array){list.items, list.count};
    return true;
}

static bool bind_hash(const struct bind_context *ctx, const struct option *option,
                      const struct conf_value *value, struct option_hash *out, struct error *err)
{
    struct conf_value pairs;
    if (value->type == CONF_ARRAY) {
        bool listed =
            option->flags & OPTION_PAIRS && value->count > 0 && value->items[0].type == CONF_ARRAY;
        if (!(listed ? merge_listed_pairs : merge_pairs)(ctx->arena, value, &pairs, err))
            return false;
        value = &pairs;
    }
    if (value->type != CONF_HASH)
        return expected(option, value, "a hash: { \"key\" => \"value\" }", err);
    struct conf_value ordered;
    if (value != &pairs && !(option->flags & OPTION_AS_WRITTEN)) {
        ordered = java_order(ctx->arena, value);
        value = &ordered;
    }
    *out = (struct option_hash){value->pairs, value->count};
    return true;
}

static bool bind_any(const struct bind_context *ctx, const struct conf_value *value,
                     const struct conf_value **out, struct error *err)
{
    if (value->type == CONF_BLOCK)
        return error_set(err, ERROR_CONFIG, "must be a text, a number, a list or a hash");
    *out = arena_copy(ctx->arena, value, sizeof *value);
    return true;
}

static bool bind_codec(const struct bind_context *ctx, const struct option *option,
                       const struct conf_value *value, const struct conf_plugin **out,
                       struct error *err)
{
    if (value->type == CONF_ARRAY && value->count == 1)
        value = value->items;
    if (value->type == CONF_BLOCK) {
        *out = value->block;
        return true;
    }
    if (value->type == CONF_ARRAY && value->count > 1)
        return error_set(err, ERROR_CONFIG, "is given twice; there is one codec");
    if (value->type != CONF_STRING && value->type != CONF_BAREWORD)
        return expected(option, value, "a codec: its name, or its name and { options }", err);
    struct conf_plugin *named = arena_zero(ctx->arena, sizeof *named);
    named->section = CONF_CODEC;
    named->name = arena_dup(ctx->arena, value->text);
    named->position = value->position;
    *out = named;
    return true;
}

bool bind_value(const struct bind_context *ctx, const struct option *option,
                const struct conf_value *value, void *self, struct error *err)
{
    void *out = member(option, self);
    switch (option->type) {
    case OPTION_STRING:
    case OPTION_PASSWORD:
        return bind_string(ctx, option, value, out, err);
    case OPTION_PATH:
        return bind_path(ctx, option, value, out, err);
    case OPTION_INT:
        return bind_int(option, value, out, err);
    case OPTION_FLOAT:
        return bind_float(option, value, out, err);
    case OPTION_BOOL:
        return bind_bool(option, value, out, err);
    case OPTION_BYTES:
        return bind_bytes(option, value, out, err);
    case OPTION_DURATION_MS:
        return bind_duration(option, value, out, err);
    case OPTION_CHOICE:
        return bind_choice(option, value, out, err);
    case OPTION_FIELD:
        return bind_field(ctx, option, value, out, err);
    case OPTION_TEMPLATE:
        return bind_template(ctx, option, value, out, err);
    case OPTION_STRINGS:
        return bind_strings(ctx, option, value, out, err);
    case OPTION_TEMPLATES:
        return bind_templates(ctx, option, value, out, err);
    case OPTION_FIELDS:
        return bind_fields(ctx, option, value, out, err);
    case OPTION_HASH:
        return bind_hash(ctx, option, value, out, err);
    case OPTION_ARRAY:
        return bind_array(option, value, out, err);
    case OPTION_VALUE:
        return bind_any(ctx, value, out, err);
    case OPTION_CODEC:
        return bind_codec(ctx, option, value, out, err);
    }
    return false;
}

/* ---- defaults ---- */

static bool holds_many(enum option_type type)
{
    return type == OPTION_STRINGS || type == OPTION_TEMPLATES || type == OPTION_FIELDS ||
           type == OPTION_HASH || type == OPTION_ARRAY;
}

/* "[a]" may be the default of a list of fields: a literal list has quotes in it, or nothing. */
static bool is_literal(struct str text)
{
    if (text.len < 2)
        return false;
    if (text.ptr[0] == '{')
        return true;
    return text.ptr[0] == '[' &&
           (text.ptr[1] == ']' || text.ptr[1] == '"' || text.ptr[1] == '\'' || text.ptr[1] == ' ');
}

bool bind_default_value(const struct bind_context *ctx, const struct option *option,
                        struct conf_value *out, struct error *err)
{
    struct str text = str_from(option->def);
    assert(option->def);
    *out = (struct conf_value){.type = CONF_STRING, .text = text};
    if (!holds_many(option->type) || !is_literal(text))
        return true;
    struct conf_source source;
    struct error_list errors;
    conf_source_text(ctx->arena, text, "default", &source);
    error_list_init(&errors);
    struct parser parser = {
        .arena = ctx->arena, .source = &source, .text = source.text, .errors = &errors};
    bool ok = parse_value(&parser, out) && scan_at_end(&parser) && errors.errors == 0;
    error_list_release(&errors);
    return ok || error_set(err, ERROR_CONFIG, "is not a value: %s", option->def);
}
