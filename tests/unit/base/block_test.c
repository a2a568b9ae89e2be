/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever a block is made of here, it says what looking at the sixteen bytes one by one says.
 */
#include "base/text/block.h"
#include "tests/unit/base/suites.h"

typedef bool predicate(unsigned char byte);

static bool is_escape(unsigned char byte)
{
    return byte < 0x20 || byte == '"' || byte == '\\';
}
static bool is_not_ascii(unsigned char byte)
{
    return byte >= 0x80;
}
static bool is_seven(unsigned char byte)
{
    return byte == 7;
}

static unsigned first_of(const char *bytes, predicate *holds)
{
    unsigned at = 0;
    while (at < BLOCK && !holds((unsigned char)bytes[at]))
        at++;
    return at;
}

static void check_set(const char *bytes, struct block_set set, predicate *holds)
{
    unsigned first = first_of(bytes, holds);
    ck_assert_int_eq(block_any(set), first < BLOCK);
    if (first < BLOCK)
        ck_assert_uint_eq(block_first(set), first);
}

static void check_block(const char *bytes)
{
    struct block block = block_load(bytes);
    check_set(bytes, block_escapes(block), is_escape);
    check_set(bytes, block_not_ascii(block), is_not_ascii);
    check_set(bytes, block_equal(block, 7), is_seven);
    char copy[BLOCK];
    block_store(copy, block);
    ck_assert_mem_eq(copy, bytes, BLOCK);
    uint64_t low, high;
    memcpy(&low, bytes, sizeof low);
    memcpy(&high, bytes + sizeof low, sizeof high);
    block_store(copy, block_of(low, high));
    ck_assert_mem_eq(copy, bytes, BLOCK);
}

START_TEST(each_byte_at_each_place)
{
    char bytes[BLOCK];
    for (unsigned place = 0; place < BLOCK; place++)
        for (unsigned byte = 0; byte < 256; byte++) {
            memset(bytes, 'a', sizeof bytes);
            bytes[place] = (char)byte;
            check_block(bytes);
            memset(bytes, (int)byte, sizeof bytes);
            bytes[place] = 'a';
            check_block(bytes);
        }
}
END_TEST

START_TEST(what_stands_before)
{
    for (unsigned one = 0; one < BLOCK; one++)
        for (unsigned other = 0; other < BLOCK; other++) {
            char bytes[BLOCK];
            memset(bytes, 'a', sizeof bytes);
            bytes[one] = 7;
            bytes[other] = '"';
            struct block block = block_load(bytes);
            ck_assert_int_eq(block_any_before(block_equal(block, 7), block_equal(block, '"')),
                             one < other);
        }
}
END_TEST

Suite *block_suite(void)
{
    Suite *suite = suite_create("block");
    TCase *tcase = tcase_create("block");
    tcase_add_test(tcase, each_byte_at_each_place);
    tcase_add_test(tcase, what_stands_before);
    suite_add_tcase(suite, tcase);
    return suite;
}
