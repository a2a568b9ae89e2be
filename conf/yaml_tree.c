/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/yaml_tree.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/buf.h"

struct reader {
    struct arena *arena;
    const char *name;
    yaml_parser_t parser;
    unsigned depth;
};

static struct error_position position_of(const struct reader *reader, yaml_mark_t mark)
{
    return (struct error_position){
        .file = reader->name, .line = (unsigned)mark.line + 1, .column = (unsigned)mark.column + 1};
}

static bool refuse(const struct reader *reader, yaml_mark_t mark, struct error *err,
                   const char *text)
{
    return error_set_at(err, position_of(reader, mark), "%s", text);
}

static bool next_event(struct reader *reader, yaml_event_t *event, struct error *err)
{
    if (yaml_parser_parse(&reader->parser, event))
        return true;
    const char *problem = reader->parser.problem;
    return refuse(reader, reader->parser.problem_mark, err,
                  problem ? problem : "this is not a YAML document");
}

static bool read_node(struct reader *reader, const yaml_event_t *event, struct yaml_tree *out,
                      struct error *err);

static void read_scalar(struct reader *reader, const yaml_event_t *event, struct yaml_tree *out)
{
    struct str text = str_make((const char *)event->data.scalar.value, event->data.scalar.length);
    out->type = YAML_TREE_SCALAR;
    out->text = arena_dup(reader->arena, text);
    out->is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (event->data.scalar.tag)
        out->tag = arena_dup(reader->arena, str_from((const char *)event->data.scalar.tag));
}

static struct yaml_tree *room(struct arena *arena, struct yaml_tree *nodes, size_t count)
{
    enum { FIRST_NODES = 4 };
    bool full = count == 0 || (count >= FIRST_NODES && (count & (count - 1)) == 0);
    size_t wanted = count < FIRST_NODES ? FIRST_NODES : count * 2;
    if (!full || (count > 0 && count < FIRST_NODES))
        return nodes;
    return arena_grow(arena, nodes, count * sizeof *nodes, wanted * sizeof *nodes);
}

/* The next node of a collection; *ended when `end` came instead. */
static bool read_next(struct reader *reader, yaml_event_type_t end, bool *ended,
                      struct yaml_tree *out, struct error *err)
{
    yaml_event_t event;
    if (!next_event(reader, &event, err))
        return false;
    *ended = event.type == end;
    bool ok = *ended || read_node(reader, &event, out, err);
    yaml_event_delete(&event);
    return ok;
}

static bool read_list(struct reader *reader, struct yaml_tree *out, struct error *err)
{
    bool ended = false;
    out->type = YAML_TREE_LIST;
    for (;;) {
        struct yaml_tree item;
        if (!read_next(reader, YAML_SEQUENCE_END_EVENT, &ended, &item, err))
            return false;
        if (ended)
            return true;
        out->items = room(reader->arena, out->items, out->count);
        out->items[out->count++] = item;
    }
}

static bool read_map(struct reader *reader, struct yaml_tree *out, struct error *err)
{
    bool ended = false;
    out->type = YAML_TREE_MAP;
    for (;;) {
        struct yaml_tree key, value;
        if (!read_next(reader, YAML_MAPPING_END_EVENT, &ended, &key, err))
            return false;
        if (ended)
            return true;
        if (key.type != YAML_TREE_SCALAR)
            return error_set_at(err, key.position, "a key must be text");
        if (!read_next(reader, YAML_NO_EVENT, &ended, &value, err))
            return false;
        out->keys = room(reader->arena, out->keys, out->count);
        out->items = room(reader->arena, out->items, out->count);
        out->keys[out->count] = key;
        out->items[out->count++] = value;
    }
}

static bool read_collection(struct reader *reader, const yaml_event_t *event, struct yaml_tree *out,
                            struct error *err)
{
    if (reader->depth == YAML_MAX_DEPTH)
        return refuse(reader, event->start_mark, err, "nested too deep");
    reader->depth++;
    bool ok = event->type == YAML_SEQUENCE_START_EVENT ? read_list(reader, out, err)
                                                       : read_map(reader, out, err);
    assert(reader->depth > 0);
    reader->depth--;
    return ok;
}

static bool read_node(struct reader *reader, const yaml_event_t *event, struct yaml_tree *out,
                      struct error *err)
{
    *out = (struct yaml_tree){.position = position_of(reader, event->start_mark)};
    if (event->type == YAML_SEQUENCE_START_EVENT || event->type == YAML_MAPPING_START_EVENT)
        return read_collection(reader, event, out, err);
    if (event->type == YAML_ALIAS_EVENT)
        return refuse(reader, event->start_mark, err, "aliases (*name) are not supported");
    if (event->type != YAML_SCALAR_EVENT)
        return refuse(reader, event->start_mark, err, "expected a value");
    read_scalar(reader, event, out);
    return true;
}

/* Stream start, the document, stream end. */
static bool read_stream(struct reader *reader, struct yaml_tree *out, struct error *err)
{
    bool seen = false;
    for (;;) {
        yaml_event_t event;
        if (!next_event(reader, &event, err))
            return false;
        yaml_event_type_t type = event.type;
        bool is_node = type == YAML_SCALAR_EVENT || type == YAML_SEQUENCE_START_EVENT ||
                       type == YAML_MAPPING_START_EVENT || type == YAML_ALIAS_EVENT;
        bool ok = true;
        if (is_node && seen)
            ok = refuse(reader, event.start_mark, err, "there is a second document in this file");
        else if (is_node)
            ok = read_node(reader, &event, out, err);
        seen |= is_node;
        yaml_event_delete(&event);
        if (!ok || type == YAML_STREAM_END_EVENT)
            return ok;
    }
}

bool yaml_tree_parse(struct arena *arena, struct str text, const char *name, struct yaml_tree *out,
                     struct error *err)
{
    struct reader reader = {.arena = arena, .name = arena_cstr(arena, str_from(name))};
    *out = (struct yaml_tree){.type = YAML_TREE_MAP};
    if (!yaml_parser_initialize(&reader.parser))
        return error_set(err, ERROR_LIMIT, "no memory to read '%s'", name);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)(text.ptr ? text.ptr : ""),
                                 text.len);
    bool ok = read_stream(&reader, out, err);
    yaml_parser_delete(&reader.parser);
    assert(!ok || reader.depth == 0);
    if (ok && yaml_tree_is_null(out))
        *out = (struct yaml_tree){.type = YAML_TREE_MAP, .position = out->position};
    return ok;
}

static bool read_bytes(FILE *file, struct buf *text)
{
    enum { READ_BYTES = 16 * 1024 };
    size_t got = 1;
    while (got > 0) {
        if (!buf_reserve(text, READ_BYTES))
            return false;
        got = fread(text->ptr + text->len, 1, READ_BYTES, file);
        text->len += got;
    }
    return true;
}

bool yaml_tree_read(struct arena *arena, const char *path, struct yaml_tree *out, struct error *err)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return error_set(err, errno == ENOENT ? ERROR_NOT_FOUND : ERROR_IO, "cannot open '%s': %s",
                         path, strerror(errno));
    struct buf text;
    buf_init(&text, YAML_MAX_BYTES);
    bool fits = read_bytes(file, &text);
    bool failed = ferror(file);
    fclose(file);
    bool ok;
    if (failed)
        ok = error_set(err, ERROR_IO, "cannot read '%s'", path);
    else if (!fits)
        ok = error_set(err, ERROR_LIMIT, "'%s' is larger than %d bytes", path, YAML_MAX_BYTES);
    else
        ok = yaml_tree_parse(arena, buf_str(&text), path, out, err);
    buf_release(&text);
    return ok;
}

bool yaml_tree_is_null(const struct yaml_tree *node)
{
    return node->type == YAML_TREE_SCALAR && node->is_plain &&
           (node->text.len == 0 || str_equal(node->text, STR("~")) ||
            str_equal(node->text, STR("null")));
}
