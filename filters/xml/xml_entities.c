/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/xml/xml_entities.h"

#include "base/buf.h"
#include "base/text/ascii.h"

static bool begins_name(unsigned char c)
{
    return ascii_is_letter(c) || c == '_' || c == ':' || c >= 0x80;
}

static bool continues_name(unsigned char c)
{
    return begins_name(c) || ascii_is_digit(c) || c == '-' || c == '.';
}

/* The name of the reference that begins at text; empty when that is not a whole one. */
static struct str reference_name(struct str text)
{
    size_t end = 1;
    if (text.len < 2 || !begins_name((unsigned char)text.ptr[1]))
        return STR("");
    while (end < text.len && continues_name((unsigned char)text.ptr[end]))
        end++;
    return end < text.len && text.ptr[end] == ';' ? str_make(text.ptr + 1, end - 1) : STR("");
}

static bool is_predefined(struct str name)
{
    static const char *const NAMES[] = {"amp", "lt", "gt", "quot", "apos"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (str_equal(name, str_from(NAMES[i])))
            return true;
    return false;
}

/* Length of the comment, section or instruction that begins at text, where nothing is a reference; 0: none does. */
static size_t literal_length(struct str text)
{
    static const struct {
        struct str begin, end;
    } LITERALS[] = {
        {STR_INIT("<![CDATA["), STR_INIT("]]>")},
        {STR_INIT("<!--"), STR_INIT("-->")},
        {STR_INIT("<?"), STR_INIT("?>")},
    };
    for (size_t i = 0; i < sizeof LITERALS / sizeof *LITERALS; i++) {
        if (!str_starts_with(text, LITERALS[i].begin))
            continue;
        size_t at = str_find(text, LITERALS[i].end);
        return at == SIZE_MAX ? text.len : at + LITERALS[i].end.len;
    }
    return 0;
}

/* The next reference to an entity that is not predefined, at or behind `from`; SIZE_MAX: there is none. */
static size_t find_reference(struct str document, size_t from)
{
    while (from < document.len) {
        struct str rest = str_from_offset(document, from);
        char c = rest.ptr[0];
        size_t literal = c == '<' ? literal_length(rest) : 0;
        struct str name = c == '&' ? reference_name(rest) : STR("");
        if (name.len > 0 && !is_predefined(name))
            return from;
        from += literal > 0 ? literal : 1;
    }
    return SIZE_MAX;
}

struct str xml_entities_as_text(struct arena *arena, struct str document)
{
    if (!memchr(document.ptr, '&', document.len) || str_find(document, STR("<!ENTITY")) != SIZE_MAX)
        return document;
    size_t at = find_reference(document, 0), copied = 0;
    if (at == SIZE_MAX)
        return document;
    struct buf text;
    buf_init(&text, 8 * document.len); /* "&a;" grows by "amp;" */
    for (; at != SIZE_MAX; at = find_reference(document, at + 1)) {
        buf_append(&text, document.ptr + copied, at + 1 - copied);
        buf_append_str(&text, STR("amp;"));
        copied = at + 1;
    }
    buf_append_str(&text, str_from_offset(document, copied));
    struct str escaped = arena_dup(arena, buf_str(&text));
    buf_release(&text);
    return escaped;
}
