/* SPDX-License-Identifier: Apache-2.0
 *
 * `millrace generate`: log lines of a made-up payment service on standard output, for demos, tests and benches.
 */
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "cmd/commands.h"
#include "cmd/flags.h"
#include "cmd/payment_line.h"

enum {
    GENERATE_CHUNK_BYTES = 64 * 1024,
    GENERATE_STEP_MS = 100, /* between two timestamps */
    GENERATE_PAUSE_MS = 10, /* between two writes when a rate is asked for */
    GENERATE_MAX_RATE = 100 * 1000 * 1000,
};

static const char USAGE[] =
    "usage: millrace generate [-n COUNT] [--seed N] [--rate N] [--start TIME]\n"
    "Writes log lines of a made-up payment service to standard output.\n"
    "  -n, --count COUNT  how many lines (default: until nobody reads them)\n"
    "  --seed N           the same seed makes the same lines (default 1)\n"
    "  --rate N           lines a second (default: as fast as they are read)\n"
    "  --start TIME       timestamp of the first line in ISO 8601, the others 100 ms\n"
    "                     apart; or now: the time at which each is made\n"
    "                     (default 2026-01-01T00:00:00Z)\n";

struct generator {
    uint64_t count; /* 0: endless */
    uint64_t seed;
    uint64_t rate; /* 0: unbounded */
    struct instant start;
    bool live; /* timestamps are the wall clock's */
    uint64_t made;
    struct buf out;
};

static struct instant time_of(const struct generator *generator)
{
    if (generator->live)
        return clock_now();
    uint64_t offset_ms = generator->made * GENERATE_STEP_MS;
    uint64_t nanoseconds = generator->start.nanoseconds + offset_ms % 1000 * 1000000;
    return (struct instant){.seconds = generator->start.seconds +
                                       (int64_t)(offset_ms / 1000 + nanoseconds / 1000000000),
                            .nanoseconds = (uint32_t)(nanoseconds % 1000000000)};
}

/* False when the reader is gone, or with a message when writing failed. */
static bool flush(struct generator *generator, int *status_out)
{
    size_t done = 0;
    while (done < generator->out.len) {
        ssize_t written =
            write(STDOUT_FILENO, generator->out.ptr + done, generator->out.len - done);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0) {
            if (errno != EPIPE)
                fprintf(stderr, "millrace generate: cannot write: %s\n", strerror(errno));
            *status_out = errno == EPIPE ? EXIT_DONE : EXIT_ERROR;
            return false;
        }
        done += (size_t)written;
    }
    buf_clear(&generator->out, GENERATE_CHUNK_BYTES);
    return true;
}

static bool make_lines(struct generator *generator, uint64_t until, int *status_out)
{
    while (generator->made < until) {
        bool fits =
            payment_line(&generator->out, generator->seed, generator->made, time_of(generator));
        assert(fits);
        (void)fits;
        generator->made++;
        if (generator->out.len > GENERATE_CHUNK_BYTES - PAYMENT_LINE_MAX_BYTES &&
            !flush(generator, status_out))
            return false;
    }
    return flush(generator, status_out);
}

static uint64_t due_lines(const struct generator *generator, uint64_t elapsed_ms)
{
    uint64_t end = generator->count ? generator->count : UINT64_MAX;
    if (generator->rate == 0)
        return end;
    uint64_t due =
        elapsed_ms / 1000 * generator->rate + elapsed_ms % 1000 * generator->rate / 1000 + 1;
    return due < end ? due : end;
}

static int run(struct generator *generator)
{
    uint64_t started_ms = clock_monotonic_ms();
    int status = EXIT_DONE;
    buf_init(&generator->out, GENERATE_CHUNK_BYTES);
    while (
        make_lines(generator, due_lines(generator, clock_monotonic_ms() - started_ms), &status)) {
        if (generator->count && generator->made == generator->count)
            break;
        nanosleep(&(struct timespec){.tv_nsec = GENERATE_PAUSE_MS * 1000000L}, NULL);
    }
    buf_release(&generator->out);
    return status;
}

/* ---- flags ---- */

enum { FLAG_COUNT, FLAG_SEED, FLAG_RATE, FLAG_START, FLAG_HELP };

const struct flag generate_flags[] = {
    {"count", 'n', true, FLAG_COUNT}, {"seed", 0, true, FLAG_SEED},    {"rate", 0, true, FLAG_RATE},
    {"start", 0, true, FLAG_START},   {"help", 'h', false, FLAG_HELP}, {NULL, 0, false, 0},
};

static bool start_time(const char *text, struct generator *generator)
{
    generator->live = str_equal(str_from(text), STR("now"));
    if (generator->live || instant_parse_iso8601(str_from(text), &generator->start))
        return true;
    fprintf(stderr, "millrace generate: --start is '%s', expected now or a time in ISO 8601\n",
            text);
    return false;
}

static bool take_flag(const struct flags *flags, int id, struct generator *generator)
{
    switch (id) {
    case FLAG_COUNT:
        return flags_number(flags, 1, INT64_MAX, &generator->count);
    case FLAG_SEED:
        return flags_number(flags, 0, INT64_MAX, &generator->seed);
    case FLAG_RATE:
        return flags_number(flags, 1, GENERATE_MAX_RATE, &generator->rate);
    case FLAG_START:
        return start_time(flags->value, generator);
    case FLAGS_OPERAND:
        return flags_unexpected(flags);
    }
    return false;
}

int cmd_generate(int argc, char **argv)
{
    struct generator generator = {.seed = 1};
    struct flags flags = {.argc = argc, .argv = argv, .table = generate_flags, .at = 1};
    instant_parse_iso8601(STR("2026-01-01T00:00:00Z"), &generator.start);
    for (int id; (id = flags_next(&flags)) != FLAGS_END;) {
        if (id == FLAG_HELP)
            return flags_end(&flags, true, USAGE);
        if (!take_flag(&flags, id, &generator))
            return flags_end(&flags, false, USAGE);
    }
    signal(SIGPIPE, SIG_IGN);
    return run(&generator);
}
