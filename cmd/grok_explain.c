/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/grok_explain.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

/* How far the search for the piece has come. */
struct search {
    const struct grok_trial *trial;
    struct str path[GROK_MAX_DEPTH];
    size_t depth;
    struct grok_stop *best;
    bool has_best;
};

/* What was tried already: this matches, up to `reached`. */
struct front {
    struct str text;
    struct str shown; /* its end, in the pattern that it was written in */
    size_t reached;
};

static void explain(struct search *search, const struct front *front, struct str body);

/* ---- the parts of an expression ----------------------------------------------------------------------- */

static bool is_reference(struct str text, size_t at)
{
    return at + 1 < text.len && text.ptr[at] == '%' && text.ptr[at + 1] == '{';
}

static size_t skip_escape(struct str text, size_t at)
{
    return at + 2 < text.len ? at + 2 : text.len;
}

/* Behind the ']' that closes the class at `at`. */
static size_t skip_class(struct str text, size_t at)
{
    unsigned open = 0;
    while (at < text.len) {
        char c = text.ptr[at];
        if (c == '\\') {
            at = skip_escape(text, at);
            continue;
        }
        at++;
        open += c == '[';
        if (c == ']' && --open == 0)
            break;
    }
    return at;
}

static size_t skip_reference(struct str text, size_t at)
{
    const char *end = memchr(text.ptr + at, '}', text.len - at);
    return end ? (size_t)(end - text.ptr) + 1 : text.len;
}

/* Behind a group, a class, a reference, an escape or a character. */
static size_t skip_unit(struct str text, size_t at)
{
    unsigned open = 0;
    do {
        char c = text.ptr[at];
        if (c == '\\')
            at = skip_escape(text, at);
        else if (c == '[')
            at = skip_class(text, at);
        else if (is_reference(text, at))
            at = skip_reference(text, at);
        else {
            open += c == '(';
            open -= c == ')' && open > 0;
            at++;
        }
    } while (open > 0 && at < text.len);
    return at;
}

static size_t skip_quantifier(struct str text, size_t at)
{
    while (at < text.len) {
        if (strchr("*+?", text.ptr[at]))
            at++;
        else if (text.ptr[at] == '{' && at + 1 < text.len &&
                 (isdigit((unsigned char)text.ptr[at + 1]) || text.ptr[at + 1] == ','))
            at = skip_reference(text, at);
        else
            break;
    }
    return at;
}

static bool is_composed(struct str text, size_t at)
{
    return text.ptr[at] == '(' || is_reference(text, at);
}

/* A piece is a reference or a group with its quantifier, or what stands between such. */
static size_t piece_end(struct str text, size_t at)
{
    if (is_composed(text, at))
        return skip_quantifier(text, skip_unit(text, at));
    while (at < text.len && !is_composed(text, at))
        at = skip_unit(text, at);
    return at;
}

static size_t alternative_end(struct str text, size_t at)
{
    while (at < text.len && text.ptr[at] != '|')
        at = skip_unit(text, at);
    return at;
}

/* What a group consists of. False for one that looks around: it takes no text. */
static bool open_group(struct str piece, struct str *body_out)
{
    size_t end = skip_unit(piece, 0), start = 1;
    if (piece.len < 2 || piece.ptr[0] != '(' || piece.ptr[end - 1] != ')')
        return false;
    if (piece.ptr[1] == '?') {
        bool is_named = piece.len > 3 && piece.ptr[2] == '<' && !strchr("=!", piece.ptr[3]);
        const char *close = is_named ? memchr(piece.ptr, '>', end) : NULL;
        if (close)
            start = (size_t)(close - piece.ptr) + 1;
        else if (piece.ptr[2] == ':' || piece.ptr[2] == '>')
            start = 3;
        else
            return false;
    }
    *body_out = str_make(piece.ptr + start, end - 1 - start);
    return true;
}

/* What a reference stands for. */
static bool open_reference(const struct search *search, struct str piece, struct str *body_out)
{
    struct grok_definition definition;
    size_t end = 2;
    if (!is_reference(piece, 0))
        return false;
    while (end < piece.len && piece.ptr[end] != ':' && piece.ptr[end] != '}')
        end++;
    if (!grok_library_find(search->trial->library, str_make(piece.ptr + 2, end - 2), &definition))
        return false;
    *body_out = definition.text;
    return true;
}

/* ---- trying ------------------------------------------------------------------------------------------- */

static bool matches(const struct search *search, struct str expression, size_t *end_out)
{
    const struct grok_trial *trial = search->trial;
    struct grok grok;
    if (!grok_compile(trial->arena, trial->library, expression, true, &grok, NULL))
        return false;
    size_t start = 0;
    bool found = regex_search(grok.regex, trial->scratch, trial->text, 0) == REGEX_MATCHED &&
                 regex_group(trial->scratch, 0, &start, end_out);
    grok_release(&grok);
    return found;
}

static struct str join(const struct search *search, struct str front, struct str piece)
{
    return arena_printf(search->trial->arena, "%.*s%.*s", STR_FMT(front), STR_FMT(piece));
}

/* The first of those that got equally far stays. */
static void remember(struct search *search, const struct front *front, struct str piece)
{
    struct grok_stop *best = search->best;
    if (search->has_best && front->reached <= best->reached)
        return;
    search->has_best = true;
    best->piece = piece;
    best->behind = front->shown;
    best->reached = front->reached;
    best->depth = search->depth;
    memcpy(best->inside, search->path, search->depth * sizeof *search->path);
}

/* Into the piece that does not match behind the front. */
static void descend(struct search *search, const struct front *front, struct str piece)
{
    struct str body;
    remember(search, front, piece);
    if (open_group(piece, &body)) {
        explain(search, front, body);
    } else if (search->depth < GROK_MAX_DEPTH && open_reference(search, piece, &body)) {
        search->path[search->depth++] = piece;
        explain(search, front, body);
        search->depth--;
    }
}

static void explain_sequence(struct search *search, const struct front *given, struct str sequence)
{
    struct front front = *given;
    size_t at = 0, end = 0;
    for (; at < sequence.len; at = end) {
        size_t reached = 0;
        end = piece_end(sequence, at);
        struct str longer = join(search, given->text, str_make(sequence.ptr, end));
        if (!matches(search, longer, &reached))
            break;
        front = (struct front){longer, str_make(sequence.ptr, end), reached};
    }
    if (at < sequence.len)
        descend(search, &front, str_make(sequence.ptr + at, end - at));
}

static void explain(struct search *search, const struct front *front, struct str body)
{
    for (size_t at = 0; at < body.len;) {
        size_t end = alternative_end(body, at);
        explain_sequence(search, front, str_make(body.ptr + at, end - at));
        at = end + 1;
    }
}

void grok_explain(const struct grok_trial *trial, struct str expression, struct grok_stop *out)
{
    struct search search = {.trial = trial, .best = out};
    const struct front nothing = {.text = STR("")};
    *out = (struct grok_stop){.reached = 0};
    explain(&search, &nothing, expression);
    assert(search.depth == 0 && out->reached <= trial->text.len);
}
