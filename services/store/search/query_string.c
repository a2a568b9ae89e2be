/* SPDX-License-Identifier: Apache-2.0
 *
 * The small language of query_string and of ?q=: words, field:value, "phrases", ranges, wildcards, AND OR NOT + -, and
 * parentheses. AND and OR bind as in Lucene's classic parser: AND makes both of its neighbours required, OR neither.
 */
#include <assert.h>

#include "base/text/utf8.h"
#include "services/store/search/query_private.h"

struct scan {
    struct query_compiler *in;
    struct str text, rest;
    struct query_fields fields; /* where no field is named */
    bool all_required;
    unsigned depth;
};

enum conjunction { JOIN_NONE, JOIN_AND, JOIN_OR };
enum modifier { MODIFIER_NONE, MODIFIER_REQUIRED, MODIFIER_NOT };
enum clause_role { ROLE_SHOULD, ROLE_MUST, ROLE_MUST_NOT };

static struct query *parse_clauses(struct scan *scan);

static struct query *syntax_error(struct scan *scan)
{
    return query_refuse_here(scan->in, "query_shard_exception", "Failed to parse query [%.*s]",
                             STR_FMT(scan->text));
}

/* ---- characters ----------------------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_blanks(struct scan *scan)
{
    while (scan->rest.len > 0 && is_blank(scan->rest.ptr[0]))
        scan->rest = str_from_offset(scan->rest, 1);
}

static char peek(const struct scan *scan)
{
    return scan->rest.len > 0 ? scan->rest.ptr[0] : 0;
}

static bool take(struct scan *scan, struct str token)
{
    if (!str_starts_with(scan->rest, token))
        return false;
    scan->rest = str_from_offset(scan->rest, token.len);
    return true;
}

/* A word of the language: followed by a blank, a parenthesis, or the end. */
static bool take_word(struct scan *scan, struct str word)
{
    struct str behind = str_from_offset(scan->rest, word.len);
    if (!str_starts_with(scan->rest, word) || (behind.len > 0 && !is_blank(behind.ptr[0]) &&
                                               behind.ptr[0] != '(' && behind.ptr[0] != ')'))
        return false;
    scan->rest = behind;
    return true;
}

static bool ends_term(char c)
{
    return is_blank(c) || (c && strchr("()\":[]{}^~", c));
}

/* The length of the term that begins rest, escapes and all. */
static size_t term_length(struct str rest, bool (*ends)(char))
{
    size_t at = 0;
    while (at < rest.len && !ends(rest.ptr[at]))
        at += rest.ptr[at] == '\\' && at + 1 < rest.len ? 2 : 1;
    return at;
}

/* Without the backslashes. */
static struct str unescape(struct scan *scan, struct str text)
{
    if (!memchr(text.ptr, '\\', text.len))
        return text;
    char *to = arena_bytes(scan->in->context.arena, text.len);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\\' && i + 1 < text.len)
            i++;
        to[len++] = text.ptr[i];
    }
    return str_make(to, len);
}

static bool has_wildcard(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\\')
            i++;
        else if (text.ptr[i] == '*' || text.ptr[i] == '?')
            return true;
    }
    return false;
}

/* ---- values on fields -------------------------------------------------------------------------------------------- */

struct leaf {
    struct str text;
    bool is_phrase, is_wildcard, is_range, all_required;
    struct query_bounds bounds;
};

/* Words of a text field are in lower case. */
static struct str lower_if_text(struct query_compiler *in, struct str path, struct str text)
{
    const struct field *field = mapping_find(in->context.mapping, path);
    if (!field || field->type != FIELD_TEXT)
        return text;
    char *to = arena_bytes(in->context.arena, text.len);
    for (size_t i = 0; i < text.len; i++)
        to[i] = text.ptr[i] >= 'A' && text.ptr[i] <= 'Z' ? (char)(text.ptr[i] + 'a' - 'A')
                                                         : text.ptr[i];
    return str_make(to, text.len);
}

static struct query *range_leaf(struct query_compiler *in, struct str path, const struct leaf *leaf)
{
    struct query *query = query_range(in, path, &leaf->bounds);
    if (query || !in->is_lenient || !in->err->of_search)
        return query;
    return query_new(in, QUERY_NONE);
}

static struct query *leaf_on_field(struct query_compiler *in, struct str path, void *ctx)
{
    const struct leaf *leaf = ctx;
    if (leaf->is_range)
        return range_leaf(in, path, leaf);
    if (leaf->is_wildcard)
        return query_wildcard(in, path, lower_if_text(in, path, leaf->text), false);
    struct query_match options = {.all_required = leaf->all_required, .is_phrase = leaf->is_phrase};
    struct value value = value_str(leaf->text);
    return query_match(in, path, &value, &options);
}

static struct query *leaf_query(struct scan *scan, struct str field, struct leaf *leaf)
{
    leaf->all_required = scan->all_required;
    if (str_equal(field, STR("_exists_")))
        return query_exists(scan->in, leaf->text);
    if (leaf->is_wildcard && str_equal(leaf->text, STR("*"))) {
        if (!field.ptr || str_equal(field, STR("*")))
            return query_new(scan->in, QUERY_ALL);
        return query_exists(scan->in, field);
    }
    if (field.ptr && !memchr(field.ptr, '*', field.len))
        return leaf_on_field(scan->in, field, leaf);
    struct query_fields named = {.name = field};
    return query_each_field(scan->in, field.ptr ? &named : &scan->fields, leaf_on_field, leaf);
}

/* ---- ranges -------------------------------------------------------------------------------------------------------- */

static bool ends_bound(char c)
{
    return is_blank(c) || c == ']' || c == '}';
}

/* One end of a range; NULL in *out: open. */
static bool parse_bound(struct scan *scan, const struct value **out)
{
    skip_blanks(scan);
    struct str text;
    if (take(scan, STR("\""))) {
        const char *end = scan->rest.len ? memchr(scan->rest.ptr, '"', scan->rest.len) : NULL;
        if (!end)
            return false;
        text = str_make(scan->rest.ptr, (size_t)(end - scan->rest.ptr));
        scan->rest = str_from_offset(scan->rest, text.len + 1);
    } else {
        text = str_make(scan->rest.ptr, term_length(scan->rest, ends_bound));
        if (text.len == 0)
            return false;
        scan->rest = str_from_offset(scan->rest, text.len);
        text = unescape(scan, text);
    }
    *out = NULL;
    if (str_equal(text, STR("*")))
        return true;
    struct value *value = arena_alloc(scan->in->context.arena, sizeof *value);
    *value = value_str(text);
    *out = value;
    return true;
}

static struct query *parse_range(struct scan *scan, struct str field)
{
    struct leaf leaf = {.is_range = true};
    leaf.bounds.includes_low = peek(scan) == '[';
    scan->rest = str_from_offset(scan->rest, 1);
    if (!parse_bound(scan, &leaf.bounds.low))
        return syntax_error(scan);
    skip_blanks(scan);
    if (!take_word(scan, STR("TO")) || !parse_bound(scan, &leaf.bounds.high))
        return syntax_error(scan);
    skip_blanks(scan);
    leaf.bounds.includes_high = peek(scan) == ']';
    if (peek(scan) != ']' && peek(scan) != '}')
        return syntax_error(scan);
    scan->rest = str_from_offset(scan->rest, 1);
    return leaf_query(scan, field, &leaf);
}

/* field:>=5 */
static struct query *parse_comparison(struct scan *scan, struct str field)
{
    struct leaf leaf = {.is_range = true};
    bool is_low = peek(scan) == '>';
    scan->rest = str_from_offset(scan->rest, 1);
    bool inclusive = take(scan, STR("="));
    skip_blanks(scan);
    struct str text = str_make(scan->rest.ptr, term_length(scan->rest, ends_term));
    if (text.len == 0)
        return syntax_error(scan);
    scan->rest = str_from_offset(scan->rest, text.len);
    struct value value = value_str(unescape(scan, text));
    leaf.bounds.low = is_low ? &value : NULL;
    leaf.bounds.high = is_low ? NULL : &value;
    leaf.bounds.includes_low = leaf.bounds.includes_high = inclusive;
    return leaf_query(scan, field, &leaf);
}

/* ---- clauses ---------------------------------------------------------------------------------------------------------- */

static struct query *parse_phrase(struct scan *scan, struct str field)
{
    size_t at = 1;
    while (at < scan->rest.len && scan->rest.ptr[at] != '"')
        at += scan->rest.ptr[at] == '\\' ? 2 : 1;
    if (at >= scan->rest.len)
        return syntax_error(scan);
    struct leaf leaf = {.is_phrase = true};
    leaf.text = unescape(scan, str_make(scan->rest.ptr + 1, at - 1));
    scan->rest = str_from_offset(scan->rest, at + 1);
    if (peek(scan) == '~')
        return query_unsupported(scan->in, "the distance of a phrase (~) is not supported");
    return leaf_query(scan, field, &leaf);
}

static struct query *parse_group(struct scan *scan, struct str field)
{
    struct query_fields before = scan->fields;
    if (++scan->depth > QUERY_DEPTH_MAX)
        return query_refuse(scan->in, "illegal_argument_exception",
                            "parentheses go deeper than [%d]", QUERY_DEPTH_MAX);
    scan->rest = str_from_offset(scan->rest, 1);
    if (field.ptr)
        scan->fields = (struct query_fields){.name = field};
    struct query *query = parse_clauses(scan);
    scan->fields = before;
    scan->depth--;
    if (!query)
        return NULL;
    skip_blanks(scan);
    return take(scan, STR(")")) ? query : syntax_error(scan);
}

static struct query *parse_term(struct scan *scan, struct str field)
{
    struct str raw = str_make(scan->rest.ptr, term_length(scan->rest, ends_term));
    if (raw.len > scan->rest.len)
        raw.len = scan->rest.len;
    if (raw.len == 0)
        return syntax_error(scan);
    if (raw.ptr[0] == '/')
        return query_unsupported(scan->in,
                                 "regular expressions in a query_string are not supported");
    scan->rest = str_from_offset(scan->rest, raw.len);
    if (peek(scan) == ':' && field.ptr)
        return syntax_error(scan);
    if (peek(scan) == '~')
        return query_unsupported(scan->in, "fuzzy words (~) are not supported");
    struct leaf leaf = {.is_wildcard = has_wildcard(raw)};
    leaf.text = leaf.is_wildcard ? raw : unescape(scan, raw);
    return leaf_query(scan, field, &leaf);
}

/* "field:" in front of a value; ptr NULL when there is none. */
static struct str parse_field(struct scan *scan)
{
    size_t len = term_length(scan->rest, ends_term);
    if (len == 0 || len >= scan->rest.len || scan->rest.ptr[len] != ':')
        return (struct str){0};
    struct str name = unescape(scan, str_make(scan->rest.ptr, len));
    scan->rest = str_from_offset(scan->rest, len + 1);
    skip_blanks(scan);
    return name;
}

static bool parse_boost(struct scan *scan, struct query *query)
{
    double boost;
    if (!take(scan, STR("^")))
        return true;
    struct str number = str_make(scan->rest.ptr, term_length(scan->rest, ends_term));
    if (!str_to_double(number, &boost) || boost < 0) {
        syntax_error(scan);
        return false;
    }
    scan->rest = str_from_offset(scan->rest, number.len);
    query->boost *= boost;
    return true;
}

static struct query *parse_clause(struct scan *scan)
{
    struct str field = parse_field(scan);
    struct query *query;
    char next = peek(scan);
    if (next == '(')
        query = parse_group(scan, field);
    else if (next == '"')
        query = parse_phrase(scan, field);
    else if (next == '[' || next == '{')
        query = parse_range(scan, field);
    else if (field.ptr && (next == '>' || next == '<'))
        query = parse_comparison(scan, field);
    else
        query = parse_term(scan, field);
    return query && parse_boost(scan, query) ? query : NULL;
}

/* ---- how clauses join -------------------------------------------------------------------------------------------------- */

static enum conjunction parse_conjunction(struct scan *scan)
{
    skip_blanks(scan);
    if (take_word(scan, STR("AND")) || take(scan, STR("&&")))
        return JOIN_AND;
    if (take_word(scan, STR("OR")) || take(scan, STR("||")))
        return JOIN_OR;
    return JOIN_NONE;
}

static enum modifier parse_modifier(struct scan *scan)
{
    skip_blanks(scan);
    if (take_word(scan, STR("NOT")) || take(scan, STR("!")) || take(scan, STR("-"))) {
        skip_blanks(scan);
        return MODIFIER_NOT;
    }
    return take(scan, STR("+")) ? MODIFIER_REQUIRED : MODIFIER_NONE;
}

struct clause {
    struct query *query;
    enum clause_role role;
};

static enum clause_role role_of(const struct scan *scan, enum conjunction join,
                                enum modifier modifier)
{
    if (modifier == MODIFIER_NOT)
        return ROLE_MUST_NOT;
    if (scan->all_required)
        return join == JOIN_OR ? ROLE_SHOULD : ROLE_MUST;
    return join == JOIN_AND || modifier == MODIFIER_REQUIRED ? ROLE_MUST : ROLE_SHOULD;
}

static struct query *combine(struct scan *scan, const struct clause *clauses, size_t count)
{
    if (count == 0)
        return query_new(scan->in, QUERY_NONE);
    if (count == 1 && clauses[0].role != ROLE_MUST_NOT)
        return clauses[0].query;
    struct query *all = query_new(scan->in, QUERY_BOOL);
    for (size_t i = 0; all && i < count; i++) {
        struct query_list *list = clauses[i].role == ROLE_MUST       ? &all->must
                                  : clauses[i].role == ROLE_MUST_NOT ? &all->must_not
                                                                     : &all->should;
        query_list_add(scan->in, list, clauses[i].query);
    }
    if (all)
        all->minimum_should_match = all->must.count == 0 && all->should.count > 0;
    return all;
}

/* Up to a closing parenthesis or the end. */
static struct query *parse_clauses(struct scan *scan)
{
    struct clause *clauses = NULL;
    size_t count = 0, size = sizeof *clauses;
    for (;;) {
        enum conjunction join = parse_conjunction(scan);
        if (join != JOIN_NONE && count == 0)
            return syntax_error(scan);
        enum modifier modifier = parse_modifier(scan);
        if (peek(scan) == 0 || peek(scan) == ')') {
            bool is_cut = join != JOIN_NONE || modifier != MODIFIER_NONE;
            return is_cut ? syntax_error(scan) : combine(scan, clauses, count);
        }
        if (count == QUERY_CLAUSES_MAX)
            return query_refuse_here(scan->in, "too_many_clauses", "maxClauseCount is set to %d",
                                     QUERY_CLAUSES_MAX);
        if (count > 0 && join == JOIN_AND && clauses[count - 1].role == ROLE_SHOULD)
            clauses[count - 1].role = ROLE_MUST;
        if (count > 0 && join == JOIN_OR && scan->all_required &&
            clauses[count - 1].role == ROLE_MUST)
            clauses[count - 1].role = ROLE_SHOULD;
        struct query *query = parse_clause(scan);
        if (!query)
            return NULL;
        if ((count & (count - 1)) == 0) /* full: capacities are powers of two */
            clauses = arena_grow(scan->in->context.arena, clauses, count * size,
                                 (count ? count * 2 : 1) * size);
        clauses[count++] = (struct clause){query, role_of(scan, join, modifier)};
    }
}

struct query *query_parse_string(struct query_compiler *in, struct str text,
                                 const struct query_fields *fields, bool all_required)
{
    bool was_lenient = in->is_lenient;
    struct scan scan = {in, text, text, *fields, all_required, 0};
    if (!fields->name.ptr && !fields->names)
        in->is_lenient = true;
    struct query *query = parse_clauses(&scan);
    in->is_lenient = was_lenient;
    return !query || scan.rest.len == 0 ? query : syntax_error(&scan);
}
