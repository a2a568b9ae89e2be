/* SPDX-License-Identifier: Apache-2.0
 *
 * Fields that documents bring with them: the type of a value, and the dynamic templates that say otherwise.
 */
#include <assert.h>

#include "base/mem.h"
#include "services/store/glob.h"
#include "services/store/mapping/mapping_private.h"

enum { KEYWORD_IGNORE_ABOVE = 256 };

static const struct str DYNAMIC_DATE_FORMAT =
    STR_INIT("yyyy/MM/dd HH:mm:ss||yyyy/MM/dd||epoch_millis");

/* ---- templates ------------------------------------------------------------------------------------- */

static bool text_member(const struct value *body, struct str name, struct str *out,
                        struct api_error *err)
{
    const struct value *value = value_object_get(body, name);
    *out = (struct str){0};
    if (!value)
        return true;
    if (!value_is_str(value))
        return api_error_set(err, 400, "mapper_parsing_exception",
                             "Failed to parse mapping [_doc]: [%.*s] of a dynamic template is text",
                             STR_FMT(name));
    *out = value_as_str(value);
    return true;
}

static bool check_mapping_type(struct str type, struct api_error *err)
{
    static const char *const TYPES[] = {"*",      "object",  "string", "long",
                                        "double", "boolean", "date",   "binary"};
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        if (!type.ptr || str_equal(type, str_from(TYPES[i])))
            return true;
    }
    return api_error_set(
        err, 400, "mapper_parsing_exception",
        "Failed to parse mapping [_doc]: No field type matched on [%.*s], possible "
        "values are [object, string, long, double, boolean, date, binary]",
        STR_FMT(type));
}

static bool read_template(struct dynamic_template *into, struct api_error *err)
{
    const struct value *body = &into->body, *mapping = value_object_get(body, STR("mapping"));
    if (!mapping || value_type(mapping) != VALUE_OBJECT)
        return api_error_set(err, 400, "mapper_parsing_exception",
                             "Failed to parse mapping [_doc]: template must have mapping set");
    into->mapping = *mapping;
    struct str pattern;
    if (!text_member(body, STR("match"), &into->match, err) ||
        !text_member(body, STR("unmatch"), &into->unmatch, err) ||
        !text_member(body, STR("path_match"), &into->path_match, err) ||
        !text_member(body, STR("path_unmatch"), &into->path_unmatch, err) ||
        !text_member(body, STR("match_pattern"), &pattern, err) ||
        !text_member(body, STR("match_mapping_type"), &into->match_mapping_type, err))
        return false;
    if (pattern.ptr && !str_equal(pattern, STR("simple")))
        return api_error_set(err, 501, "unsupported_operation_exception",
                             "[match_pattern] of a dynamic template is simple");
    return check_mapping_type(into->match_mapping_type, err);
}

static struct dynamic_template *template_slot(struct mapping *mapping, struct str name)
{
    for (size_t i = 0; i < mapping->template_count; i++) {
        if (str_equal(mapping->templates[i].name, name))
            return &mapping->templates[i];
    }
    mapping->templates = mem_grow(mapping->templates, mapping->template_count,
                                  &mapping->template_capacity, sizeof *mapping->templates);
    return &mapping->templates[mapping->template_count++];
}

bool mapping_parse_templates(struct mapping *mapping, const struct value *list,
                             struct api_error *err)
{
    if (value_type(list) != VALUE_ARRAY || value_array_count(list) > DYNAMIC_TEMPLATES_MAX)
        return api_error_set(
            err, 400, "mapper_parsing_exception",
            "Failed to parse mapping [_doc]: Dynamic template syntax error. An array of "
            "named objects is expected.");
    for (size_t i = 0; i < value_array_count(list); i++) {
        const struct value *item = value_array_at(list, i), *body = NULL;
        struct str name = {0};
        if (value_type(item) == VALUE_OBJECT && value_object_count(item) == 1)
            body = value_object_at(item, 0, &name);
        if (!body || value_type(body) != VALUE_OBJECT)
            return api_error_set(
                err, 400, "mapper_parsing_exception",
                "Failed to parse mapping [_doc]: A dynamic template must be defined with a name");
        struct dynamic_template template = {.name = arena_dup(&mapping->arena, name),
                                            .body = value_dup(&mapping->arena, body)};
        if (!read_template(&template, err))
            return false;
        *template_slot(mapping, name) = template;
    }
    return true;
}

/* ---- which one is meant ------------------------------------------------------------------------------ */

static bool template_matches(const struct dynamic_template *template, struct str name,
                             struct str path, struct str type)
{
    if (template->match.ptr && !glob_match(template->match, name))
        return false;
    if (template->unmatch.ptr && glob_match(template->unmatch, name))
        return false;
    if (template->path_match.ptr && !glob_match(template->path_match, path))
        return false;
    if (template->path_unmatch.ptr && glob_match(template->path_unmatch, path))
        return false;
    struct str wanted = template->match_mapping_type;
    return !wanted.ptr || str_equal(wanted, STR("*")) || str_equal(wanted, type);
}

static const struct dynamic_template *find_template(const struct mapping *mapping,
                                                    const struct field *parent, struct str name,
                                                    struct str type)
{
    if (mapping->template_count == 0)
        return NULL;
    size_t before = parent->path.len ? parent->path.len + 1 : 0;
    char *text = mem_alloc(before + name.len + 1);
    memcpy(text, parent->path.ptr, parent->path.len);
    text[before ? before - 1 : 0] = '.';
    memcpy(text + before, name.ptr, name.len);
    struct str path = str_make(text, before + name.len);
    const struct dynamic_template *found = NULL;
    for (size_t i = 0; i < mapping->template_count && !found; i++) {
        if (template_matches(&mapping->templates[i], name, path, type))
            found = &mapping->templates[i];
    }
    mem_free(text);
    return found;
}

/* ---- the type of a value ----------------------------------------------------------------------------- */

/* What a template calls it, and what it becomes without one. */
struct detected {
    struct str type;
    enum field_type field;
    struct str date_format; /* empty: the default */
};

static bool detect_date(struct str text, struct detected *out)
{
    int64_t ms;
    if (text.len < 7 || text.len > 64 || text.ptr[0] == ' ' ||
        (!memchr(text.ptr, '-', text.len) && !memchr(text.ptr, '/', text.len) &&
         !memchr(text.ptr, ':', text.len)))
        return false;
    *out = (struct detected){STR("date"), FIELD_DATE, STR("")};
    if (date_layout_parse(date_layout_default(), text, NULL, &ms, NULL))
        return true;
    if (text.len != 10 && text.len != 19)
        return false;
    struct arena arena;
    arena_init(&arena, NULL);
    const struct date_layout *format = date_layout_compile(&arena, DYNAMIC_DATE_FORMAT, NULL);
    assert(format);
    bool is_date =
        memchr(text.ptr, '/', text.len) && date_layout_parse(format, text, NULL, &ms, NULL);
    arena_release(&arena);
    out->date_format = DYNAMIC_DATE_FORMAT;
    return is_date;
}

static struct detected detect_text(const struct mapping *mapping, struct str text)
{
    struct detected found;
    int64_t integer;
    double real;
    if (mapping->date_detection && detect_date(text, &found))
        return found;
    if (mapping->numeric_detection && str_to_int(text, &integer))
        return (struct detected){STR("long"), FIELD_LONG, STR("")};
    if (mapping->numeric_detection && str_to_double(text, &real))
        return (struct detected){STR("double"), FIELD_FLOAT, STR("")};
    return (struct detected){STR("string"), FIELD_TEXT, STR("")};
}

static struct detected detect(const struct mapping *mapping, const struct value *value)
{
    switch (value_type(value)) {
    case VALUE_BOOL:
        return (struct detected){STR("boolean"), FIELD_BOOLEAN, STR("")};
    case VALUE_INT:
    case VALUE_BIG_INT:
        return (struct detected){STR("long"), FIELD_LONG, STR("")};
    case VALUE_FLOAT:
        return (struct detected){STR("double"), FIELD_FLOAT, STR("")};
    case VALUE_OBJECT:
        return (struct detected){STR("object"), FIELD_OBJECT, STR("")};
    case VALUE_STRING:
        return detect_text(mapping, value_as_str(value));
    case VALUE_NULL:
    case VALUE_ARRAY:
    case VALUE_TIMESTAMP:
        break;
    }
    mem_abort("a value without a type of its own");
}

/* ---- making the field -------------------------------------------------------------------------------- */

static struct field *plain_field(struct mapping *mapping, struct field *parent, struct str name,
                                 const struct detected *type)
{
    struct field *field = mapping_add(mapping, parent, name, type->field);
    if (type->field == FIELD_TEXT) {
        struct field *keyword = mapping_add(mapping, field, STR("keyword"), FIELD_KEYWORD);
        keyword->ignore_above = KEYWORD_IGNORE_ABOVE;
        field_set_params(keyword, STR("\"ignore_above\":256"));
    }
    if (type->date_format.len) {
        field->format = mapping_format(mapping, type->date_format, NULL);
        assert(field->format);
        field_set_params(field,
                         STR("\"format\":\"yyyy/MM/dd HH:mm:ss||yyyy/MM/dd||epoch_millis\""));
    }
    return field;
}

/* text with {name} and {dynamic_type} filled in. */
static struct str fill_in(struct arena *arena, struct str text, struct str name, struct str type)
{
    struct buf out;
    buf_init(&out, 64 * 1024);
    while (text.len > 0) {
        struct str what = str_starts_with(text, STR("{name}")) ? name : type;
        size_t skip = str_starts_with(text, STR("{name}"))           ? 6
                      : str_starts_with(text, STR("{dynamic_type}")) ? 14
                                                                     : 0;
        bool fits = skip ? buf_append_str(&out, what) : buf_append_char(&out, text.ptr[0]);
        if (!fits)
            break;
        text = str_from_offset(text, skip ? skip : 1);
    }
    struct str filled = arena_dup(arena, buf_str(&out));
    buf_release(&out);
    return filled;
}

static void fill_values(struct arena *arena, struct value *value, struct str name, struct str type)
{
    struct str key;
    if (value_type(value) == VALUE_OBJECT) {
        for (size_t i = 0; i < value_object_count(value); i++)
            fill_values(arena, value_object_at(value, i, &key), name, type);
    } else if (value_is_str(value) &&
               memchr(value_as_str(value).ptr, '{', value_as_str(value).len)) {
        *value = value_str(fill_in(arena, value_as_str(value), name, type));
    }
}

static struct field *field_of_template(struct mapping *mapping, struct field *parent,
                                       struct str name, const struct detected *type,
                                       const struct dynamic_template *template,
                                       struct api_error *err)
{
    struct arena arena;
    arena_init(&arena, NULL);
    struct value definition = value_dup(&arena, &template->mapping);
    struct str simple =
        type->field == FIELD_TEXT ? STR("text") : str_from(field_type_name(type->field));
    fill_values(&arena, &definition, name, simple);
    if (!value_object_get(&definition, STR("type")))
        value_object_set(&arena, &definition, STR("type"), value_str(simple));
    bool defined = mapping_define(mapping, parent, name, &definition, err);
    arena_release(&arena);
    return defined ? field_child(parent, name) : NULL;
}

struct field *mapping_introduce(struct mapping *mapping, struct field *parent, struct str name,
                                const struct value *value, struct api_error *err)
{
    struct detected type = detect(mapping, value);
    const struct dynamic_template *template = find_template(mapping, parent, name, type.type);
    if (template)
        return field_of_template(mapping, parent, name, &type, template, err);
    return plain_field(mapping, parent, name, &type);
}
