/* SPDX-License-Identifier: Apache-2.0
 *
 * `millrace report`: the daily report of the payment services.
 */
#include "services/report/report.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/time/clock.h"
#include "cmd/commands.h"
#include "services/store/store.h"

enum { OUTPUT_MAX_BYTES = 64 * 1024 * 1024, DAY_SECONDS = 24 * 3600 };

static const char USAGE[] =
    "usage: millrace report [--date YYYY-MM-DD] [FLAGS]\n"
    "Asks for a day's payments and errors, the day before and the week before, and\n"
    "says what they were (docs/report.md).\n"
    "  --date YYYY-MM-DD       the day, of UTC (default: yesterday)\n"
    "  --es URL                Elasticsearch or OpenSearch, or a document store\n"
    "                          (default http://127.0.0.1:9200)\n"
    "  --store DIR             the documents of a store that does not run\n"
    "  --index PREFIX          what stands before the date in the name of an index\n"
    "                          (default kakaopay-logs-)\n"
    "  --prometheus URL        take payments, times and users from there\n"
    "  --format FORMAT         json, md, html (default: as -o ends, else json)\n"
    "  --lang LANGUAGE         ko, en (default ko)\n"
    "  -o, --output FILE       write there instead of standard output\n";

struct request {
    struct report_options options;
    const char *store, *output;
    int format; /* enum report_format, -1: not said */
    enum report_language language;
    bool has_es;
};

/* ---- flags ---- */

enum {
    FLAG_DATE,
    FLAG_ES,
    FLAG_STORE,
    FLAG_INDEX,
    FLAG_PROMETHEUS,
    FLAG_FORMAT,
    FLAG_LANG,
    FLAG_OUTPUT,
    FLAG_HELP
};

const struct flag report_flags[] = {
    {"date", 0, true, FLAG_DATE},
    {"es", 0, true, FLAG_ES},
    {"store", 0, true, FLAG_STORE},
    {"index", 0, true, FLAG_INDEX},
    {"prometheus", 0, true, FLAG_PROMETHEUS},
    {"format", 0, true, FLAG_FORMAT},
    {"lang", 0, true, FLAG_LANG},
    {"output", 'o', true, FLAG_OUTPUT},
    {"help", 'h', false, FLAG_HELP},
    {NULL, 0, false, 0},
};

static bool wrong(const struct flags *flags, const char *expected)
{
    fprintf(stderr, "millrace report: --%s is '%s', expected %s\n", flags->name, flags->value,
            expected);
    return false;
}

static bool take_date(const struct flags *flags, struct request *request)
{
    struct str text = str_from(flags->value);
    struct instant at;
    if (text.len != strlen("2026-01-31") || !instant_parse_iso8601(text, &at) || at.seconds < 0)
        return wrong(flags, "a date as 2026-01-31");
    request->options.day = at.seconds / DAY_SECONDS;
    return true;
}

static bool take_url(const struct flags *flags, struct str *out)
{
    struct str text = str_from(flags->value);
    while (text.len > 0 && text.ptr[text.len - 1] == '/')
        text.len--;
    *out = text;
    return str_starts_with(text, STR("http://")) || str_starts_with(text, STR("https://")) ||
           wrong(flags, "a URL");
}

static bool take_format(const struct flags *flags, struct request *request)
{
    static const char *const NAMES[] = {"json", "md", "html"};
    for (int i = 0; i < (int)(sizeof NAMES / sizeof *NAMES); i++)
        if (strcmp(flags->value, NAMES[i]) == 0) {
            request->format = i;
            return true;
        }
    return wrong(flags, "json, md or html");
}

static bool take_language(const struct flags *flags, struct request *request)
{
    bool english = strcmp(flags->value, "en") == 0;
    request->language = english ? REPORT_ENGLISH : REPORT_KOREAN;
    return english || strcmp(flags->value, "ko") == 0 || wrong(flags, "ko or en");
}

static bool take_flag(const struct flags *flags, int id, struct request *request)
{
    switch (id) {
    case FLAG_DATE:
        return take_date(flags, request);
    case FLAG_ES:
        request->has_es = true;
        return take_url(flags, &request->options.es_url);
    case FLAG_STORE:
        request->store = flags->value;
        return true;
    case FLAG_INDEX:
        request->options.index = str_from(flags->value);
        return true;
    case FLAG_PROMETHEUS:
        return take_url(flags, &request->options.prometheus_url);
    case FLAG_FORMAT:
        return take_format(flags, request);
    case FLAG_LANG:
        return take_language(flags, request);
    case FLAG_OUTPUT:
        request->output = flags->value;
        return true;
    case FLAGS_OPERAND:
        return flags_unexpected(flags);
    }
    return false;
}

static enum report_format format_of(const struct request *request)
{
    struct str name = str_from(request->output);
    if (request->format >= 0)
        return (enum report_format)request->format;
    if (str_ends_with(name, STR(".html")))
        return REPORT_HTML;
    return str_ends_with(name, STR(".md")) ? REPORT_MARKDOWN : REPORT_JSON;
}

/* ---- running ---- */

static bool write_out(const struct request *request, const struct buf *text)
{
    FILE *out = request->output ? fopen(request->output, "we") : stdout;
    bool good = out && fwrite(text->ptr, 1, text->len, out) == text->len;
    if (out)
        good = (request->output ? fclose(out) : fflush(out)) == 0 && good;
    if (!good)
        fprintf(stderr, "millrace report: cannot write '%s': %s\n",
                request->output ? request->output : "-", strerror(errno));
    return good;
}

static bool report(struct request *request, struct arena *arena, struct error *err)
{
    struct report *found = arena_zero(arena, sizeof *found);
    struct buf text;
    if (!report_collect(&request->options, arena, found, err))
        return false;
    buf_init(&text, OUTPUT_MAX_BYTES);
    bool good = report_write(found, format_of(request), request->language, &text) ||
                error_set(err, ERROR_LIMIT, "the report is too large");
    good = good && write_out(request, &text);
    buf_release(&text);
    return good;
}

static void on_closed(void *ctx)
{
    (void)ctx;
}

/* The store's documents, behind a port of their own for so long. */
static struct store *open_store(struct request *request, const struct log *log, struct arena *arena,
                                struct error *err)
{
    struct store_options options = {
        .loop = request->options.loop,
        .log = log,
        .host = "127.0.0.1",
        .path = request->store,
        .sync = true,
        .max_body_bytes = STORE_BODY_BYTES,
    };
    if (access(request->store, R_OK) != 0) {
        error_set(err, ERROR_NOT_FOUND, "'%s': %s", request->store, strerror(errno));
        return NULL;
    }
    struct store *store = store_open(&options, err);
    if (store)
        request->options.es_url = arena_printf(arena, "http://%s", store_address(store));
    return store;
}

static int run(struct request *request)
{
    uv_loop_t loop;
    struct log log;
    struct arena arena;
    struct error err = {0};
    signal(SIGPIPE, SIG_IGN);
    log_init(&log, LOG_LEVEL_WARN, LOG_FORMAT_PLAIN, STDERR_FILENO);
    arena_init(&arena, NULL);
    uv_loop_init(&loop);
    request->options.loop = &loop;
    struct store *store = request->store ? open_store(request, &log, &arena, &err) : NULL;
    bool good = (!request->store || store) && report(request, &arena, &err);
    if (store)
        store_close(store, on_closed, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    int left = uv_loop_close(&loop);
    assert(left == 0);
    (void)left;
    if (!good && err.text[0])
        fprintf(stderr, "millrace report: %s\n", err.text);
    arena_release(&arena);
    return good ? EXIT_DONE : EXIT_ERROR;
}

int cmd_report(int argc, char **argv)
{
    struct request request = {
        .options = {.day = clock_now().seconds / DAY_SECONDS - 1,
                    .es_url = STR("http://127.0.0.1:9200"),
                    .index = STR("kakaopay-logs-")},
        .format = -1,
    };
    struct flags flags = {.argc = argc, .argv = argv, .table = report_flags, .at = 1};
    for (int id; (id = flags_next(&flags)) != FLAGS_END;) {
        if (id == FLAG_HELP)
            return flags_end(&flags, true, USAGE);
        if (!take_flag(&flags, id, &request))
            return flags_end(&flags, false, USAGE);
    }
    if (request.store && request.has_es) {
        fputs("millrace report: --es and --store: one of them says where the documents are\n",
              stderr);
        return flags_end(&flags, false, USAGE);
    }
    return run(&request);
}
