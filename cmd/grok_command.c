/* SPDX-License-Identifier: Apache-2.0
 *
 * `millrace grok PATTERN [TEXT]`: what a grok expression makes of a text. Where it does not match, the innermost piece
 * that stopped it is shown (grok_explain.h). The steps are found by trying smaller and smaller limits with the same compiled
 * code that pipelines use. `millrace grok --list`: the names of the patterns that ship.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/grok/grok.h"
#include "base/text/utf8.h"
#include "cmd/commands.h"
#include "cmd/flags.h"
#include "cmd/grok_explain.h"
#include "cmd/grok_list.h"

enum { FLAG_LEGACY, FLAG_PATTERNS, FLAG_EXPAND, FLAG_LIST, FLAG_MARKDOWN, FLAG_HELP };
enum { LINE_MAX_BYTES = 1 << 20 };
/* Characters, so that what is printed fits a terminal of 80. */
enum { LINE_WIDTH = 62, PLACE_BEFORE = 40, NAME_WIDTH_MAX = 40 };

const struct flag grok_flags[] = {
    {"legacy", 0, false, FLAG_LEGACY},
    {"patterns", 'p', true, FLAG_PATTERNS},
    {"expand", 'x', false, FLAG_EXPAND},
    {"list", 'l', false, FLAG_LIST},
    {"markdown", 0, false, FLAG_MARKDOWN},
    {"help", 'h', false, FLAG_HELP},
    {NULL, 0, false, 0},
};

static const char USAGE[] =
    "usage: millrace grok [--legacy] [--patterns PATH] [--expand] PATTERN [TEXT]\n"
    "       millrace grok --list\n"
    "What was captured; or how far the text matched, and the innermost piece of the\n"
    "pattern that stopped it. Without TEXT each line of standard input is tried.\n"
    "  --legacy         field names without ECS\n"
    "  -p, --patterns PATH  patterns of a file or folder, too\n"
    "  -x, --expand     the regular expression that PATTERN becomes\n"
    "  -l, --list       the names of the patterns that ship; --markdown: as a page\n"
    "A step is one more way through the pattern that was tried. A pipeline gives a\n"
    "search up after as many as its setting regex.match_limit says.\n"
    "Exit status 0 when every text matched, 1 when one did not.\n";

struct grok_session {
    struct arena arena;
    struct grok_library *library;
    struct regex_scratch *scratch;
    struct str expression;
    struct grok grok;
    bool has_colours;
};

/* ---- printing ------------------------------------------------------------------------------------- */

static const char RED[] = "31", GREEN[] = "32", CYAN[] = "36";

/* Text in a colour, where there is a terminal to show it. */
static void print_coloured(const struct grok_session *session, const char *colour, const char *text)
{
    if (session->has_colours)
        printf("\033[%sm%s\033[0m", colour, text);
    else
        fputs(text, stdout);
}

/* Nothing in the text may steer the terminal. */
static void print_value(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool is_c1 = c == 0xC2 && i + 1 < text.len && (unsigned char)text.ptr[i + 1] < 0xA0;
        if (c == '\t')
            fputs("\\t", stdout);
        else if (c == '\n')
            fputs("\\n", stdout);
        else if (c < ' ' || c == 0x7F)
            printf("\\x%02x", c);
        else if (is_c1)
            printf("\\u%04x", (unsigned char)text.ptr[++i]);
        else
            putchar(c);
    }
}

static bool is_inside_character(struct str text, size_t at)
{
    return at < text.len && ((unsigned char)text.ptr[at] & 0xC0) == 0x80;
}

/* The offset `characters` before at. */
static size_t step_back(struct str text, size_t at, size_t characters)
{
    while (at > 0 && characters > 0) {
        at--;
        if (!is_inside_character(text, at))
            characters--;
    }
    return at;
}

static size_t step_on(struct str text, size_t at, size_t characters)
{
    for (; at < text.len && characters > 0; characters--) {
        at++;
        while (is_inside_character(text, at))
            at++;
    }
    return at;
}

/* One column for each character of a line that a mark stands under. */
static void print_flat(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool is_c1 = c == 0xC2 && i + 1 < text.len && (unsigned char)text.ptr[i + 1] < 0xA0;
        i += is_c1;
        putchar(c < ' ' || c == 0x7F || is_c1 ? '.' : c);
    }
}

/* The part of the text around an offset, and a mark below it. */
static void print_place(const struct grok_session *session, struct str text, size_t at)
{
    size_t start = step_back(text, at, PLACE_BEFORE), end = step_on(text, start, LINE_WIDTH);
    size_t column = utf8_length(str_make(text.ptr + start, at - start)) + (start > 0);
    fputs(start > 0 ? "  text        …" : "  text        ", stdout);
    print_flat(str_make(text.ptr + start, end - start));
    printf("%s\n              %*s", end < text.len ? "…" : "", (int)column, "");
    print_coloured(session, RED, "^");
    printf(at < text.len ? " byte %zu of %zu\n" : " byte %zu: its end\n", at, text.len);
}

static void print_steps(uint32_t steps)
{
    if (steps == UINT32_MAX)
        printf(", more than %d steps\n", REGEX_MATCH_LIMIT);
    else
        printf(", %u step%s\n", (unsigned)steps, steps == 1 ? "" : "s");
}

/* ---- a text that does not match -------------------------------------------------------------------- */

/* The front part of an expression, or as much of its end as fits a line. */
static void print_front(struct str front)
{
    size_t start = step_back(front, front.len, LINE_WIDTH);
    fputs(start > 0 ? "  behind      …" : "  behind      ", stdout);
    print_value(str_from_offset(front, start));
    putchar('\n');
}

static void print_piece(struct str piece)
{
    size_t end = step_on(piece, 0, LINE_WIDTH);
    fputs("  stopped by  ", stdout);
    print_value(str_make(piece.ptr, end));
    puts(end < piece.len ? "…" : "");
}

/* The patterns that the piece stands in: the innermost, as many as fit a line. */
static void print_inside(const struct grok_stop *stop)
{
    size_t first = stop->depth, width = 0;
    while (first > 0) {
        width += utf8_length(stop->inside[first - 1]) + 1;
        if (width > LINE_WIDTH && first < stop->depth)
            break;
        first--;
    }
    fputs(first > 0 ? "  inside      … " : "  inside      ", stdout);
    for (size_t i = first; i < stop->depth; i++) {
        size_t end = step_on(stop->inside[i], 0, LINE_WIDTH);
        fputs(i > first ? " " : "", stdout);
        print_value(str_make(stop->inside[i].ptr, end));
    }
    putchar('\n');
}

static void explain_failure(struct grok_session *session, struct str text)
{
    const struct grok_trial trial = {&session->arena, session->library, session->scratch, text};
    struct grok_stop stop;
    grok_explain(&trial, session->expression, &stop);
    if (stop.piece.len > 0)
        print_piece(stop.piece);
    if (stop.depth > 0)
        print_inside(&stop);
    if (stop.behind.len > 0)
        print_front(stop.behind);
    print_place(session, text, stop.reached);
}

/* ---- a text that matches --------------------------------------------------------------------------- */

static int name_width(const struct grok *grok)
{
    size_t width = 0;
    for (size_t i = 0; i < grok->count; i++) {
        size_t len = utf8_length(grok->captures[i].field);
        width = len > width ? len : width;
    }
    return width < NAME_WIDTH_MAX ? (int)width : NAME_WIDTH_MAX;
}

static void print_capture(struct grok_session *session, const struct grok_capture *capture,
                          struct str found, int width)
{
    static const char *const TYPES[] = {"", " (int)", " (float)"};
    int padding = width - (int)utf8_length(capture->field);
    fputs("  ", stdout);
    print_coloured(session, CYAN, arena_cstr(&session->arena, capture->field));
    printf("%*s = ", padding > 0 ? padding : 0, "");
    print_value(found);
    puts(found.len > 0 ? TYPES[capture->type] : "(empty: sets no field)");
}

static void print_match(struct grok_session *session, struct str text)
{
    size_t start = 0, end = 0;
    uint32_t steps = regex_count_steps(session->grok.regex, session->scratch, text);
    regex_search(session->grok.regex, session->scratch, text, 0);
    regex_group(session->scratch, 0, &start, &end);
    print_coloured(session, GREEN, "match");
    printf(": bytes %zu..%zu of %zu", start, end, text.len);
    print_steps(steps);
    int width = name_width(&session->grok);
    for (size_t i = 0; i < session->grok.count; i++) {
        const struct grok_capture *capture = &session->grok.captures[i];
        if (regex_group(session->scratch, capture->group, &start, &end))
            print_capture(session, capture, str_make(text.ptr + start, end - start), width);
    }
}

static bool try_text(struct grok_session *session, struct str text)
{
    enum regex_result result = regex_search(session->grok.regex, session->scratch, text, 0);
    if (result == REGEX_MATCHED) {
        print_match(session, text);
        return true;
    }
    print_coloured(session, RED, result == REGEX_LIMIT ? "given up" : "no match");
    print_steps(regex_count_steps(session->grok.regex, session->scratch, text));
    explain_failure(session, text);
    return false;
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
    bool legacy, expand, list, markdown;
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
        else if (id == FLAG_LIST)
            request->list = true;
        else if (id == FLAG_MARKDOWN)
            request->markdown = true;
        else if (id == FLAG_PATTERNS)
            request->patterns = flags.value;
        else {
            *status = id == FLAG_HELP ? EXIT_DONE : EXIT_USAGE;
            fputs(USAGE, id == FLAG_HELP ? stdout : stderr);
            return false;
        }
    }
    if (!request->pattern && !request->list)
        fputs(USAGE, stderr);
    return request->pattern || request->list;
}

static bool load_patterns(struct grok_session *session, const struct grok_request *request,
                          struct error *err)
{
    size_t files = 0;
    if (!request->patterns)
        return true;
    if (!grok_library_load_path(session->library, request->patterns, "*", &files, err))
        return false;
    return files > 0 ||
           error_set(err, ERROR_NOT_FOUND, "there is no pattern file '%s'", request->patterns);
}

static bool prepare(struct grok_session *session, const struct grok_request *request)
{
    struct error err = {0};
    arena_init(&session->arena, NULL);
    session->library = grok_library_new(request->legacy ? GROK_SET_LEGACY : GROK_SET_ECS);
    session->scratch = regex_scratch_new(NULL);
    session->has_colours = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
    session->expression = str_from(request->pattern);
    if (grok_library_load_home(session->library, &err) && load_patterns(session, request, &err) &&
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
    if (request.list) {
        (request.markdown ? grok_list_print_markdown : grok_list_print)();
        return EXIT_DONE;
    }
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
