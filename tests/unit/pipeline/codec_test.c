/* SPDX-License-Identifier: Apache-2.0
 *
 * Codecs as outputs use them: one that only reads is refused and closed again, and an event that cannot be written is told
 * from a buffer that is full.
 */
#include "pipeline/engine/engine_private.h"
#include "tests/unit/pipeline/suites.h"

static unsigned opened, closed;

struct fake_codec {
    bool refuse;
};

static bool fake_open(void *self, const struct plugin_env *env, struct error *err)
{
    (void)self;
    (void)env;
    (void)err;
    opened++;
    return true;
}

static void fake_close(void *self)
{
    (void)self;
    closed++;
}

static bool fake_encode(void *self, const struct event *event, struct arena *scratch,
                        struct buf *out)
{
    const struct fake_codec *fake = self;
    (void)event;
    (void)scratch;
    return !fake->refuse && buf_append_str(out, STR("text"));
}

static bool fake_refused(void *self, struct error *err)
{
    const struct fake_codec *fake = self;
    return fake->refuse && !error_set(err, ERROR_FORMAT, "not this one");
}

static const struct option NO_OPTIONS[] = {OPTION_END};

static const struct codec READER = {
    .plugin = {.name = "reader", .options = NO_OPTIONS, .size = sizeof(struct fake_codec)},
    .open = fake_open,
    .close = fake_close,
};
static const struct codec WRITER = {
    .plugin = {.name = "writer", .options = NO_OPTIONS, .size = sizeof(struct fake_codec)},
    .open = fake_open,
    .encode = fake_encode,
    .refused = fake_refused,
    .close = fake_close,
};
static const struct codec *const CODECS[] = {&READER, &WRITER, NULL};
static const struct plugin_list LIST = {.codecs = CODECS};

static struct engine engine;
static struct arena arena;
static struct plugin_settings settings;
static struct plugin_env env;

static void set_up(void)
{
    opened = closed = 0;
    arena_init(&arena, NULL);
    engine.options.plugins = &LIST;
    env = (struct plugin_env){.arena = &arena, .engine = &engine, .settings = &settings};
}

static void tear_down(void)
{
    arena_release(&arena);
}

START_TEST(a_codec_that_only_reads_is_refused_and_closed)
{
    struct codec_instance codec = {0};
    struct error err = {0};
    ck_assert(!codec_open_writer(&env, NULL, "reader", &codec, &err));
    ck_assert_str_eq(err.text, "codec 'reader' cannot write events");
    ck_assert_uint_eq(opened, 1);
    ck_assert_uint_eq(closed, 1);
    codec_close(&codec); /* what close_encoder does, once more */
    ck_assert_uint_eq(closed, 1);
}
END_TEST

START_TEST(an_event_that_cannot_be_written_is_refused)
{
    struct codec_instance codec = {0};
    struct error err = {0};
    struct event *event = event_new(&arena);
    struct buf out;
    buf_init(&out, 5);
    ck_assert(codec_open_writer(&env, NULL, "writer", &codec, &err));
    struct fake_codec *fake = codec.self;
    ck_assert_int_eq(codec_encode(&codec, event, &arena, &out, &err), ENCODE_DONE);
    ck_assert_int_eq(codec_encode(&codec, event, &arena, &out, &err), ENCODE_FULL);
    fake->refuse = true;
    ck_assert_int_eq(codec_encode(&codec, event, &arena, &out, &err), ENCODE_REFUSED);
    ck_assert_str_eq(err.text, "not this one");
    codec_close(&codec);
    ck_assert_uint_eq(closed, 1);
    buf_release(&out);
}
END_TEST

Suite *codec_suite(void)
{
    Suite *suite = suite_create("codec");
    TCase *outputs = tcase_create("outputs");
    tcase_add_checked_fixture(outputs, set_up, tear_down);
    tcase_add_test(outputs, a_codec_that_only_reads_is_refused_and_closed);
    tcase_add_test(outputs, an_event_that_cannot_be_written_is_refused);
    suite_add_tcase(suite, outputs);
    return suite;
}
