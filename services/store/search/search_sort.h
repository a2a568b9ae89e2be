/* SPDX-License-Identifier: Apache-2.0
 *
 * The order of hits: keys of a request, bound to the fields of an index, and the values of a document for them.
 */
#ifndef MILLRACE_SERVICES_STORE_SEARCH_SEARCH_SORT_H
#define MILLRACE_SERVICES_STORE_SEARCH_SEARCH_SORT_H

#include "services/store/mapping/field_reader.h"
#include "services/store/search/query.h"

enum { SORT_KEYS_MAX = 16 };

enum sort_kind { SORT_SCORE, SORT_DOCUMENT, SORT_ID, SORT_FIELD };
enum sort_mode { SORT_MODE_NONE, SORT_MIN, SORT_MAX, SORT_SUM, SORT_AVG, SORT_MEDIAN };

enum sort_value_type {
    SORT_NULL,
    SORT_INTEGER,
    SORT_REAL,
    SORT_TEXT,
    SORT_IP /* as 16 bytes in text */
};

struct sort_value {
    enum sort_value_type type;
    union {
        int64_t integer;
        double real;
        struct str text;
    } as;
};

struct sort_key {
    enum sort_kind kind;
    bool is_descending, missing_first;
    enum sort_mode mode;
    struct str path, unmapped_type; /* of the request */
    const struct value *missing;    /* a value instead; NULL: none */
    const struct value *after;      /* of search_after; NULL: none */
    struct field_reader reader;     /* of the open index; field NULL: it has none */
    enum field_type type;
    struct sort_value missing_value, after_value;
};

struct sort {
    struct sort_key keys[SORT_KEYS_MAX];
    size_t count; /* 0: by score, as SORT_SCORE alone */
    bool has_after;
};

/* "sort" of a body: a name, an object, or a list of them. */
bool sort_parse(const struct value *value, struct sort *out, struct api_error *err);
/* "a:desc,b" of a URL. */
bool sort_parse_url(struct str text, struct sort *out, struct api_error *err);
bool sort_parse_after(const struct value *values, struct sort *sort, struct api_error *err);

/* Finds the fields in the index. */
bool sort_open(struct sort *sort, const struct query_context *context, struct api_error *err);

struct sort_document {
    const struct query_document *document;
    double score;
    uint64_t number; /* in the order of storage */
};
/* Texts borrow from the document or the arena. */
void sort_values(const struct sort *sort, struct arena *arena, const struct sort_document *document,
                 struct sort_value *out);
/* <0: a comes before b. */
int sort_compare(const struct sort *sort, const struct sort_value *a, const struct sort_value *b);
bool sort_is_after(const struct sort *sort, const struct sort_value *values);
/* As JSON. */
bool sort_value_write(const struct sort_value *value, struct buf *out);
bool sort_needs_document(const struct sort *sort);
bool sort_uses_score(const struct sort *sort);

#endif
