/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/template.h"

#include <assert.h>
#include <string.h>

#include "base/time/date_pattern.h"

/* The text between "%{" and the next '}', and where the text after it begins. */
struct placeholder {
    size_t open, inner, close;
};

static bool placeholder_find(struct str text, size_t from, struct placeholder *out)
{
    size_t at = str_find(str_from_offset(text, from), STR("%{"));
    if (at == SIZE_MAX)
        return false;
    out->open = from + at;
    out->inner = out->open + 2;
    const char *brace =
        out->inner < text.len ? memchr(text.ptr + out->inner, '}', text.len - out->inner) : NULL;
    if (!brace)
        return false;
    out->close = (size_t)(brace - text.ptr);
    return true;
}

static void read_date(struct arena *arena, struct str pattern, enum date_dialect dialect,
                      struct template_part *part)
{
    part->date = date_pattern_compile(arena, pattern, dialect, NULL);
    part->type = part->date ? TEMPLATE_DATE : TEMPLATE_BAD_DATE;
}

static void read_java(struct arena *arena, struct str pattern, struct template_part *part)
{
    if (str_equal(pattern, STR("TIME_NOW")))
        part->type = TEMPLATE_NOW;
    else
        read_date(arena, pattern, DATE_JAVA_TIME, part);
}

/* A reference that is not legal stays as it is written. */
static void read_field(struct arena *arena, struct str inner, enum field_escape escape,
                       struct template_part *part)
{
    bool legal = field_ref_parse(arena, inner, escape, &part->ref, NULL);
    part->type = legal ? TEMPLATE_FIELD : TEMPLATE_LITERAL;
}

/* Fills *part and returns where the text goes on. Whatever "+%s" begins with, also nothing at all,
 * means the epoch, as it does in Logstash. */
static size_t read_placeholder(struct arena *arena, struct str text, enum field_escape escape,
                               const struct placeholder *found, struct template_part *part)
{
    assert(found->open < found->inner && found->inner <= found->close);
    size_t end = found->close + 1;
    struct str inner = str_make(text.ptr + found->inner, found->close - found->inner);
    bool java = inner.len > 0 && inner.ptr[0] == '{' && end < text.len && text.ptr[end] == '}';
    if (str_starts_with(STR("+%s"), inner))
        part->type = TEMPLATE_EPOCH;
    else if (java)
        read_java(arena, str_from_offset(inner, 1), part);
    else if (inner.ptr[0] == '+')
        read_date(arena, str_from_offset(inner, 1), DATE_JODA, part);
    else
        read_field(arena, inner, escape, part);
    end += java;
    part->text = str_make(text.ptr + found->open, end - found->open);
    return end;
}

static struct template_part *add_part(struct arena *arena, struct template *template,
                                      size_t *capacity)
{
    if (template->count == *capacity) {
        size_t wanted = *capacity ? *capacity * 2 : 4;
        template->parts = arena_grow(arena, template->parts, *capacity * sizeof *template->parts,
                                     wanted * sizeof *template->parts);
        *capacity = wanted;
    }
    struct template_part *part = &template->parts[template->count++];
    *part = (struct template_part){.type = TEMPLATE_LITERAL};
    return part;
}

void template_parse(struct arena *arena, struct str text, enum field_escape escape,
                    struct template *out)
{
    *out = (struct template){.text = arena_dup(arena, text), .is_literal = true};
    struct str rest = out->text;
    struct placeholder found;
    size_t capacity = 0, done = 0;
    while (placeholder_find(rest, done, &found)) {
        if (found.open > done)
            add_part(arena, out, &capacity)->text = str_make(rest.ptr + done, found.open - done);
        struct template_part *part = add_part(arena, out, &capacity);
        done = read_placeholder(arena, rest, escape, &found, part);
        out->is_literal &= part->type == TEMPLATE_LITERAL;
        out->has_illegal |= part->type == TEMPLATE_LITERAL;
    }
    if (done < rest.len || out->count == 0)
        add_part(arena, out, &capacity)->text = str_from_offset(rest, done);
    assert(out->parts && out->count > 0);
}

static const char *doubt_of(const struct template_part *part, struct str *what)
{
    *what = part->text;
    if (part->type == TEMPLATE_BAD_DATE)
        return "is no date pattern, so every event fails here, as in Logstash";
    if (part->type != TEMPLATE_LITERAL)
        return NULL;
    size_t open = str_find(part->text, STR("%{"));
    if (open == SIZE_MAX)
        return NULL;
    *what = str_from_offset(part->text, open);
    return memchr(what->ptr, '}', what->len)
               ? "is no field reference and stays as it is, as in Logstash"
               : "has no '}' and stays as it is, as in Logstash";
}

bool template_doubt(const struct template *template, struct str *what, const char **why)
{
    assert(template->parts);
    for (size_t i = 0; i < template->count; i++) {
        *why = doubt_of(&template->parts[i], what);
        if (*why)
            return true;
    }
    return false;
}
