/* SPDX-License-Identifier: Apache-2.0 */
#include "base/md5.h"
#include "tests/unit/base/suites.h"

/* The last three stand around the lengths at which the padding takes another block. */
static const struct {
    const char *text, *digest;
} DIGESTS[] = {
    {"", "d41d8cd98f00b204e9800998ecf8427e"},
    {"a", "0cc175b9c0f1b6a831c399e269772661"},
    {"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
    {"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
     "57edf4a22be3c955ac49da2e2107b67a"},
    {"0123456789012345678901234567890123456789012345678901234", "6e7a4fc92eb1c3f6e652425bcc8d44b5"},
    {"01234567890123456789012345678901234567890123456789012345",
     "8af270b2847610e742b0791b53648c09"},
    {"0123456789012345678901234567890123456789012345678901234567890123",
     "7f7bfd348709deeaace19e3f535f8c54"},
};

START_TEST(digests)
{
    char digest[MD5_TEXT_LEN + 1];
    md5_text(str_from(DIGESTS[_i].text), digest);
    ck_assert_str_eq(digest, DIGESTS[_i].digest);
}
END_TEST

Suite *md5_suite(void)
{
    Suite *suite = suite_create("md5");
    TCase *cases = tcase_create("md5");
    tcase_add_loop_test(cases, digests, 0, sizeof DIGESTS / sizeof *DIGESTS);
    suite_add_tcase(suite, cases);
    return suite;
}
