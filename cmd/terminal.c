/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/terminal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/colour.h"
#include "base/text/utf8.h"

enum { PRINTED_MAX = 512, EIGHTHS = 8 };

static const char *const STYLES[] = {
    [STYLE_PLAIN] = "",          [STYLE_BOLD] = COLOUR_BOLD,    [STYLE_DIM] = COLOUR_DIM,
    [STYLE_GOOD] = COLOUR_GREEN, [STYLE_CHANGED] = COLOUR_CYAN, [STYLE_BAD] = COLOUR_RED,
};

struct terminal terminal_of(int fd)
{
    struct terminal terminal = {.columns = TERMINAL_COLUMNS};
    struct winsize size;
    terminal.is_terminal = isatty(fd);
    terminal.colours = colour_wanted(fd);
    terminal.ascii = !utf8_wanted();
    if (terminal.is_terminal && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 &&
        size.ws_col < TERMINAL_COLUMNS)
        terminal.columns = size.ws_col < TERMINAL_MIN_COLUMNS ? TERMINAL_MIN_COLUMNS : size.ws_col;
    return terminal;
}

/* A '?' for each column of what is not ASCII. */
static void put_ascii(struct str text, struct buf *out)
{
    while (text.len > 0) {
        uint32_t codepoint;
        size_t len = utf8_decode(text, &codepoint);
        if (codepoint < 0x80)
            buf_append_char(out, (char)codepoint);
        else
            buf_append_str(out, utf8_columns(codepoint) > 1 ? STR("??") : STR("?"));
        text = str_from_offset(text, len);
    }
}

void terminal_text(const struct terminal *terminal, enum style style, struct str text,
                   struct buf *out)
{
    bool styled = terminal->colours && style != STYLE_PLAIN && text.len > 0;
    assert(style < sizeof STYLES / sizeof *STYLES);
    if (styled)
        buf_append_str(out, str_from(STYLES[style]));
    if (terminal->ascii)
        put_ascii(text, out);
    else
        buf_append_str(out, text);
    if (styled)
        buf_append_str(out, STR(COLOUR_RESET));
}

void terminal_printf(const struct terminal *terminal, enum style style, struct buf *out,
                     const char *format, ...)
{
    char text[PRINTED_MAX];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    assert(len >= 0 && len < PRINTED_MAX);
    terminal_text(terminal, style, str_make(text, (size_t)len), out);
}

/* Returns the columns it takes. */
static size_t put_cut(const struct terminal *terminal, enum style style, struct str text,
                      size_t columns, struct buf *out)
{
    size_t used;
    assert(columns > 0);
    struct str whole = utf8_cut_to_columns(text, columns, &used);
    if (whole.len == text.len) {
        terminal_text(terminal, style, text, out);
        return used;
    }
    struct str part = utf8_cut_to_columns(text, columns - 1, &used);
    terminal_text(terminal, style, part, out);
    terminal_text(terminal, style, terminal->ascii ? STR(">") : STR("…"), out);
    return used + 1;
}

void terminal_cut(const struct terminal *terminal, enum style style, struct str text,
                  size_t columns, struct buf *out)
{
    put_cut(terminal, style, text, columns, out);
}

void terminal_cell(const struct terminal *terminal, enum style style, struct str text,
                   size_t columns, struct buf *out)
{
    size_t used = put_cut(terminal, style, text, columns, out);
    assert(used <= columns);
    buf_printf(out, "%*s", (int)(columns - used), "");
}

void terminal_bar(const struct terminal *terminal, enum style style, double share, size_t columns,
                  struct buf *out)
{
    static const char *const PARTS[EIGHTHS] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    static const char *const ASCII_PARTS[EIGHTHS] = {"", "#", "#", "#", "#", "#", "#", "#"};
    char text[TERMINAL_COLUMNS * sizeof "█"] = "";
    size_t len = 0;
    assert(share >= 0 && share <= 1 && columns > 0 && columns <= TERMINAL_COLUMNS);
    size_t eighths = (size_t)(share * (double)columns * EIGHTHS + 0.5);
    if (eighths == 0 && share > 0)
        eighths = 1;
    for (size_t i = 0; i < eighths / EIGHTHS; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s", terminal->ascii ? "#" : "█");
    const char *part = (terminal->ascii ? ASCII_PARTS : PARTS)[eighths % EIGHTHS];
    len += (size_t)snprintf(text + len, sizeof text - len, "%s", part);
    terminal_text(terminal, style, str_make(text, len), out);
    size_t used = (eighths + EIGHTHS - 1) / EIGHTHS;
    buf_printf(out, "%*s", (int)(columns - used), "");
}

const char *count_text(uint64_t count, char out[COUNT_TEXT_MAX])
{
    char digits[COUNT_TEXT_MAX];
    int len = snprintf(digits, sizeof digits, "%" PRIu64, count), at = 0;
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    assert(at < COUNT_TEXT_MAX);
    out[at] = '\0';
    return out;
}
