/* SPDX-License-Identifier: Apache-2.0
 *
 * Search bodies over documents with a little of everything: an answer is JSON, and so is an error. The first line is
 * the value of ?q=, the rest the body.
 */
#include <assert.h>
#include <stdint.h>

#include "pipeline/event/event_json.h"
#include "services/store/search/search.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct str DOCUMENTS[] = {
    STR_INIT("{\"k\":\"a\",\"t\":\"quick Brown 한글 "
             "fox\",\"n\":1,\"f\":1.5,\"b\":true,\"d\":\"2024-01-01\","
             "\"ip\":\"10.0.0.1\",\"o\":{\"x\":[1,2],\"y\":{\"z\":1}},\"@timestamp\":\"2024-01-"
             "01T00:00:00Z\"}"),
    STR_INIT("{\"k\":[\"b\",null,\"c\"],\"n\":[-2,5],\"d\":0,\"ip\":\"::1\",\"o.z\":\"w\",\"s\":"
             "\"dyn\"}"),
};
enum { DOCUMENT_COUNT = sizeof DOCUMENTS / sizeof *DOCUMENTS };

static struct mapping *mapping_of_documents(struct json_reader *reader, struct arena *arena)
{
    struct mapping *mapping = mapping_new();
    struct value tree;
    struct api_error err;
    bool done =
        json_decode(
            reader, arena,
            STR("{\"properties\":{\"k\":{\"type\":\"keyword\"},\"t\":{\"type\":\"text\"},\"ip\":"
                "{\"type\":\"ip\"},\"d\":{\"type\":\"date\"}}}"),
            &tree, NULL) &&
        mapping_merge(mapping, &tree, &err);
    for (size_t i = 0; i < DOCUMENT_COUNT && done; i++)
        done = json_decode(reader, arena, DOCUMENTS[i], &tree, NULL) &&
               mapping_apply(mapping, STR("1"), &tree, &err);
    assert(done);
    return mapping;
}

static bool run(struct search *search, const struct mapping *mapping, struct buf *out,
                struct api_error *err)
{
    if (!search_open_index(search, STR("index"), mapping, err))
        return false;
    for (size_t i = 0; i < DOCUMENT_COUNT && !search_is_done(search); i++) {
        struct search_document document = {STR("1"), DOCUMENTS[i], 1, 0, 1};
        if (!search_add(search, &document, err))
            return false;
    }
    return search_write(search, 0, out, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_make((const char *)data, size);
    size_t line = str_find(text, STR("\n"));
    struct search_param q = {STR("q"), line == SIZE_MAX ? STR("") : str_make(text.ptr, line)};
    struct search_request request = {.body =
                                         line == SIZE_MAX ? text : str_from_offset(text, line + 1),
                                     .params = &q,
                                     .param_count = q.value.len > 0,
                                     .now = {1704067200, 0}};
    struct arena arena;
    arena_init(&arena, NULL);
    struct json_reader *reader = json_reader_new();
    struct mapping *mapping = mapping_of_documents(reader, &arena);
    struct api_error err;
    struct buf out;
    buf_init(&out, 64 * 1024 * 1024);
    struct search *search = search_new(&request, &err);
    if (!search || !run(search, mapping, &out, &err)) {
        buf_clear(&out, 0);
        assert(err.status == 0 || (err.status >= 400 && api_error_write(&err, &out)));
    }
    struct value answer;
    assert(out.len == 0 || json_decode(reader, &arena, buf_str(&out), &answer, NULL));
    search_free(search);
    mapping_free(mapping);
    buf_release(&out);
    json_reader_free(reader);
    arena_release(&arena);
    return 0;
}
