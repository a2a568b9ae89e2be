/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/conf/dump.h"

#include <string.h>

static const char *lookup(void *ctx, const char *name)
{
    (void)ctx;
    static const char *const VALUES[][2] = {
        {"SET", "a value"}, {"LIST", "[x, 'y']"}, {"QUOTED", "'v'"}, {"EMPTY", ""}, {"file", "f"}};
    for (size_t i = 0; i < sizeof VALUES / sizeof *VALUES; i++)
        if (strcmp(VALUES[i][0], name) == 0)
            return VALUES[i][1];
    return NULL;
}

void parsed_init(struct parsed *parsed, struct str text, const struct conf_options *options)
{
    static const struct conf_options PLAIN = {.lookup = lookup};
    arena_init(&parsed->arena, NULL);
    error_list_init(&parsed->errors);
    conf_source_text(&parsed->arena, text, "test.conf", &parsed->source);
    parsed->ok = conf_parse(&parsed->arena, &parsed->source, options ? options : &PLAIN,
                            &parsed->tree, &parsed->errors);
}

void parsed_release(struct parsed *parsed)
{
    error_list_release(&parsed->errors);
    arena_release(&parsed->arena);
}

static void dump_attributes(const struct conf_plugin *plugin, struct buf *out)
{
    buf_printf(out, "%.*s(", STR_FMT(plugin->name));
    for (size_t i = 0; i < plugin->count; i++) {
        buf_printf(out, "%s%.*s=", i > 0 ? " " : "", STR_FMT(plugin->attributes[i].name));
        dump_value(&plugin->attributes[i].value, out);
    }
    buf_append_char(out, ')');
}

void dump_value(const struct conf_value *value, struct buf *out)
{
    switch (value->type) {
    case CONF_STRING:
        buf_printf(out, "\"%.*s\"", STR_FMT(value->text));
        break;
    case CONF_BAREWORD:
        buf_append_str(out, value->text);
        break;
    case CONF_NUMBER:
        buf_printf(out, "%s%.*s", value->is_float ? "f" : "i", STR_FMT(value->text));
        break;
    case CONF_ARRAY:
        buf_append_char(out, '[');
        for (size_t i = 0; i < value->count; i++) {
            buf_append(out, ",", i > 0);
            dump_value(&value->items[i], out);
        }
        buf_append_char(out, ']');
        break;
    case CONF_HASH:
        buf_append_char(out, '{');
        for (size_t i = 0; i < value->count; i++) {
            buf_append(out, " ", i > 0);
            dump_value(&value->pairs[i].key, out);
            buf_append_char(out, ':');
            dump_value(&value->pairs[i].value, out);
        }
        buf_append_char(out, '}');
        break;
    case CONF_BLOCK:
        dump_attributes(value->block, out);
        break;
    }
}

static void dump_operand(const struct conf_expr *expr, struct buf *out)
{
    switch (expr->operand) {
    case CONF_OPERAND_STRING:
        buf_printf(out, "\"%.*s\"", STR_FMT(expr->text));
        break;
    case CONF_OPERAND_NUMBER:
        buf_printf(out, "%s%.*s", expr->is_float ? "f" : "i", STR_FMT(expr->text));
        break;
    case CONF_OPERAND_FIELD:
        buf_printf(out, "{%.*s}", STR_FMT(expr->text));
        break;
    case CONF_OPERAND_REGEXP:
        buf_printf(out, "/%.*s/", STR_FMT(expr->text));
        break;
    case CONF_OPERAND_LIST:
        buf_append_char(out, '<');
        for (size_t i = 0; i < expr->count; i++) {
            buf_append(out, ",", i > 0);
            dump_expr(&expr->items[i], out);
        }
        buf_append_char(out, '>');
        break;
    }
}

void dump_expr(const struct conf_expr *expr, struct buf *out)
{
    static const char *const NAMES[] = {
        [CONF_AND] = "and", [CONF_OR] = "or",        [CONF_XOR] = "xor",  [CONF_NAND] = "nand",
        [CONF_EQ] = "==",   [CONF_NE] = "!=",        [CONF_LT] = "<",     [CONF_LE] = "<=",
        [CONF_GT] = ">",    [CONF_GE] = ">=",        [CONF_MATCH] = "=~", [CONF_NO_MATCH] = "!~",
        [CONF_IN] = "in",   [CONF_NOT_IN] = "not in"};
    if (expr->type == CONF_OPERAND) {
        dump_operand(expr, out);
    } else if (expr->type == CONF_TRUTHY) {
        dump_expr(expr->left, out);
    } else if (expr->type == CONF_NOT) {
        buf_append_char(out, '!');
        dump_expr(expr->left, out);
    } else {
        buf_append_char(out, '(');
        dump_expr(expr->left, out);
        buf_printf(out, " %s ", NAMES[expr->type]);
        dump_expr(expr->right, out);
        buf_append_char(out, ')');
    }
}

static void dump_arms(const struct conf_statement *statement, struct buf *out)
{
    for (size_t i = 0; i < statement->arm_count; i++) {
        const struct conf_arm *arm = &statement->arms[i];
        buf_append_str(out, i == 0 ? STR("if ") : arm->condition ? STR(" elif ") : STR(" else"));
        if (arm->condition)
            dump_expr(arm->condition, out);
        buf_append_str(out, STR(" <"));
        dump_block(&arm->block, out);
        buf_append_char(out, '>');
    }
}

void dump_block(const struct conf_block *block, struct buf *out)
{
    for (size_t i = 0; i < block->count; i++) {
        buf_append(out, "; ", i > 0 ? 2 : 0);
        if (block->statements[i].plugin)
            dump_attributes(block->statements[i].plugin, out);
        else
            dump_arms(&block->statements[i], out);
    }
}

void dump_errors(const struct error_list *errors, struct buf *out)
{
    for (size_t i = 0; i < errors->count; i++) {
        const struct error *err = &errors->items[i];
        buf_printf(out, "%s%s%u:%u %s", i > 0 ? "\n" : "", errors->warnings[i] ? "warning " : "",
                   err->position.line, err->position.column, err->text);
    }
}
