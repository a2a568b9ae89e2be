/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "base/regex/regex.h"
#include "base/text/ascii.h"
#include "base/text/utf8.h"

enum piece_type { PIECE_TEXT, PIECE_GROUP, PIECE_BEFORE, PIECE_AFTER, PIECE_UNKNOWN };

struct piece {
    enum piece_type type;
    unsigned group;
    struct str text;
};

struct regex_replacement {
    size_t count;
    struct piece pieces[];
};

/* The last group of that name (in Ruby the last one that took part; names are rarely repeated). */
static bool find_name(const struct regex *regex, struct str name, unsigned *out)
{
    for (size_t i = regex_name_count(regex); i-- > 0;) {
        if (str_equal(str_from(regex_name(regex, i, out)), name))
            return true;
    }
    return false;
}

/* Reads what stands behind a backslash; the length it takes, or 0 when it is not special (both characters stay). */
static size_t read_escape(const struct regex *regex, struct str rest, struct piece *out)
{
    char c = rest.len > 0 ? rest.ptr[0] : '\0';
    *out = (struct piece){.type = PIECE_GROUP};
    switch (c) {
    case '&':
        return 1;
    case '`':
        out->type = PIECE_BEFORE;
        return 1;
    case '\'':
        out->type = PIECE_AFTER;
        return 1;
    case '\\':
        *out = (struct piece){.type = PIECE_TEXT, .text = str_make(rest.ptr, 1)};
        return 1;
    case 'k': {
        const char *end =
            rest.len > 2 && rest.ptr[1] == '<' ? memchr(rest.ptr, '>', rest.len) : NULL;
        if (!end)
            return 0;
        struct str name = str_make(rest.ptr + 2, (size_t)(end - rest.ptr) - 2);
        if (!find_name(regex, name, &out->group))
            *out = (struct piece){.type = PIECE_UNKNOWN, .text = name};
        return name.len + 3;
    }
    default:
        out->group = (unsigned)(c - '0');
        return ascii_is_digit(c) ? 1 : 0;
    }
}

struct regex_replacement *regex_replacement_parse(struct arena *arena, const struct regex *regex,
                                                  struct str text)
{
    size_t escapes = 0;
    for (size_t i = 0; i < text.len; i++)
        escapes += text.ptr[i] == '\\';
    struct regex_replacement *replacement =
        arena_alloc(arena, sizeof *replacement + (2 * escapes + 1) * sizeof(struct piece));
    size_t count = 0, start = 0;
    for (size_t i = 0; i + 1 < text.len; i++) {
        struct piece piece;
        if (text.ptr[i] != '\\')
            continue;
        size_t taken = read_escape(regex, str_from_offset(text, i + 1), &piece);
        if (taken == 0)
            continue;
        if (i > start)
            replacement->pieces[count++] =
                (struct piece){.type = PIECE_TEXT, .text = str_make(text.ptr + start, i - start)};
        replacement->pieces[count++] = piece;
        i += taken;
        start = i + 1;
    }
    if (start < text.len)
        replacement->pieces[count++] =
            (struct piece){.type = PIECE_TEXT, .text = str_from_offset(text, start)};
    assert(count <= 2 * escapes + 1);
    replacement->count = count;
    for (size_t i = 0; i < count; i++) {
        if (replacement->pieces[i].text.ptr)
            replacement->pieces[i].text = arena_dup(arena, replacement->pieces[i].text);
    }
    return replacement;
}

struct str regex_replacement_unknown(const struct regex_replacement *replacement)
{
    for (size_t i = 0; i < replacement->count; i++)
        if (replacement->pieces[i].type == PIECE_UNKNOWN)
            return replacement->pieces[i].text;
    return (struct str){0};
}

static bool append_piece(const struct piece *piece, const struct regex_scratch *scratch,
                         struct str subject, struct buf *out)
{
    size_t start = 0, end = 0;
    switch (piece->type) {
    case PIECE_TEXT:
        return buf_append_str(out, piece->text);
    case PIECE_GROUP:
        return !regex_group(scratch, piece->group, &start, &end) ||
               buf_append(out, subject.ptr + start, end - start);
    case PIECE_BEFORE:
        return !regex_group(scratch, 0, &start, &end) || buf_append(out, subject.ptr, start);
    case PIECE_AFTER:
        return !regex_group(scratch, 0, &start, &end) ||
               buf_append_str(out, str_from_offset(subject, end));
    case PIECE_UNKNOWN:
        return false;
    }
    return true;
}

bool regex_replacement_append(const struct regex_replacement *replacement,
                              const struct regex_scratch *scratch, struct str subject,
                              struct buf *out)
{
    for (size_t i = 0; i < replacement->count; i++) {
        if (!append_piece(&replacement->pieces[i], scratch, subject, out))
            return false;
    }
    return true;
}

enum regex_result regex_replace_all(const struct regex *regex, struct regex_scratch *scratch,
                                    struct str subject, const struct regex_replacement *replacement,
                                    struct buf *out)
{
    size_t at = 0, start, end;
    enum regex_result result = regex_search(regex, scratch, subject, 0);
    if (result != REGEX_MATCHED)
        return result;
    while (result == REGEX_MATCHED) {
        uint32_t codepoint;
        if (!regex_group(scratch, 0, &start, &end) || start < at)
            break; /* \K behind the end of the match: nothing sensible to replace */
        if (!buf_append(out, subject.ptr + at, start - at) ||
            !regex_replacement_append(replacement, scratch, subject, out))
            return REGEX_LIMIT;
        at = end;
        if (start == end) { /* an empty match moves on by one character */
            if (end >= subject.len)
                break;
            at += utf8_decode(str_from_offset(subject, end), &codepoint);
            if (!buf_append(out, subject.ptr + end, at - end))
                return REGEX_LIMIT;
        }
        result = regex_search(regex, scratch, subject, at);
    }
    if (result == REGEX_LIMIT || !buf_append_str(out, str_from_offset(subject, at)))
        return REGEX_LIMIT;
    return REGEX_MATCHED;
}
