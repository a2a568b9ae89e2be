/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/filters/mmdb_writer.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

enum { NODES_MAX = 2048, DATA_MAX = 65536, EMPTY = -1, DATA_FLAG = 1 << 20, SEPARATOR_BYTES = 16 };
enum { TYPE_STRING = 2, TYPE_DOUBLE = 3, TYPE_UINT16 = 5, TYPE_UINT32 = 6, TYPE_MAP = 7 };
enum { TYPE_UINT64 = 9, TYPE_ARRAY = 11, TYPE_BOOLEAN = 14 };

struct tree {
    int nodes[NODES_MAX][2]; /* a node, EMPTY, or DATA_FLAG + offset */
    int count;
    unsigned bits;
};

static void put_control(struct buf *out, unsigned type, size_t size)
{
    ck_assert_uint_lt(size, 29 + 256);
    unsigned small = size < 29 ? (unsigned)size : 29;
    buf_append_char(out, (char)(type < 8 ? type << 5 | small : small));
    if (type >= 8)
        buf_append_char(out, (char)(type - 7));
    if (size >= 29)
        buf_append_char(out, (char)(size - 29));
}

static void put_number(struct buf *out, uint64_t number, unsigned bytes)
{
    while (bytes-- > 0)
        buf_append_char(out, (char)(number >> bytes * 8));
}

static void put_text(struct buf *out, struct str text)
{
    put_control(out, TYPE_STRING, text.len);
    buf_append_str(out, text);
}

static void put_value(struct buf *out, const struct value *value)
{
    union {
        double real;
        uint64_t bits;
    } number;
    switch (value_type(value)) {
    case VALUE_STRING:
        put_text(out, value_as_str(value));
        return;
    case VALUE_BOOL:
        put_control(out, TYPE_BOOLEAN, value_as_bool(value));
        return;
    case VALUE_INT:
        put_control(out, TYPE_UINT32, 4);
        put_number(out, (uint64_t)value_as_int(value), 4);
        return;
    case VALUE_FLOAT:
        number.real = value_as_float(value);
        put_control(out, TYPE_DOUBLE, 8);
        put_number(out, number.bits, 8);
        return;
    case VALUE_ARRAY:
        put_control(out, TYPE_ARRAY, value_array_count(value));
        for (size_t i = 0; i < value_array_count(value); i++)
            put_value(out, value_array_at(value, i));
        return;
    case VALUE_OBJECT:
        put_control(out, TYPE_MAP, value_object_count(value));
        for (size_t i = 0; i < value_object_count(value); i++) {
            struct str key;
            const struct value *item = value_object_at(value, i, &key);
            put_text(out, key);
            put_value(out, item);
        }
        return;
    case VALUE_NULL:
    case VALUE_BIG_INT:
    case VALUE_TIMESTAMP:
        ck_abort_msg("no such value in a database");
    }
}

static void put_json(struct buf *out, const char *json)
{
    struct arena arena;
    struct json_reader *reader = json_reader_new();
    struct value value;
    arena_init(&arena, NULL);
    ck_assert_msg(json_decode(reader, &arena, str_from(json), &value, NULL), "%s", json);
    put_value(out, &value);
    json_reader_free(reader);
    arena_release(&arena);
}

static int new_node(struct tree *tree)
{
    ck_assert_int_lt(tree->count, NODES_MAX);
    tree->nodes[tree->count][0] = tree->nodes[tree->count][1] = EMPTY;
    return tree->count++;
}

static void insert(struct tree *tree, const char *network, int target)
{
    char text[64];
    unsigned char address[16] = {0};
    snprintf(text, sizeof text, "%s", network);
    char *slash = strchr(text, '/');
    ck_assert_ptr_nonnull(slash);
    *slash = '\0';
    unsigned length = (unsigned)strtoul(slash + 1, NULL, 10);
    bool is_v4 = !strchr(text, ':');
    unsigned skip = is_v4 && tree->bits == 128 ? 96 : 0;
    ck_assert_int_eq(inet_pton(is_v4 ? AF_INET : AF_INET6, text, address + skip / 8), 1);
    length += skip;
    int node = 0;
    for (unsigned bit = 0;; bit++) {
        int *side = &tree->nodes[node][address[bit / 8] >> (7 - bit % 8) & 1];
        if (bit + 1 == length) {
            *side = target;
            return;
        }
        if (*side == EMPTY)
            *side = new_node(tree);
        node = *side;
    }
}

static void put_tree(struct buf *out, const struct tree *tree)
{
    for (int i = 0; i < tree->count; i++)
        for (int side = 0; side < 2; side++) {
            int to = tree->nodes[i][side];
            if (to == EMPTY)
                to = tree->count;
            else if (to >= DATA_FLAG)
                to = to - DATA_FLAG + tree->count + SEPARATOR_BYTES;
            put_number(out, (uint64_t)to, 3);
        }
    put_number(out, 0, 8);
    put_number(out, 0, 8);
}

static void put_metadata(struct buf *out, const struct tree *tree, const char *type)
{
    const struct {
        const char *name;
        unsigned number, type, bytes;
    } numbers[] = {{"binary_format_major_version", 2, TYPE_UINT16, 2},
                   {"binary_format_minor_version", 0, TYPE_UINT16, 2},
                   {"ip_version", tree->bits == 32 ? 4 : 6, TYPE_UINT16, 2},
                   {"node_count", (unsigned)tree->count, TYPE_UINT32, 4},
                   {"record_size", 24, TYPE_UINT16, 2},
                   {"build_epoch", 1, TYPE_UINT64, 8}};
    buf_append_str(out, STR("\xab\xcd\xefMaxMind.com"));
    put_control(out, TYPE_MAP, 9);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        put_text(out, str_from(numbers[i].name));
        put_control(out, numbers[i].type, numbers[i].bytes);
        put_number(out, numbers[i].number, numbers[i].bytes);
    }
    put_text(out, STR("database_type"));
    put_text(out, str_from(type));
    put_text(out, STR("languages"));
    put_json(out, "[\"en\"]");
    put_text(out, STR("description"));
    put_json(out, "{\"en\":\"for tests\"}");
}

void mmdb_write(const char *path, const char *type, unsigned ip_version,
                const struct mmdb_record *records)
{
    static struct tree tree;
    struct buf data, file;
    buf_init(&data, DATA_MAX);
    buf_init(&file, DATA_MAX);
    tree.count = 0;
    tree.bits = ip_version == 4 ? 32 : 128;
    new_node(&tree);
    for (; records->network; records++) {
        insert(&tree, records->network, DATA_FLAG + (int)data.len);
        put_json(&data, records->json);
    }
    put_tree(&file, &tree);
    buf_append_str(&file, buf_str(&data));
    put_metadata(&file, &tree, type);
    FILE *out = fopen(path, "wb");
    ck_assert_ptr_nonnull(out);
    ck_assert_uint_eq(fwrite(file.ptr, 1, file.len, out), file.len);
    ck_assert_int_eq(fclose(out), 0);
    buf_release(&data);
    buf_release(&file);
}
