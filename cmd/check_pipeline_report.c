/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/check_pipeline.h"
#include "cmd/shown.h"

enum { TEXT_MAX_BYTES = 256 * 1024 * 1024, NS_PER_US = 1000, US_PER_MS = 1000 };

static void put_lines(const struct terminal *terminal, struct str text, struct buf *out)
{
    (void)terminal;
    while (text.len > 0) {
        size_t end = str_find(text, STR("\n"));
        size_t len = end == SIZE_MAX ? text.len : end;
        buf_printf(out, "      %.*s\n", (int)len, text.ptr);
        text = str_from_offset(text, end == SIZE_MAX ? len : len + 1);
    }
}

static double milliseconds(uint64_t ns)
{
    return (double)(ns / NS_PER_US) / US_PER_MS;
}

void check_report_case(const struct check_result *result, const struct terminal *terminal,
                       bool only_failures)
{
    struct buf out, name;
    bool passed = result->difference.len == 0;
    if (passed && only_failures)
        return;
    buf_init(&out, TEXT_MAX_BYTES);
    buf_init(&name, TEXT_MAX_BYTES);
    shown_text(result->name, &name);
    terminal_text(terminal, passed ? STYLE_GOOD : STYLE_BAD, passed ? STR("ok    ") : STR("FAIL  "),
                  &out);
    terminal_text(terminal, passed ? STYLE_PLAIN : STYLE_BOLD, buf_str(&name), &out);
    terminal_printf(terminal, STYLE_DIM, &out, "  (%s:%u, %.1f ms)", result->file.ptr,
                    result->position.line, milliseconds(result->took_ns));
    buf_append_char(&out, '\n');
    put_lines(terminal, result->difference, &out);
    fwrite(out.ptr, 1, out.len, stdout);
    buf_release(&name);
    buf_release(&out);
}

void check_report_end(const struct check_results *results, const struct terminal *terminal)
{
    struct buf out;
    buf_init(&out, TEXT_MAX_BYTES);
    terminal_printf(terminal, results->failed > 0 ? STYLE_BAD : STYLE_GOOD, &out,
                    "%zu passed, %zu failed", results->passed, results->failed);
    terminal_printf(terminal, STYLE_DIM, &out, " in %.0f ms", milliseconds(results->took_ns));
    buf_append_char(&out, '\n');
    fwrite(out.ptr, 1, out.len, stdout);
    buf_release(&out);
}

/* ---- JUnit --------------------------------------------------------------------------------------- */

/* Controls are escapes already where they matter; XML knows no others. */
static void put_xml(struct str text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '<')
            buf_append_str(out, STR("&lt;"));
        else if (c == '>')
            buf_append_str(out, STR("&gt;"));
        else if (c == '&')
            buf_append_str(out, STR("&amp;"));
        else if (c == '"')
            buf_append_str(out, STR("&quot;"));
        else if (c == '\n')
            buf_append_str(out, STR("&#10;"));
        else
            buf_append_char(out, c);
    }
}

static void put_shown(struct str text, struct buf *out)
{
    struct buf shown;
    buf_init(&shown, TEXT_MAX_BYTES);
    shown_text(text, &shown);
    put_xml(buf_str(&shown), out);
    buf_release(&shown);
}

static void put_case(const struct check_result *result, struct buf *out)
{
    const char *kind = result->broken ? "error" : "failure";
    buf_append_str(out, STR("    <testcase classname=\""));
    put_shown(result->file, out);
    buf_append_str(out, STR("\" name=\""));
    put_shown(result->name, out);
    buf_printf(out, "\" line=\"%u\" time=\"%.6f\"", result->position.line,
               (double)result->took_ns / 1e9);
    if (result->difference.len == 0) {
        buf_append_str(out, STR("/>\n"));
        return;
    }
    size_t end = str_find(result->difference, STR("\n"));
    buf_printf(out, ">\n      <%s message=\"", kind);
    put_xml(str_make(result->difference.ptr, end == SIZE_MAX ? result->difference.len : end), out);
    buf_append_str(out, STR("\">"));
    put_xml(result->difference, out);
    buf_printf(out, "</%s>\n    </testcase>\n", kind);
}

/* The cases of one file, from the first on; returns what is behind them. */
static const struct check_result *put_suite(const struct check_result *first, struct buf *out)
{
    size_t tests = 0, failures = 0, broken = 0;
    uint64_t took_ns = 0;
    const struct check_result *end = first;
    for (; end && str_equal(end->file, first->file); end = end->next) {
        tests++;
        took_ns += end->took_ns;
        broken += end->broken;
        failures += end->difference.len > 0 && !end->broken;
    }
    buf_append_str(out, STR("  <testsuite name=\""));
    put_shown(first->file, out);
    buf_printf(out, "\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" time=\"%.6f\">\n", tests,
               failures, broken, (double)took_ns / 1e9);
    for (const struct check_result *result = first; result != end; result = result->next)
        put_case(result, out);
    buf_append_str(out, STR("  </testsuite>\n"));
    return end;
}

bool check_report_junit(const struct check_results *results, const char *path, struct error *err)
{
    struct buf out;
    buf_init(&out, TEXT_MAX_BYTES);
    buf_printf(&out,
               "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
               "<testsuites tests=\"%zu\" failures=\"%zu\" time=\"%.6f\">\n",
               results->passed + results->failed, results->failed, (double)results->took_ns / 1e9);
    for (const struct check_result *result = results->first; result;)
        result = put_suite(result, &out);
    buf_append_str(&out, STR("</testsuites>\n"));
    FILE *file = fopen(path, "we");
    bool ok = file && fwrite(out.ptr, 1, out.len, file) == out.len;
    if (file)
        ok = fclose(file) == 0 && ok;
    buf_release(&out);
    return ok || error_set(err, ERROR_IO, "cannot write '%s': %s", path, strerror(errno));
}
