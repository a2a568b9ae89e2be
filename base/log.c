/* SPDX-License-Identifier: Apache-2.0
 *
 * A line is built in a buffer on the stack and written with one write(2). It is never longer than
 * PIPE_BUF, so that lines of several threads and processes on one pipe do not mix. What does not fit is
 * left out, a value at a time, and the line says so. Values may come from outside: line ends, control
 * characters and quotes in them are escaped, so that no value can look like a line or a field of its own.
 */
#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/colour.h"
#include "base/log_memory.h"
#include "base/text/utf8.h"
#include "base/time/clock.h"

enum {
    LINE_BYTES_MAX = 4096, /* PIPE_BUF on Linux */
    TAIL_BYTES = 32,       /* kept free for what ends a line */
    VALUE_BYTES_MAX = 1024,
    SCOPE_BYTES_MAX = 128, /* these two always fit, even when every byte is escaped */
    SENTENCE_BYTES_MAX = 384,
    CHARACTER_BYTES_MAX = 8, /* an escaped character */
    NUMBER_BYTES_MAX = 32,
};

struct line {
    char bytes[LINE_BYTES_MAX];
    size_t len;
    size_t limit;
    bool overflowed;
};

static void put(struct line *line, const char *bytes, size_t len)
{
    if (line->overflowed || line->limit - line->len < len) {
        line->overflowed = true;
        return;
    }
    memcpy(line->bytes + line->len, bytes, len);
    line->len += len;
}

static void put_text(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

/* Would end a line, or steer a terminal: C0 and C1 controls, Unicode's separators, direction marks. */
static bool is_dangerous(uint32_t codepoint)
{
    return codepoint < 0x20 || (codepoint >= 0x7F && codepoint < 0xA0) ||
           (codepoint >= 0x2028 && codepoint <= 0x202E) ||
           (codepoint >= 0x2066 && codepoint <= 0x2069);
}

static void put_character(struct line *line, uint32_t codepoint, bool quoted)
{
    char text[CHARACTER_BYTES_MAX];
    size_t len = 0;
    if (quoted && (codepoint == '"' || codepoint == '\\'))
        len = (size_t)snprintf(text, sizeof text, "\\%c", (char)codepoint);
    else if (codepoint == '\n' || codepoint == '\r' || codepoint == '\t')
        len = (size_t)snprintf(text, sizeof text, "\\%c",
                               codepoint == '\n'   ? 'n'
                               : codepoint == '\r' ? 'r'
                                                   : 't');
    else if (is_dangerous(codepoint))
        len = (size_t)snprintf(text, sizeof text, "\\u%04x", (unsigned)codepoint);
    else
        len = utf8_encode(codepoint, text);
    put(line, text, len);
}

/* Any bytes; those that are not UTF-8 become U+FFFD. Texts that are too long are cut. */
static void put_escaped(struct line *line, struct str text, size_t max, bool quoted)
{
    bool cut = text.len > max;
    if (cut)
        text.len = max;
    size_t valid = utf8_valid_prefix(text);
    while (text.len > 0) {
        uint32_t codepoint = 0xFFFD;
        size_t length = 1;
        if (valid > 0)
            length = utf8_decode(text, &codepoint);
        put_character(line, codepoint, quoted);
        text = str_from_offset(text, length);
        valid = valid > 0 ? valid - length : utf8_valid_prefix(text);
    }
    if (cut)
        put_text(line, "\xE2\x80\xA6");
}

static void put_quoted(struct line *line, struct str text, size_t max)
{
    put_text(line, "\"");
    put_escaped(line, text, max, true);
    put_text(line, "\"");
}

static bool is_plain_word(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        if (byte <= ' ' || byte >= 0x7F || byte == '"' || byte == '=' || byte == '\\')
            return false;
    }
    return text.len > 0;
}

static void put_number(struct line *line, const struct log_field *field, bool json)
{
    char text[NUMBER_BYTES_MAX];
    int len = 0;
    if (field->type == LOG_FIELD_INT)
        len = snprintf(text, sizeof text, "%" PRId64, field->integer);
    else if (json && !isfinite(field->real))
        len = snprintf(text, sizeof text, "null");
    else
        len = snprintf(text, sizeof text, "%.6g", field->real);
    put(line, text, (size_t)len);
}

static void put_value(struct line *line, const struct log_field *field, bool json)
{
    if (field->type != LOG_FIELD_STR)
        put_number(line, field, json);
    else if (json || !is_plain_word(field->text))
        put_quoted(line, field->text, VALUE_BYTES_MAX);
    else
        put_escaped(line, field->text, VALUE_BYTES_MAX, false);
}

/* Each field is written whole or not at all. */
static void put_fields(struct line *line, const struct log_field *fields, size_t count, bool json)
{
    const char *separator = json ? "" : " ";
    for (size_t i = 0; i < count; i++) {
        size_t start = line->len;
        if (!fields[i].name)
            continue;
        put_text(line, separator);
        if (json)
            put_quoted(line, str_from(fields[i].name), VALUE_BYTES_MAX);
        else
            put_text(line, fields[i].name);
        put_text(line, json ? ":" : "=");
        put_value(line, &fields[i], json);
        if (line->overflowed) {
            line->len = start;
            return;
        }
        separator = json ? "," : " ";
    }
}

static size_t time_text(char out[INSTANT_TEXT_MAX])
{
    struct instant now = clock_now();
    now.nanoseconds -= now.nanoseconds % 1000000;
    return instant_format(now, out);
}

static const char *const LEVEL_NAMES[] = {"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"};

static const char *const LEVEL_COLOURS[] = {COLOUR_DIM,    COLOUR_DIM, COLOUR_GREEN,
                                            COLOUR_YELLOW, COLOUR_RED, COLOUR_RED};

/* The name of a level in five columns. */
static void put_level(struct line *line, const struct log *log, enum log_level level)
{
    char name[8];
    snprintf(name, sizeof name, "%-5s", LEVEL_NAMES[level]);
    if (log->colours)
        put_text(line, LEVEL_COLOURS[level]);
    put_text(line, name);
    if (log->colours)
        put_text(line, COLOUR_RESET);
}

static struct str scope_of(const struct log *log)
{
    return log->scope.len > 0 ? log->scope : STR("millrace");
}

static void put_plain(struct line *line, const struct log *log, enum log_level level,
                      const char *sentence)
{
    char when[INSTANT_TEXT_MAX];
    size_t when_len = time_text(when) - 1; /* without the Z */
    char head[INSTANT_TEXT_MAX + 16];
    when[when_len - 4] = ',';
    int len = snprintf(head, sizeof head, "[%.*s][", (int)when_len, when);
    put(line, head, (size_t)len);
    put_level(line, log, level);
    put_text(line, "][");
    put_escaped(line, scope_of(log), SCOPE_BYTES_MAX, false);
    put_text(line, "] ");
    put_escaped(line, str_from(sentence), SENTENCE_BYTES_MAX, false);
}

static void put_json(struct line *line, const struct log *log, enum log_level level,
                     const char *event, const char *sentence)
{
    char when[INSTANT_TEXT_MAX];
    size_t when_len = time_text(when);
    put_text(line, "{\"time\":");
    put_quoted(line, str_make(when, when_len), sizeof when);
    put_text(line, ",\"level\":");
    put_quoted(line, str_from(LEVEL_NAMES[level]), VALUE_BYTES_MAX);
    put_text(line, ",\"scope\":");
    put_quoted(line, scope_of(log), SCOPE_BYTES_MAX);
    put_text(line, ",\"event\":");
    put_quoted(line, str_from(event), SCOPE_BYTES_MAX);
    put_text(line, ",\"message\":");
    put_quoted(line, str_from(sentence), SENTENCE_BYTES_MAX);
    put_text(line, ",\"values\":{");
}

/* A log that cannot be written has nowhere to complain: the line is lost. */
static void write_line(int fd, const struct line *line)
{
    ssize_t written;
    do
        written = write(fd, line->bytes, line->len);
    while (written < 0 && errno == EINTR);
}

static void remember(const struct log *log, enum log_level level, const char *sentence,
                     const struct log_field *fields, size_t count)
{
    struct line line = {.limit = sizeof line.bytes};
    put_escaped(&line, str_from(sentence), SENTENCE_BYTES_MAX, false);
    put_fields(&line, fields, count, false);
    struct log_memory_line kept = {.at = clock_now(),
                                   .level = level,
                                   .scope = scope_of(log),
                                   .text = str_make(line.bytes, line.len)};
    log_memory_add(log->memory, &kept);
}

void log_write(const struct log *log, enum log_level level, const char *event, const char *sentence,
               const struct log_field *fields, size_t count)
{
    assert(log && level <= LOG_LEVEL_FATAL);
    bool json = log->format == LOG_FORMAT_JSON;
    if (log->memory && level >= LOG_LEVEL_WARN)
        remember(log, level, sentence, fields, count);
    struct line line;
    line.len = 0;
    line.limit = sizeof line.bytes - TAIL_BYTES;
    line.overflowed = false;
    if (json)
        put_json(&line, log, level, event, sentence);
    else
        put_plain(&line, log, level, sentence);
    put_fields(&line, fields, count, json);
    bool cut = line.overflowed;
    line.limit = sizeof line.bytes;
    line.overflowed = false;
    if (json)
        put_text(&line, cut ? "},\"cut\":true}" : "}}");
    else if (cut)
        put_text(&line, " (line cut)");
    put_text(&line, "\n");
    assert(!line.overflowed);
    write_line(log->fd, &line);
}

void log_init(struct log *log, enum log_level level, enum log_format format, int fd)
{
    *log = (struct log){.level = level, .format = format, .fd = fd};
    log->colours = format == LOG_FORMAT_PLAIN && colour_wanted(fd);
}

bool log_level_parse(struct str text, enum log_level *out)
{
    static const char *const NAMES[] = {"trace", "debug", "info", "warn", "error", "fatal"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (str_equal(text, str_from(NAMES[i]))) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

bool log_limit_allow(struct log_limit *limit, uint64_t now_ms, uint64_t *suppressed_out)
{
    if (limit->used == 0 || now_ms - limit->window_start_ms >= limit->window_ms) {
        limit->window_start_ms = now_ms;
        limit->used = 0;
    }
    if (limit->used >= limit->burst) {
        limit->suppressed++;
        return false;
    }
    limit->used++;
    *suppressed_out = limit->suppressed;
    limit->suppressed = 0;
    return true;
}
