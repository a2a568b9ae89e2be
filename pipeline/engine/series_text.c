/* SPDX-License-Identifier: Apache-2.0
 *
 * A registry in Prometheus' text format 0.0.4. What it may not have in a label (a NUL, which ends the text for some
 * readers) becomes U+FFFD; text of events is valid UTF-8.
 */
#include <assert.h>
#include <math.h>

#include "pipeline/engine/series_private.h"
#include "pipeline/event/value.h"

bool series_label_text(struct str value, struct buf *out)
{
    bool fits = true;
    for (size_t i = 0; fits && i < value.len; i++) {
        char byte = value.ptr[i];
        if (byte == '\n')
            fits = buf_append_str(out, STR("\\n"));
        else if (byte == 0)
            fits = buf_append_str(out, STR("\xEF\xBF\xBD"));
        else
            fits = ((byte != '\\' && byte != '"') || buf_append_char(out, '\\')) &&
                   buf_append_char(out, byte);
    }
    return fits;
}

static bool write_number(double number, struct buf *out)
{
    const double EXACT_MAX = 9007199254740992.0; /* 2^53 */
    char text[FLOAT_TEXT_MAX];
    if (number == floor(number) && fabs(number) < EXACT_MAX)
        return buf_printf(out, "%lld", (long long)number);
    return buf_append(out, text, float_format(number, text));
}

struct line {
    const struct series_family *family;
    const struct series *series;
    struct buf *out;
};

/* le: the bound of a bucket, or NULL. */
static bool write_labels(const struct line *line, const double *le)
{
    struct buf *out = line->out;
    bool fits = true, first = true;
    for (size_t i = 0; fits && i < line->family->options.label_count; i++) {
        if (line->series->values[i].len == 0)
            continue; /* to Prometheus an empty label is none */
        fits = buf_printf(out, "%c%.*s=\"", first ? '{' : ',',
                          STR_FMT(line->family->options.labels[i])) &&
               series_label_text(line->series->values[i], out) && buf_append_char(out, '"');
        first = false;
    }
    if (le)
        fits = fits && buf_printf(out, "%cle=\"", first ? '{' : ',') &&
               (isinf(*le) ? buf_append_str(out, STR("+Inf")) : write_number(*le, out)) &&
               buf_append_char(out, '"');
    return fits && ((first && !le) || buf_append_char(out, '}'));
}

static bool write_line(const struct line *line, const char *end, const double *le, double number)
{
    return buf_printf(line->out, "%.*s%s", STR_FMT(line->family->options.name), end) &&
           write_labels(line, le) && buf_append_char(line->out, ' ') &&
           write_number(number, line->out) && buf_append_char(line->out, '\n');
}

static bool write_histogram(const struct line *line)
{
    const struct series_options *options = &line->family->options;
    uint64_t count = 0;
    bool fits = true;
    for (size_t i = 0; fits && i <= options->bound_count; i++) {
        double le = i < options->bound_count ? options->bounds[i] : (double)INFINITY;
        count += line->series->buckets[i];
        fits = write_line(line, "_bucket", &le, (double)count);
    }
    return fits && write_line(line, "_sum", NULL, line->series->number) &&
           write_line(line, "_count", NULL, (double)count);
}

static bool write_series(const struct line *line, int64_t today)
{
    const struct series *series = line->series;
    switch (line->family->options.kind) {
    case SERIES_COUNTER:
    case SERIES_GAUGE:
        return write_line(line, "", NULL, series->number);
    case SERIES_HISTOGRAM:
        return write_histogram(line);
    case SERIES_UNIQUE:
        return write_line(line, "", NULL,
                          series->day == today ? distinct_count(&series->members) : 0);
    }
    return false;
}

/* In a HELP line a quote stays as it is. */
static bool write_help(const struct series_options *options, struct buf *out)
{
    bool fits = buf_printf(out, "# HELP %.*s ", STR_FMT(options->name));
    for (size_t i = 0; fits && i < options->help.len; i++) {
        char byte = options->help.ptr[i];
        fits = byte == '\n'   ? buf_append_str(out, STR("\\n"))
               : byte == '\\' ? buf_append_str(out, STR("\\\\"))
                              : buf_append_char(out, byte);
    }
    return fits && buf_append_char(out, '\n');
}

static bool write_family(const struct series_family *family, struct buf *out)
{
    static const char *const TYPES[] = {
        [SERIES_COUNTER] = "counter",
        [SERIES_GAUGE] = "gauge",
        [SERIES_HISTOGRAM] = "histogram",
        [SERIES_UNIQUE] = "gauge",
    };
    const struct series_options *options = &family->options;
    int64_t today =
        options->kind == SERIES_UNIQUE ? series_day(family, family->registry->now()) : 0;
    bool fits = write_help(options, out) &&
                buf_printf(out, "# TYPE %.*s %s\n", STR_FMT(options->name), TYPES[options->kind]);
    for (const struct series *series = family->first; fits && series; series = series->next)
        fits = write_series(&(struct line){family, series, out}, today);
    return fits;
}

bool series_registry_text(const struct series_registry *registry, struct buf *out)
{
    bool fits = true;
    for (const struct series_family *family = registry->first; fits && family;
         family = family->next)
        fits = !family->first || write_family(family, out);
    return fits;
}
