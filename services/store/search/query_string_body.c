/* SPDX-License-Identifier: Apache-2.0
 *
 * The query_string of a body: its options around the small language.
 */
#include "services/store/search/query_private.h"

static bool is_passed_over(struct str key)
{
    static const char *const NAMES[] = {"_name",
                                        "analyze_wildcard",
                                        "allow_leading_wildcard",
                                        "analyzer",
                                        "max_determinized_states",
                                        "enable_position_increments",
                                        "auto_generate_synonyms_phrase_query",
                                        "quote_analyzer",
                                        "type",
                                        "tie_breaker",
                                        "escape",
                                        "rewrite",
                                        "fuzziness",
                                        "fuzzy_prefix_length",
                                        "time_zone",
                                        "fuzzy_max_expansions",
                                        "fuzzy_transpositions",
                                        "quote_field_suffix",
                                        "phrase_slop"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (str_equal(key, str_from(NAMES[i])))
            return true;
    }
    return false;
}

struct string_body {
    const struct value *text;
    struct query_fields fields;
    bool all_required;
    double boost;
};

static bool parse_string_part(struct query_compiler *in, struct string_body *body, struct str key,
                              const struct value *value)
{
    if (str_equal(key, STR("query")))
        body->text = value;
    else if (str_equal(key, STR("default_field")))
        body->fields.name = query_text_of(in, value);
    else if (str_equal(key, STR("fields")))
        body->fields.names = value;
    else if (str_equal(key, STR("default_operator")))
        body->all_required = str_equal_nocase(query_text_of(in, value), STR("and"));
    else if (str_equal(key, STR("lenient")))
        return query_flag(in, "query_string", key, value, &in->is_lenient);
    else if (str_equal(key, STR("boost")))
        return query_boost(in, "query_string", value, &body->boost);
    else if (str_equal(key, STR("minimum_should_match")))
        return query_unsupported(in, "[minimum_should_match] of [query_string] is not supported");
    else if (!is_passed_over(key))
        return query_refuse(in, "parsing_exception", "[query_string] query does not support [%.*s]",
                            STR_FMT(key));
    return true;
}

struct query *query_parse_query_string(struct query_compiler *in, const struct value *body)
{
    struct string_body parts = {.boost = 1};
    bool was_lenient = in->is_lenient;
    for (size_t i = 0; i < value_object_count(body); i++) {
        struct str key;
        const struct value *value = value_object_at(body, i, &key);
        if (!parse_string_part(in, &parts, key, value))
            return NULL;
    }
    if (!parts.text || !value_is_str(parts.text))
        return query_refuse(in, "parsing_exception",
                            "[query_string] must be provided with a [query]");
    if (parts.fields.names && value_type(parts.fields.names) != VALUE_ARRAY)
        return query_refuse(in, "parsing_exception", "[query_string] [fields] is a list of names");
    struct query *query =
        query_parse_string(in, value_as_str(parts.text), &parts.fields, parts.all_required);
    in->is_lenient = was_lenient;
    if (query)
        query->boost *= parts.boost;
    return query;
}
