/* SPDX-License-Identifier: Apache-2.0
 *
 * Pipeline text whose plugins are bound to a table with every type of option, whatever their names.
 */
#include <stdlib.h>
#include <string.h>

#include "conf/bind.h"
#include "conf/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sample {
    struct str text, secret, path;
    int64_t count, bytes, wait_ms;
    double ratio;
    bool flag;
    int choice;
    struct field_ref field;
    struct template template;
    struct option_strings strings;
    struct option_templates templates;
    struct option_fields fields;
    struct option_hash hash;
    struct option_array array;
    const struct conf_plugin *codec;
};

static const char *const CHOICES[] = {"one", "two", NULL};

static const struct option OPTIONS[] = {
    {.name = "text", OPTION_IN_STRING(struct sample, text)},
    {.name = "old", OPTION_IN_STRING(struct sample, text), .flags = OPTION_DEPRECATED},
    {.name = "secret", OPTION_IN_PASSWORD(struct sample, secret)},
    {.name = "path", OPTION_IN_PATH(struct sample, path)},
    {.name = "int", OPTION_IN_INT(struct sample, count), .min = 0, .max = 1e6},
    {.name = "bytes", OPTION_IN_BYTES(struct sample, bytes)},
    {.name = "time", OPTION_IN_DURATION_MS(struct sample, wait_ms)},
    {.name = "float", OPTION_IN_FLOAT(struct sample, ratio)},
    {.name = "bool", OPTION_IN_BOOL(struct sample, flag), .def = "true"},
    {.name = "choice", OPTION_IN_CHOICE(struct sample, choice), .choices = CHOICES},
    {.name = "field", OPTION_IN_FIELD(struct sample, field)},
    {.name = "template", OPTION_IN_TEMPLATE(struct sample, template)},
    {.name = "strings", OPTION_IN_STRINGS(struct sample, strings), .def = "[\"a\"]"},
    {.name = "templates", OPTION_IN_TEMPLATES(struct sample, templates)},
    {.name = "fields", OPTION_IN_FIELDS(struct sample, fields)},
    {.name = "hash", OPTION_IN_HASH(struct sample, hash)},
    {.name = "array", OPTION_IN_ARRAY(struct sample, array)},
    {.name = "codec", OPTION_IN_CODEC(struct sample, codec)},
    {.name = "need", OPTION_IN_STRING(struct sample, text), .flags = OPTION_REQUIRED},
    OPTION_END,
};

static const char *lookup(void *ctx, const char *name)
{
    (void)ctx;
    return name[0] == 'A' ? "[a, 'b']" : "1";
}

static void bind_one(const struct bind_context *ctx, const struct conf_plugin *plugin)
{
    struct sample sample = {0};
    struct bind_target target = {OPTIONS, &sample};
    size_t before = ctx->errors->errors;
    if (bind_plugin(ctx, "filter", plugin, &target, 1) != (ctx->errors->errors == before))
        abort();
    for (size_t i = 0; i < sample.array.count; i++)
        bind_text(ctx->arena, &sample.array.items[i]);
}

static void bind_block(const struct bind_context *ctx, const struct conf_block *block)
{
    for (size_t i = 0; i < block->count; i++) {
        const struct conf_statement *statement = &block->statements[i];
        if (statement->plugin)
            bind_one(ctx, statement->plugin);
        for (size_t k = 0; k < statement->arm_count; k++)
            bind_block(ctx, &statement->arms[k].block);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct conf_source source;
    struct conf_tree tree;
    struct error_list errors;
    struct conf_options options = {.support_escapes = true, .lookup = lookup};
    if (size > 0 && memmem(data, size, "${file:/", 8))
        return 0; /* files of the machine are not part of the input */
    arena_init(&arena, NULL);
    error_list_init(&errors);
    struct bind_context ctx = {&arena, FIELD_ESCAPE_PERCENT, &errors};
    conf_source_text(&arena, str_make((const char *)data, size), "fuzz", &source);
    conf_parse(&arena, &source, &options, &tree, &errors);
    bind_block(&ctx, &tree.filters);
    bind_block(&ctx, &tree.inputs);
    error_list_release(&errors);
    arena_release(&arena);
    return 0;
}
