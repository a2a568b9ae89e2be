/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "base/text/ascii.h"
#include "base/text/redact.h"
#include "base/text/utf8.h"
#include "conf/bind.h"
#include "conf/parser.h"

static const char *const SECTION_NAMES[] = {
    [CONF_INPUT] = "input",
    [CONF_FILTER] = "filter",
    [CONF_OUTPUT] = "output",
    [CONF_CODEC] = NULL, /* ends the list: codecs have no section */
};

static bool parse_statements(struct parser *parser, enum conf_section section,
                             struct conf_block *out);

static bool section_find(struct str name, enum conf_section *out)
{
    for (size_t i = 0; SECTION_NAMES[i]; i++)
        if (str_equal(name, str_from(SECTION_NAMES[i]))) {
            *out = (enum conf_section)i;
            return true;
        }
    return false;
}

/* "input {", "filter {" or "output {" where a plugin or an attribute should be: a brace is missing
 * before it. All blocks are left and the section is read as one. */
static bool section_begins(struct parser *parser)
{
    enum conf_section section;
    struct parser ahead = *parser;
    struct str name = scan_name(&ahead);
    if (!section_find(name, &section) || !scan_name_then(parser, parser->at, "{"))
        return false;
    if (!parser->implied)
        scan_fail(parser, parser->at, "a '}' is missing before the section '%.*s'", STR_FMT(name));
    parser->unwinding = true;
    return true;
}

/* The file ended inside a block: reported once, at what was not closed. */
static bool not_closed(struct parser *parser, size_t offset, const char *what)
{
    if (!parser->implied)
        scan_fail(parser, offset, "this %s is never closed: the file ends before its '}'", what);
    parser->unwinding = true;
    return false;
}

static bool parse_attribute(struct parser *parser, struct conf_attribute *out)
{
    char found[SCAN_FOUND_MAX];
    char c = scan_peek(parser, 0);
    out->position = scan_position(parser, parser->at);
    if (c == '"' || c == '\'') {
        if (!scan_quoted(parser, &out->name))
            return false;
    } else if (scan_is_name(c)) {
        out->name = scan_name(parser);
    } else {
        return scan_fail(parser, parser->at, "expected the name of an option or '}', found %s",
                         scan_found(parser, parser->at, found));
    }
    if (!scan_arrow(parser, out->name))
        return false;
    scan_skip(parser);
    parser->secret = redact_is_secret(out->name);
    bool ok = parse_value(parser, &out->value);
    parser->secret = false;
    return ok;
}

static bool starts_value(char c)
{
    return c == '"' || c == '\'' || c == '-' || ascii_is_digit(c);
}

/* Behind a comma: more values, which had to be a list. They are read over. */
static bool skip_values(struct parser *parser)
{
    struct conf_value value;
    bool any = false;
    while (starts_value(scan_peek(parser, 0)) && !scan_name_then(parser, parser->at, "=>")) {
        any = true;
        if (!parse_value(parser, &value))
            break;
        scan_skip(parser);
        if (scan_take(parser, ","))
            scan_skip(parser);
    }
    return any;
}

/* Soft errors between two attributes: a comma, or nothing at all. */
static void between_attributes(struct parser *parser)
{
    size_t from = parser->at;
    char c = scan_peek(parser, 0);
    bool blank = scan_is_blank(c);
    if (blank)
        scan_understood(parser);
    scan_skip(parser);
    c = scan_peek(parser, 0);
    if (c == ',' || c == ';') {
        size_t comma = parser->at++;
        scan_skip(parser);
        bool list = c == ',' && skip_values(parser);
        if (list)
            scan_soft(parser, comma, "several values are written as a list: [\"a\", \"b\"]");
        else
            scan_soft(parser, comma, "no '%c' between options, only blanks", c);
    } else if (!blank && c != '}' && !scan_at_end(parser)) {
        scan_fail(parser, from, "a blank must follow the value before the next option");
    }
}

static bool at_if(const struct parser *parser)
{
    return scan_starts(parser, "if") && !scan_is_name(scan_peek(parser, 2));
}

/* A plugin or "if" on a line of its own where an attribute should be: the brace of the plugin before it is
 * missing. That plugin ends here. */
static bool statement_begins(struct parser *parser)
{
    struct parser ahead = *parser;
    struct str name = scan_name(&ahead);
    bool plugin = parser->options && parser->options->is_plugin &&
                  scan_name_then(parser, parser->at, "{") && parser->options->is_plugin(name);
    if (!scan_begins_line(parser, parser->at) ||
        !(plugin || (at_if(parser) && !scan_name_then(parser, parser->at, "=>"))))
        return false;
    scan_soft(parser, parser->at, "a '}' is missing before '%.*s'", STR_FMT(name));
    parser->assumed = true;
    return true;
}

/* False when the plugin ended without its brace. */
static bool parse_attributes(struct parser *parser, struct conf_plugin *plugin)
{
    size_t capacity = 0;
    unsigned open = parser->open;
    while (!parser->unwinding && !scan_at_end(parser) && scan_peek(parser, 0) != '}') {
        if (section_begins(parser) || statement_begins(parser))
            return false;
        plugin->attributes = scan_room(parser->arena, plugin->attributes, plugin->count, &capacity,
                                       sizeof *plugin->attributes);
        struct conf_attribute attribute = {0};
        size_t errors = parser->errors->errors;
        if (parse_attribute(parser, &attribute)) {
            plugin->attributes[plugin->count++] = attribute;
            if (errors == parser->errors->errors)
                scan_understood(parser);
            between_attributes(parser);
        } else {
            scan_recover(parser, open, SCAN_ATTRIBUTE);
        }
    }
    return true;
}

static bool no_brace(struct parser *parser, struct str name)
{
    char found[SCAN_FOUND_MAX];
    parser->implied = true;
    return scan_soft(parser, parser->at, "expected '{' after '%.*s', found %s", STR_FMT(name),
                     scan_found(parser, parser->at, found));
}

bool parse_plugin_body(struct parser *parser, struct conf_plugin *plugin)
{
    size_t brace = parser->at;
    size_t errors_before = parser->errors->errors;
    if (!scan_enter(parser, brace))
        return false;
    if (scan_take(parser, "{"))
        scan_understood(parser);
    else
        no_brace(parser, plugin->name);
    scan_skip(parser);
    bool closed = parse_attributes(parser, plugin);
    plugin->broken = parser->errors->errors != errors_before;
    if (closed && !scan_take(parser, "}"))
        return not_closed(parser, brace, "plugin");
    scan_leave(parser);
    return true;
}

static bool is_else_if(struct str name)
{
    return str_equal(name, STR("elsif")) || str_equal(name, STR("elseif")) ||
           str_equal(name, STR("elif"));
}

static bool parse_plugin(struct parser *parser, enum conf_section section,
                         struct conf_statement *out)
{
    char found[SCAN_FOUND_MAX];
    size_t from = parser->at;
    struct conf_plugin *plugin = arena_zero(parser->arena, sizeof *plugin);
    struct str inside;
    char c = scan_peek(parser, 0);
    if (c == '"' || c == '\'') {
        if (!scan_quoted(parser, &inside))
            return false;
    } else if (scan_name(parser).len == 0) {
        return scan_fail(parser, from, "expected a plugin, 'if' or '}', found %s",
                         scan_found(parser, from, found));
    }
    *plugin = (struct conf_plugin){.section = section,
                                   .name = str_make(parser->text.ptr + from, parser->at - from),
                                   .position = scan_position(parser, from)};
    scan_skip(parser);
    if (str_equal(plugin->name, STR("else")))
        return scan_fail(parser, from, "'else' does not follow an 'if' block");
    if (is_else_if(plugin->name))
        return scan_fail(parser, from, "'%.*s' is written 'else if'", STR_FMT(plugin->name));
    /* with options behind it, only its brace is missing */
    if (scan_peek(parser, 0) != '{' && !scan_name_then(parser, parser->at, "=>"))
        return no_brace(parser, plugin->name);
    out->plugin = plugin;
    return parse_plugin_body(parser, plugin);
}

/* "{ … }" of a section or of an arm. */
static bool parse_block(struct parser *parser, enum conf_section section, const char *what,
                        struct conf_block *out)
{
    size_t brace = parser->at;
    char found[SCAN_FOUND_MAX];
    bool there = scan_take(parser, "{");
    if (there)
        scan_understood(parser);
    else
        scan_soft(parser, brace, "expected '{' to begin this %s, found %s", what,
                  scan_found(parser, brace, found));
    /* with a statement behind it, only the brace is missing */
    if (!there && !(at_if(parser) || scan_name_then(parser, brace, "{")))
        return false;
    parser->implied |= !there;
    if (!scan_enter(parser, brace))
        return false;
    if (!parse_statements(parser, section, out))
        return not_closed(parser, brace, what);
    parser->at++;
    scan_leave(parser);
    return true;
}

/* After a bad condition: its block is read all the same when it begins on this line. */
static bool find_block(struct parser *parser, unsigned open)
{
    char quote = '\0';
    for (size_t at = parser->at; at < parser->text.len && parser->text.ptr[at] != '\n'; at++) {
        char c = parser->text.ptr[at];
        if (quote != '\0')
            quote = c == quote ? '\0' : quote;
        else if (c == '"' || c == '\'')
            quote = c;
        else if (c == '}')
            break;
        if (c == '{' && quote == '\0') {
            parser->at = at;
            parser->open = open;
            return true;
        }
    }
    return false;
}

/* The condition and what must follow it. */
static bool parse_test(struct parser *parser, struct conf_arm *out)
{
    char found[SCAN_FOUND_MAX];
    unsigned open = parser->open;
    size_t errors = parser->errors->errors;
    parser->operators = 0;
    bool ok = parse_condition(parser, &out->condition);
    scan_skip(parser);
    if (ok && scan_peek(parser, 0) == '{')
        return true;
    ok = ok && errors == parser->errors->errors;
    if (ok && parse_is_open_field(parser))
        parse_fail_open_field(parser);
    else if (ok)
        scan_fail(parser, parser->at, "expected '{', 'and' or 'or' after the condition, found %s",
                  scan_found(parser, parser->at, found));
    parser->suspect = true; /* whatever else is missing, it is the same mistake */
    if (scan_begins_line(parser, parser->at))
        return at_if(parser) || scan_name_then(parser, parser->at, "{");
    return find_block(parser, open);
}

static bool parse_arm(struct parser *parser, enum conf_section section, bool has_condition,
                      struct conf_arm *out)
{
    scan_skip(parser);
    if (has_condition && !parse_test(parser, out))
        return false;
    out->text.len = (size_t)(parser->text.ptr + parser->at - out->text.ptr);
    out->text = str_trim(out->text);
    return parse_block(parser, section, has_condition ? "'if' block" : "'else' block", &out->block);
}

/* Moves past "else" and "if" when they are there. *from: where they begin. */
static bool next_arm(struct parser *parser, size_t *from, bool *has_condition)
{
    struct parser ahead = *parser;
    scan_skip(&ahead);
    *from = ahead.at;
    if (!scan_take(&ahead, "else"))
        return false;
    scan_skip(&ahead);
    *has_condition = scan_take(&ahead, "if");
    if (!*has_condition && scan_peek(&ahead, 0) != '{')
        return false;
    parser->at = ahead.at;
    return true;
}

static bool parse_branch(struct parser *parser, enum conf_section section,
                         struct conf_statement *out)
{
    size_t capacity = 0;
    size_t from = parser->at;
    bool has_condition = true;
    bool more = scan_take(parser, "if");
    assert(more);
    while (more) {
        out->arms =
            scan_room(parser->arena, out->arms, out->arm_count, &capacity, sizeof *out->arms);
        struct conf_arm arm = {.position = scan_position(parser, from),
                               .text = {.ptr = parser->text.ptr + from}};
        if (!parse_arm(parser, section, has_condition, &arm))
            return false;
        out->arms[out->arm_count++] = arm;
        more = has_condition && next_arm(parser, &from, &has_condition);
    }
    return true;
}

/* True at the closing brace of the block. */
static bool parse_statements(struct parser *parser, enum conf_section section,
                             struct conf_block *out)
{
    size_t capacity = 0;
    unsigned open = parser->open;
    scan_skip(parser);
    while (!parser->unwinding && !scan_at_end(parser) && scan_peek(parser, 0) != '}') {
        if (section_begins(parser))
            break;
        out->statements = scan_room(parser->arena, out->statements, out->count, &capacity,
                                    sizeof *out->statements);
        struct conf_statement statement = {0};
        bool ok = at_if(parser) ? parse_branch(parser, section, &statement)
                                : parse_plugin(parser, section, &statement);
        if (ok)
            out->statements[out->count++] = statement;
        else
            scan_recover(parser, open, SCAN_STATEMENT);
        scan_skip(parser);
    }
    return !parser->unwinding && scan_peek(parser, 0) == '}';
}

static void append_block(struct arena *arena, struct conf_block *block,
                         const struct conf_block *more)
{
    if (more->count == 0)
        return;
    size_t size = sizeof *block->statements;
    block->statements = arena_grow(arena, block->statements, block->count * size,
                                   (block->count + more->count) * size);
    memcpy(block->statements + block->count, more->statements, more->count * size);
    block->count += more->count;
}

static void add_section(struct parser *parser, enum conf_section section,
                        const struct conf_block *block, struct conf_tree *out)
{
    switch (section) {
    case CONF_INPUT:
        out->has_input_section = true;
        append_block(parser->arena, &out->inputs, block);
        break;
    case CONF_FILTER:
        append_block(parser->arena, &out->filters, block);
        break;
    case CONF_OUTPUT:
        out->has_output_section = true;
        append_block(parser->arena, &out->outputs, block);
        break;
    case CONF_CODEC:
        assert(!"a codec has no section");
        break;
    }
}

/* An unknown section whose name is near a known one is read as that one, for the errors in it. */
static bool section_name(struct parser *parser, enum conf_section *out)
{
    char found[SCAN_FOUND_MAX];
    size_t from = parser->at;
    struct str name = scan_name(parser);
    parser->assumed = parser->assumed && name.len == 0;
    if (name.len > 0 && section_find(name, out))
        return true;
    const char *near = bind_suggest(name, SECTION_NAMES);
    if (near) {
        scan_soft(parser, from, "unknown section '%.*s'; did you mean '%s'?", STR_FMT(name), near);
        return section_find(str_from(near), out);
    }
    if (scan_take(parser, "}") && parser->assumed) {
        parser->assumed = false;
        return false;
    }
    return scan_fail(parser, from, "expected a section (input, filter or output), found %s",
                     scan_found(parser, from, found));
}

/* After what is no section: to the next name at the beginning of a line that is one. */
static void recover_section(struct parser *parser)
{
    enum conf_section section;
    parser->open = 0;
    while (!scan_at_end(parser)) {
        const char *end =
            memchr(parser->text.ptr + parser->at, '\n', parser->text.len - parser->at);
        parser->at = end ? (size_t)(end + 1 - parser->text.ptr) : parser->text.len;
        struct parser ahead = *parser;
        scan_skip(&ahead);
        size_t from = ahead.at;
        if (section_find(scan_name(&ahead), &section) && scan_name_then(parser, from, "{"))
            break;
    }
    scan_understood(parser);
}

static void end_unwinding(struct parser *parser)
{
    if (parser->resume > 0)
        parser->at = parser->resume;
    parser->resume = 0;
    parser->unwinding = false;
    scan_understood(parser);
}

static void parse_section(struct parser *parser, struct conf_tree *out)
{
    enum conf_section section = CONF_INPUT;
    struct conf_block block = {0};
    assert(!parser->unwinding && parser->open == 0);
    parser->implied = false;
    if (!section_name(parser, &section)) {
        if (!parser->unwinding)
            recover_section(parser);
        end_unwinding(parser);
        return;
    }
    scan_skip(parser);
    bool ok = parse_block(parser, section, "section", &block);
    add_section(parser, section, &block, out);
    parser->open = 0;
    if (!ok && !parser->unwinding)
        recover_section(parser);
    end_unwinding(parser);
}

/* Once: an encoding is wrong for the whole file. */
static void check_utf8(struct parser *parser)
{
    size_t valid = utf8_valid_prefix(parser->text);
    if (valid == parser->text.len)
        return;
    struct error_position position = conf_source_position(parser->source, valid);
    error_list_at(parser->errors, position, "this is not UTF-8: byte 0x%02X",
                  (unsigned char)parser->text.ptr[valid]);
}

bool conf_parse(struct arena *arena, const struct conf_source *source,
                const struct conf_options *options, struct conf_tree *out,
                struct error_list *errors)
{
    struct parser parser = {.arena = arena,
                            .source = source,
                            .options = options,
                            .errors = errors,
                            .text = source->text};
    size_t before = errors->errors;
    *out = (struct conf_tree){0};
    check_utf8(&parser);
    scan_skip(&parser);
    while (!scan_at_end(&parser)) {
        size_t from = parser.at;
        parse_section(&parser, out);
        scan_skip(&parser);
        assert(parser.at > from);
        (void)from;
    }
    out->broken = errors->errors != before;
    return !out->broken;
}
