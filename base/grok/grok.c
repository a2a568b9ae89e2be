/* SPDX-License-Identifier: Apache-2.0 */
#include "base/grok/grok.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text/ascii.h"

/* One reference in an expression: %{PATTERN[:field[:type]][=definition]}. */
struct reference {
    struct str pattern;
    struct str field;   /* ptr NULL: none */
    struct str written; /* NAME:field:type */
    enum grok_type type;
    struct str definition; /* ptr NULL: none */
    struct str ignored;    /* what stands between these and the '}' */
};

/* A pattern that is being expanded, in the one that refers to it. */
struct scope {
    const struct scope *outer;   /* NULL: that of the expression itself */
    struct str name;             /* ptr NULL: the expression itself */
    struct grok_definition from; /* what name stands for */
};

struct expansion {
    struct arena *arena;
    const struct grok_library *library;
    struct error *err;
    bool named_only;
    unsigned depth;
    struct buf text;
    const struct scope *scope;
    struct grok_capture *captures;
    size_t count, capacity;
    struct str *typed; /* as they were written: captures with a type */
    size_t typed_count, typed_capacity;
    struct str local_names[GROK_MAX_DEPTH]; /* patterns defined inside the expression */
    struct str local_patterns[GROK_MAX_DEPTH];
    size_t local_count;
    struct str ignored, unclosed; /* in the expression itself, the first */
};

/* Groups that we make are called mr0, mr1, …: no user writes such a name by chance. */
static const char GROUP_PREFIX[] = "mr_";

enum { EXPRESSION_SHOWN_BYTES = 72, ORIGIN_SHOWN_BYTES = 80 }; /* in a message */

static bool expand(struct expansion *expansion, struct str text);

static bool is_name_byte(char c)
{
    return (c >= 'A' && c <= 'z') || ascii_is_digit(c);
}

static bool is_field_byte(char c)
{
    return is_name_byte(c) || c == '@' || c == ':' || c == '.' || c == '-';
}

static enum grok_type type_of(struct str name)
{
    if (str_equal(name, STR("int")))
        return GROK_INT;
    return str_equal(name, STR("float")) ? GROK_FLOAT : GROK_STRING;
}

/* Splits field:type; the type is what follows the last ':' outside of brackets. */
static void split_field(struct reference *reference, struct str text)
{
    reference->field = text;
    reference->type = GROK_STRING;
    for (size_t at = text.len; at-- > 0;) {
        if (text.ptr[at] == ']')
            return;
        if (text.ptr[at] != ':')
            continue;
        reference->field = str_make(text.ptr, at);
        reference->type = type_of(str_from_offset(text, at + 1));
        return;
    }
}

/* The bytes of text from *at on that satisfy `fits`. */
static struct str take_while(struct str text, size_t *at, bool (*fits)(char))
{
    size_t start = *at;
    while (*at < text.len && fits(text.ptr[*at]))
        (*at)++;
    return str_make(text.ptr + start, *at - start);
}

/* The definition after '=': up to the brace that closes the reference; a backslash protects the next character. */
static struct str take_definition(struct str text, size_t *at)
{
    size_t start = *at;
    while (*at < text.len && text.ptr[*at] != '}' && text.ptr[*at] != '{')
        *at += text.ptr[*at] == '\\' && *at + 1 < text.len ? 2 : 1;
    return str_make(text.ptr + start, *at - start);
}

/* Reads a reference at text[*at] == '%'. False when there is none: the bytes are literal; where that is for want of a '}',
 * out->written is what they are. */
static bool read_reference(struct str text, size_t *at, struct reference *out)
{
    size_t next = *at + 2;
    *out = (struct reference){0};
    if (next >= text.len || text.ptr[*at + 1] != '{')
        return false;
    out->pattern = take_while(text, &next, is_name_byte);
    if (out->pattern.len == 0)
        return false;
    if (next < text.len && text.ptr[next] == ':') {
        next++;
        struct str field = take_while(text, &next, is_field_byte);
        if (field.len > 0)
            split_field(out, field);
    }
    out->written = str_make(out->pattern.ptr, (size_t)(text.ptr + next - out->pattern.ptr));
    if (next < text.len && text.ptr[next] == '=') {
        next++;
        out->definition = take_definition(text, &next);
    }
    size_t ignored = next;
    while (next < text.len && text.ptr[next] != '}')
        next++;
    if (next == text.len)
        return out->written = str_from_offset(text, *at), false;
    out->ignored = str_make(text.ptr + ignored, next - ignored);
    *at = next + 1;
    return true;
}

static bool append(struct expansion *expansion, struct str text)
{
    return buf_append_str(&expansion->text, text) ||
           error_set(expansion->err, ERROR_LIMIT, "the expanded pattern is longer than %d bytes",
                     GROK_MAX_EXPANDED_BYTES);
}

static void add_capture(struct expansion *expansion, struct str field, enum grok_type type)
{
    expansion->captures = mem_grow(expansion->captures, expansion->count, &expansion->capacity,
                                   sizeof *expansion->captures);
    expansion->captures[expansion->count++] =
        (struct grok_capture){.field = arena_dup(expansion->arena, field), .type = type};
}

/* False from the second time on that this capture is written. */
static bool is_first_typed(struct expansion *expansion, struct str written)
{
    for (size_t i = 0; i < expansion->typed_count; i++)
        if (str_equal(expansion->typed[i], written))
            return false;
    expansion->typed = mem_grow(expansion->typed, expansion->typed_count,
                                &expansion->typed_capacity, sizeof *expansion->typed);
    expansion->typed[expansion->typed_count++] = written;
    return true;
}

static bool find_pattern(const struct expansion *expansion, struct str name,
                         struct grok_definition *out)
{
    for (size_t i = expansion->local_count; i-- > 0;)
        if (str_equal(expansion->local_names[i], name)) {
            *out = (struct grok_definition){.text = expansion->local_patterns[i]};
            return true;
        }
    return grok_library_find(expansion->library, name, out);
}

/* Says what refers to a name that is not there, and what may have been meant. */
static bool not_defined(struct expansion *expansion, struct str name)
{
    char referrer[192] = "", meant[80] = "";
    const struct scope *scope = expansion->scope;
    struct str origin = scope->from.origin;
    if (origin.len > ORIGIN_SHOWN_BYTES)
        origin = str_from_offset(origin, origin.len - ORIGIN_SHOWN_BYTES);
    if (scope->name.ptr)
        snprintf(referrer, sizeof referrer, " (%%{%.*s}%s%.*s refers to it)", STR_FMT(scope->name),
                 origin.len > 0 ? " in " : "", STR_FMT(origin));
    const char *near = grok_library_nearest(expansion->library, name);
    if (near)
        snprintf(meant, sizeof meant, "; did you mean %%{%s}?", near);
    return error_set(expansion->err, ERROR_CONFIG, "pattern %%{%.*s} is not defined%s%s",
                     STR_FMT(name), referrer, meant);
}

static bool define(struct expansion *expansion, const struct reference *reference)
{
    if (expansion->local_count == GROK_MAX_DEPTH)
        return error_set(expansion->err, ERROR_LIMIT, "more than %d patterns defined in place",
                         GROK_MAX_DEPTH);
    expansion->local_names[expansion->local_count] = reference->pattern;
    expansion->local_patterns[expansion->local_count++] = reference->definition;
    return true;
}

static bool open_group(struct expansion *expansion, const struct reference *reference)
{
    struct str field = reference->field;
    if (!field.ptr && !expansion->named_only)
        field = reference->pattern;
    if (!field.ptr)
        return append(expansion, STR("(?:"));
    char group[32];
    snprintf(group, sizeof group, "(?<%s%zu>", GROUP_PREFIX, expansion->count);
    enum grok_type type = reference->type;
    if (type != GROK_STRING && !is_first_typed(expansion, reference->written))
        type = GROK_STRING;
    add_capture(expansion, field, type);
    return append(expansion, str_from(group));
}

static bool expand_reference(struct expansion *expansion, const struct reference *reference)
{
    if (reference->definition.ptr && !define(expansion, reference))
        return false;
    struct scope scope = {.outer = expansion->scope, .name = reference->pattern};
    if (!find_pattern(expansion, reference->pattern, &scope.from))
        return not_defined(expansion, reference->pattern);
    if (expansion->depth == GROK_MAX_DEPTH)
        return error_set(expansion->err, ERROR_LIMIT, "pattern %%{%.*s} contains itself",
                         STR_FMT(reference->pattern));
    expansion->depth++;
    expansion->scope = &scope;
    bool ok = open_group(expansion, reference) && expand(expansion, scope.from.text) &&
              append(expansion, STR(")"));
    expansion->scope = scope.outer;
    expansion->depth--;
    return ok;
}

static void note_suspects(struct expansion *expansion, const struct reference *reference,
                          bool found)
{
    if (!found && expansion->unclosed.len == 0)
        expansion->unclosed = reference->written;
    if (expansion->ignored.len == 0)
        expansion->ignored = reference->ignored;
}

static bool expand(struct expansion *expansion, struct str text)
{
    size_t literal = 0, at = 0;
    while (at < text.len) {
        struct reference reference;
        size_t start = at;
        if (text.ptr[at] == '\\' && at + 1 < text.len && text.ptr[at + 1] != '%') {
            at += 2;
            continue;
        }
        if (text.ptr[at] != '%') {
            at++;
            continue;
        }
        bool found = read_reference(text, &at, &reference);
        if (expansion->depth == 0)
            note_suspects(expansion, &reference, found);
        if (!found) {
            at++;
            continue;
        }
        if (!append(expansion, str_make(text.ptr + literal, start - literal)) ||
            !expand_reference(expansion, &reference))
            return false;
        literal = at;
    }
    return append(expansion, str_from_offset(text, literal));
}

/* Groups of ours are found in the table by the number in their name; a group that the user named is a field itself. */
static void bind_groups(struct arena *arena, struct expansion *expansion, struct grok *out)
{
    size_t names = regex_name_count(out->regex);
    out->captures = arena_zero(arena, names * sizeof *out->captures);
    for (size_t i = 0; i < names; i++) {
        unsigned group;
        const char *name = regex_name(out->regex, i, &group);
        int64_t index;
        struct grok_capture *capture = &out->captures[out->count++];
        if (str_starts_with(str_from(name), str_from(GROUP_PREFIX)) &&
            str_to_int(str_from(name + sizeof GROUP_PREFIX - 1), &index) && index >= 0 &&
            (size_t)index < expansion->count)
            *capture = expansion->captures[index];
        else {
            struct reference user = {0};
            split_field(&user, str_from(name));
            *capture =
                (struct grok_capture){.field = arena_dup(arena, user.field), .type = user.type};
        }
        capture->group = group;
    }
}

/* What the regular expression's error says, about the expression as the user wrote it instead of what it became. */
static void explain_refusal(const struct expansion *expansion, struct str expression,
                            struct error *err)
{
    if (!err)
        return;
    static const char *const ENDS[] = {" at offset ", " in the pattern '"};
    for (size_t i = 0; i < sizeof ENDS / sizeof *ENDS; i++) {
        char *end = strstr(err->text, ENDS[i]);
        if (end)
            *end = '\0';
    }
    struct error reason = *err;
    int shown =
        expression.len > EXPRESSION_SHOWN_BYTES ? EXPRESSION_SHOWN_BYTES : (int)expression.len;
    error_set(err, reason.code, "%.120s (%zu bytes with all patterns put in): '%.*s%s'",
              reason.text, expansion->text.len, shown, expression.ptr ? expression.ptr : "",
              shown < (int)expression.len ? "…" : "");
}

bool grok_compile(struct arena *arena, const struct grok_library *library, struct str expression,
                  bool named_only, struct grok *out, struct error *err)
{
    *out = (struct grok){0};
    const struct scope whole = {.from = {.text = expression}};
    struct expansion expansion = {
        .arena = arena, .library = library, .err = err, .named_only = named_only, .scope = &whole};
    buf_init(&expansion.text, GROK_MAX_EXPANDED_BYTES);
    if (expand(&expansion, expression)) {
        out->expanded = arena_dup(arena, buf_str(&expansion.text));
        out->ignored = arena_dup(arena, expansion.ignored);
        out->unclosed = arena_dup(arena, expansion.unclosed);
        out->regex = regex_compile(out->expanded, REGEX_DOT_ALL, err);
        if (!out->regex)
            explain_refusal(&expansion, expression, err);
    }
    if (out->regex)
        bind_groups(arena, &expansion, out);
    mem_free(expansion.captures);
    mem_free(expansion.typed);
    buf_release(&expansion.text);
    return out->regex;
}

void grok_release(struct grok *grok)
{
    regex_free(grok->regex);
    grok->regex = NULL;
}
