/* SPDX-License-Identifier: Apache-2.0
 *
 * bytes: reads a size as people write it ("1,234.5 kB") as a number of bytes. The text is looked for line by line: digits
 * with group marks, at most one decimal separator, a prefix of k M G T P E, and b; nothing else may stand in that line.
 * The source is left without blanks around it, also when it is no size, as in Logstash.
 */
#include <math.h>

#include "base/text/ascii.h"
#include "filters/filters.h"

enum bytes_method { METHOD_BINARY, METHOD_METRIC };

struct bytes {
    struct field_ref source, target;
    int method;
    struct str decimal_separator;
    struct option_strings tag_on_failure;
};

static const char *const METHODS[] = {"binary", "metric", NULL};

static const struct option OPTIONS[] = {
    {
        .name = "source",
        .doc = "Field that holds the text.",
        OPTION_IN_FIELD(struct bytes, source),
        .def = "message",
    },
    {
        .name = "target",
        .doc = "Field that gets the number of bytes.",
        OPTION_IN_FIELD(struct bytes, target),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "conversion_method",
        .doc = "Whether k is 1024 or 1000.",
        OPTION_IN_CHOICE(struct bytes, method),
        .choices = METHODS,
        .def = "binary",
    },
    {
        .name = "decimal_separator",
        .doc =
            "What stands before the fraction: a point or a comma; the other one is a group mark.",
        OPTION_IN_STRING(struct bytes, decimal_separator),
        .def = ".",
    },
    {
        .name = "tag_on_failure",
        .doc = "Tags for an event whose field is no size.",
        OPTION_IN_STRINGS(struct bytes, tag_on_failure),
        .def = "_bytesparsefailure",
    },
    OPTION_END,
};

static bool bytes_check(void *plugin, const struct plugin_env *env, struct error *err)
{
    const struct bytes *self = plugin;
    (void)env;
    return self->decimal_separator.len == 1 ||
           error_set(err, ERROR_CONFIG, "decimal_separator is one character, '.' or ','");
}

/* What a line says, taken apart. */
struct size_text {
    uint64_t whole; /* its digits before the separator, while `exact` */
    double real;    /* the same with the fraction */
    bool exact;     /* there is no fraction and `whole` holds all */
    unsigned power; /* of the prefix */
};

/* Takes digits, group marks and separators from the front of line; false when that is no number. */
static bool read_number(struct str *line, char separator, struct size_text *out)
{
    size_t separators = 0, digits = 0, at = 0;
    double scale = 1;
    for (; at < line->len && strchr("0123456789 _,.", line->ptr[at]) && line->ptr[at]; at++) {
        char c = line->ptr[at];
        if (c == separator) {
            separators++;
            out->exact = false;
        } else if (ascii_is_digit(c)) {
            digits++;
            out->exact = out->exact && out->whole <= (UINT64_MAX - 9) / 10;
            out->whole = out->exact ? out->whole * 10 + (uint64_t)(c - '0') : out->whole;
            scale = separators ? scale * 10 : scale;
            out->real = separators ? out->real + (c - '0') / scale : out->real * 10 + (c - '0');
        }
    }
    *line = str_from_offset(*line, at);
    return separators <= 1 && digits + separators > 0;
}

static bool read_line(struct str line, char separator, struct size_text *out)
{
    static const char PREFIXES[] = "kmgtpe";
    *out = (struct size_text){.exact = true};
    if (!read_number(&line, separator, out))
        return false;
    const char *prefix = line.len > 0 ? strchr(PREFIXES, line.ptr[0] | 0x20) : NULL;
    if (prefix && *prefix) {
        out->power = (unsigned)(prefix - PREFIXES) + 1;
        line = str_from_offset(line, 1);
    }
    return line.len == 0 || (line.len == 1 && (line.ptr[0] | 0x20) == 'b');
}

static struct value bytes_of(const struct size_text *size, enum bytes_method method,
                             struct arena *arena)
{
    uint64_t unit = method == METHOD_BINARY ? 1024 : 1000, factor = 1;
    for (unsigned i = 0; i < size->power; i++)
        factor *= unit;
    if (size->exact && size->whole <= (uint64_t)INT64_MAX / factor)
        return value_int((int64_t)(size->whole * factor));
    double real = floor(size->real * (double)factor + 0.5);
    if (real < 9.2e18)
        return value_int((int64_t)real);
    return value_big_int(arena_printf(arena, "%.0f", real));
}

static bool read_size(struct str text, char separator, struct size_text *out)
{
    while (text.len > 0) {
        const char *end = memchr(text.ptr, '\n', text.len);
        size_t len = end ? (size_t)(end - text.ptr) : text.len;
        if (read_line(str_make(text.ptr, len), separator, out))
            return true;
        text = str_from_offset(text, len + 1);
    }
    return false;
}

static enum filter_result bytes_apply(void *plugin, struct event *event, struct event_sink *more)
{
    const struct bytes *self = plugin;
    const struct value *source = event_get(event, &self->source);
    struct size_text size;
    (void)more;
    if (value_is_str(source)) {
        struct str text = str_trim(value_as_str(source));
        (void)event_set(event, &self->source, value_str(text), NULL);
        if (read_size(text, self->decimal_separator.ptr[0], &size) &&
            event_set(event, &self->target,
                      bytes_of(&size, (enum bytes_method)self->method, event->arena), NULL))
            return FILTER_MATCHED;
    }
    event_add_tags(event, &self->tag_on_failure);
    return FILTER_SKIPPED;
}

const struct filter filter_bytes = {
    .plugin =
        {
            .name = "bytes",
            .summary = "Reads a size such as 1.5 kB as a number of bytes.",
            .options = OPTIONS,
            .size = sizeof(struct bytes),
            .check = bytes_check,
        },
    .apply = bytes_apply,
};
