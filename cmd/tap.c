/* SPDX-License-Identifier: Apache-2.0
 *
 * millrace tap: events of a running pipeline as they pass, over the socket that its process keeps (services/api/tap_socket.h).
 */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/keystore.h"
#include "cmd/tap_show.h"
#include "conf/settings.h"
#include "io/local_socket.h"
#include "pipeline/event/event_json.h"
#include "services/api/tap_socket.h"

enum {
    TAP_LINE_MAX_BYTES = 16 * TAP_EVENT_MAX_BYTES,
    TAP_READ_BYTES = 64 * 1024,
    PROCESSES_MAX = 64,
    TELL_EACH_MS = 5000,
    COUNTS_BYTES = 320,
};

enum {
    FLAG_PIPELINE,
    FLAG_WHERE,
    FLAG_SAMPLE,
    FLAG_RATE,
    FLAG_COUNT,
    FLAG_BEFORE,
    FLAG_DIFF,
    FLAG_METADATA,
    FLAG_PAGE,
    FLAG_FORMAT,
    FLAG_DATA,
    FLAG_PID,
    FLAG_HELP
};

const struct flag tap_flags[] = {
    {"pipeline", 0, true, FLAG_PIPELINE}, {"where", 0, true, FLAG_WHERE},
    {"sample", 0, true, FLAG_SAMPLE},     {"rate", 0, true, FLAG_RATE},
    {"count", 'n', true, FLAG_COUNT},     {"before", 0, false, FLAG_BEFORE},
    {"diff", 0, false, FLAG_DIFF},        {"metadata", 0, false, FLAG_METADATA},
    {"page", 0, false, FLAG_PAGE},        {"format", 0, true, FLAG_FORMAT},
    {"path.data", 0, true, FLAG_DATA},    {"pid", 0, true, FLAG_PID},
    {"help", 'h', false, FLAG_HELP},      {NULL, 0, false, 0},
};

static const char USAGE[] =
    "usage: millrace tap [PLUGIN_ID] [--where CONDITION] [--sample N] [--diff]\n"
    "                    [--count N] [--format json]\n"
    "       millrace tap --page\n"
    "\n"
    "Shows events of a running pipeline as they pass: behind all filters, as the\n"
    "outputs get them, or at the plugin with this id: behind an input, behind a\n"
    "filter, before an output. The pipeline does not wait for it.\n"
    "\n"
    "  --pipeline ID     of several pipelines this one\n"
    "  --where CONDITION as behind an 'if', such as '[status] >= 500'\n"
    "  --sample N        one of so many that match\n"
    "  --rate N          at most so many a second; 10 unless given, 1000 at most\n"
    "  -n, --count N     end after so many\n"
    "  --before          events as the filter gets them\n"
    "  --diff            what the filter changes in each event\n"
    "  --metadata        with [@metadata]\n"
    "  --page            instead: the address at which a browser shows all this\n"
    "  --format json     lines of JSON\n"
    "  --path.data DIR   where the process keeps what outlives it\n"
    "  --pid PID         of several processes with this path.data this one\n";

struct tap_command {
    struct arena arena;
    struct value request; /* an object */
    char *data;           /* NULL: the default */
    uint64_t count;       /* 0: no end */
    uint64_t pid;         /* 0: the only one */
    bool json;
    struct terminal terminal;
    struct json_reader *reader;
    uint64_t shown, told_ms;
    char counts[COUNTS_BYTES], told[COUNTS_BYTES]; /* what was not shown; what was said of it */
    bool refused, told_page;
};

/* ---- flags ---------------------------------------------------------------------------------------- */

static bool take_number(struct tap_command *tap, const struct flags *flags, uint64_t max)
{
    uint64_t number;
    if (!flags_number(flags, 1, max, &number))
        return false;
    value_object_set(&tap->arena, &tap->request, str_from(flags->name), value_int((int64_t)number));
    return true;
}

static bool take_format(struct tap_command *tap, const struct flags *flags)
{
    tap->json = strcmp(flags->value, "json") == 0;
    if (tap->json || strcmp(flags->value, "text") == 0)
        return true;
    fprintf(stderr, "millrace tap: --format is '%s', expected text or json\n", flags->value);
    return false;
}

static bool take_text(struct tap_command *tap, const char *name, const char *text)
{
    value_object_set(&tap->arena, &tap->request, str_from(name), value_str(str_from(text)));
    return true;
}

static bool take_flag(struct tap_command *tap, const struct flags *flags, int id)
{
    switch (id) {
    case FLAG_PIPELINE:
    case FLAG_WHERE:
        return take_text(tap, flags->name, flags->value);
    case FLAG_SAMPLE:
        return take_number(tap, flags, INT64_MAX);
    case FLAG_RATE:
        return take_number(tap, flags, TAP_RATE_MAX);
    case FLAG_COUNT:
        return flags_number(flags, 1, INT64_MAX, &tap->count);
    case FLAG_PID:
        return flags_number(flags, 1, INT32_MAX, &tap->pid);
    case FLAG_BEFORE:
    case FLAG_DIFF:
    case FLAG_METADATA:
    case FLAG_PAGE:
        value_object_set(&tap->arena, &tap->request, str_from(tap_flags[id].name),
                         value_bool(true));
        return true;
    case FLAG_FORMAT:
        return take_format(tap, flags);
    case FLAG_DATA:
        tap->data = arena_cstr(&tap->arena, str_from(flags->value));
        return true;
    case FLAGS_OPERAND:
        return value_object_get(&tap->request, STR("plugin"))
                   ? flags_unexpected(flags)
                   : take_text(tap, "plugin", flags->value);
    default:
        return false;
    }
}

/* ---- the process ---------------------------------------------------------------------------------- */

static const char *default_data(struct tap_command *tap)
{
    static char name[] = "tap";
    char *words[] = {name, NULL};
    struct settings settings;
    struct error_list errors;
    error_list_init(&errors);
    keystore_settings(&settings, &tap->arena, 1, words, &errors);
    error_list_release(&errors);
    return settings.path_data.ptr;
}

/* Connects to each that is there; the names of more than one are in *several_out, with blanks. */
static int connect_any(const char *directory, struct arena *arena, struct str *several_out)
{
    int found = -1;
    size_t count = 0;
    DIR *listing = opendir(directory);
    *several_out = (struct str){.len = 0};
    if (!listing)
        return -1;
    for (const struct dirent *entry; count < PROCESSES_MAX && (entry = readdir(listing));) {
        struct str name = str_from(entry->d_name);
        if (!str_ends_with(name, STR(".sock")) || name.len > LOCAL_SOCKET_NAME_MAX)
            continue;
        int fd = local_socket_connect(directory, entry->d_name);
        if (fd < 0)
            continue;
        name.len -= STR(".sock").len;
        *several_out = arena_printf(arena, "%.*s%s%.*s", STR_FMT(*several_out), count ? " " : "",
                                    STR_FMT(name));
        if (count++ > 0)
            close(fd);
        else
            found = fd;
    }
    closedir(listing);
    if (count <= 1)
        several_out->len = 0;
    return found;
}

/* A connected socket; -1 and the reason is told. */
static int find_process(struct tap_command *tap)
{
    const char *data = tap->data ? tap->data : default_data(tap);
    const char *directory = arena_printf(&tap->arena, "%s/tap", data).ptr;
    struct str several = {.len = 0};
    int fd;
    if (tap->pid > 0)
        fd = local_socket_connect(directory,
                                  arena_printf(&tap->arena, "%" PRIu64 ".sock", tap->pid).ptr);
    else
        fd = connect_any(directory, &tap->arena, &several);
    if (fd >= 0 && several.len == 0)
        return fd;
    if (fd >= 0) {
        close(fd);
        fprintf(stderr, "millrace tap: several run with '%s'; name one with --pid: %.*s\n", data,
                STR_FMT(several));
    } else if (errno == EACCES) {
        fprintf(stderr,
                "millrace tap: '%s' belongs to another user; only that user and root may "
                "look on\n",
                directory);
    } else {
        fprintf(stderr,
                "millrace tap: no millrace that can be looked at runs with '%s'; "
                "--path.data names another directory\n",
                data);
    }
    return -1;
}

static bool send_request(struct tap_command *tap, int fd)
{
    struct buf line;
    buf_init(&line, TAP_REQUEST_MAX_BYTES);
    bool fits = json_encode_value(&tap->request, &line) && buf_append_char(&line, '\n');
    bool sent = fits && write(fd, line.ptr, line.len) == (ssize_t)line.len;
    if (!fits)
        fputs("millrace tap: the condition is too long\n", stderr);
    else if (!sent)
        fprintf(stderr, "millrace tap: the process cannot be asked: %s\n", strerror(errno));
    buf_release(&line);
    return sent;
}

/* ---- lines ---------------------------------------------------------------------------------------- */

static int64_t number_in(const struct value *object, struct str name)
{
    const struct value *item = value_object_get(object, name);
    return item && item->type == VALUE_INT ? value_as_int(item) : 0;
}

static void tell(struct tap_command *tap, bool now)
{
    uint64_t now_ms = clock_monotonic_ms();
    if (!*tap->counts || strcmp(tap->counts, tap->told) == 0 ||
        (!now && now_ms - tap->told_ms < TELL_EACH_MS))
        return;
    fprintf(stderr, "%s\n", tap->counts);
    memcpy(tap->told, tap->counts, sizeof tap->told);
    tap->told_ms = now_ms;
}

/* What was not shown, as a sentence; empty: all was. */
static void take_counts(struct tap_command *tap, const struct value *counts)
{
    const struct {
        struct str name;
        const char *what;
    } parts[] = {
        {STR("limited"), "came faster than --rate"},
        {STR("dropped"), "were dropped, because what reads here is slow"},
        {STR("unseen"), "were not looked at, because --where takes long"},
    };
    char text[COUNT_TEXT_MAX];
    int len = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        int64_t count = number_in(counts, parts[i].name);
        if (count > 0)
            len += snprintf(tap->counts + len, sizeof tap->counts - (size_t)len, "%s%s %s",
                            len ? "; " : "not shown: ", count_text((uint64_t)count, text),
                            parts[i].what);
        assert((size_t)len < sizeof tap->counts);
    }
    tell(tap, false);
}

static void say_where(const struct value *about)
{
    const struct value *plugin = value_object_get(about, STR("plugin"));
    const struct value *pipeline = value_object_get(about, STR("pipeline"));
    if (!pipeline)
        return;
    fprintf(stderr, "%s%.*s of pipeline '%.*s'; at most %" PRId64 " a second\n",
            plugin ? "plugin " : "behind all filters",
            STR_FMT(plugin ? value_as_str(plugin) : STR("")), STR_FMT(value_as_str(pipeline)),
            number_in(about, STR("rate")));
}

static void show_event(struct tap_command *tap, struct str line, const struct value *event)
{
    struct arena arena;
    struct buf text;
    arena_init(&arena, NULL);
    buf_init(&text, TAP_LINE_MAX_BYTES);
    if (tap->json)
        printf("%.*s\n", STR_FMT(line));
    else
        tap_show(&tap->terminal, event, &arena, &text);
    if (text.len > 0)
        fwrite(text.ptr, 1, text.len, stdout);
    fflush(stdout);
    buf_release(&text);
    arena_release(&arena);
    tap->shown++;
}

/* False: that was the last one. */
static bool take_line(struct tap_command *tap, struct str line)
{
    struct arena arena;
    struct error err = {0};
    struct value object;
    arena_init(&arena, NULL);
    bool good =
        json_decode(tap->reader, &arena, line, &object, &err) && object.type == VALUE_OBJECT;
    const struct value *error = good ? value_object_get(&object, STR("error")) : NULL;
    const struct value *about = good ? value_object_get(&object, STR("tap")) : NULL;
    const struct value *page = good ? value_object_get(&object, STR("page")) : NULL;
    const struct value *counts = good ? value_object_get(&object, STR("counts")) : NULL;
    if (!good || error) {
        struct str reason = value_is_str(error) ? value_as_str(error) : STR("it cannot be read");
        fprintf(stderr, "millrace tap: %.*s\n", STR_FMT(reason));
        tap->refused = true;
    } else if (page) {
        printf("%.*s\n", STR_FMT(value_is_str(page) ? value_as_str(page) : STR("")));
        tap->told_page = true;
    } else if (about) {
        say_where(about);
    } else if (counts) {
        take_counts(tap, counts);
    } else {
        show_event(tap, line, &object);
    }
    arena_release(&arena);
    return !tap->refused && !tap->told_page && (tap->count == 0 || tap->shown < tap->count);
}

/* False: enough. */
static bool take_lines(struct tap_command *tap, struct buf *read)
{
    bool more = true;
    const char *end;
    while (more && read->len > 0 && (end = memchr(read->ptr, '\n', read->len))) {
        size_t len = (size_t)(end - read->ptr);
        more = take_line(tap, str_make(read->ptr, len));
        buf_consume(read, len + 1);
    }
    return more;
}

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

/* Ctrl-C ends it in order, also in the middle of a read. */
static void watch_interrupt(void)
{
    struct sigaction action = {.sa_handler = on_interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static void look(struct tap_command *tap, int fd)
{
    struct buf read_bytes;
    bool more = true;
    buf_init(&read_bytes, TAP_LINE_MAX_BYTES);
    while (more && !interrupted && buf_reserve(&read_bytes, TAP_READ_BYTES)) {
        ssize_t len = read(fd, read_bytes.ptr + read_bytes.len, TAP_READ_BYTES);
        if (len <= 0)
            break;
        read_bytes.len += (size_t)len;
        more = take_lines(tap, &read_bytes);
    }
    if (more && !interrupted)
        fputs("the process that was looked at has ended\n", stderr);
    tell(tap, true);
    buf_release(&read_bytes);
}

static int run_tap(struct tap_command *tap)
{
    int fd = find_process(tap);
    if (fd < 0)
        return EXIT_ERROR;
    tap->terminal = terminal_of(STDOUT_FILENO);
    tap->reader = json_reader_new();
    watch_interrupt();
    bool asked = send_request(tap, fd);
    if (asked)
        look(tap, fd);
    json_reader_free(tap->reader);
    close(fd);
    return asked && !tap->refused ? EXIT_DONE : EXIT_ERROR;
}

int cmd_tap(int argc, char **argv)
{
    struct tap_command tap = {.count = 0};
    struct flags flags = {argc, argv, tap_flags, .at = 1};
    bool good = true, asked = false;
    arena_init(&tap.arena, NULL);
    tap.request = value_object_new(&tap.arena, 0);
    for (int id; good && !asked && (id = flags_next(&flags)) != FLAGS_END;) {
        asked = id == FLAG_HELP;
        good = asked || (id != FLAGS_BAD && take_flag(&tap, &flags, id));
    }
    int status = good && !asked ? run_tap(&tap) : flags_end(&flags, asked, USAGE);
    arena_release(&tap.arena);
    return status;
}
