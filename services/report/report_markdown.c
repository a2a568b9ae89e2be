/* SPDX-License-Identifier: Apache-2.0 */
#include "services/report/report_private.h"

/* Text of an event in a table's cell. */
static bool write_cell(struct str text, struct buf *out)
{
    bool fits = true;
    for (size_t i = 0; fits && i < text.len; i++) {
        char byte = text.ptr[i];
        if (byte == '|' || byte == '\\' || byte == '<' || byte == '`' || byte == '*' || byte == '[')
            fits = buf_append_char(out, '\\');
        fits = fits && buf_append_char(out, byte == '\n' || byte == '\r' ? ' ' : byte);
    }
    return fits;
}

static bool write_numbers(const struct report *report, enum report_language language,
                          struct buf *out)
{
    bool fits =
        buf_printf(out, "| %s | %s | %s (%s) | %s (%s) |\n| --- | ---: | ---: | ---: |\n",
                   report_word(WORD_NUMBER, language), report_word(WORD_VALUE, language),
                   report_word(WORD_DAY_BEFORE, language), report->dates[REPORT_DAY_BEFORE],
                   report_word(WORD_WEEK_BEFORE, language), report->dates[REPORT_WEEK_BEFORE]);
    for (int i = 0; fits && i < REPORT_NUMBERS; i++) {
        enum report_number number = (enum report_number)i;
        fits = buf_printf(out, "| %s | ", report_word(report_number_word(number), language)) &&
               report_number_text(number, report->numbers[REPORT_TODAY][i], out) &&
               buf_append_str(out, STR(" | ")) &&
               report_change_text(number, report_change(report, number, REPORT_DAY_BEFORE),
                                  language, out) &&
               buf_append_str(out, STR(" | ")) &&
               report_change_text(number, report_change(report, number, REPORT_WEEK_BEFORE),
                                  language, out) &&
               buf_append_str(out, STR(" |\n"));
    }
    return fits;
}

static bool write_list(const struct report_list *list, enum report_word title,
                       enum report_language language, struct buf *out)
{
    bool fits = buf_printf(out, "\n## %s\n\n", report_word(title, language));
    if (list->count == 0)
        return fits && buf_printf(out, "%s\n", report_word(WORD_NO_ERRORS, language));
    fits = fits && buf_printf(out, "| | %s |\n| --- | ---: |\n", report_word(WORD_COUNT, language));
    for (size_t i = 0; fits && i < list->count; i++)
        fits = buf_append_str(out, STR("| ")) && write_cell(list->items[i].key, out) &&
               buf_append_str(out, STR(" | ")) &&
               report_number_text(REPORT_ERRORS, (double)list->items[i].count, out) &&
               buf_append_str(out, STR(" |\n"));
    return fits;
}

static bool write_advice(const struct report *report, enum report_language language,
                         struct buf *out)
{
    bool fits = buf_printf(out, "\n## %s\n\n", report_word(WORD_ADVICE, language));
    if (report->advice_count == 0)
        return fits && buf_printf(out, "%s\n", report_word(WORD_NO_ADVICE, language));
    for (size_t i = 0; fits && i < report->advice_count; i++) {
        const struct report_advice *advice = report->advice[i];
        fits = buf_printf(out, "- **%s · %s** %s (`%s`)\n", advice->priority, advice->category,
                          advice->text[language], advice->action);
    }
    return fits;
}

bool report_write_markdown(const struct report *report, enum report_language language,
                           struct buf *out)
{
    return buf_printf(out, "# %s · %s\n\n", report_word(WORD_TITLE, language),
                      report->dates[REPORT_TODAY]) &&
           (report->has_day[REPORT_TODAY] ||
            buf_printf(out, "**%s**\n\n", report_word(WORD_NO_DATA, language))) &&
           write_numbers(report, language, out) &&
           write_list(&report->by_type, WORD_BY_TYPE, language, out) &&
           write_list(&report->by_service, WORD_BY_SERVICE, language, out) &&
           write_advice(report, language, out) &&
           buf_printf(out, "\n%s · %s%s%s\n",
                      report_word(report->from_prometheus ? WORD_FROM_PROMETHEUS : WORD_FROM_LOGS,
                                  language),
                      report_word(WORD_UTC, language), report->users_from_logs ? " · " : "",
                      report->users_from_logs ? report_word(WORD_AT_LEAST, language) : "");
}
