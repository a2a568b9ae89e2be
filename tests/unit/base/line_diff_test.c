/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text/line_diff.h"

#include <stdlib.h>

#include "base/buf.h"
#include "tests/unit/base/suites.h"

static void collect(void *ctx, char mark, struct str line)
{
    if (mark != '@')
        ck_assert(buf_append_char(ctx, mark));
    ck_assert(buf_append_str(ctx, line) && buf_append_char(ctx, '\n'));
}

static void check_diff(const char *before, const char *after, const char *wanted)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    bool differ = line_diff(str_from(before), str_from(after), collect, &out);
    ck_assert(differ == (*wanted != '\0'));
    ck_assert(buf_append_char(&out, '\0'));
    ck_assert_str_eq(wanted, out.ptr);
    buf_release(&out);
}

START_TEST(lines)
{
    check_diff("", "", "");
    check_diff("a\nb\n", "a\nb\n", "");
    check_diff("", "a\n", "@@ -0,0 +1,1 @@\n+a\n");
    check_diff("a\n", "", "@@ -1,1 +0,0 @@\n-a\n");
    check_diff("a\nb\nc\n", "a\nx\nc\n", "@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n");
    check_diff("a\nb\nc\nd\n", "b\nc\ne\nd\n", "@@ -1,4 +1,4 @@\n-a\n b\n c\n+e\n d\n");
    check_diff("a", "a\n", "@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+a\n");
}
END_TEST

START_TEST(hunks)
{
    check_diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\n5x\n6\n7\n8\n9\n",
               "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+5x\n 6\n 7\n 8\n");
    check_diff("a\n1\n2\n3\n4\n5\n6\nb\n", "x\n1\n2\n3\n4\n5\n6\ny\n",
               "@@ -1,8 +1,8 @@\n-a\n+x\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+y\n");
    check_diff("a\n1\n2\n3\n4\n5\n6\n7\nb\n", "x\n1\n2\n3\n4\n5\n6\n7\ny\n",
               "@@ -1,4 +1,4 @@\n-a\n+x\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+y\n");
}
END_TEST

/* Applies what it gives out; any two texts have to come out right. */
struct patching {
    struct buf before, after;
};

static void patch(void *ctx, char mark, struct str line)
{
    struct patching *patching = ctx;
    if (mark == ' ' || mark == '-')
        ck_assert(buf_append_str(&patching->before, line) &&
                  buf_append_char(&patching->before, '\n'));
    if (mark == ' ' || mark == '+')
        ck_assert(buf_append_str(&patching->after, line) &&
                  buf_append_char(&patching->after, '\n'));
}

static void random_lines(struct buf *out, unsigned *seed)
{
    buf_clear(out, 1 << 10);
    /* few enough for one hunk */
    for (int i = rand_r(seed) % 4; i >= 0; i--)
        ck_assert(buf_printf(out, "%c\n", 'a' + rand_r(seed) % 3));
}

START_TEST(what_is_given_out_leads_from_one_to_the_other)
{
    unsigned seed = 1;
    struct buf a, b;
    buf_init(&a, 1 << 10);
    buf_init(&b, 1 << 10);
    for (int round = 0; round < 2000; round++) {
        struct patching patching;
        random_lines(&a, &seed);
        random_lines(&b, &seed);
        buf_init(&patching.before, 1 << 10);
        buf_init(&patching.after, 1 << 10);
        if (line_diff(buf_str(&a), buf_str(&b), patch, &patching)) {
            ck_assert(str_equal(buf_str(&a), buf_str(&patching.before)));
            ck_assert(str_equal(buf_str(&b), buf_str(&patching.after)));
        } else {
            ck_assert(str_equal(buf_str(&a), buf_str(&b)));
        }
        buf_release(&patching.before);
        buf_release(&patching.after);
    }
    buf_release(&a);
    buf_release(&b);
}
END_TEST

static void count(void *ctx, char mark, struct str line)
{
    (void)line;
    ((size_t *)ctx)[mark == '-'] += mark == '-' || mark == '+';
}

/* Too many cells: the middle is replaced as a whole. */
START_TEST(texts_that_are_too_long_are_replaced)
{
    enum { LINES = 2100 };
    struct buf a, b;
    size_t counts[2] = {0};
    buf_init(&a, 1 << 20);
    buf_init(&b, 1 << 20);
    for (int i = 0; i < LINES; i++)
        ck_assert(buf_printf(&a, "%d\n", i) && buf_printf(&b, "%d\n", i + 1));
    ck_assert(line_diff(buf_str(&a), buf_str(&b), count, counts));
    ck_assert_uint_eq(LINES, counts[0]);
    ck_assert_uint_eq(LINES, counts[1]);
    buf_release(&a);
    buf_release(&b);
}
END_TEST

Suite *line_diff_suite(void)
{
    Suite *suite = suite_create("line_diff");
    TCase *tests = tcase_create("line_diff");
    tcase_add_test(tests, lines);
    tcase_add_test(tests, hunks);
    tcase_add_test(tests, what_is_given_out_leads_from_one_to_the_other);
    tcase_add_test(tests, texts_that_are_too_long_are_replaced);
    suite_add_tcase(suite, tests);
    return suite;
}
