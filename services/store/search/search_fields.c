/* SPDX-License-Identifier: Apache-2.0 */
#include "services/store/search/search_fields.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "pipeline/event/event_json.h"
#include "services/store/glob.h"

enum { SHOWN_FIELDS_MAX = 2000 };

struct shown_field {
    struct field_reader reader;
    const struct date_layout *layout; /* of dates */
    bool from_doc_values;
};

struct search_fields {
    struct shown_field *items;
    size_t count, capacity;
};

struct opening {
    const struct query_context *context;
    struct search_fields *fields;
    const struct field_wish *wish;
    struct api_error *err;
};

/* ---- which fields ------------------------------------------------------------------------------------------- */

static bool refuse(const struct opening *in)
{
    in->err->of_search = true;
    snprintf(in->err->index, sizeof in->err->index, "%.*s", STR_FMT(in->context->index));
    return false;
}

static bool choose_layout(const struct opening *in, const struct field *field,
                          const struct date_layout **out)
{
    struct error syntax;
    *out = field->format;
    if (!in->wish->format.ptr || field->type != FIELD_DATE)
        return true;
    *out = date_layout_compile(in->context->arena, in->wish->format, &syntax);
    if (*out)
        return true;
    api_error_set(in->err, 400, "illegal_argument_exception", "Invalid format: [%.*s]: %s",
                  STR_FMT(in->wish->format), syntax.text);
    return refuse(in);
}

static bool add_field(const struct opening *in, const struct field *field)
{
    struct search_fields *fields = in->fields;
    if (in->wish->from_doc_values && !field_need_no_text(field, field->path, in->err))
        return refuse(in);
    if (fields->count == SHOWN_FIELDS_MAX)
        return api_error_set(in->err, 400, "illegal_argument_exception", "more than %d fields",
                             SHOWN_FIELDS_MAX);
    if (fields->count == fields->capacity) {
        size_t capacity = fields->capacity * 2 + 4, size = sizeof *fields->items;
        fields->items =
            arena_grow(in->context->arena, fields->items, fields->count * size, capacity * size);
        fields->capacity = capacity;
    }
    struct shown_field *shown = &fields->items[fields->count++];
    field_reader_init(&shown->reader, field);
    shown->from_doc_values = in->wish->from_doc_values;
    return choose_layout(in, field, &shown->layout);
}

static bool add_matching(const struct opening *in, const struct field *field)
{
    bool is_leaf = field->type != FIELD_OBJECT && field->type != FIELD_OPAQUE;
    if (is_leaf && glob_match(in->wish->pattern, field->path) && !add_field(in, field))
        return false;
    for (size_t i = 0; i < field->count; i++) {
        if (!add_matching(in, field->children[i]))
            return false;
    }
    return true;
}

/* By name; the wishes for one field are kept together, in their order. */
static int compare_fields(const void *a, const void *b)
{
    const struct shown_field *left = a, *right = b;
    return str_compare(left->reader.field->path, right->reader.field->path);
}

struct search_fields *search_fields_open(const struct search_plan *plan,
                                         const struct query_context *context, struct api_error *err)
{
    struct search_fields *fields = arena_zero(context->arena, sizeof *fields);
    for (size_t i = 0; i < plan->wish_count; i++) {
        struct opening in = {context, fields, &plan->wishes[i], err};
        if (!add_matching(&in, mapping_find(context->mapping, STR(""))))
            return NULL;
    }
    if (fields->count > 1)
        qsort(fields->items, fields->count, sizeof *fields->items, compare_fields);
    return fields;
}

/* ---- their values ---------------------------------------------------------------------------------------------- */

struct writing {
    const struct shown_field *shown;
    struct buf *out;
    size_t count;
    bool fits;
};

static bool write_date(const struct shown_field *shown, int64_t ms, struct buf *out)
{
    char text[128];
    struct buf layout;
    buf_init(&layout, sizeof text);
    bool done = date_layout_write(shown->layout, ms, NULL, &layout) &&
                json_encode_str(buf_str(&layout), out);
    buf_release(&layout);
    return done;
}

static bool write_term(const struct shown_field *shown, const struct value *value,
                       const struct term *term, struct buf *out)
{
    char ip[IP_TEXT_MAX];
    struct value number;
    const struct field *field = shown->reader.field;
    if (field->type == FIELD_DATE)
        return write_date(shown, term->as.integer, out);
    if (field->type == FIELD_BOOLEAN)
        return buf_append_str(out, term->as.integer ? STR("true") : STR("false"));
    switch (term->kind) {
    case TERM_TEXT:
        return json_encode_str(term->as.text, out);
    case TERM_IP:
        return json_encode_str(str_make(ip, ip_network_format(&term->as.ip, ip)), out);
    case TERM_INTEGER:
        number = value_int(term->as.integer);
        return json_encode_value(&number, out);
    case TERM_REAL:
        number = value_float(term->as.real);
        return json_encode_value(
            !shown->from_doc_values && value_type(value) == VALUE_FLOAT ? value : &number, out);
    }
    return false;
}

static bool visit(void *ctx, const struct value *value)
{
    struct writing *writing = ctx;
    struct term term;
    char buffer[TERM_TEXT_MAX];
    if (!term_of_value(writing->shown->reader.field, value, buffer, &term))
        return true;
    writing->fits = (writing->count++ == 0 || buf_append_char(writing->out, ',')) &&
                    write_term(writing->shown, value, &term, writing->out);
    return writing->fits;
}

static bool same_field(const struct search_fields *fields, size_t a, size_t b)
{
    return fields->items[a].reader.field == fields->items[b].reader.field;
}

bool search_fields_write(const struct search_fields *fields, const struct query_document *document,
                         struct buf *out)
{
    size_t start = out->len;
    for (size_t i = 0, next; i < fields->count; i = next) {
        size_t before = out->len;
        struct writing writing = {.out = out, .fits = true};
        bool done = (before == start || buf_append_char(out, ',')) &&
                    json_encode_str(fields->items[i].reader.field->path, out) &&
                    buf_append_str(out, STR(":["));
        for (next = i; next < fields->count && same_field(fields, i, next); next++) {
            writing.shown = &fields->items[next];
            field_reader_each(&writing.shown->reader, document->tree, visit, &writing);
        }
        if (!done || !writing.fits || !buf_append_char(out, ']'))
            return false;
        if (writing.count == 0)
            out->len = before;
    }
    return true;
}
