/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the queries share: the nodes of the compiled tree, and the compiler.
 */
#ifndef MILLRACE_SERVICES_STORE_SEARCH_QUERY_PRIVATE_H
#define MILLRACE_SERVICES_STORE_SEARCH_QUERY_PRIVATE_H

#include "services/store/mapping/field_reader.h"
#include "services/store/search/query.h"

enum query_kind {
    QUERY_ALL,
    QUERY_NONE,
    QUERY_IDS,
    QUERY_BOOL,
    QUERY_CONSTANT, /* the inner query's documents, with the own boost as score */
    QUERY_TERMS,    /* one of these, sorted */
    QUERY_NETWORKS, /* an address in one of these */
    QUERY_RANGE,
    QUERY_EXISTS,
    QUERY_PREFIX,
    QUERY_WILDCARD,
    QUERY_PHRASE, /* words in a row */
};

struct query_list {
    const struct query **items;
    size_t count, capacity;
};

struct query {
    enum query_kind kind;
    bool ignores_case;
    bool last_is_prefix; /* of a phrase */
    bool includes_low, includes_high, has_low, has_high;
    double boost;
    struct field_reader *reader; /* of kinds that look into a field */
    struct str text;             /* prefix, wildcard */
    struct str *texts;           /* ids, words of a phrase */
    struct term *terms;          /* terms, networks; a range's low and high */
    size_t count;                /* of texts, terms */
    struct query_list must, should, must_not, filter;
    size_t minimum_should_match;
    const struct query *inner;
};

struct query_compiler {
    struct query_context context;
    struct api_error *err;
    unsigned depth;
    size_t nodes;
    bool is_lenient; /* a text that is no value of its field matches nothing */
};

/* ---- query.c ---- */
struct query *query_new(struct query_compiler *in, enum query_kind kind);
void query_list_add(struct query_compiler *in, struct query_list *list, const struct query *query);
/* A node that looks into the field. */
struct query *query_on_field(struct query_compiler *in, enum query_kind kind,
                             const struct field *field);
void query_sort_terms(struct query *query);

/* ---- errors: both return NULL, as the compiler does ---- */
struct query *query_refuse(struct query_compiler *in, const char *type, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* What only this index has against the query. */
struct query *query_refuse_here(struct query_compiler *in, const char *type, const char *format,
                                ...) __attribute__((format(printf, 3, 4)));
struct query *query_unsupported(struct query_compiler *in, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- query_compile.c ---- */
struct query *query_compile_tree(struct query_compiler *in, const struct value *tree);
bool query_boost(struct query_compiler *in, const char *name, const struct value *value,
                 double *out);
bool query_flag(struct query_compiler *in, const char *name, struct str key,
                const struct value *value, bool *out);
struct str query_text_of(struct query_compiler *in, const struct value *value);
/* "2", "-1", "75%" of `count` clauses. */
bool query_minimum(struct query_compiler *in, const struct value *value, size_t count, size_t *out);

/* ---- query_field.c: from values, checked against the type of the field ---- */
/* The field at path; NULL without an error when there is none to look into. */
const struct field *query_find_field(struct query_compiler *in, struct str path);
struct query *query_term(struct query_compiler *in, struct str path, const struct value *value);
struct query *query_terms(struct query_compiler *in, struct str path, const struct value *values);
struct query *query_exists(struct query_compiler *in, struct str path);
struct query *query_prefix(struct query_compiler *in, struct str path, struct str text,
                           bool ignores_case);
struct query *query_wildcard(struct query_compiler *in, struct str path, struct str text,
                             bool ignores_case);

/* ---- query_range.c ---- */
struct query_bounds {
    const struct value *low, *high; /* NULL: open */
    bool includes_low, includes_high;
    struct str format, time_zone; /* ptr NULL: not said */
};
struct query *query_range(struct query_compiler *in, struct str path,
                          const struct query_bounds *bounds);

/* ---- query_text.c: match and its kin ---- */
struct query_match {
    bool all_required, is_phrase, last_is_prefix, empty_matches_all;
    const struct value *minimum; /* NULL: one */
};
struct query *query_match(struct query_compiler *in, struct str path, const struct value *value,
                          const struct query_match *options);
/* Fields by name or pattern, each with an optional ^boost; NULL: all that can be searched. */
struct query_fields {
    const struct value *names; /* an array of texts, or NULL */
    struct str name;           /* one name instead; ptr NULL: see names */
};
typedef struct query *query_of_field(struct query_compiler *in, struct str path, void *ctx);
struct query *query_each_field(struct query_compiler *in, const struct query_fields *fields,
                               query_of_field *make, void *ctx);

/* ---- what the object of a query by that name has, for the table of query_compile.c ---- */
typedef struct query *query_parser(struct query_compiler *in, const struct value *body);
query_parser query_parse_term, query_parse_terms, query_parse_range, query_parse_exists,
    query_parse_prefix, query_parse_wildcard, query_parse_match, query_parse_match_phrase,
    query_parse_match_phrase_prefix, query_parse_multi_match, query_parse_query_string;

struct query *query_parse_string(struct query_compiler *in, struct str text,
                                 const struct query_fields *fields, bool all_required);

#endif
