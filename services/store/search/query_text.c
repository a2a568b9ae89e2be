/* SPDX-License-Identifier: Apache-2.0
 *
 * match, match_phrase, multi_match: texts that are taken apart into words when the field is one of words.
 */
#include <assert.h>

#include "services/store/glob.h"
#include "services/store/search/analysis.h"
#include "services/store/search/query_private.h"

/* ---- words of a query ------------------------------------------------------------------------------------ */

/* At most QUERY_CLAUSES_MAX; one more says that there are more. */
static size_t split_words(struct query_compiler *in, struct str text, struct str **out)
{
    struct words words;
    struct str word;
    size_t count = 0, capacity = 8;
    struct str *list = arena_alloc(in->context.arena, capacity * sizeof *list);
    words_init(&words, text);
    while (count <= QUERY_CLAUSES_MAX && words_next(&words, &word)) {
        if (count == capacity) {
            list = arena_grow(in->context.arena, list, count * sizeof *list,
                              capacity * 2 * sizeof *list);
            capacity *= 2;
        }
        list[count++] = arena_dup(in->context.arena, word);
    }
    *out = list;
    return count;
}

static struct query *one_word(struct query_compiler *in, const struct field *field, struct str word,
                              bool is_prefix)
{
    struct query *query = query_on_field(in, is_prefix ? QUERY_PREFIX : QUERY_TERMS, field);
    if (!query)
        return NULL;
    query->text = word;
    query->terms = arena_alloc(in->context.arena, sizeof *query->terms);
    query->terms[0] = (struct term){.kind = TERM_TEXT, .as.text = word};
    query->count = 1;
    return query;
}

static struct query *some_words(struct query_compiler *in, const struct field *field,
                                struct str *words, size_t count, const struct query_match *options)
{
    struct query *query = query_new(in, QUERY_BOOL);
    struct query_list *list = query && options->all_required ? &query->must : &query->should;
    for (size_t i = 0; query && i < count; i++) {
        struct query *word = one_word(in, field, words[i], false);
        if (!word)
            return NULL;
        query_list_add(in, list, word);
    }
    if (!query)
        return NULL;
    query->minimum_should_match = !options->all_required;
    size_t minimum = 0;
    if (options->minimum && !query_minimum(in, options->minimum, count, &minimum))
        return NULL;
    if (!options->all_required && minimum > 1)
        query->minimum_should_match = minimum;
    return query;
}

static struct query *match_words(struct query_compiler *in, const struct field *field,
                                 struct str text, const struct query_match *options)
{
    struct str *words;
    size_t count = split_words(in, text, &words);
    if (count > QUERY_CLAUSES_MAX)
        return query_refuse_here(in, "too_many_clauses", "maxClauseCount is set to %d",
                                 QUERY_CLAUSES_MAX);
    if (count == 0)
        return query_new(in, options->empty_matches_all ? QUERY_ALL : QUERY_NONE);
    if (count == 1)
        return one_word(in, field, words[0], options->last_is_prefix);
    if (!options->is_phrase)
        return some_words(in, field, words, count, options);
    struct query *phrase = query_on_field(in, QUERY_PHRASE, field);
    if (!phrase)
        return NULL;
    phrase->texts = words;
    phrase->count = count;
    phrase->last_is_prefix = options->last_is_prefix;
    return phrase;
}

struct query *query_match(struct query_compiler *in, struct str path, const struct value *value,
                          const struct query_match *options)
{
    const struct field *field = query_find_field(in, path);
    if (!field && in->err->status)
        return NULL;
    if (!field || field->type != FIELD_TEXT) {
        if (field && field->type == FIELD_KEYWORD && options->last_is_prefix)
            return query_prefix(in, path, query_text_of(in, value), false);
        return query_term(in, path, value);
    }
    return match_words(in, field, query_text_of(in, value), options);
}

/* ---- the JSON of match ------------------------------------------------------------------------------------ */

struct match_body {
    struct query_match options;
    const struct value *text;
    double boost;
    bool is_lenient;
};

static bool parse_operator(struct query_compiler *in, const struct value *value, bool *all_out)
{
    struct str text = query_text_of(in, value);
    *all_out = str_equal_nocase(text, STR("and"));
    if (*all_out || str_equal_nocase(text, STR("or")))
        return true;
    query_refuse(in, "illegal_argument_exception",
                 "No enum constant org.opensearch.index.query.Operator.%.*s", STR_FMT(text));
    return false;
}

static bool no_slop(struct query_compiler *in, const char *name, const struct value *value)
{
    if (value_type(value) == VALUE_INT && value_as_int(value) == 0)
        return true;
    query_unsupported(in, "[slop] of [%s] is not supported", name);
    return false;
}

static bool is_passed_over(struct str key)
{
    static const char *const NAMES[] = {"_name",
                                        "analyzer",
                                        "prefix_length",
                                        "max_expansions",
                                        "fuzzy_transpositions",
                                        "cutoff_frequency",
                                        "tie_breaker",
                                        "auto_generate_synonyms_phrase_query",
                                        "fuzzy_rewrite"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (str_equal(key, str_from(NAMES[i])))
            return true;
    }
    return false;
}

static bool parse_match_part(struct query_compiler *in, const char *name, struct match_body *body,
                             struct str key, const struct value *value)
{
    if (str_equal(key, STR("query"))) {
        body->text = value;
        return true;
    }
    if (str_equal(key, STR("operator")))
        return parse_operator(in, value, &body->options.all_required);
    if (str_equal(key, STR("minimum_should_match"))) {
        body->options.minimum = value;
        return true;
    }
    if (str_equal(key, STR("boost")))
        return query_boost(in, name, value, &body->boost);
    if (str_equal(key, STR("lenient")))
        return query_flag(in, name, key, value, &body->is_lenient);
    if (str_equal(key, STR("zero_terms_query"))) {
        body->options.empty_matches_all = str_equal_nocase(query_text_of(in, value), STR("all"));
        return true;
    }
    if (str_equal(key, STR("slop")))
        return no_slop(in, name, value);
    if (str_equal(key, STR("fuzziness"))) {
        query_unsupported(in, "[fuzziness] of [%s] is not supported", name);
        return false;
    }
    if (is_passed_over(key))
        return true;
    query_refuse(in, "parsing_exception", "[%s] query does not support [%.*s]", name, STR_FMT(key));
    return false;
}

/* {"field": "text"} or {"field": {"query": "text", …}} */
static struct query *parse_match(struct query_compiler *in, const char *name,
                                 const struct value *body, const struct query_match *options)
{
    struct match_body parts = {.options = *options, .boost = 1, .is_lenient = in->is_lenient};
    struct str path = {0}, key;
    if (value_object_count(body) > 1)
        return query_refuse(in, "parsing_exception", "[%s] query doesn't support multiple fields",
                            name);
    if (value_object_count(body) == 1)
        parts.text = value_object_at(body, 0, &path);
    if (parts.text && value_type(parts.text) == VALUE_OBJECT) {
        const struct value *inner = parts.text;
        parts.text = NULL;
        for (size_t i = 0; i < value_object_count(inner); i++) {
            const struct value *value = value_object_at(inner, i, &key);
            if (!parse_match_part(in, name, &parts, key, value))
                return NULL;
        }
    }
    if (!parts.text || value_type(parts.text) == VALUE_OBJECT ||
        value_type(parts.text) == VALUE_ARRAY || value_type(parts.text) == VALUE_NULL)
        return query_refuse(in, "parsing_exception", "No text specified for text query");
    bool was_lenient = in->is_lenient;
    in->is_lenient = parts.is_lenient;
    struct query *query = query_match(in, path, parts.text, &parts.options);
    in->is_lenient = was_lenient;
    if (query)
        query->boost *= parts.boost;
    return query;
}

struct query *query_parse_match(struct query_compiler *in, const struct value *body)
{
    return parse_match(in, "match", body, &(struct query_match){0});
}

struct query *query_parse_match_phrase(struct query_compiler *in, const struct value *body)
{
    return parse_match(in, "match_phrase", body, &(struct query_match){.is_phrase = true});
}

struct query *query_parse_match_phrase_prefix(struct query_compiler *in, const struct value *body)
{
    struct query_match options = {.is_phrase = true, .last_is_prefix = true};
    return parse_match(in, "match_phrase_prefix", body, &options);
}

/* ---- several fields ------------------------------------------------------------------------------------------ */

struct each {
    struct query_compiler *in;
    struct query *any;
    query_of_field *make;
    void *ctx;
    bool everywhere; /* all fields: those that cannot have such a value are passed over */
};

static bool add_field(const struct each *each, struct str path, double boost)
{
    struct query *query = each->make(each->in, path, each->ctx);
    if (!query)
        return false;
    query->boost *= boost;
    if (query->kind != QUERY_NONE)
        query_list_add(each->in, &each->any->should, query);
    return true;
}

static bool add_fields(const struct each *each, const struct field *field, struct str pattern,
                       double boost)
{
    bool is_leaf = field->type != FIELD_OBJECT && field->type != FIELD_OPAQUE;
    if (is_leaf && glob_match(pattern, field->path) && !add_field(each, field->path, boost))
        return false;
    for (size_t i = 0; i < field->count; i++) {
        if (!add_fields(each, field->children[i], pattern, boost))
            return false;
    }
    return true;
}

static bool add_named(const struct each *each, struct str name)
{
    double boost = 1;
    const char *caret = name.len ? memchr(name.ptr, '^', name.len) : NULL;
    if (caret) {
        struct str number = str_from_offset(name, (size_t)(caret - name.ptr) + 1);
        if (!str_to_double(number, &boost))
            return query_refuse(each->in, "illegal_argument_exception",
                                "For input string: \"%.*s\"", STR_FMT(number));
        name.len = (size_t)(caret - name.ptr);
    }
    if (!memchr(name.ptr, '*', name.len))
        return add_field(each, name, boost);
    return add_fields(each, mapping_find(each->in->context.mapping, STR("")), name, boost);
}

static bool add_all(const struct each *each, const struct query_fields *fields)
{
    if (fields->name.ptr)
        return add_named(each, fields->name);
    if (!fields->names)
        return add_named(each, STR("*"));
    if (value_is_str(fields->names))
        return add_named(each, value_as_str(fields->names));
    for (size_t i = 0; i < value_array_count(fields->names); i++) {
        const struct value *name = value_array_at(fields->names, i);
        if (!value_is_str(name))
            return query_refuse(each->in, "parsing_exception", "[fields] is a list of names");
        if (!add_named(each, value_as_str(name)))
            return false;
    }
    return true;
}

struct query *query_each_field(struct query_compiler *in, const struct query_fields *fields,
                               query_of_field *make, void *ctx)
{
    struct each each = {.in = in, .any = query_new(in, QUERY_BOOL), .make = make, .ctx = ctx};
    if (!each.any)
        return NULL;
    each.any->minimum_should_match = 1;
    if (!add_all(&each, fields))
        return NULL;
    struct query *best = query_new(in, QUERY_CONSTANT);
    if (best)
        best->inner = each.any;
    return best;
}

static struct query *match_field(struct query_compiler *in, struct str path, void *ctx)
{
    const struct match_body *body = ctx;
    return query_match(in, path, body->text, &body->options);
}

static bool multi_match_type(struct query_compiler *in, const struct value *value,
                             struct query_match *options)
{
    struct str type = query_text_of(in, value);
    options->is_phrase = str_equal(type, STR("phrase")) || str_equal(type, STR("phrase_prefix"));
    options->last_is_prefix = str_equal(type, STR("phrase_prefix"));
    if (options->is_phrase || str_equal(type, STR("best_fields")) ||
        str_equal(type, STR("most_fields")))
        return true;
    query_unsupported(in, "[type] %.*s of [multi_match] is not supported", STR_FMT(type));
    return false;
}

struct query *query_parse_multi_match(struct query_compiler *in, const struct value *body)
{
    struct match_body parts = {.boost = 1};
    struct query_fields fields = {0};
    for (size_t i = 0; i < value_object_count(body); i++) {
        struct str key;
        const struct value *value = value_object_at(body, i, &key);
        bool done = true;
        if (str_equal(key, STR("fields")))
            fields.names = value;
        else if (str_equal(key, STR("type")))
            done = multi_match_type(in, value, &parts.options);
        else
            done = parse_match_part(in, "multi_match", &parts, key, value);
        if (!done)
            return NULL;
    }
    if (!parts.text || value_type(parts.text) == VALUE_OBJECT ||
        value_type(parts.text) == VALUE_ARRAY)
        return query_refuse(in, "parsing_exception", "No text specified for multi_match query");
    if (fields.names && value_type(fields.names) != VALUE_ARRAY && !value_is_str(fields.names))
        return query_refuse(in, "parsing_exception", "[fields] is a list of names");
    bool was_lenient = in->is_lenient;
    in->is_lenient = parts.is_lenient || !fields.names;
    struct query *query = query_each_field(in, &fields, match_field, &parts);
    in->is_lenient = was_lenient;
    if (query)
        query->boost = parts.boost;
    return query;
}
