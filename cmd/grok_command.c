/* SPDX-License-Identifier: Apache-2.0
 *
 * `millrace grok PATTERN [TEXT]`: what a grok expression makes of a text. Where it does not match, the longest front part
 * of the expression that does is shown, and the piece that stopped it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grok.h"
#include "base/utf8.h"
#include "cmd/commands.h"
#include "cmd/flags.h"

enum { FLAG_LEGACY, FLAG_PATTERNS, FLAG_EXPAND, FLAG_HELP, PIECES_MAX = 512, LINE_MAX_BYTES = 1 << 20 };

const struct flag grok_flags[] = {
    {"legacy", 0, false, FLAG_LEGACY},
    {"patterns", 'p', true, FLAG_PATTERNS},
    {"expand", 'x', false, FLAG_EXPAND},
    {"help", 'h', false, FLAG_HELP},
    {NULL, 0, false, 0},
};

static const char USAGE[] =
    "usage: millrace grok [--legacy] [--patterns PATH] [--expand] PATTERN [TEXT]\n"
    "Without TEXT each line of standard input is tried. --legacy: field names without ECS.\n"
    "Exit status 0 when every text matched, 1 when one did not.\n";

struct grok_session {
    struct arena arena;
    struct grok_library *library;
    struct regex_scratch *scratch;
    struct str expression;
    struct grok grok;
};

/* The offsets at which the expression may be cut: before each %{…} and behind it, outside of groups and classes. */
static size_t find_cuts(struct str expression, size_t cuts[PIECES_MAX])
{
    size_t count = 0;
    int depth = 0;
    bool in_class = false;
    for (size_t at = 0; at < expression.len && count < PIECES_MAX - 2; at++) {
        char c = expression.ptr[at];
        if (c == '\\') {
            at++;
        } else if (c == '%' && at + 1 < expression.len && expression.ptr[at + 1] == '{') {
            if (depth == 0 && !in_class)
                cuts[count++] = at;
            while (at < expression.len && expression.ptr[at] != '}')
                at++;
            if (depth == 0 && !in_class && at < expression.len)
                cuts[count++] = at + 1;
        } else if (in_class) {
            in_class = c != ']';
        } else {
            in_class = c == '[';
            depth += (c == '(') - (c == ')');
        }
    }
    cuts[count++] = expression.len;
    return count;
}

static bool front_matches(struct grok_session *session, size_t len, struct str text, size_t *end_out)
{
    struct grok front;
    if (!grok_compile(&session->arena, session->library, str_make(session->expression.ptr, len), true,
                      &front, NULL))
        return false;
    size_t start = 0, end = 0;
    bool matches = regex_search(front.regex, session->scratch, text, 0) == REGEX_MATCHED &&
                   regex_group(session->scratch, 0, &start, &end);
    grok_release(&front);
    *end_out = end;
    return matches;
}

static void explain_failure(struct grok_session *session, struct str text)
{
    size_t cuts[PIECES_MAX], reached = 0, good = 0;
    size_t count = find_cuts(session->expression, cuts);
    for (size_t i = 0; i < count; i++) {
        size_t end;
        if (!front_matches(session, cuts[i], text, &end)) {
            printf("no match; stopped by: %.*s\n", (int)(cuts[i] - good),
                   session->expression.ptr + good);
            break;
        }
        good = cuts[i];
        reached = end;
    }
    if (good > 0)
        printf("  matches so far: %.*s\n", (int)good, session->expression.ptr);
    printf("  %.*s\n  %*s^ got as far as byte %zu\n", STR_FMT(text), (int)utf8_length(str_make(text.ptr, reached)), "",
           reached);
}

static void print_capture(const struct grok_capture *capture, struct str text, size_t start,
                          size_t end)
{
    static const char *const TYPES[] = {"", " (int)", " (float)"};
    printf("  %.*s = %.*s%s   [%zu..%zu]\n", STR_FMT(capture->field), (int)(end - start),
           text.ptr + start, TYPES[capture->type], start, end);
}

static bool try_text(struct grok_session *session, struct str text)
{
    enum regex_result result = regex_search(session->grok.regex, session->scratch, text, 0);
    size_t start = 0, end = 0;
    if (result == REGEX_LIMIT) {
        printf("given up: the match took more than %d steps\n", REGEX_MATCH_LIMIT);
        return false;
    }
    if (result == REGEX_NO_MATCH || !regex_group(session->scratch, 0, &start, &end)) {
        explain_failure(session, text);
        return false;
    }
    printf("match: bytes %zu..%zu of %zu\n", start, end, text.len);
    for (size_t i = 0; i < session->grok.count; i++)
        if (regex_group(session->scratch, session->grok.captures[i].group, &start, &end))
            print_capture(&session->grok.captures[i], text, start, end);
    return true;
}

static bool try_lines(struct grok_session *session)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t len;
    bool all = true;
    while ((len = getline(&line, &capacity, stdin)) >= 0) {
        struct str text = str_make(line, (size_t)len);
        if (text.len > 0 && text.ptr[text.len - 1] == '\n')
            text.len--;
        if (text.len > LINE_MAX_BYTES)
            text.len = LINE_MAX_BYTES;
        all = try_text(session, utf8_repair(&session->arena, text)) && all;
    }
    free(line);
    return all;
}

struct grok_request {
    const char *pattern, *text, *patterns;
    bool legacy, expand;
};

static bool read_request(int argc, char **argv, struct grok_request *request, int *status)
{
    struct flags flags = {argc, argv, grok_flags, .at = 1};
    *status = EXIT_USAGE;
    for (int id; (id = flags_next(&flags)) != FLAGS_END;) {
        if (id == FLAGS_OPERAND && !request->text)
            *(request->pattern ? &request->text : &request->pattern) = flags.value;
        else if (id == FLAG_LEGACY)
            request->legacy = true;
        else if (id == FLAG_EXPAND)
            request->expand = true;
        else if (id == FLAG_PATTERNS)
            request->patterns = flags.value;
        else {
            *status = id == FLAG_HELP ? EXIT_DONE : EXIT_USAGE;
            fputs(USAGE, id == FLAG_HELP ? stdout : stderr);
            return false;
        }
    }
    if (!request->pattern)
        fputs(USAGE, stderr);
    return request->pattern;
}

static bool prepare(struct grok_session *session, const struct grok_request *request)
{
    struct error err = {0};
    arena_init(&session->arena, NULL);
    session->library = grok_library_new(request->legacy ? GROK_SET_LEGACY : GROK_SET_ECS);
    session->scratch = regex_scratch_new(NULL);
    session->expression = str_from(request->pattern);
    if ((!request->patterns ||
         grok_library_load_path(session->library, request->patterns, "*", &err)) &&
        grok_compile(&session->arena, session->library, session->expression, true, &session->grok,
                     &err))
        return true;
    fprintf(stderr, "millrace grok: %s\n", err.text);
    return false;
}

int cmd_grok(int argc, char **argv)
{
    struct grok_request request = {0};
    int status;
    if (!read_request(argc, argv, &request, &status))
        return status;
    struct grok_session session = {0};
    bool ok = prepare(&session, &request);
    if (ok && request.expand)
        printf("%.*s\n", STR_FMT(session.grok.expanded));
    else if (ok)
        ok = request.text ? try_text(&session, utf8_repair(&session.arena, str_from(request.text)))
                          : try_lines(&session);
    grok_release(&session.grok);
    grok_library_free(session.library);
    regex_scratch_free(session.scratch);
    arena_release(&session.arena);
    return ok ? EXIT_DONE : EXIT_ERROR;
}
