/* SPDX-License-Identifier: Apache-2.0
 *
 * The report's pictures: payments of each hour as inline SVG, and bars beside a list.
 */
#include <math.h>

#include "services/report/report_private.h"

enum { WIDTH = 960, HEIGHT = 220, LEFT = 52, BOTTOM = 24, TOP = 8, LINES = 4, GAP = 8 };

/* 1, 2 or 5 times a power of ten: what LINES of it reach up to. */
static double nice_step(double largest)
{
    double raw = largest / LINES, step = 1;
    while (step * 10 <= raw)
        step *= 10;
    const double factors[] = {1, 2, 5, 10};
    for (size_t i = 0; i < sizeof factors / sizeof *factors; i++)
        if (step * factors[i] >= raw)
            return step * factors[i];
    return step * 10;
}

static double largest_hour(const struct report *report)
{
    int64_t largest = 0;
    for (int i = 0; i < REPORT_HOURS; i++)
        if (report->successes[i] + report->failures[i] > largest)
            largest = report->successes[i] + report->failures[i];
    return (double)largest;
}

static bool write_grid(double step, struct buf *out)
{
    const double height = HEIGHT - BOTTOM - TOP;
    bool fits = true;
    for (int i = 0; fits && i <= LINES; i++) {
        double y = TOP + height * (LINES - i) / LINES;
        fits = buf_printf(out,
                          "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
                          "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">",
                          LEFT, WIDTH, y, y, LEFT - 8, y + 4) &&
               report_number_text(REPORT_PAYMENTS, step * i, out) &&
               buf_append_str(out, STR("</text>\n"));
    }
    return fits;
}

static bool write_bar(const char *class, double x, double y, double width, double height,
                      struct buf *out)
{
    return height <= 0 ||
           buf_printf(out,
                      "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>",
                      class, x, y, width, height);
}

static bool write_hour(const struct report *report, int hour, double scale, const char *word,
                       struct buf *out)
{
    enum { EACH = 3 }; /* hours that have a name below them */
    const double slot = (double)(WIDTH - LEFT) / REPORT_HOURS;
    const double x = LEFT + slot * hour + GAP / 2.0, width = slot - GAP;
    double good = (double)report->successes[hour] * scale;
    double bad = (double)report->failures[hour] * scale;
    const double base = HEIGHT - BOTTOM;
    bool fits = buf_printf(out, "<g><title>%02d:00 · %lld / %lld</title>", hour,
                           (long long)report->successes[hour], (long long)report->failures[hour]) &&
                write_bar("ok", x, base - good, width, good, out) &&
                write_bar("failed", x, base - good - bad, width, bad, out) &&
                buf_append_str(out, STR("</g>"));
    if (fits && hour % EACH == 0)
        fits = buf_printf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%d%s</text>",
                          x + width / 2, HEIGHT - 6, hour, word);
    return fits && buf_append_char(out, '\n');
}

bool report_write_chart(const struct report *report, enum report_language language, struct buf *out)
{
    double largest = largest_hour(report), step = nice_step(largest > LINES ? largest : LINES);
    double scale = (HEIGHT - BOTTOM - TOP) / (step * LINES);
    bool fits =
        buf_printf(out,
                   "<section class=\"card\"><h2>%s</h2>\n<p class=\"legend\">"
                   "<span><i style=\"background:var(--bar)\"></i>%s</span>"
                   "<span><i style=\"background:var(--fail)\"></i>%s</span></p>\n"
                   "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n",
                   report_word(WORD_HOURS, language), report_word(WORD_SUCCESSFUL, language),
                   report_word(WORD_FAILED, language), WIDTH, HEIGHT,
                   report_word(WORD_HOURS, language)) &&
        write_grid(step, out);
    for (int i = 0; fits && i < REPORT_HOURS; i++)
        fits = write_hour(report, i, scale, report_word(WORD_HOUR, language), out);
    return fits && buf_append_str(out, STR("</svg></section>\n"));
}

bool report_write_bars(const struct report_list *list, struct buf *out)
{
    int64_t largest = 1;
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].count > largest)
            largest = list->items[i].count;
    bool fits = buf_append_str(out, STR("<table class=\"bars\">\n"));
    for (size_t i = 0; fits && i < list->count; i++)
        fits = buf_append_str(out, STR("<tr><td>")) && report_html_text(list->items[i].key, out) &&
               buf_printf(out, "</td><td><span style=\"width:%.1f%%\"></span></td><td>",
                          (double)list->items[i].count * 100 / (double)largest) &&
               report_number_text(REPORT_ERRORS, (double)list->items[i].count, out) &&
               buf_append_str(out, STR("</td></tr>\n"));
    return fits && buf_append_str(out, STR("</table>\n"));
}
