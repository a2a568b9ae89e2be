/* SPDX-License-Identifier: Apache-2.0 */
#include "codecs/avro/avro_schema.h"

#include <assert.h>

#include "base/map.h"
#include "base/text/ascii.h"

static const char *const TYPE_NAMES[] = {
    [AVRO_NULL] = "null",   [AVRO_BOOLEAN] = "boolean", [AVRO_INT] = "int",
    [AVRO_LONG] = "long",   [AVRO_FLOAT] = "float",     [AVRO_DOUBLE] = "double",
    [AVRO_BYTES] = "bytes", [AVRO_STRING] = "string",   [AVRO_FIXED] = "fixed",
    [AVRO_ENUM] = "enum",   [AVRO_ARRAY] = "array",     [AVRO_MAP] = "map",
    [AVRO_UNION] = "\x01",  [AVRO_RECORD] = "record", /* a union is written as a list */
};

static const struct {
    const char *name;
    enum avro_type type;
    enum avro_meaning meaning;
} MEANINGS[] = {
    {"date", AVRO_INT, AVRO_DATE},
    {"timestamp-millis", AVRO_LONG, AVRO_TIMESTAMP_MILLIS},
    {"timestamp-micros", AVRO_LONG, AVRO_TIMESTAMP_MICROS},
    {"timestamp-nanos", AVRO_LONG, AVRO_TIMESTAMP_NANOS},
};

struct parser {
    struct arena *arena;
    struct map names; /* full name → struct avro_schema */
    size_t types;
    unsigned depth;
    struct error *err;
};

static const struct avro_schema *parse_type(struct parser *parser, const struct value *json,
                                            struct str space);

static void *refuse(struct parser *parser, const char *what, struct str subject)
{
    error_set(parser->err, ERROR_FORMAT, "schema: %s '%.*s'", what, STR_FMT(subject));
    return NULL;
}

static struct str text_member(const struct value *object, struct str key)
{
    const struct value *member = value_object_get(object, key);
    return value_is_str(member) ? value_as_str(member) : (struct str){0};
}

static bool whole_member(const struct value *object, struct str key, int64_t max, size_t *out)
{
    const struct value *member = value_object_get(object, key);
    if (!member || value_type(member) != VALUE_INT || value_as_int(member) < 0 ||
        value_as_int(member) > max)
        return false;
    *out = (size_t)value_as_int(member);
    return true;
}

static struct avro_schema *new_type(struct parser *parser, enum avro_type type)
{
    if (++parser->types > AVRO_SCHEMA_MAX_TYPES) {
        error_set(parser->err, ERROR_LIMIT, "schema: more than %d types", AVRO_SCHEMA_MAX_TYPES);
        return NULL;
    }
    struct avro_schema *schema = arena_zero(parser->arena, sizeof *schema);
    schema->type = type;
    return schema;
}

/* ---- names ---------------------------------------------------------------------------------------- */

static struct str qualify(struct parser *parser, struct str name, struct str space)
{
    if (space.len == 0 || memchr(name.ptr, '.', name.len))
        return name;
    return arena_printf(parser->arena, "%.*s.%.*s", STR_FMT(space), STR_FMT(name));
}

static struct str space_of(struct str full_name)
{
    while (full_name.len > 0 && full_name.ptr[full_name.len - 1] != '.')
        full_name.len--;
    return str_make(full_name.ptr, full_name.len > 0 ? full_name.len - 1 : 0);
}

static bool is_name(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool letter = ascii_is_letter(c) || c == '_';
        if (!letter && c != '.' && !(i > 0 && ascii_is_digit(c)))
            return false;
    }
    return text.len > 0;
}

/* Remembers a named type before what it holds is read, because that may name it. */
static bool remember(struct parser *parser, const struct value *json, struct str space,
                     struct avro_schema *schema, struct str *full_name_out)
{
    struct str name = text_member(json, STR("name"));
    if (!is_name(name))
        return refuse(parser, "this is no name for a type:", name);
    const struct value *given = value_object_get(json, STR("namespace"));
    if (given)
        space = text_member(json, STR("namespace"));
    *full_name_out = qualify(parser, name, space);
    if (map_has(&parser->names, *full_name_out))
        return refuse(parser, "there are two types called", *full_name_out);
    map_set(&parser->names, *full_name_out, schema);
    return true;
}

static const struct avro_schema *named(struct parser *parser, struct str name, struct str space)
{
    for (size_t i = 0; i <= AVRO_STRING; i++)
        if (str_equal(name, str_from(TYPE_NAMES[i])))
            return new_type(parser, (enum avro_type)i);
    const struct avro_schema *schema = map_get(&parser->names, qualify(parser, name, space));
    if (!schema)
        schema = map_get(&parser->names, name);
    return schema ? schema : refuse(parser, "there is no type called", name);
}

/* ---- types that hold others ----------------------------------------------------------------------- */

static bool add_field(struct parser *parser, const struct value *json, struct str space,
                      struct map *seen, struct avro_field *out)
{
    if (value_type(json) != VALUE_OBJECT)
        return refuse(parser, "a field must be an object, not", value_to_text(parser->arena, json));
    out->name = text_member(json, STR("name"));
    if (out->name.len == 0)
        return refuse(parser, "a field has no name:", value_to_text(parser->arena, json));
    if (map_has(seen, out->name))
        return refuse(parser, "there are two fields called", out->name);
    map_set(seen, out->name, out);
    const struct value *type = value_object_get(json, STR("type"));
    if (!type)
        return refuse(parser, "there is no type for field", out->name);
    out->type = parse_type(parser, type, space);
    return out->type != NULL;
}

static bool add_fields(struct parser *parser, const struct value *json, struct str space,
                       struct avro_schema *schema)
{
    const struct value *fields = value_object_get(json, STR("fields"));
    struct map seen;
    bool ok = true;
    if (!fields || value_type(fields) != VALUE_ARRAY)
        return refuse(parser, "there are no fields for record", text_member(json, STR("name")));
    size_t count = value_array_count(fields);
    schema->fields = arena_zero(parser->arena, count * sizeof *schema->fields);
    map_init(&seen);
    for (size_t i = 0; i < count && ok; i++)
        ok = add_field(parser, value_array_at(fields, i), space, &seen, &schema->fields[i]);
    map_release(&seen);
    schema->count = count;
    return ok;
}

static bool add_symbols(struct parser *parser, const struct value *json, struct avro_schema *schema)
{
    const struct value *symbols = value_object_get(json, STR("symbols"));
    struct str name = text_member(json, STR("name"));
    if (!symbols || value_type(symbols) != VALUE_ARRAY || value_array_count(symbols) == 0)
        return refuse(parser, "there are no symbols for enum", name);
    schema->count = value_array_count(symbols);
    if (schema->count > AVRO_SCHEMA_MAX_TYPES)
        return refuse(parser, "there are too many symbols in enum", name);
    schema->symbols = arena_zero(parser->arena, schema->count * sizeof *schema->symbols);
    for (size_t i = 0; i < schema->count; i++) {
        const struct value *symbol = value_array_at(symbols, i);
        if (!value_is_str(symbol))
            return refuse(parser, "a symbol is no text in enum", name);
        schema->symbols[i] = value_as_str(symbol);
    }
    return true;
}

/* With a scale or a precision that cannot be, it is no decimal, as the specification says. */
static void add_decimal(const struct value *json, struct avro_schema *schema)
{
    size_t precision, scale = 0;
    if (!str_equal(text_member(json, STR("logicalType")), STR("decimal")) ||
        !whole_member(json, STR("precision"), AVRO_DECIMAL_MAX_DIGITS, &precision) ||
        precision == 0)
        return;
    if (value_object_get(json, STR("scale")) &&
        !whole_member(json, STR("scale"), (int64_t)precision, &scale))
        return;
    schema->meaning = AVRO_DECIMAL;
    schema->precision = (unsigned)precision;
    schema->scale = (unsigned)scale;
}

static const struct avro_schema *parse_items(struct parser *parser, enum avro_type type,
                                             const struct value *json, struct str space)
{
    struct avro_schema *schema = new_type(parser, type);
    struct str key = type == AVRO_ARRAY ? STR("items") : STR("values");
    const struct value *items = value_object_get(json, key);
    if (!schema)
        return NULL;
    if (!items)
        return refuse(parser, "an array or a map says nothing of its", key);
    schema->branches = arena_zero(parser->arena, sizeof *schema->branches);
    schema->branches[0] = parse_type(parser, items, space);
    schema->count = 1;
    return schema->branches[0] ? schema : NULL;
}

static const struct avro_schema *parse_union(struct parser *parser, const struct value *json,
                                             struct str space)
{
    struct avro_schema *schema = new_type(parser, AVRO_UNION);
    if (!schema)
        return NULL;
    schema->count = value_array_count(json);
    if (schema->count == 0)
        return refuse(parser, "a union is empty:", STR("[]"));
    schema->branches = arena_zero(parser->arena, schema->count * sizeof *schema->branches);
    for (size_t i = 0; i < schema->count; i++) {
        schema->branches[i] = parse_type(parser, value_array_at(json, i), space);
        if (!schema->branches[i])
            return NULL;
        if (schema->branches[i]->type == AVRO_UNION)
            return refuse(parser, "a union holds another one:", value_to_text(parser->arena, json));
    }
    return schema;
}

static const struct avro_schema *parse_named(struct parser *parser, enum avro_type type,
                                             const struct value *json, struct str space)
{
    struct avro_schema *schema = new_type(parser, type);
    struct str full_name;
    if (!schema || !remember(parser, json, space, schema, &full_name))
        return NULL;
    if (type == AVRO_ENUM)
        return add_symbols(parser, json, schema) ? schema : NULL;
    if (type == AVRO_RECORD)
        return add_fields(parser, json, space_of(full_name), schema) ? schema : NULL;
    assert(type == AVRO_FIXED);
    if (!whole_member(json, STR("size"), AVRO_FIXED_MAX_BYTES, &schema->size))
        return refuse(parser, "the size cannot be used of fixed", full_name);
    add_decimal(json, schema);
    return schema;
}

/* ---- one type ------------------------------------------------------------------------------------- */

static void add_meaning(const struct value *json, struct avro_schema *schema)
{
    struct str name = text_member(json, STR("logicalType"));
    for (size_t i = 0; i < sizeof MEANINGS / sizeof *MEANINGS; i++)
        if (schema->type == MEANINGS[i].type && str_equal(name, str_from(MEANINGS[i].name)))
            schema->meaning = MEANINGS[i].meaning;
    if (schema->type == AVRO_BYTES)
        add_decimal(json, schema);
}

static const struct avro_schema *parse_object(struct parser *parser, const struct value *json,
                                              struct str space)
{
    const struct value *type = value_object_get(json, STR("type"));
    if (!type)
        return refuse(parser, "there is no type in", value_to_text(parser->arena, json));
    if (!value_is_str(type)) /* {"type": {"type": …}} */
        return parse_type(parser, type, space);
    struct str name = value_as_str(type);
    if (str_equal(name, STR("error")))
        name = STR("record");
    for (size_t i = 0; i <= AVRO_RECORD; i++) {
        enum avro_type kind = (enum avro_type)i;
        if (!str_equal(name, str_from(TYPE_NAMES[i])))
            continue;
        if (kind == AVRO_ARRAY || kind == AVRO_MAP)
            return parse_items(parser, kind, json, space);
        if (kind >= AVRO_FIXED)
            return parse_named(parser, kind, json, space);
        struct avro_schema *schema = new_type(parser, kind);
        if (schema)
            add_meaning(json, schema);
        return schema;
    }
    return named(parser, name, space);
}

static const struct avro_schema *parse_type(struct parser *parser, const struct value *json,
                                            struct str space)
{
    const struct avro_schema *schema = NULL;
    if (parser->depth >= AVRO_SCHEMA_MAX_DEPTH) {
        error_set(parser->err, ERROR_LIMIT, "schema: types are nested deeper than %d",
                  AVRO_SCHEMA_MAX_DEPTH);
        return NULL;
    }
    parser->depth++;
    if (value_is_str(json))
        schema = named(parser, value_as_str(json), space);
    else if (value_type(json) == VALUE_ARRAY)
        schema = parse_union(parser, json, space);
    else if (value_type(json) == VALUE_OBJECT)
        schema = parse_object(parser, json, space);
    else
        refuse(parser, "this is no type:", value_to_text(parser->arena, json));
    parser->depth--;
    return schema;
}

const struct avro_schema *avro_schema_parse(struct arena *arena, struct json_reader *reader,
                                            struct str text, struct error *err)
{
    struct parser parser = {.arena = arena, .err = err};
    struct value json;
    if (text.len > AVRO_SCHEMA_MAX_BYTES) {
        error_set(err, ERROR_LIMIT, "schema: larger than %d bytes", AVRO_SCHEMA_MAX_BYTES);
        return NULL;
    }
    if (!json_decode(reader, arena, text, &json, err)) {
        error_prefix(err, "schema");
        return NULL;
    }
    map_init(&parser.names);
    const struct avro_schema *schema = parse_type(&parser, &json, (struct str){0});
    map_release(&parser.names);
    return schema;
}
