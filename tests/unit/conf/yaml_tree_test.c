/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/yaml_tree.h"

#include "base/buf.h"
#include "tests/unit/conf/suites.h"

static void show(const struct yaml_tree *node, struct buf *out)
{
    switch (node->type) {
    case YAML_TREE_SCALAR:
        buf_printf(out, yaml_tree_is_null(node) ? "~" : "%s", node->text.ptr);
        break;
    case YAML_TREE_LIST:
        buf_append_char(out, '[');
        for (size_t i = 0; i < node->count; i++) {
            buf_append(out, ",", i > 0);
            show(&node->items[i], out);
        }
        buf_append_char(out, ']');
        break;
    case YAML_TREE_MAP:
        buf_append_char(out, '{');
        for (size_t i = 0; i < node->count; i++) {
            buf_append(out, ",", i > 0);
            show(&node->keys[i], out);
            buf_append_char(out, ':');
            show(&node->items[i], out);
        }
        buf_append_char(out, '}');
        break;
    }
}

static const struct {
    const char *text;
    const char *tree; /* NULL: refused */
} DOCUMENTS[] = {
    {"", "{}"},
    {"# only a comment\n", "{}"},
    {"~", "{}"},
    {"a: 1\nb: two words\n", "{a:1,b:two words}"},
    {"a:\n  b:\n    c: 1\n  d: [x, 'y']\n", "{a:{b:{c:1},d:[x,y]}}"},
    {"- a: 1\n- b\n- [1,2,3,4,5,6,7,8,9]\n", "[{a:1},b,[1,2,3,4,5,6,7,8,9]]"},
    {"a:\nb: null\nc: ~\nd: ''\ne: 'null'\n", "{a:~,b:~,c:~,d:,e:null}"},
    {"scalar", "scalar"},
    {"a: &x 1\nb: *x\n", NULL},
    {"a: [1, 2\n", NULL},
    {"[1, 2]: x\n", NULL},
    {"a: 1\n---\nb: 2\n", NULL},
    {"a: \"\\q\"", NULL},
    {"\x01", NULL},
};

START_TEST(reads_documents)
{
    struct arena arena;
    arena_init(&arena, NULL);
    struct yaml_tree tree;
    struct error err;
    struct buf out;
    buf_init(&out, 4096);
    bool ok = yaml_tree_parse(&arena, str_from(DOCUMENTS[_i].text), "t.yml", &tree, &err);
    ck_assert_int_eq(ok, DOCUMENTS[_i].tree != NULL);
    if (ok) {
        show(&tree, &out);
        buf_append_char(&out, '\0');
        ck_assert_str_eq(out.ptr, DOCUMENTS[_i].tree);
    } else {
        ck_assert_str_eq(err.position.file, "t.yml");
        ck_assert_uint_ge(err.position.line, 1);
    }
    buf_release(&out);
    arena_release(&arena);
}
END_TEST

START_TEST(limits_depth)
{
    struct arena arena;
    arena_init(&arena, NULL);
    struct yaml_tree tree;
    struct error err;
    struct buf text;
    buf_init(&text, 4096);
    for (int i = 0; i < 1000; i++)
        buf_append_char(&text, '[');
    ck_assert(!yaml_tree_parse(&arena, buf_str(&text), "t.yml", &tree, &err));
    ck_assert_str_eq(err.text, "nested too deep");
    buf_release(&text);
    arena_release(&arena);
}
END_TEST

Suite *yaml_tree_suite(void)
{
    Suite *suite = suite_create("yaml_tree");
    TCase *tcase = tcase_create("yaml_tree");
    tcase_add_loop_test(tcase, reads_documents, 0, sizeof DOCUMENTS / sizeof *DOCUMENTS);
    tcase_add_test(tcase, limits_depth);
    suite_add_tcase(suite, tcase);
    return suite;
}
