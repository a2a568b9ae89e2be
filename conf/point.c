/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/point.h"

#include <assert.h>

#include "base/text/ascii.h"

static bool is_name_byte(char byte)
{
    return ascii_is_letter(byte) || ascii_is_digit(byte) || byte == '_';
}

/* A whole word of it: 'port' is not in "transport". */
static size_t find_word(struct str text, struct str word)
{
    for (size_t from = 0; word.len > 0 && from < text.len;) {
        size_t at = str_find(str_from_offset(text, from), word);
        if (at == SIZE_MAX)
            break;
        at += from;
        size_t end = at + word.len;
        if ((at == 0 || !is_name_byte(text.ptr[at - 1])) &&
            (end == text.len || !is_name_byte(text.ptr[end])))
            return at;
        from = at + 1;
    }
    return SIZE_MAX;
}

/* The option whose name comes first in the message. */
static const struct conf_attribute *named_in(const struct conf_plugin *plugin, struct str message)
{
    const struct conf_attribute *found = NULL;
    size_t first = SIZE_MAX;
    for (size_t i = 0; i < plugin->count; i++) {
        size_t at = find_word(message, plugin->attributes[i].name);
        if (at < first) {
            first = at;
            found = &plugin->attributes[i];
        }
    }
    return found;
}

/* Depth is bounded by the parser's limit of nesting. */
static const struct conf_value *find_text(const struct conf_value *value, struct str text)
{
    const struct conf_value *found = NULL;
    switch (value->type) {
    case CONF_ARRAY:
        for (size_t i = 0; !found && i < value->count; i++)
            found = find_text(&value->items[i], text);
        return found;
    case CONF_HASH:
        for (size_t i = 0; !found && i < value->count; i++) {
            found = find_text(&value->pairs[i].key, text);
            if (!found)
                found = find_text(&value->pairs[i].value, text);
        }
        return found;
    case CONF_BLOCK:
        return NULL;
    case CONF_STRING:
    case CONF_BAREWORD:
    case CONF_NUMBER:
        return str_equal(value->text, text) ? value : NULL;
    }
    return NULL;
}

static const struct conf_value *find_in(const struct conf_plugin *plugin,
                                        const struct conf_attribute *named, struct str text)
{
    const struct conf_value *found = named ? find_text(&named->value, text) : NULL;
    for (size_t i = 0; !found && !named && i < plugin->count; i++)
        found = find_text(&plugin->attributes[i].value, text);
    return found;
}

/* What stands between single quotes, from *from on, which moves behind it. A quote inside a word ("event's") opens nothing. */
static bool next_quoted(struct str message, size_t *from, struct str *out)
{
    size_t open = *from;
    while (open < message.len &&
           (message.ptr[open] != '\'' || (open > 0 && is_name_byte(message.ptr[open - 1]))))
        open++;
    if (open >= message.len)
        return false;
    struct str rest = str_from_offset(message, open + 1);
    size_t len = str_find(rest, STR("'"));
    if (len == SIZE_MAX)
        return false;
    *out = str_make(rest.ptr, len);
    *from = open + 1 + len + 1;
    return true;
}

static const struct conf_value *last_quoted(const struct conf_plugin *plugin,
                                            const struct conf_attribute *named, struct str message)
{
    const struct conf_value *last = NULL;
    struct str quoted;
    for (size_t from = 0; next_quoted(message, &from, &quoted);) {
        const struct conf_value *found = find_in(plugin, named, quoted);
        last = found && found->position.line > 0 ? found : last;
    }
    return last;
}

/* The line of a text, and what is first in it; as long as nothing was replaced in the text its lines are those of the file. */
static struct error_position inside(const struct conf_attribute *named, unsigned line)
{
    const struct conf_value *value = &named->value;
    struct error_position at = value->position;
    struct str rest = value->text;
    if (value->type != CONF_STRING || value->written.len > 0 || at.line == 0)
        return named->position;
    for (unsigned passed = 1; passed < line; passed++) {
        size_t end = str_find(rest, STR("\n"));
        if (end == SIZE_MAX)
            return value->position;
        rest = str_from_offset(rest, end + 1);
        at.line++;
        at.column = 1;
    }
    at.column += line == 1; /* the quote */
    for (size_t i = 0; i < rest.len && rest.ptr[i] == ' '; i++)
        at.column++;
    return at;
}

struct error_position conf_point(const struct conf_plugin *plugin, const struct error *err)
{
    assert(plugin && err);
    if (err->position.line > 0 && err->position.file)
        return err->position;
    struct str message = str_from(err->text);
    const struct conf_attribute *named = named_in(plugin, message);
    if (named && err->position.line > 0)
        return inside(named, err->position.line);
    const struct conf_value *quoted = last_quoted(plugin, named, message);
    if (quoted)
        return quoted->position;
    return named ? named->position : plugin->position;
}
