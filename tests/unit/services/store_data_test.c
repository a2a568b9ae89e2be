/* SPDX-License-Identifier: Apache-2.0
 *
 * Indices, templates and documents on a database in a file of the test.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/store/document_write.h"
#include "services/store/retention.h"
#include "services/store/template.h"
#include "tests/unit/services/suites.h"

static char folder[64], path[96];
static struct database database;
static struct catalog catalog;
static struct document_writer writer;
static struct arena arena;

static void open_all(void)
{
    struct error err;
    if (!database_open_writer(&database, path, DATABASE_SYNC_NORMAL, &err))
        ck_abort_msg("%s", err.text);
    catalog_init(&catalog, &database);
    document_writer_init(&writer, &catalog);
    ck_assert(database_begin(&database) && catalog_load(&catalog));
}

static void close_all(void)
{
    struct error err;
    ck_assert(catalog_save(&catalog));
    ck_assert(database_end(&database, &err));
    document_writer_release(&writer);
    catalog_release(&catalog);
    database_close(&database);
}

static void set_up(void)
{
    snprintf(folder, sizeof folder, "/tmp/millrace-store-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/store.db", folder);
    arena_init(&arena, NULL);
    open_all();
}

static void tear_down(void)
{
    close_all();
    arena_release(&arena);
    unlink(path);
    ck_assert_int_eq(rmdir(folder), 0);
}

static void reopen(void)
{
    close_all();
    open_all();
}

static struct value tree(const char *text)
{
    struct value value;
    ck_assert_msg(json_decode(catalog.json, &arena, str_from(text), &value, NULL), "%s", text);
    return value;
}

/* "created v1 s0" or "409 version_conflict_engine_exception". */
static const char *write_text(struct document_write write)
{
    struct document_result result;
    document_writer_begin(&writer);
    ck_assert(document_write(&writer, &write, &result));
    if (!result.done)
        return arena_printf(&arena, "%d %s", result.err.status, result.err.type).ptr;
    return arena_printf(&arena, "%s v%lld s%lld %d", result.result, (long long)result.version,
                        (long long)result.seq, result.status)
        .ptr;
}

static const char *put(enum document_action action, const char *id, const char *body)
{
    return write_text((struct document_write){
        .action = action, .index = STR("i"), .id = str_from(id), .body = str_from(body)});
}

static const char *source(const char *index, const char *id)
{
    struct document_row row;
    ck_assert(documents_read(&catalog, catalog_find(&catalog, str_from(index)), str_from(id),
                             &arena, &row));
    return row.seq < 0 ? "none" : row.source.ptr;
}

START_TEST(versions_and_sequence_numbers)
{
    ck_assert_str_eq(put(DOCUMENT_INDEX, "a", "{\"n\":1}"), "created v1 s0 201");
    ck_assert_str_eq(put(DOCUMENT_INDEX, "a", "{\"n\":2}"), "updated v2 s1 200");
    ck_assert_str_eq(put(DOCUMENT_CREATE, "a", "{}"), "409 version_conflict_engine_exception");
    ck_assert_str_eq(put(DOCUMENT_CREATE, "b", "{}"), "created v1 s2 201");
    ck_assert_str_eq(put(DOCUMENT_DELETE, "a", ""), "deleted v3 s3 200");
    ck_assert_str_eq(put(DOCUMENT_DELETE, "a", ""), "not_found v1 s4 404");
    ck_assert_str_eq(source("i", "a"), "none");
    struct store_index *index = catalog_find(&catalog, STR("i"));
    ck_assert_int_eq(index->docs, 1);
    ck_assert_int_eq(index->bytes, 2);
    reopen();
    ck_assert_int_eq(catalog_find(&catalog, STR("i"))->next_seq, 5);
    ck_assert_str_eq(put(DOCUMENT_INDEX, "b", "{}"), "updated v2 s5 200");
}
END_TEST

START_TEST(conditions)
{
    put(DOCUMENT_INDEX, "a", "{}");
    struct document_write write = {.action = DOCUMENT_INDEX,
                                   .index = STR("i"),
                                   .id = STR("a"),
                                   .body = STR("{\"x\":1}"),
                                   .has_if_seq = true,
                                   .has_if_term = true,
                                   .if_seq = 5,
                                   .if_term = 1};
    ck_assert_str_eq(write_text(write), "409 version_conflict_engine_exception");
    write.if_seq = 0;
    ck_assert_str_eq(write_text(write), "updated v2 s1 200");
    write = (struct document_write){.action = DOCUMENT_INDEX,
                                    .index = STR("i"),
                                    .id = STR("e"),
                                    .body = STR("{}"),
                                    .versioning = VERSION_EXTERNAL,
                                    .version = 7};
    ck_assert_str_eq(write_text(write), "created v7 s2 201");
    ck_assert_str_eq(write_text(write), "409 version_conflict_engine_exception");
    write.versioning = VERSION_EXTERNAL_GTE;
    ck_assert_str_eq(write_text(write), "updated v7 s3 200");
    write.must_be_new = true;
    ck_assert_str_eq(write_text(write), "409 version_conflict_engine_exception");
}
END_TEST

START_TEST(identifiers_of_our_own)
{
    struct document_write write = {
        .action = DOCUMENT_INDEX, .index = STR("i"), .body = STR("{\"n\":1}")};
    struct document_result result;
    document_writer_begin(&writer);
    ck_assert(document_write(&writer, &write, &result));
    ck_assert_uint_eq(result.id.len, DOCUMENT_ID_BYTES);
    const char *id = arena_dup(&arena, result.id).ptr;
    ck_assert_str_eq(source("i", id), "{\"n\":1}");
    ck_assert_str_eq(put(DOCUMENT_INDEX, id, "{\"n\":2}"), "updated v2 s1 200");
    ck_assert_str_eq(source("i", id), "{\"n\":2}");
    ck_assert_str_eq(put(DOCUMENT_CREATE, id, "{}"), "409 version_conflict_engine_exception");
    reopen();
    ck_assert_str_eq(source("i", id), "{\"n\":2}");
    ck_assert_str_eq(put(DOCUMENT_DELETE, id, ""), "deleted v3 s2 200");
    ck_assert_str_eq(source("i", id), "none");
    ck_assert_int_eq(catalog_find(&catalog, STR("i"))->docs, 0);
}
END_TEST

static const struct {
    const char *before, *request, *result, *after;
} UPDATES[] = {
    {"{\"a\":1}", "{\"doc\":{\"b\":2}}", "updated v2 s1 200", "{\"a\":1,\"b\":2}"},
    {"{\"a\":{\"x\":1}}", "{\"doc\":{\"a\":{\"y\":2}}}", "updated v2 s1 200",
     "{\"a\":{\"x\":1,\"y\":2}}"},
    {"{\"a\":[1]}", "{\"doc\":{\"a\":[2]}}", "updated v2 s1 200", "{\"a\":[2]}"},
    {"{\"a\":1}", "{\"doc\":{\"a\":1}}", "noop v1 s0 200", "{\"a\":1}"},
    {"{\"a\":1}", "{\"doc\":{\"a\":1},\"detect_noop\":false}", "updated v2 s1 200", "{\"a\":1}"},
    {"{\"a\":1}", "{\"doc\":{\"a\":\"x\"}}", "400 mapper_parsing_exception", "{\"a\":1}"},
    {"{\"a\":1}", "{\"script\":\"x\"}", "501 unsupported_operation_exception", "{\"a\":1}"},
    {"{\"a\":1}", "{}", "400 action_request_validation_exception", "{\"a\":1}"},
    {"{\"a\":1}", "{\"doc\":1}", "400 x_content_parse_exception", "{\"a\":1}"},
    {NULL, "{\"doc\":{\"b\":2}}", "404 document_missing_exception", "none"},
    {NULL, "{\"doc\":{\"b\":2},\"doc_as_upsert\":true}", "created v1 s0 201", "{\"b\":2}"},
    {NULL, "{\"doc\":{\"b\":2},\"upsert\":{\"c\":3}}", "created v1 s0 201", "{\"c\":3}"},
};

START_TEST(updates)
{
    struct api_error err;
    ck_assert_ptr_nonnull(catalog_create(&catalog, STR("i"), NULL, &err));
    if (UPDATES[_i].before)
        put(DOCUMENT_INDEX, "u", UPDATES[_i].before);
    ck_assert_str_eq(put(DOCUMENT_UPDATE, "u", UPDATES[_i].request), UPDATES[_i].result);
    ck_assert_str_eq(source("i", "u"), UPDATES[_i].after);
}
END_TEST

static const struct {
    enum document_action action;
    const char *index, *id, *body, *result;
} REFUSED[] = {
    {DOCUMENT_INDEX, "i", "a", "{", "400 mapper_parsing_exception"},
    {DOCUMENT_INDEX, "i", "a", "[]", "400 mapper_parsing_exception"},
    {DOCUMENT_INDEX, "i", "a", "{\"a\":\"\xff\"}", "400 mapper_parsing_exception"},
    {DOCUMENT_INDEX, "i", "a", "{} {}", "400 mapper_parsing_exception"},
    {DOCUMENT_INDEX, "Upper", "a", "{}", "400 invalid_index_name_exception"},
    {DOCUMENT_DELETE, "i", "", "", "400 action_request_validation_exception"},
    {DOCUMENT_DELETE, "none", "a", "", "404 index_not_found_exception"},
    {DOCUMENT_UPDATE, "none", "a", "{\"doc\":{}}", "404 document_missing_exception"},
};

START_TEST(refusals)
{
    ck_assert_str_eq(write_text((struct document_write){.action = REFUSED[_i].action,
                                                        .index = str_from(REFUSED[_i].index),
                                                        .id = str_from(REFUSED[_i].id),
                                                        .body = str_from(REFUSED[_i].body)}),
                     REFUSED[_i].result);
}
END_TEST

START_TEST(a_rollback_leaves_nothing)
{
    struct error err;
    put(DOCUMENT_INDEX, "kept", "{\"a\":1}");
    reopen();
    put(DOCUMENT_INDEX, "lost", "{\"b\":1}");
    write_text((struct document_write){
        .action = DOCUMENT_INDEX, .index = STR("other"), .id = STR("x"), .body = STR("{}")});
    ck_assert(!database_run(&database, "INSERT INTO no_such_table VALUES (1)"));
    ck_assert(!database_end(&database, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "no_such_table"));
    catalog_forget(&catalog);
    ck_assert(database_begin(&database) && catalog_load(&catalog));
    ck_assert_ptr_null(catalog_find(&catalog, STR("other")));
    ck_assert_str_eq(source("i", "lost"), "none");
    ck_assert_int_eq(catalog_find(&catalog, STR("i"))->docs, 1);
    struct buf mapping;
    buf_init(&mapping, 4096);
    ck_assert(catalog_need_mapping(&catalog, catalog_find(&catalog, STR("i"))));
    mapping_write(catalog_find(&catalog, STR("i"))->mapping, &mapping);
    ck_assert(str_equal(buf_str(&mapping), STR("{\"properties\":{\"a\":{\"type\":\"long\"}}}")));
    buf_release(&mapping);
}
END_TEST

START_TEST(mappings_are_kept)
{
    put(DOCUMENT_INDEX, "a", "{\"n\":1}");
    reopen();
    ck_assert_str_eq(put(DOCUMENT_INDEX, "b", "{\"n\":\"x\"}"), "400 mapper_parsing_exception");
    put(DOCUMENT_INDEX, "b", "{\"m\":1.5}");
    reopen();
    ck_assert_str_eq(put(DOCUMENT_INDEX, "c", "{\"m\":\"x\"}"), "400 mapper_parsing_exception");
}
END_TEST

/* ---- templates ---- */

static void store_template(enum template_kind kind, const char *name, const char *body)
{
    struct api_error err;
    struct value value = tree(body);
    if (!template_check(kind, &arena, str_from(name), &value, &err))
        ck_abort_msg("%s", err.reason);
    sqlite3_stmt *statement =
        database_prepare(&database, "INSERT INTO templates VALUES (%d, '%s', ?)", kind, name);
    database_bind_text(statement, 1, str_from(body));
    ck_assert(database_execute(&database, statement));
    sqlite3_finalize(statement);
}

static const char *begins_with(const char *index)
{
    struct template_content content = {mapping_new(), value_object_new(&arena, 4),
                                       value_object_new(&arena, 4)};
    struct api_error err;
    struct buf out;
    buf_init(&out, 10000);
    ck_assert(template_apply_stored(&content, &arena, &database, str_from(index), &err));
    mapping_write(content.mapping, &out);
    buf_append_char(&out, ' ');
    json_encode_value(&content.settings, &out);
    const char *text = arena_dup(&arena, buf_str(&out)).ptr;
    mapping_free(content.mapping);
    buf_release(&out);
    return text;
}

START_TEST(templates_add_up_or_win)
{
    store_template(
        TEMPLATE_LEGACY, "two",
        "{\"index_patterns\":[\"x\",\"a*\"],\"order\":2,\"settings\":{\"index\":{\"b\":2}},"
        "\"mappings\":{\"properties\":{\"n\":{\"type\":\"long\"}}}}");
    store_template(
        TEMPLATE_LEGACY, "one",
        "{\"index_patterns\":\"a*\",\"order\":1,\"settings\":{\"b\":1,\"index.c.d\":true},"
        "\"mappings\":{\"properties\":{\"k\":{\"type\":\"keyword\"}}}}");
    ck_assert_str_eq(begins_with("ab"),
                     "{\"properties\":{\"k\":{\"type\":\"keyword\"},\"n\":{\"type\":\"long\"}}} "
                     "{\"b\":\"2\",\"c\":{\"d\":\"true\"}}");
    ck_assert_str_eq(begins_with("b"), "{} {}");
    store_template(TEMPLATE_COMPOSABLE, "low",
                   "{\"index_patterns\":[\"a*\"],\"template\":{\"settings\":{\"b\":7}}}");
    store_template(
        TEMPLATE_COMPOSABLE, "high",
        "{\"index_patterns\":[\"ab*\"],\"priority\":5,\"template\":{\"settings\":{\"b\":9}}}");
    ck_assert_str_eq(begins_with("ab"), "{} {\"b\":\"9\"}");
    ck_assert_str_eq(begins_with("ac"), "{} {\"b\":\"7\"}");
}
END_TEST

static const struct {
    enum template_kind kind;
    const char *name, *body;
    int status;
} BAD_TEMPLATES[] = {
    {TEMPLATE_LEGACY, "a", "{}", 400},
    {TEMPLATE_LEGACY, "a", "{\"index_patterns\":[]}", 400},
    {TEMPLATE_LEGACY, "a*", "{\"index_patterns\":[\"a\"]}", 400},
    {TEMPLATE_LEGACY, "a", "{\"index_patterns\":[\"a\"],\"mappings\":{\"properties\":1}}", 400},
    {TEMPLATE_LEGACY, "a", "{\"index_patterns\":[\"a\"],\"settings\":1}", 400},
    {TEMPLATE_COMPOSABLE, "a", "{\"index_patterns\":[\"a\"],\"composed_of\":[\"b\"]}", 501},
    {TEMPLATE_COMPOSABLE, "a", "{\"index_patterns\":[\"a\"],\"mappings\":{}}", 400},
};

START_TEST(templates_are_checked)
{
    struct api_error err;
    struct value body = tree(BAD_TEMPLATES[_i].body);
    ck_assert(!template_check(BAD_TEMPLATES[_i].kind, &arena, str_from(BAD_TEMPLATES[_i].name),
                              &body, &err));
    ck_assert_int_eq(err.status, BAD_TEMPLATES[_i].status);
}
END_TEST

/* ---- retention ---- */

static void add(const char *index, const char *time, int count)
{
    for (int i = 0; i < count; i++)
        write_text((struct document_write){
            .action = DOCUMENT_INDEX,
            .index = str_from(index),
            .body = arena_printf(&arena, "{\"@timestamp\":\"%s\",\"t\":\"%070d\"}", time, i)});
}

static const char *retained(uint64_t days, uint64_t bytes)
{
    struct retention_deleted deleted[RETENTION_DELETED_MAX];
    const struct retention retention = {days, bytes};
    int64_t now_ms = civil_to_days(2026, 1, 10) * INT64_C(86400000);
    retention_apply(&catalog, &retention, now_ms, deleted);
    struct index_list left;
    struct api_error err;
    struct buf out;
    buf_init(&out, 1000);
    const struct index_selection everything = {.expression = STR("*"), .lenient = true};
    ck_assert(catalog_resolve(&catalog, &arena, everything, &left, &err));
    for (size_t i = 0; i < left.count; i++)
        buf_printf(&out, "%.*s ", STR_FMT(left.items[i]->name));
    buf_append_char(&out, 0);
    const char *text = arena_dup(&arena, str_from(out.ptr)).ptr;
    buf_release(&out);
    return text;
}

START_TEST(old_indices_go)
{
    add("a-2026.01.01", "2026-01-09T00:00:00Z", 1); /* the name says it */
    add("b", "2026-01-04T00:00:00Z", 1);
    add("c", "2026-01-08T23:00:00Z", 1);
    add("d-2026.01.09", "2020-01-01T00:00:00Z", 1);
    ck_assert_str_eq(retained(0, 0), "a-2026.01.01 b c d-2026.01.09 ");
    ck_assert_str_eq(retained(7, 0), "b c d-2026.01.09 ");
    ck_assert_str_eq(retained(2, 0), "c d-2026.01.09 ");
    reopen();
    ck_assert_str_eq(retained(0, 0), "c d-2026.01.09 ");
}
END_TEST

START_TEST(the_oldest_go_when_there_is_too_much)
{
    add("a-2026.01.01", "2026-01-01T00:00:00Z", 10);
    add("a-2026.01.02", "2026-01-02T00:00:00Z", 10);
    add("a-2026.01.03", "2026-01-03T00:00:00Z", 10);
    int64_t each = catalog_find(&catalog, STR("a-2026.01.01"))->bytes;
    ck_assert_str_eq(retained(0, (uint64_t)each * 3), "a-2026.01.01 a-2026.01.02 a-2026.01.03 ");
    ck_assert_str_eq(retained(0, (uint64_t)each * 2), "a-2026.01.02 a-2026.01.03 ");
    ck_assert_str_eq(retained(0, 1), "a-2026.01.03 "); /* the newest stays */
}
END_TEST

/* ---- the file ---- */

static int64_t file_bytes(void)
{
    struct stat status;
    ck_assert_int_eq(stat(path, &status), 0);
    return status.st_size;
}

START_TEST(free_pages_are_given_back_pass_by_pass)
{
    enum { PAGES = 10, PAGE_BYTES = 8192 };
    add("a-2026.01.01", "2026-01-01T00:00:00Z", 2000);
    add("b", "2026-01-09T00:00:00Z", 100);
    reopen();
    int64_t before = file_bytes();
    ck_assert_str_eq(retained(5, 0), "b ");
    reopen();
    ck_assert_int_eq(file_bytes(), before); /* nobody has given anything back */
    int64_t bytes = before, left;
    do {
        left = database_give_back(&database, PAGES);
        reopen();
        ck_assert_int_lt(file_bytes(), bytes);
        ck_assert_int_ge(file_bytes(), bytes - (PAGES + 1) * PAGE_BYTES); /* and a page of maps */
        bytes = file_bytes();
    } while (left > 0);
    ck_assert_int_lt(bytes, before / 3);
    ck_assert_int_eq(database_give_back(&database, PAGES), 0);
    ck_assert_int_eq(catalog_find(&catalog, STR("b"))->docs, 100);
}
END_TEST

/* The process goes on: no closing empties the log into the file. */
START_TEST(the_file_shrinks_at_the_commit)
{
    struct error err;
    add("a-2026.01.01", "2026-01-01T00:00:00Z", 2000);
    reopen();
    int64_t before = file_bytes();
    ck_assert_str_eq(retained(5, 0), "");
    ck_assert_int_eq(database_give_back(&database, 1000), 0);
    ck_assert(catalog_save(&catalog) && database_end(&database, &err));
    ck_assert_int_lt(file_bytes(), before / 3);
    ck_assert(database_begin(&database));
}
END_TEST

START_TEST(files_of_others_are_refused)
{
    struct database other;
    struct error err;
    ck_assert(database_run(&database, "PRAGMA user_version = 99"));
    close_all();
    ck_assert(!database_open_writer(&other, path, DATABASE_SYNC_FULL, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "format 99"));
    FILE *file = fopen(path, "w");
    for (int i = 0; i < 1000; i++)
        fputs("this is no database\n", file);
    fclose(file);
    ck_assert(!database_open_writer(&other, path, DATABASE_SYNC_FULL, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "not a database"));
    unlink(path);
    open_all();
}
END_TEST

Suite *store_data_suite(void)
{
    Suite *suite = suite_create("store_data");
    TCase *tests = tcase_create("store_data");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, versions_and_sequence_numbers);
    tcase_add_test(tests, conditions);
    tcase_add_test(tests, identifiers_of_our_own);
    tcase_add_loop_test(tests, updates, 0, sizeof UPDATES / sizeof *UPDATES);
    tcase_add_loop_test(tests, refusals, 0, sizeof REFUSED / sizeof *REFUSED);
    tcase_add_test(tests, a_rollback_leaves_nothing);
    tcase_add_test(tests, mappings_are_kept);
    tcase_add_test(tests, templates_add_up_or_win);
    tcase_add_loop_test(tests, templates_are_checked, 0,
                        sizeof BAD_TEMPLATES / sizeof *BAD_TEMPLATES);
    tcase_add_test(tests, old_indices_go);
    tcase_add_test(tests, the_oldest_go_when_there_is_too_much);
    tcase_add_test(tests, free_pages_are_given_back_pass_by_pass);
    tcase_add_test(tests, the_file_shrinks_at_the_commit);
    tcase_add_test(tests, files_of_others_are_refused);
    suite_add_tcase(suite, tests);
    return suite;
}
