/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs/beats/lumberjack.h"

#include <stdlib.h>

#include "tests/unit/inputs/frames.h"
#include "tests/unit/inputs/suites.h"

enum { RECORD_MAX_BYTES = 64 * 1024 * 1024 };

static const struct lumberjack_limits LIMITS = {
    .max_window_events = 1000000,
    .max_event_bytes = 4096,
    .max_compressed_bytes = 8192,
    .max_inflated_bytes = 100000,
    .max_window_inflated_bytes = 150000,
};

/* What the decoders of a test share; NULL: frames are inflated in steps. */
static struct lumberjack_inflaters *shared;

static void share(void)
{
    shared = lumberjack_inflaters_new(8 * 1024 * 1024);
}

/* Frees only when every frame gave back what it had reserved. */
static void end_sharing(void)
{
    lumberjack_inflaters_free(shared);
    shared = NULL;
}

/* What the decoder said, as text: W2:3 J7:{} D7:k=v E */
struct record {
    struct lumberjack decoder;
    struct buf text;
    bool pausing; /* after each callback */
};

static void say_window(void *ctx, enum lumberjack_version version, uint32_t count)
{
    struct record *record = ctx;
    buf_printf(&record->text, "W%c:%u ", version, count);
    if (record->pausing)
        lumberjack_pause(&record->decoder);
}

static void say_pairs(struct record *record, struct str rest)
{
    struct str key, value;
    for (const char *gap = ""; lumberjack_next_pair(&rest, &key, &value); gap = ",")
        buf_printf(&record->text, "%s%.*s=%.*s", gap, STR_FMT(key), STR_FMT(value));
}

static void say_event(void *ctx, const struct lumberjack_event *event)
{
    struct record *record = ctx;
    buf_printf(&record->text, "%c%u:", event->version == LUMBERJACK_V1 ? 'D' : 'J',
               event->sequence);
    if (event->version == LUMBERJACK_V1)
        say_pairs(record, event->payload);
    else
        buf_append_str(&record->text, event->payload);
    buf_append_char(&record->text, ' ');
    if (record->pausing)
        lumberjack_pause(&record->decoder);
}

static void say_end(void *ctx)
{
    struct record *record = ctx;
    buf_append_str(&record->text, STR("E "));
    if (record->pausing)
        lumberjack_pause(&record->decoder);
}

static const struct lumberjack_handler HANDLER = {say_window, say_event, say_end};

static void record_init(struct record *record, bool pausing)
{
    lumberjack_init(&record->decoder, &HANDLER, record, &LIMITS, NULL);
    record->decoder.shared = shared;
    buf_init(&record->text, RECORD_MAX_BYTES);
    record->pausing = pausing;
}

static void record_release(struct record *record)
{
    lumberjack_release(&record->decoder);
    buf_release(&record->text);
}

static bool feed_all(struct record *record, struct str bytes, struct error *err)
{
    /* Own memory of the exact size, so that a sanitizer sees a read too far. */
    char *copy = malloc(bytes.len ? bytes.len : 1);
    if (bytes.len > 0)
        memcpy(copy, bytes.ptr, bytes.len);
    struct str rest = str_make(copy, bytes.len);
    bool good = true;
    while (good && (rest.len > 0 || lumberjack_has_pending(&record->decoder))) {
        size_t consumed = 0;
        good = lumberjack_feed(&record->decoder, rest, &consumed, err);
        rest = str_from_offset(rest, consumed);
    }
    free(copy);
    return good;
}

/* Feeds the bytes in pieces of `piece` bytes, the first one of `first`. */
static bool feed_pieces(struct record *record, struct str bytes, size_t first, size_t piece,
                        struct error *err)
{
    size_t at = first < bytes.len ? first : bytes.len;
    if (!feed_all(record, str_make(bytes.ptr, at), err))
        return false;
    while (at < bytes.len) {
        size_t len = bytes.len - at < piece ? bytes.len - at : piece;
        if (!feed_all(record, str_make(bytes.ptr + at, len), err))
            return false;
        at += len;
    }
    return true;
}

struct example {
    const char *script;
    const char *said;
    const char *error; /* a part of the error's text; NULL: none */
    bool incomplete;   /* what is left of a good one */
};

static const struct example EXAMPLES[] = {
    /* plain windows */
    {"2W1 2J1={}", "W2:1 J1:{} E ", NULL, false},
    {"2W3 2J1={} 2J2=[1,2] 2J3=null", "W2:3 J1:{} J2:[1,2] J3:null E ", NULL, false},
    {"2W1 2J1={} 2W2 2J1=a 2J2=b 2W1 2J1=c", "W2:1 J1:{} E W2:2 J1:a J2:b E W2:1 J1:c E ", NULL,
     false},
    {"2W0", "W2:0 E ", NULL, false},
    {"2W0 2W1 2J1=x", "W2:0 E W2:1 J1:x E ", NULL, false},
    {"2W2 2J100=a 2J101=b", "W2:2 J100:a J101:b E ", NULL, false},
    {"2W2 2J0=a 2J1=b", "W2:2 J0:a J1:b E ", NULL, false},
    {"2W2 2J4294967295=a 2J0=b", "W2:2 J4294967295:a J0:b E ", NULL, false},
    {"2W3 2J7=a 2J7=b 2J7=c", "W2:3 J7:a J7:b J7:c E ", NULL, false},
    /* version 1 */
    {"1W1 1D1=line:hello,host:a", "W1:1 D1:line=hello,host=a E ", NULL, false},
    {"1W2 1D41=a:b 1D42=c:,:d", "W1:2 D41:a=b D42:c=,=d E ", NULL, false},
    {"1W1 1D1=:", "W1:1 D1:= E ", NULL, false},
    {"1W2 1C[ 1D1=a:b 1D2=c:d ]", "W1:2 D1:a=b D2:c=d E ", NULL, false},
    {"1W1 1D1=a:b 2W1 2J1={}", "W1:1 D1:a=b E W2:1 J1:{} E ", NULL, false},
    /* compressed */
    {"2W2 2C[ 2J1=aaaaaaaa 2J2=aaaaaaaa ]", "W2:2 J1:aaaaaaaa J2:aaaaaaaa E ", NULL, false},
    {"2W1 2Cs[ 2J1={} ]", "W2:1 J1:{} E ", NULL, false},
    {"2W2 2C[ 2J1=a ] 2C[ 2J2=b ]", "W2:2 J1:a J2:b E ", NULL, false},
    {"2W2 2J1=a 2C[ 2J2=b ]", "W2:2 J1:a J2:b E ", NULL, false},
    {"2W2 2C[ 2J1=a ] 2J2=b", "W2:2 J1:a J2:b E ", NULL, false},
    {"2C[ 2W1 2J1=a ]", "W2:1 J1:a E ", NULL, false},
    {"2C[ 2W1 2J1=a 2W1 2J1=b ]", "W2:1 J1:a E W2:1 J1:b E ", NULL, false},
    {"2C[ 2W0 ] 2W1 2J1=a", "W2:0 E W2:1 J1:a E ", NULL, false},
    {"2W1 x324300000000 2J1=a", "W2:1 J1:a E ", NULL, false},
    {"2W1 2C[ ] 2J1=a", "W2:1 J1:a E ", NULL, false},
    {"2W1 2Ct[ 2J1=a ] 2W1 2J1=b", "W2:1 J1:a E W2:1 J1:b E ", NULL, false},
    /* cut: nothing wrong yet */
    {"2W3 2J1={}", "W2:3 J1:{} ", NULL, true},
    {"2W1 x324a00", "W2:1 ", NULL, true},
    {"x32", "", NULL, true},
    {"2W4294967", "", "larger than max_window", false},
    {"x3257ffffffff", "", "larger than max_window", false},
    {"x32577fffffff", "", "larger than max_window", false},
    /* what may not follow what */
    {"2J1={}", "", "outside of a window", false},
    {"2W1 2J1=a 2J2=b", "W2:1 J1:a E ", "outside of a window", false},
    {"2W1 2C[ 2J1=a 2J2=b ]", "W2:1 J1:a ", "outside of a window", false},
    {"2W3 2J1=a 2W1", "W2:3 J1:a ", "lacks 2", false},
    {"2W3 2W1 2J1=a", "W2:3 ", "lacks 3", false},
    {"2W1 1D1=a:b", "W2:1 ", "version 1 frame in a window of version 2", false},
    {"1W1 2J1={}", "W1:1 ", "version 2 frame in a window of version 1", false},
    {"1W1 1J1={}", "W1:1 ", "no Lumberjack frame starts with bytes 31 4a", false},
    {"2W1 2D1=a:b", "W2:1 ", "no Lumberjack frame starts with bytes 32 44", false},
    {"2W1 1C[ 1D1=a:b ]", "W2:1 ", "version 1 frame in a window of version 2", false},
    /* not frames */
    {"x3258", "", "32 58", false},
    {"x324100000001", "", "32 41", false},
    {"x3357", "", "33 57", false},
    {"x025700000001", "", "02 57", false},
    {"x474554202f", "", "HTTP", false},
    {"x1603010200", "", "TLS", false},
    /* lengths */
    {"2W1 x324a0000000100000000", "W2:1 ", "0 bytes", false},
    {"2W1 x324a00000001ffffffff", "W2:1 ", "max_event_bytes", false},
    {"2W1 x324a000000017fffffff", "W2:1 ", "max_event_bytes", false},
    {"2W1 x324a0000000100001001", "W2:1 ", "max_event_bytes", false},
    {"2W1 x324a0000000100001000", "W2:1 ", NULL, true},
    {"2W1 x3243ffffffff", "W2:1 ", "max_compressed_bytes", false},
    {"2W1 x32437fffffff", "W2:1 ", "max_compressed_bytes", false},
    {"2W1 x324300002001", "W2:1 ", "max_compressed_bytes", false},
    {"2W1 x324300002000", "W2:1 ", NULL, true},
    {"1W1 x31440000000100000000", "W1:1 ", "0 pairs", false},
    {"1W1 x314400000001ffffffff", "W1:1 ", "pairs", false},
    {"1W1 x31440000000110000000", "W1:1 ", "pairs", false},
    {"1W1 x31440000000100000001ffffffff", "W1:1 ", "max_event_bytes", false},
    {"1W1 x31440000000100000001000000016100001000", "W1:1 ", "max_event_bytes", false},
    /* compressed and broken */
    {"2W1 x324300000004 x61626364", "W2:1 ", "not a zlib stream", false},
    {"2W1 2Cg[ 2J1=a ]", "W2:1 ", "not a zlib stream", false},
    {"2W1 2Ca[ 2J1=a ]", NULL, "incorrect data check", false},
    {"2W1 2Cn[ 2J1=a ]", "W2:1 J1:a ", "ends before its zlib stream", false},
    {"2W2 2Ch[ 2J1=abcdefghijklm 2J2=nopqrstuvwxyz ]", NULL, "ends before its zlib stream", false},
    {"2W2 2Cd[ 2J1=a ]", "W2:2 J1:a ", "goes on after the end", false},
    {"2W1 2Cm[ 2J1=ab ]", "W2:1 ", "ends inside a frame", false},
    {"2W1 2Cm[ 2J1=ab ] 2C[ x62 ]", "W2:1 ", "ends inside a frame", false},
    {"2W1 2C[ x324a ]", "W2:1 ", "ends inside a frame", false},
    {"2W1 2C[ 2C[ 2J1=a ] ]", "W2:1 ", "inside a compressed frame", false},
    {"2W1 2C[ 2C[ 2C[ 2J1=a ] ] x32 ]", "W2:1 ", "inside a compressed frame", false},
};

static void check_outcome(const struct example *example, struct record *record, bool good,
                          const struct error *err)
{
    struct str said = buf_str(&record->text);
    ck_assert_msg(good == !example->error, "%s: %s", example->script,
                  good ? "accepted" : err->text);
    if (example->error)
        ck_assert_msg(strstr(err->text, example->error) != NULL, "%s: '%s'", example->script,
                      err->text);
    else
        ck_assert_msg(lumberjack_is_incomplete(&record->decoder) == example->incomplete, "%s",
                      example->script);
    if (example->said)
        ck_assert_msg(str_equal(said, str_from(example->said)), "%s: said '%.*s'", example->script,
                      STR_FMT(said));
}

static void try_example(const struct example *example, size_t first, size_t piece, bool pausing)
{
    struct buf bytes;
    buf_init(&bytes, RECORD_MAX_BYTES);
    frames_build(example->script, &bytes);
    struct record record;
    record_init(&record, pausing);
    struct error err = {0};
    bool good = feed_pieces(&record, buf_str(&bytes), first, piece, &err);
    check_outcome(example, &record, good, &err);
    record_release(&record);
    buf_release(&bytes);
}

START_TEST(reads_each_example_whole)
{
    try_example(&EXAMPLES[_i], SIZE_MAX, SIZE_MAX, false);
    try_example(&EXAMPLES[_i], SIZE_MAX, SIZE_MAX, true);
}
END_TEST

START_TEST(reads_each_example_in_any_fragments)
{
    struct buf bytes;
    buf_init(&bytes, RECORD_MAX_BYTES);
    frames_build(EXAMPLES[_i].script, &bytes);
    size_t len = bytes.len;
    buf_release(&bytes);
    for (size_t split = 0; split <= len; split++)
        try_example(&EXAMPLES[_i], split, SIZE_MAX, split % 2 == 1);
    for (size_t piece = 1; piece <= 7; piece++)
        try_example(&EXAMPLES[_i], 0, piece, piece % 2 == 0);
}
END_TEST

/* A window as a Beat sends it: ten events of about 800 bytes, plain or as one compressed frame. */
static void beat_window(struct buf *out, bool compressed)
{
    struct buf content;
    buf_init(&content, RECORD_MAX_BYTES);
    for (unsigned i = 1; i <= 10; i++) {
        struct buf event;
        buf_init(&event, 4096);
        buf_printf(&event,
                   "{\"@timestamp\":\"2024-05-01T10:00:00.%03uZ\",\"@metadata\":{\"beat\":"
                   "\"filebeat\"},\"log\":{\"offset\":%u},\"message\":\"line %u %0650u\"}",
                   i, i * 290, i, i * 7919);
        frames_json(&content, i, buf_str(&event));
        buf_release(&event);
    }
    frames_window(out, '2', 10);
    if (compressed)
        frames_compressed(out, '2', buf_str(&content), 0);
    else
        buf_append_str(out, buf_str(&content));
    buf_release(&content);
}

START_TEST(reads_a_beats_window_at_every_split)
{
    struct buf bytes;
    buf_init(&bytes, RECORD_MAX_BYTES);
    beat_window(&bytes, _i == 1);
    struct record whole;
    record_init(&whole, false);
    struct error err;
    ck_assert(feed_all(&whole, buf_str(&bytes), &err));
    ck_assert(str_ends_with(buf_str(&whole.text), STR("} E ")));
    for (size_t split = 0; split <= bytes.len; split++) {
        struct record record;
        record_init(&record, split % 3 == 0);
        ck_assert(feed_pieces(&record, buf_str(&bytes), split, SIZE_MAX, &err));
        ck_assert(str_equal(buf_str(&record.text), buf_str(&whole.text)));
        record_release(&record);
    }
    record_release(&whole);
    buf_release(&bytes);
}
END_TEST

/* A window cut anywhere never ends. */
START_TEST(never_ends_a_window_that_was_cut)
{
    struct buf bytes;
    buf_init(&bytes, RECORD_MAX_BYTES);
    beat_window(&bytes, _i == 1);
    for (size_t len = 1; len < bytes.len; len++) {
        struct record record;
        record_init(&record, false);
        struct error err;
        ck_assert(feed_all(&record, str_make(bytes.ptr, len), &err));
        ck_assert(lumberjack_is_incomplete(&record.decoder));
        ck_assert(!str_ends_with(buf_str(&record.text), STR("E ")));
        record_release(&record);
    }
    buf_release(&bytes);
}
END_TEST

static bool feed_zeros(size_t len, unsigned frames, struct error *err)
{
    struct buf zeros, bytes;
    buf_init(&zeros, RECORD_MAX_BYTES);
    buf_init(&bytes, RECORD_MAX_BYTES);
    ck_assert(buf_reserve(&zeros, len));
    memset(zeros.ptr, '0', len);
    frames_window(&bytes, '2', 1000000);
    for (unsigned i = 0; i < frames; i++) {
        struct buf content;
        buf_init(&content, RECORD_MAX_BYTES);
        for (size_t at = 0; at < len; at += 4000)
            frames_json(&content, 1, str_make(zeros.ptr, len - at < 4000 ? len - at : 4000));
        frames_compressed(&bytes, '2', buf_str(&content), 0);
        buf_release(&content);
    }
    struct record record;
    record_init(&record, false);
    bool good = feed_all(&record, buf_str(&bytes), err);
    record_release(&record);
    buf_release(&bytes);
    buf_release(&zeros);
    return good;
}

START_TEST(bounds_what_is_inflated)
{
    struct error err;
    ck_assert(feed_zeros(90000, 1, &err));
    ck_assert(!feed_zeros(110000, 1, &err));
    ck_assert_int_eq(err.code, ERROR_LIMIT);
    ck_assert_ptr_nonnull(strstr(err.text, "max_inflated_bytes"));
    ck_assert(!feed_zeros(90000, 2, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "max_window_inflated_bytes"));
}
END_TEST

START_TEST(charges_and_returns_its_memory)
{
    struct account charged = {0};
    struct record record;
    record_init(&record, false);
    lumberjack_release(&record.decoder);
    lumberjack_init(&record.decoder, &HANDLER, &record, &LIMITS, &charged);
    record.decoder.shared = shared;
    struct buf bytes;
    buf_init(&bytes, RECORD_MAX_BYTES);
    beat_window(&bytes, true);
    struct error err;
    ck_assert(feed_all(&record, str_make(bytes.ptr, bytes.len - 1), &err));
    ck_assert_uint_ge(charged.used, LUMBERJACK_ZLIB_BYTES);
    ck_assert(feed_all(&record, str_make(bytes.ptr + bytes.len - 1, 1), &err));
    ck_assert_uint_eq(charged.used, 0);
    record_release(&record);
    buf_release(&bytes);
}
END_TEST

START_TEST(a_number_on_the_wire_costs_no_memory)
{
    struct account charged = {0};
    struct record record;
    record_init(&record, false);
    lumberjack_release(&record.decoder);
    lumberjack_init(&record.decoder, &HANDLER, &record, &LIMITS, &charged);
    struct buf bytes;
    buf_init(&bytes, RECORD_MAX_BYTES);
    frames_build("2W1000000 x324a0000000100001000", &bytes);
    struct error err;
    ck_assert(feed_all(&record, buf_str(&bytes), &err));
    ck_assert_uint_eq(charged.used, 0);
    ck_assert(feed_all(&record, STR("x"), &err));
    ck_assert_uint_le(charged.used, 256);
    record_release(&record);
    buf_release(&bytes);
}
END_TEST

START_TEST(writes_acknowledgements)
{
    unsigned char ack[LUMBERJACK_ACK_BYTES];
    lumberjack_write_ack(LUMBERJACK_V2, 0x01020304, ack);
    ck_assert_mem_eq(ack, "2A\1\2\3\4", sizeof ack);
    lumberjack_write_ack(LUMBERJACK_V1, 0xffffffff, ack);
    ck_assert_mem_eq(ack, "1A\xff\xff\xff\xff", sizeof ack);
}
END_TEST

/* What is inflated at once waits in the decoder while it is paused, and goes when it is read or the decoder is released. */
START_TEST(what_waits_is_charged_once)
{
    struct account charged = {0};
    struct record record;
    struct buf bytes;
    struct error err;
    size_t consumed;
    record_init(&record, true);
    lumberjack_release(&record.decoder);
    lumberjack_init(&record.decoder, &HANDLER, &record, &LIMITS, &charged);
    record.decoder.shared = shared;
    buf_init(&bytes, RECORD_MAX_BYTES);
    beat_window(&bytes, true);
    struct str rest = buf_str(&bytes);
    for (int i = 0; i < 3; i++) { /* the window and two of its events */
        ck_assert(lumberjack_feed(&record.decoder, rest, &consumed, &err));
        rest = str_from_offset(rest, consumed);
    }
    ck_assert(lumberjack_has_pending(&record.decoder));
    ck_assert_uint_eq(charged.used, lumberjack_held_bytes(&record.decoder));
    ck_assert_uint_eq(rest.len, shared ? 0 : rest.len);
    record_release(&record);
    ck_assert_uint_eq(charged.used, 0);
    buf_release(&bytes);
}
END_TEST

/* More frames than may be inflated at once are under way: the others are read in steps, to the same end. */
START_TEST(any_number_of_frames_at_once)
{
    enum { FRAMES = 600 };
    static struct record records[FRAMES];
    struct buf bytes;
    struct error err;
    buf_init(&bytes, RECORD_MAX_BYTES);
    beat_window(&bytes, true);
    struct str first = str_make(bytes.ptr, bytes.len - 1);
    for (size_t i = 0; i < FRAMES; i++) {
        record_init(&records[i], true);
        ck_assert(feed_all(&records[i], first, &err));
    }
    size_t consumed;
    struct str last = str_from_offset(buf_str(&bytes), first.len);
    for (size_t i = 0; i < FRAMES; i++) /* all of them wait with their content */
        ck_assert(lumberjack_feed(&records[i].decoder, last, &consumed, &err));
    for (size_t i = 0; i < FRAMES; i++) {
        ck_assert(feed_all(&records[i], STR(""), &err));
        ck_assert(str_equal(buf_str(&records[i].text), buf_str(&records[0].text)));
        ck_assert(str_ends_with(buf_str(&records[i].text), STR("} E ")));
    }
    for (size_t i = 0; i < FRAMES; i++)
        record_release(&records[i]);
    buf_release(&bytes);
}
END_TEST

static void add_tests(TCase *tcase)
{
    int examples = sizeof EXAMPLES / sizeof *EXAMPLES;
    tcase_add_loop_test(tcase, reads_each_example_whole, 0, examples);
    tcase_add_loop_test(tcase, reads_each_example_in_any_fragments, 0, examples);
    tcase_add_loop_test(tcase, reads_a_beats_window_at_every_split, 0, 2);
    tcase_add_loop_test(tcase, never_ends_a_window_that_was_cut, 0, 2);
    tcase_add_test(tcase, bounds_what_is_inflated);
    tcase_add_test(tcase, charges_and_returns_its_memory);
    tcase_add_test(tcase, a_number_on_the_wire_costs_no_memory);
    tcase_add_test(tcase, writes_acknowledgements);
    tcase_add_test(tcase, what_waits_is_charged_once);
    tcase_add_test(tcase, any_number_of_frames_at_once);
}

Suite *lumberjack_suite(void)
{
    Suite *suite = suite_create("lumberjack");
    TCase *steps = tcase_create("in steps"), *at_once = tcase_create("at once");
    tcase_add_checked_fixture(at_once, share, end_sharing);
    add_tests(steps);
    add_tests(at_once);
    suite_add_tcase(suite, steps);
    suite_add_tcase(suite, at_once);
    return suite;
}
