/* SPDX-License-Identifier: Apache-2.0
 *
 * Input: as codec.h says, then Avro data for one of the schemas below; or, when the first byte's highest bit is set, the text
 * of a schema, a NUL and data for it. What was read and can be written is read again.
 */
#include <assert.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "codecs/avro/avro_value.h"
#include "tests/fuzz/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { WRITTEN_MAX = 1 << 22, SCHEMAS = 3, OPTIONS_MAX = 128 };

static const char *const SCHEMA_TEXTS[SCHEMAS] = {
    "{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"s\",\"type\":\"string\"},"
    "{\"name\":\"n\",\"type\":[\"null\",\"long\",\"double\",\"r\"]},"
    "{\"name\":\"l\",\"type\":{\"type\":\"array\",\"items\":\"r\"}},"
    "{\"name\":\"m\",\"type\":{\"type\":\"map\",\"values\":[\"bytes\",\"boolean\"]}}]}",
    "{\"type\":\"record\",\"name\":\"r\",\"fields\":["
    "{\"name\":\"d\",\"type\":{\"type\":\"int\",\"logicalType\":\"date\"}},"
    "{\"name\":\"t\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}},"
    "{\"name\":\"@timestamp\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}},"
    "{\"name\":\"c\",\"type\":{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":20,"
    "\"scale\":5}},"
    "{\"name\":\"f\",\"type\":{\"type\":\"fixed\",\"name\":\"f\",\"size\":4}},"
    "{\"name\":\"e\",\"type\":{\"type\":\"enum\",\"name\":\"e\",\"symbols\":[\"A\",\"B\"]}},"
    "{\"name\":\"x\",\"type\":\"float\"}]}",
    "{\"type\":\"map\",\"values\":{\"type\":\"array\",\"items\":[\"null\",\"int\",\"string\"]}}",
};

/* A file for each schema and each encoding: the options of the codec name it. */
static const char *const *codec_options(void)
{
    static char texts[2 * SCHEMAS][OPTIONS_MAX];
    static const char *options[2 * SCHEMAS];
    for (size_t i = 0; i < 2 * SCHEMAS && !options[2 * SCHEMAS - 1]; i++) {
        const char *schema = SCHEMA_TEXTS[i / 2];
        int fd = memfd_create("schema", MFD_CLOEXEC);
        ssize_t written = write(fd, schema, strlen(schema));
        assert(fd >= 0 && written == (ssize_t)strlen(schema));
        snprintf(texts[i], OPTIONS_MAX, "schema_uri => '/proc/self/fd/%d' encoding => '%s'%s", fd,
                 i % 2 ? "binary" : "base64", i == 5 ? " target => '[a][b]'" : "");
        options[i] = texts[i];
    }
    return options;
}

static void write_and_read(const struct avro_schema *schema, const struct value *value,
                           struct arena *arena)
{
    struct error err = {0};
    struct buf out;
    buf_init(&out, WRITTEN_MAX);
    if (avro_write(schema, value, arena, &out, &err)) {
        struct str bytes = buf_str(&out);
        struct value again;
        size_t missing;
        enum avro_result result = avro_read(arena, schema, &bytes, &again, &missing);
        assert(result == AVRO_DONE && bytes.len == 0);
    }
    buf_release(&out);
}

static void run_schema(struct str text)
{
    static struct json_reader *json;
    struct arena arena;
    struct error err;
    const char *end = memchr(text.ptr, 0, text.len);
    if (!end)
        return;
    if (!json)
        json = json_reader_new();
    arena_init(&arena, NULL);
    struct str schema_text = arena_dup(&arena, str_make(text.ptr, (size_t)(end - text.ptr)));
    struct str data = arena_dup(&arena, str_from_offset(text, schema_text.len + 1));
    const struct avro_schema *schema = avro_schema_parse(&arena, json, schema_text, &err);
    struct value value;
    size_t missing = 0;
    if (schema) {
        switch (avro_read(&arena, schema, &data, &value, &missing)) {
        case AVRO_DONE:
            write_and_read(schema, &value, &arena);
            break;
        case AVRO_MORE:
            assert(missing > 0);
            break;
        case AVRO_BROKEN:
            break;
        }
    }
    arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len > 1 && data[0] & 0x80) {
        run_schema(str_make((const char *)data + 1, len - 1));
        return 0;
    }
    return fuzz_codec(&codec_avro, codec_options(), 2 * SCHEMAS, data, len);
}
