/* SPDX-License-Identifier: Apache-2.0
 *
 * One HTML file: no script, no file beside it, light or dark as the reader has it.
 */
#include <math.h>

#include "services/report/report_private.h"

static const char STYLE[] =
    ":root{color-scheme:light dark;--page:#f6f7f9;--card:#fff;--text:#1b2430;--soft:#5d6b7c;"
    "--line:#e3e7ec;--good:#1f7a4d;--bad:#c0362c;--bar:#3b6fd4;--fail:#e0584c;--error:#b7791f;"
    "--high:#fdecea;--medium:#fff5dd}\n"
    "@media(prefers-color-scheme:dark){:root{--page:#12161c;--card:#1b2129;--text:#e6eaf0;"
    "--soft:#9aa7b6;--line:#2c3541;--good:#5cc98f;--bad:#ff8a7e;--bar:#6d9bf5;--fail:#ff7a6d;"
    "--error:#e2b04a;--high:#3a2120;--medium:#352c17}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--page);color:var(--text);font:15px/1.5 system-ui,-apple-system,"
    "\"Segoe UI\",Roboto,\"Apple SD Gothic Neo\",\"Noto Sans KR\",\"Noto Sans CJK KR\","
    "NanumGothic,\"Malgun Gothic\",sans-serif;word-break:keep-all}\n"
    "main{max-width:1040px;margin:0 auto;padding:32px 20px 48px}\n"
    "h1{font-size:24px;margin:0 0 4px;line-height:1.25}\n"
    "h2{font-size:16px;margin:0 0 14px}\n"
    ".date{color:var(--soft);margin:0 0 24px}\n"
    ".cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(200px,100%),1fr));gap:"
    "14px;"
    "margin-bottom:14px}\n"
    ".card{background:var(--card);border:1px solid var(--line);border-radius:12px;"
    "padding:16px 18px}\n"
    ".pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(320px,100%),1fr));gap:"
    "14px}\n"
    "section.card{margin-bottom:14px;padding:20px 22px}.pair section.card{margin-bottom:0}\n"
    ".pair{margin-bottom:14px}\n"
    ".name{color:var(--soft);font-size:13px}\n"
    ".value{font-size:26px;font-weight:650;line-height:1.3;font-variant-numeric:tabular-nums}\n"
    ".change{display:flex;justify-content:space-between;font-size:12.5px;color:var(--soft);"
    "font-variant-numeric:tabular-nums}\n"
    ".good{color:var(--good)}.bad{color:var(--bad)}\n"
    ".none{color:var(--soft);margin:0}\n"
    ".advice{display:flex;flex-wrap:wrap;gap:4px "
    "12px;align-items:baseline;border-radius:8px;padding:10px 14px;"
    "margin:0 0 8px;background:var(--medium)}.advice.HIGH{background:var(--high)}\n"
    ".advice:last-child{margin-bottom:0}\n"
    ".advice b{font-size:12px;letter-spacing:.03em;white-space:nowrap}\n"
    ".advice code{margin-left:auto;color:var(--soft);font-size:12.5px;white-space:nowrap}\n"
    "svg{display:block;width:100%;height:auto;overflow:visible}\n"
    "svg text{fill:var(--soft);font-size:11px}svg .grid{stroke:var(--line)}\n"
    "svg .ok{fill:var(--bar)}svg .failed{fill:var(--fail)}\n"
    ".legend{display:flex;gap:16px;font-size:12.5px;color:var(--soft);margin:0 0 8px}\n"
    ".legend i{display:inline-block;width:10px;height:10px;border-radius:3px;margin-right:6px}\n"
    ".bars{width:100%;border-collapse:collapse;font-size:13.5px}\n"
    ".bars td{padding:4px 0;vertical-align:middle}.bars td:first-child{width:46%;"
    "padding-right:12px;overflow-wrap:anywhere}\n"
    ".bars td:last-child{text-align:right;padding-left:10px;width:1%;white-space:nowrap;"
    "font-variant-numeric:tabular-nums}\n"
    ".bars span{display:block;height:10px;border-radius:5px;background:var(--fail);min-width:2px}\n"
    "footer{color:var(--soft);font-size:12.5px;margin-top:18px}\n"
    ".warning{background:var(--medium);border-radius:8px;padding:10px 14px;margin:0 0 14px}\n"
    "@media print{body{background:#fff}.card{break-inside:avoid}}\n";

bool report_html_text(struct str text, struct buf *out)
{
    bool fits = true;
    for (size_t i = 0; fits && i < text.len; i++) {
        char byte = text.ptr[i];
        fits = byte == '<'   ? buf_append_str(out, STR("&lt;"))
               : byte == '>' ? buf_append_str(out, STR("&gt;"))
               : byte == '&' ? buf_append_str(out, STR("&amp;"))
               : byte == '"' ? buf_append_str(out, STR("&quot;"))
                             : buf_append_char(out, byte);
    }
    return fits;
}

static bool write_change(const struct report *report, enum report_number number,
                         enum report_day since, enum report_language language, struct buf *out)
{
    const char *word =
        report_word(since == REPORT_DAY_BEFORE ? WORD_DAY_BEFORE : WORD_WEEK_BEFORE, language);
    static const char *const CLASSES[] = {"bad", "", "good"};
    double change = report_change(report, number, since);
    return buf_printf(out, "<div class=\"change\"><span>%s</span><span class=\"%s\">", word,
                      CLASSES[report_judge(number, change) + 1]) &&
           report_change_text(number, change, language, out) &&
           buf_append_str(out, STR("</span></div>"));
}

static bool write_card(const struct report *report, enum report_number number,
                       enum report_language language, struct buf *out)
{
    return buf_printf(out, "<div class=\"card\"><div class=\"name\">%s</div><div class=\"value\">",
                      report_word(report_number_word(number), language)) &&
           report_number_text(number, report->numbers[REPORT_TODAY][number], out) &&
           buf_append_str(out, STR("</div>")) &&
           write_change(report, number, REPORT_DAY_BEFORE, language, out) &&
           write_change(report, number, REPORT_WEEK_BEFORE, language, out) &&
           buf_append_str(out, STR("</div>\n"));
}

static bool write_cards(const struct report *report, enum report_language language, struct buf *out)
{
    bool fits = buf_append_str(out, STR("<div class=\"cards\">\n"));
    for (int i = 0; fits && i < REPORT_NUMBERS; i++)
        fits = write_card(report, (enum report_number)i, language, out);
    return fits && buf_append_str(out, STR("</div>\n"));
}

static bool write_advice(const struct report *report, enum report_language language,
                         struct buf *out)
{
    bool fits = buf_printf(out, "<section class=\"card\"><h2>%s</h2>\n",
                           report_word(WORD_ADVICE, language));
    if (report->advice_count == 0)
        fits = fits &&
               buf_printf(out, "<p class=\"none\">%s</p>\n", report_word(WORD_NO_ADVICE, language));
    for (size_t i = 0; fits && i < report->advice_count; i++) {
        const struct report_advice *advice = report->advice[i];
        fits = buf_printf(
            out, "<p class=\"advice %s\"><b>%s · %s</b><span>%s</span><code>%s</code></p>\n",
            advice->priority, advice->priority, advice->category, advice->text[language],
            advice->action);
    }
    return fits && buf_append_str(out, STR("</section>\n"));
}

static bool write_list(const struct report_list *list, enum report_word title,
                       enum report_language language, struct buf *out)
{
    bool fits =
        buf_printf(out, "<section class=\"card\"><h2>%s</h2>\n", report_word(title, language));
    if (list->count == 0)
        fits = fits &&
               buf_printf(out, "<p class=\"none\">%s</p>\n", report_word(WORD_NO_ERRORS, language));
    else
        fits = fits && report_write_bars(list, out);
    return fits && buf_append_str(out, STR("</section>\n"));
}

static bool write_head(const struct report *report, enum report_language language, struct buf *out)
{
    const char *title = report_word(WORD_TITLE, language), *date = report->dates[REPORT_TODAY];
    return buf_printf(out,
                      "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
                      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                      "<title>%s · %s</title>\n<style>\n",
                      language == REPORT_KOREAN ? "ko" : "en", title, date) &&
           buf_append_str(out, str_from(STYLE)) &&
           buf_printf(out,
                      "</style>\n</head>\n<body>\n<main>\n<h1>%s</h1>\n<p class=\"date\">%s</p>\n",
                      title, date) &&
           (report->has_day[REPORT_TODAY] ||
            buf_printf(out, "<p class=\"warning\">%s</p>\n", report_word(WORD_NO_DATA, language)));
}

static bool write_foot(const struct report *report, enum report_language language, struct buf *out)
{
    enum report_word source = report->from_prometheus ? WORD_FROM_PROMETHEUS : WORD_FROM_LOGS;
    return buf_printf(out, "<footer>%s · %s%s%s</footer>\n</main>\n</body>\n</html>\n",
                      report_word(source, language), report_word(WORD_UTC, language),
                      report->users_from_logs ? " · " : "",
                      report->users_from_logs ? report_word(WORD_AT_LEAST, language) : "");
}

bool report_write_html(const struct report *report, enum report_language language, struct buf *out)
{
    return write_head(report, language, out) && write_advice(report, language, out) &&
           write_cards(report, language, out) && report_write_chart(report, language, out) &&
           buf_append_str(out, STR("<div class=\"pair\">\n")) &&
           write_list(&report->by_type, WORD_BY_TYPE, language, out) &&
           write_list(&report->by_service, WORD_BY_SERVICE, language, out) &&
           buf_append_str(out, STR("</div>\n")) && write_foot(report, language, out);
}
