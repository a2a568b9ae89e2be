/* SPDX-License-Identifier: Apache-2.0
 *
 * The values that documents are sorted by, and what comes before what.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "pipeline/event/event_json.h"
#include "services/store/search/search_sort.h"

/* ---- the values of a document -------------------------------------------------------------------------------------- */

enum { SORT_VALUES_MAX = 1000 }; /* of one field in one document, for the median */

struct gather {
    const struct sort_key *key;
    struct arena *arena;
    size_t count;
    struct sort_value *list; /* of the median */
    struct sort_value best;
    double sum;
};

static int compare_values(const struct sort_value *a, const struct sort_value *b)
{
    if (a->type != b->type)
        return a->type < b->type ? -1 : 1;
    switch (a->type) {
    case SORT_NULL:
        return 0;
    case SORT_INTEGER:
        return a->as.integer < b->as.integer ? -1 : a->as.integer > b->as.integer;
    case SORT_REAL:
        return a->as.real < b->as.real ? -1 : a->as.real > b->as.real;
    case SORT_TEXT:
    case SORT_IP:
        return str_compare(a->as.text, b->as.text);
    }
    return 0;
}

static double as_real(const struct sort_value *value)
{
    return value->type == SORT_REAL ? value->as.real : (double)value->as.integer;
}

static struct sort_value sort_value_of(struct gather *gather, const struct term *term)
{
    char *bytes;
    switch (term->kind) {
    case TERM_INTEGER:
        return (struct sort_value){SORT_INTEGER, {.integer = term->as.integer}};
    case TERM_REAL:
        return (struct sort_value){SORT_REAL, {.real = term->as.real}};
    case TERM_IP:
        bytes = arena_bytes(gather->arena, IP_KEY_BYTES);
        ip_key(&term->as.ip, bytes);
        return (struct sort_value){SORT_IP, {.text = str_make(bytes, IP_KEY_BYTES)}};
    case TERM_TEXT:
        break;
    }
    return (struct sort_value){SORT_TEXT, {.text = term->as.text}};
}

static bool takes_low(const struct sort_key *key)
{
    return key->mode == SORT_MIN || (key->mode == SORT_MODE_NONE && !key->is_descending);
}

static bool visit(void *ctx, const struct value *value)
{
    struct gather *gather = ctx;
    char *buffer = arena_bytes(gather->arena, TERM_TEXT_MAX);
    struct term term;
    if (!term_of_value(gather->key->reader.field, value, buffer, &term))
        return true;
    struct sort_value found = sort_value_of(gather, &term);
    if (found.type < SORT_TEXT)
        gather->sum += as_real(&found);
    if (gather->list)
        gather->list[gather->count] = found;
    int order = gather->count ? compare_values(&found, &gather->best) : 0;
    if (gather->count == 0 || (takes_low(gather->key) ? order < 0 : order > 0))
        gather->best = found;
    return ++gather->count < SORT_VALUES_MAX;
}

static int compare_for_median(const void *a, const void *b)
{
    return compare_values(a, b);
}

static double median_of(struct gather *gather)
{
    assert(gather->list && gather->count > 0);
    qsort(gather->list, gather->count, sizeof *gather->list, compare_for_median);
    size_t middle = gather->count / 2;
    double high = as_real(&gather->list[middle]);
    return gather->count % 2 ? high : (as_real(&gather->list[middle - 1]) + high) / 2;
}

static struct sort_value field_value(const struct sort_key *key, struct arena *arena,
                                     const struct query_document *document)
{
    struct gather gather = {.key = key, .arena = arena};
    if (key->mode == SORT_MEDIAN)
        gather.list = arena_alloc(arena, SORT_VALUES_MAX * sizeof *gather.list);
    if (key->reader.field)
        field_reader_each(&key->reader, document->tree, visit, &gather);
    if (gather.count == 0)
        return key->missing_value;
    if (key->mode <= SORT_MAX)
        return gather.best;
    double number = key->mode == SORT_SUM   ? gather.sum
                    : key->mode == SORT_AVG ? gather.sum / (double)gather.count
                                            : median_of(&gather);
    if (gather.best.type == SORT_REAL)
        return (struct sort_value){SORT_REAL, {.real = number}};
    double rounded = fabs(number) < 9.2e18 ? round(number) : 0;
    return (struct sort_value){SORT_INTEGER, {.integer = (int64_t)rounded}};
}

void sort_values(const struct sort *sort, struct arena *arena, const struct sort_document *document,
                 struct sort_value *out)
{
    assert(sort->count <= SORT_KEYS_MAX);
    for (size_t i = 0; i < sort->count; i++) {
        const struct sort_key *key = &sort->keys[i];
        switch (key->kind) {
        case SORT_SCORE:
            out[i] = (struct sort_value){SORT_REAL, {.real = document->score}};
            break;
        case SORT_DOCUMENT:
            out[i] = (struct sort_value){SORT_INTEGER, {.integer = (int64_t)document->number}};
            break;
        case SORT_ID:
            out[i] = (struct sort_value){SORT_TEXT, {.text = document->document->id}};
            break;
        case SORT_FIELD:
            out[i] = field_value(key, arena, document->document);
            break;
        }
    }
}

static bool write_ip(struct str key, struct buf *out)
{
    struct ip_network ip = {.bytes = IP_KEY_BYTES};
    char text[IP_TEXT_MAX];
    static const char V4_PREFIX[12] = "\0\0\0\0\0\0\0\0\0\0\xff\xff";
    bool is_v4 = memcmp(key.ptr, V4_PREFIX, sizeof V4_PREFIX) == 0;
    if (is_v4)
        ip.bytes = 4;
    memcpy(ip.address, key.ptr + IP_KEY_BYTES - ip.bytes, ip.bytes);
    ip.prefix = ip.bytes * 8;
    return json_encode_str(str_make(text, ip_network_format(&ip, text)), out);
}

bool sort_value_write(const struct sort_value *value, struct buf *out)
{
    struct value number;
    switch (value->type) {
    case SORT_NULL:
        return buf_append_str(out, STR("null"));
    case SORT_INTEGER:
        number = value_int(value->as.integer);
        return json_encode_value(&number, out);
    case SORT_REAL:
        number = value_float(value->as.real);
        return json_encode_value(&number, out);
    case SORT_TEXT:
        return json_encode_str(value->as.text, out);
    case SORT_IP:
        return write_ip(value->as.text, out);
    }
    return false;
}

/* ---- comparing --------------------------------------------------------------------------------------------------------- */

static int compare_key(const struct sort_key *key, const struct sort_value *a,
                       const struct sort_value *b)
{
    bool a_missing = a->type == SORT_NULL, b_missing = b->type == SORT_NULL;
    if (a_missing || b_missing) {
        if (a_missing == b_missing)
            return 0;
        return a_missing == key->missing_first ? -1 : 1;
    }
    int order = compare_values(a, b);
    return key->is_descending ? -order : order;
}

int sort_compare(const struct sort *sort, const struct sort_value *a, const struct sort_value *b)
{
    for (size_t i = 0; i < sort->count; i++) {
        int order = compare_key(&sort->keys[i], &a[i], &b[i]);
        if (order != 0)
            return order;
    }
    return 0;
}

bool sort_is_after(const struct sort *sort, const struct sort_value *values)
{
    for (size_t i = 0; i < sort->count; i++) {
        int order = compare_key(&sort->keys[i], &values[i], &sort->keys[i].after_value);
        if (order != 0)
            return order > 0;
    }
    return false;
}

bool sort_needs_document(const struct sort *sort)
{
    for (size_t i = 0; i < sort->count; i++) {
        if (sort->keys[i].kind == SORT_FIELD)
            return true;
    }
    return false;
}

bool sort_uses_score(const struct sort *sort)
{
    bool uses = sort->count == 0;
    for (size_t i = 0; i < sort->count; i++)
        uses |= sort->keys[i].kind == SORT_SCORE;
    return uses;
}
