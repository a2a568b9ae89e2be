/* SPDX-License-Identifier: Apache-2.0
 *
 * What the expression says, for plain separators: a key is a run of characters that separate nothing, or that have a
 * backslash before them; behind it comes what splits key and value; then a value, in quotes or brackets if what follows
 * them separates pairs, else a run up to there. Given the splitter a value is always found, so that a key without one is
 * the only failure, and it fails for all starts within the run alike.
 *
 * The expression can also read a backslash as a character of its own, when reading it with the next one led nowhere. Where
 * that could make a difference the expression is asked (is_open_question).
 */
#include "filters/kv/kv_scan.h"

#include <assert.h>
#include <string.h>

/* ---- sets ------------------------------------------------------------------------------------------- */

static bool add_escaped(char letter, struct kv_set *out)
{
    static const char LETTERS[] = "tnrfv", MEANINGS[] = "\t\n\r\f\v";
    static const char SYMBOLS[] = "!\"#%',./:;<=>?@[]^_`{|}~()*+$-& ";
    const char *at = letter ? strchr(LETTERS, letter) : NULL;
    if (at)
        letter = MEANINGS[at - LETTERS];
    else if (!letter || !strchr(SYMBOLS, letter))
        return false;
    out->has[(unsigned char)letter] = true;
    return true;
}

bool kv_set_read(struct str content, struct kv_set *out)
{
    *out = (struct kv_set){.has = {false}};
    if (content.len == 0 || content.ptr[0] == '^' || str_find(content, STR("&&")) != SIZE_MAX)
        return false;
    for (size_t i = 0; i < content.len; i++) {
        char c = content.ptr[i];
        if (c == '\\') {
            if (++i == content.len || !add_escaped(content.ptr[i], out))
                return false;
            continue;
        }
        if ((unsigned char)c >= 0x80 || c == '\0' || strchr("[]-", c))
            return false;
        out->has[(unsigned char)c] = true;
    }
    return true;
}

static struct kv_set both(const struct kv_set *a, const struct kv_set *b)
{
    struct kv_set set;
    for (size_t i = 0; i < sizeof set.has; i++)
        set.has[i] = a->has[i] || b->has[i];
    return set;
}

/* The key's class holds both contents, so they must be plain side by side too. */
static bool read_sets(struct kv_scanner *scanner, const struct kv_separators *separators)
{
    if (separators->field_split_pattern.ptr || separators->value_split_pattern.ptr ||
        !kv_set_read(separators->field_split, &scanner->field) ||
        !kv_set_read(separators->value_split, &scanner->value))
        return false;
    if (str_ends_with(separators->value_split, STR("&")) &&
        str_starts_with(separators->field_split, STR("&")))
        return false;
    scanner->either = both(&scanner->field, &scanner->value);
    return !scanner->either.has['\\'] && !(scanner->lenient && scanner->value.has[' ']);
}

bool kv_scanner_open(struct kv_scanner *scanner, struct arena *arena,
                     const struct kv_separators *separators, struct error *err)
{
    *scanner =
        (struct kv_scanner){.lenient = separators->lenient, .brackets = separators->brackets};
    scanner->scan = kv_scan_compile(arena, separators, err);
    if (scanner->scan)
        scanner->value_split = kv_value_split_compile(arena, separators, err);
    if (!scanner->value_split) {
        kv_scanner_close(scanner);
        return false;
    }
    scanner->is_plain = read_sets(scanner, separators);
    return true;
}

void kv_scanner_close(struct kv_scanner *scanner)
{
    regex_free(scanner->scan);
    regex_free(scanner->value_split);
    *scanner = (struct kv_scanner){.is_plain = false};
}

bool kv_set_trim(const struct kv_set *set, struct str *text)
{
    if (set->has['\n'] || (text->len > 0 && memchr(text->ptr, '\n', text->len)))
        return false;
    while (text->len > 0 && set->has[(unsigned char)text->ptr[0]])
        *text = str_from_offset(*text, 1);
    while (text->len > 0 && set->has[(unsigned char)text->ptr[text->len - 1]])
        text->len--;
    return true;
}

void kv_set_remove(struct arena *arena, const struct kv_set *set, struct str *text)
{
    size_t first = 0, kept = 0;
    while (first < text->len && !set->has[(unsigned char)text->ptr[first]])
        first++;
    if (first == text->len)
        return;
    char *out = arena_alloc(arena, text->len);
    for (size_t i = 0; i < text->len; i++) {
        out[kept] = text->ptr[i];
        kept += !set->has[(unsigned char)text->ptr[i]];
    }
    *text = str_make(out, kept);
}

/* ---- by the expression ------------------------------------------------------------------------------ */

/* The groups of the last match: the key, and the first of the others that took part. */
static void read_match(const struct kv_scanner *scanner, const struct regex_scratch *scratch,
                       struct kv_cursor *cursor, struct kv_pair *out)
{
    struct str text = cursor->text;
    size_t start = 0, end = 0, match_end = 0;
    regex_group(scratch, 0, &start, &match_end);
    assert(match_end > start && match_end <= text.len);
    bool has_key = regex_group(scratch, 1, &start, &end);
    *out = (struct kv_pair){has_key ? str_make(text.ptr + start, end - start) : STR(""), STR("")};
    for (unsigned group = 2; group <= regex_group_count(scanner->scan); group++) {
        if (regex_group(scratch, group, &start, &end)) {
            out->value = str_make(text.ptr + start, end - start);
            break;
        }
    }
    cursor->from = match_end;
}

static enum kv_found search(const struct kv_scanner *scanner, struct kv_cursor *cursor,
                            struct regex_scratch *scratch, struct kv_pair *out)
{
    enum regex_result result = REGEX_MATCHED;
    if (!cursor->has_separator) /* most texts without pairs have none */
        result = regex_search(scanner->value_split, scratch, cursor->text, 0);
    cursor->has_separator = result == REGEX_MATCHED;
    if (result == REGEX_MATCHED && cursor->from < cursor->text.len)
        result = regex_search(scanner->scan, scratch, cursor->text, cursor->from);
    else if (result == REGEX_MATCHED)
        result = REGEX_NO_MATCH;
    if (result != REGEX_MATCHED)
        return result == REGEX_LIMIT ? KV_GIVEN_UP : KV_NO_PAIR;
    read_match(scanner, scratch, cursor, out);
    return KV_PAIR;
}

/* ---- by hand ---------------------------------------------------------------------------------------- */

static bool in_set(const struct kv_set *set, struct str text, size_t at)
{
    return at < text.len && set->has[(unsigned char)text.ptr[at]];
}

static bool is_at(struct str text, size_t at, char c)
{
    return at < text.len && text.ptr[at] == c;
}

static size_t skip_blanks(const struct kv_scanner *scanner, struct str text, size_t at)
{
    while (scanner->lenient && is_at(text, at, ' '))
        at++;
    return at;
}

/* The end of a run: the first character of the set that has no backslash before it. A line feed cannot have one. */
static size_t run_end(const struct kv_set *set, struct str text, size_t at)
{
    while (at < text.len && !set->has[(unsigned char)text.ptr[at]]) {
        bool escapes = text.ptr[at] == '\\' && at + 1 < text.len && text.ptr[at + 1] != '\n';
        at += escapes ? 2 : 1;
    }
    return at;
}

/* Whether the splitter is at `at`, behind blanks; if so it moves behind it. */
static bool take_splitter(const struct kv_scanner *scanner, struct str text, size_t *at)
{
    size_t splitter = skip_blanks(scanner, text, *at);
    if (!in_set(&scanner->value, text, splitter))
        return false;
    *at = skip_blanks(scanner, text, splitter + 1);
    return true;
}

/* The key's run has no splitter behind it. Whether another reading of backslashes might have: then there is a splitter
 * among the characters behind them. end_out: where no reading goes on. */
static bool is_open_question(const struct kv_scanner *scanner, struct str text, size_t start,
                             size_t *end_out)
{
    size_t at = start;
    bool any = false;
    for (; at < text.len; at++) {
        if (!scanner->either.has[(unsigned char)text.ptr[at]])
            continue;
        if (at == start || text.ptr[at - 1] != '\\' || text.ptr[at] == '\n')
            break;
        any |= scanner->value.has[(unsigned char)text.ptr[at]];
    }
    *end_out = at;
    return any || take_splitter(scanner, text, &at);
}

/* ---- values in quotes and brackets ---- */

static const char OPENERS[] = "\"'([<", CLOSERS[] = "\"')]>";

/* The first closer at `from` or behind it: one with a backslash before it, or one that no backslash belongs to. */
static size_t find_closer(struct str text, size_t from, char closer, bool escaped)
{
    for (size_t at = from; at < text.len; at++) {
        const char *found = memchr(text.ptr + at, closer, text.len - at);
        size_t backslashes = 0;
        if (!found)
            break;
        at = (size_t)(found - text.ptr);
        while (at - backslashes > from && text.ptr[at - backslashes - 1] == '\\')
            backslashes++;
        if (escaped ? backslashes > 0 : backslashes % 2 == 0)
            return at;
    }
    return SIZE_MAX;
}

/* Those behind an opener at from - 1. What was found for an earlier opener holds as long as it lies ahead, so that the text
 * is gone through once for each kind. */
static size_t next_closer(struct kv_cursor *cursor, size_t nth, size_t from, bool escaped)
{
    struct kv_closer *closer = escaped ? &cursor->escaped[nth] : &cursor->open[nth];
    if (!closer->is_known || closer->at < from) {
        closer->at = find_closer(cursor->text, from, CLOSERS[nth], escaped);
        closer->is_known = true;
    }
    return closer->at;
}

static bool ends_pair(const struct kv_scanner *scanner, struct str text, size_t at)
{
    return at >= text.len || text.ptr[at] == '\n' || in_set(&scanner->field, text, at);
}

enum quoted { QUOTED_NOT, QUOTED_FOUND, QUOTED_UNSURE };

/* A value in quotes or brackets at `at`, its contents and the end of its closer. */
static enum quoted take_quoted(const struct kv_scanner *scanner, struct kv_cursor *cursor,
                               size_t at, struct str *value_out, size_t *end_out)
{
    struct str text = cursor->text;
    const char *opener = at < text.len && text.ptr[at] ? strchr(OPENERS, text.ptr[at]) : NULL;
    if (!opener || (!scanner->brackets && opener - OPENERS >= 2))
        return QUOTED_NOT;
    size_t nth = (size_t)(opener - OPENERS);
    size_t close = next_closer(cursor, nth, at + 1, false);
    if (close != SIZE_MAX && ends_pair(scanner, text, close + 1)) {
        *value_out = str_make(text.ptr + at + 1, close - at - 1);
        *end_out = close + 1;
        return QUOTED_FOUND;
    }
    size_t escaped = next_closer(cursor, nth, at + 1, true);
    return escaped == SIZE_MAX || escaped > close ? QUOTED_NOT : QUOTED_UNSURE;
}

/* Behind the splitter. False: ask the expression. */
static bool take_value(const struct kv_scanner *scanner, struct kv_cursor *cursor, size_t at,
                       struct str *value_out, size_t *end_out)
{
    struct str text = cursor->text;
    switch (take_quoted(scanner, cursor, at, value_out, end_out)) {
    case QUOTED_FOUND:
        return true;
    case QUOTED_UNSURE:
        return false;
    case QUOTED_NOT:
        break;
    }
    *end_out = run_end(&scanner->field, text, at);
    *value_out = str_make(text.ptr + at, *end_out - at);
    return true;
}

/* The next pair from the cursor on. UNSURE: the expression has to be asked, from the cursor on. */
enum walked { WALKED_PAIR, WALKED_END, WALKED_UNSURE };

static enum walked walk(const struct kv_scanner *scanner, struct kv_cursor *cursor,
                        struct kv_pair *out)
{
    struct str text = cursor->text;
    while (cursor->from < text.len) {
        size_t start = cursor->from, end, behind;
        if (in_set(&scanner->either, text, start)) {
            cursor->from++;
            continue;
        }
        end = behind = run_end(&scanner->either, text, start);
        if (take_splitter(scanner, text, &behind)) {
            out->key = str_make(text.ptr + start, end - start);
            if (!take_value(scanner, cursor, behind, &out->value, &behind))
                return WALKED_UNSURE;
            cursor->from = behind + in_set(&scanner->field, text, behind);
            return WALKED_PAIR;
        }
        if (memchr(text.ptr + start, '\\', end - start) &&
            is_open_question(scanner, text, start, &end))
            return WALKED_UNSURE;
        cursor->from = end;
    }
    return WALKED_END;
}

enum kv_found kv_next(const struct kv_scanner *scanner, struct kv_cursor *cursor,
                      struct regex_scratch *scratch, struct kv_pair *out)
{
    size_t from = cursor->from;
    if (!scanner->is_plain)
        return search(scanner, cursor, scratch, out);
    switch (walk(scanner, cursor, out)) {
    case WALKED_PAIR:
        break;
    case WALKED_END:
        return KV_NO_PAIR;
    case WALKED_UNSURE:
        cursor->has_separator = true;
        return search(scanner, cursor, scratch, out);
    }
    return regex_budget_spend(scratch, cursor->from - from) ? KV_PAIR : KV_GIVEN_UP;
}
