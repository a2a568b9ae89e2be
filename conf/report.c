/* SPDX-License-Identifier: Apache-2.0
 *
 * Printing the errors of a configuration.
 */
#include "conf/report.h"

#include "base/colour.h"
#include "base/text/utf8.h"

enum { LINE_MAX_BYTES = CONF_SOURCE_MAX_BYTES * 4 };

struct report {
    FILE *out;
    const struct conf_source *source; /* or NULL */
    bool colours;
};

static void put(const struct report *report, const char *colour, const char *text)
{
    if (report->colours)
        fprintf(report->out, "%s%s" COLOUR_RESET, colour, text);
    else
        fputs(text, report->out);
}

/* The text of an error may have an ellipsis of its own. */
static void put_message(const struct report *report, struct str text)
{
    const char *mark = ellipsis();
    fputs(report->colours ? COLOUR_BOLD : "", report->out);
    for (size_t at; (at = str_find(text, STR("…"))) != SIZE_MAX;
         text = str_from_offset(text, at + strlen("…")))
        fprintf(report->out, "%.*s%s", (int)at, text.ptr, mark);
    fprintf(report->out, "%.*s%s\n", STR_FMT(text), report->colours ? COLOUR_RESET : "");
}

/* Below the end of `before`; behind a byte that is not UTF-8, below that. */
static void print_caret(const struct report *report, struct str before)
{
    before.len = utf8_valid_prefix(before);
    while (before.len > 0) {
        uint32_t codepoint;
        before = str_from_offset(before, utf8_decode(before, &codepoint));
        if (codepoint == '\t')
            fputc('\t', report->out);
        else
            fprintf(report->out, "%*s", (int)utf8_columns(codepoint), "");
    }
    put(report, COLOUR_BOLD COLOUR_GREEN, "^");
    fputc('\n', report->out);
}

/* The beginning of the character that the byte `at` belongs to. */
static size_t character_start(struct str line, size_t at)
{
    while (at > 0 && at < line.len && ((unsigned char)line.ptr[at] & 0xC0) == 0x80)
        at--;
    return at;
}

/* Of a long line, what surrounds the caret; an ellipsis stands for what was left out. */
static void print_line(const struct report *report, struct str line, size_t at)
{
    enum { SHOWN_MAX = 100, SHOWN_BEFORE = 60 }; /* bytes */
    size_t start = 0, end = line.len;
    if (line.len > SHOWN_MAX && at > SHOWN_BEFORE)
        start = character_start(line, at - SHOWN_BEFORE);
    if (end - start > SHOWN_MAX)
        end = character_start(line, start + SHOWN_MAX);
    struct str shown = str_make(line.ptr + start, end - start);
    const char *mark = ellipsis();
    int mark_columns = start == 0 ? 0 : utf8_wanted() ? 1 : (int)strlen(mark);
    fprintf(report->out, "    %s%.*s%s\n    %*s", start > 0 ? mark : "", STR_FMT(shown),
            end < line.len ? mark : "", mark_columns, "");
    print_caret(report, str_make(shown.ptr, at - start));
}

static void print_error(const struct report *report, const struct error *err, bool warning)
{
    const struct error_position *position = &err->position;
    if (position->line > 0) {
        char place[64];
        snprintf(place, sizeof place, ":%u:%u: ", position->line, position->column);
        put(report, COLOUR_BOLD, position->file ? position->file : "?");
        put(report, COLOUR_BOLD, place);
    }
    put(report, warning ? COLOUR_BOLD COLOUR_YELLOW : COLOUR_BOLD COLOUR_RED,
        warning ? "warning: " : "error: ");
    put_message(report, str_from(err->text));
    if (position->line == 0 || !report->source)
        return;
    struct buf line;
    size_t caret;
    buf_init(&line, LINE_MAX_BYTES);
    if (report_line(report->source, position, &line, &caret))
        print_line(report, buf_str(&line), caret);
    buf_release(&line);
}

/* How many, and where: the only file that has any, or how many files have. */
static void print_count(const struct report *report, const struct error_list *errors)
{
    const char *file = NULL;
    size_t files = 0, warnings = 0;
    for (size_t i = 0; i < errors->count; i++) {
        const char *name = errors->items[i].position.file;
        warnings += errors->warnings[i];
        if (!name || errors->warnings[i] || (file && strcmp(name, file) == 0))
            continue;
        file = name;
        files++;
    }
    if (errors->errors == 0 || files == 0)
        return;
    char text[128];
    int len =
        snprintf(text, sizeof text, "%zu error%s", errors->errors, errors->errors == 1 ? "" : "s");
    if (warnings > 0)
        snprintf(text + len, sizeof text - (size_t)len, " and %zu warning%s", warnings,
                 warnings == 1 ? "" : "s");
    put(report, COLOUR_BOLD, text);
    if (files == 1)
        fprintf(report->out, " in %s\n", strcmp(file, "-e") == 0 ? "the text of -e" : file);
    else
        fprintf(report->out, " in %zu files\n", files);
}

void conf_print_errors(FILE *out, const struct conf_source *source, const struct error_list *errors)
{
    struct report report = {.out = out, .source = source, .colours = colour_wanted(fileno(out))};
    for (size_t i = 0; i < errors->count; i++)
        print_error(&report, &errors->items[i], errors->warnings[i]);
    if (errors->dropped > 0)
        fprintf(out, "and %zu more\n", errors->dropped);
    print_count(&report, errors);
}
