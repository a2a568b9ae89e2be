/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text/redact.h"

#include <assert.h>

#include "base/text/ascii.h"

/* ---- names --------------------------------------------------------------------------------------- */

static char folded(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c == '-' || c == '.' ? '_' : c;
}

static bool contains_folded(struct str name, const char *part)
{
    size_t len = strlen(part);
    for (size_t at = 0; at + len <= name.len; at++) {
        size_t same = 0;
        while (same < len && folded(name.ptr[at + same]) == part[same])
            same++;
        if (same == len)
            return true;
    }
    return false;
}

bool redact_is_secret(struct str name)
{
    static const char *const PARTS[] = {
        "password",      "passwd",     "passphrase", "secret",     "token",      "api_key",
        "apikey",        "auth_key",   "cloud_auth", "credential", "access_key", "private_key",
        "authorization", "proxy_auth", "signature",  "cookie",
    };
    for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS; i++)
        if (contains_folded(name, PARTS[i]))
            return true;
    return false;
}

/* ---- URLs ---------------------------------------------------------------------------------------- */

static size_t url_end(struct str text)
{
    size_t end = 0;
    while (end < text.len && (unsigned char)text.ptr[end] > ' ' && text.ptr[end] != '"')
        end++;
    return end;
}

/* At the path, query or fragment. */
static size_t authority_end(struct str rest)
{
    size_t end = 0;
    while (end < rest.len && !strchr("/?#", rest.ptr[end]))
        end++;
    return end;
}

static bool is_number(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return true;
}

/* "USER:PASS" where HOST:PORT should be: a password has a slash or the like that was not escaped. */
static bool has_no_port(struct str authority)
{
    size_t colon = str_find(authority, STR(":"));
    return colon != SIZE_MAX && authority.ptr[0] != '[' &&
           !is_number(str_from_offset(authority, colon + 1));
}

struct str redact_user_info(struct str text)
{
    size_t slashes = str_find(text, STR("//"));
    if (slashes == SIZE_MAX)
        return str_make(text.ptr, 0);
    struct str rest = str_from_offset(text, slashes + 2);
    rest.len = url_end(rest);
    size_t end = authority_end(rest), at = 0;
    if (!memchr(rest.ptr, '@', end) && has_no_port(str_make(rest.ptr, end)))
        end = rest.len;
    for (size_t i = 0; i < end; i++)
        if (rest.ptr[i] == '@')
            at = i;
    return str_make(rest.ptr, at);
}

/* As the keys of webhooks are: letters and digits in one long word. */
static bool is_key(struct str part)
{
    enum { KEY_MIN = 20 };
    bool digit = false, letter = false;
    for (size_t i = 0; i < part.len; i++) {
        char c = part.ptr[i];
        bool is_letter = ascii_is_letter(c);
        bool is_digit = ascii_is_digit(c);
        if (!is_letter && !is_digit && c != '-' && c != '_')
            return false;
        digit |= is_digit;
        letter |= is_letter;
    }
    return part.len >= KEY_MIN && digit && letter;
}

static void append_parts(struct str path, struct buf *out)
{
    size_t host = str_find(path, STR("//"));
    size_t at = host == SIZE_MAX ? 0 : host + 2;
    at += authority_end(str_from_offset(path, at));
    buf_append_str(out, str_make(path.ptr, at));
    while (at < path.len) {
        struct str rest = str_from_offset(path, at + 1);
        size_t slash = str_find(rest, STR("/"));
        struct str part = str_make(rest.ptr, slash == SIZE_MAX ? rest.len : slash);
        buf_append_char(out, path.ptr[at]);
        buf_append_str(out, is_key(part) ? STR("...") : part);
        at += 1 + part.len;
    }
}

void redact_url(struct str url, struct buf *out)
{
    struct str hidden = redact_user_info(url);
    const char *query = url.len > 0 ? memchr(url.ptr, '?', url.len) : NULL;
    size_t end = query ? (size_t)(query - url.ptr) : url.len;
    if (hidden.len > 0) {
        size_t from = (size_t)(hidden.ptr - url.ptr);
        if (end < from + hidden.len + 1) { /* the query's mark was in the password */
            query = NULL;
            end = url.len;
        }
        buf_append_str(out, str_make(url.ptr, from));
        url = str_from_offset(url, from + hidden.len + 1);
        end -= from + hidden.len + 1;
    }
    append_parts(str_make(url.ptr, end), out);
    if (query)
        buf_append_str(out, STR("?..."));
}

/* ---- reasons ------------------------------------------------------------------------------------- */

static char closing_of(char c)
{
    switch (c) {
    case '\'':
    case '"':
        return c;
    case '[':
        return ']';
    case '(':
        return ')';
    case '{':
        return '}';
    case '<':
        return '>';
    default:
        return '\0';
    }
}

/* An apostrophe within a word opens nothing. */
static bool opens(struct str text, size_t at)
{
    if (closing_of(text.ptr[at]) == '\0')
        return false;
    bool in_word = at > 0 && text.ptr[at] == '\'' && strchr(" \t:([{=,", text.ptr[at - 1]) == NULL;
    return !in_word;
}

/* The word right before an offset, blanks between them aside. */
static struct str word_before(struct str text, size_t at)
{
    size_t end = at;
    while (end > 0 && text.ptr[end - 1] == ' ')
        end--;
    size_t from = end;
    while (from > 0 && text.ptr[from - 1] != ' ')
        from--;
    return str_make(text.ptr + from, end - from);
}

/* Words before a name that the configuration or the server has chosen, not an event. "date field [x]"
 * quotes a value, "field [x]" a name. */
static bool is_name_before(struct str text, size_t at)
{
    static const char *const WORDS[] = {
        "field",     "fields",     "type",        "types",    "mapping",  "for",
        "index",     "format",     "user",        "roles",    "action",   "privileges",
        "alias",     "stream",     "limit",       "template", "pipeline", "request",
        "parameter", "parameter:", "parameters:", "setting",  "processor"};
    struct str word = word_before(text, at);
    if (str_equal(word, STR("field")) &&
        str_equal(word_before(text, (size_t)(word.ptr - text.ptr)), STR("date")))
        return false;
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        if (str_equal(word, str_from(WORDS[i])))
            return true;
    return false;
}

static size_t first_of(struct str text, size_t from, char c)
{
    const char *found = from < text.len ? memchr(text.ptr + from, c, text.len - from) : NULL;
    return found ? (size_t)(found - text.ptr) : text.len;
}

static size_t last_of(struct str text, size_t from, char c)
{
    size_t at = text.len;
    while (at > from && text.ptr[at - 1] != c)
        at--;
    return at > from ? at - 1 : text.len;
}

void redact_reason(struct str reason, struct buf *out)
{
    enum { NAME_MAX_BYTES = 256 };
    size_t at = 0;
    while (at < reason.len) {
        if (!opens(reason, at)) {
            buf_append_char(out, reason.ptr[at++]);
            continue;
        }
        char closing = closing_of(reason.ptr[at]);
        size_t end = first_of(reason, at + 1, closing);
        bool is_name = end < reason.len && end - at <= NAME_MAX_BYTES && is_name_before(reason, at);
        if (!is_name)
            end = last_of(reason, at + 1, closing);
        buf_append_char(out, reason.ptr[at]);
        buf_append_str(out, is_name ? str_make(reason.ptr + at + 1, end - at - 1) : STR("..."));
        if (end < reason.len)
            buf_append_char(out, closing);
        at = end + 1;
    }
}
