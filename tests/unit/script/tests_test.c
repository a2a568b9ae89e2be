/* SPDX-License-Identifier: Apache-2.0
 *
 * The tests that a script file carries.
 */
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/script/bench.h"
#include "tests/unit/script/suites.h"

#define DOUBLE                                                                                     \
    "FIELD = 'n'\n"                                                                                \
    "def register(params)\n@by = params['by']\nend\n"                                              \
    "def filter(event)\nevent.set(FIELD, event.get(FIELD) * (@by || 2))\n[event]\nend\n"
#define KEEP "def filter(event)\n[event]\nend\n"

/* "" passes; else what the error has after the file's name. */
static const struct {
    const char *file, *error;
} FILES[] = {
    {KEEP, ""},
    {DOUBLE "test 'a' do\nparameters { {'by' => 3} }\nin_event { {'n' => 2} }\n"
            "expect('six') { |events| events.size == 1 && events.first.get(FIELD) == 6 }\nend",
     ""},
    /* A test without expectations runs filter all the same. */
    {DOUBLE "test 'a' do\nin_event { {'n' => 2} }\nend", ""},
    {DOUBLE "test 'a' do\nin_event { {} }\nend", ": test 'a': NoMethodError: undefined method '*'"},
    /* Without parameters register is not called. */
    {DOUBLE "test 'a' do\nin_event { {'n' => 2} }\nexpect('four') { |e| e[0].get('n') == 4 }\nend",
     ""},
    {KEEP "test 'a' do\nparameters { {} }\nin_event { {} }\nexpect('x') { parameters == {} }\nend",
     ""},
    /* Several events: what came out of all, in order. The last in_event counts. */
    {DOUBLE "test 'a' do\nin_events { [{'n' => 1}, {'n' => 2}] }\n"
            "expect('both') { |events| events.map { |e| e.get('n') } == [2, 4] }\nend",
     ""},
    {DOUBLE "test 'a' do\nin_event { {'n' => 1} }\nin_event { {'n' => 5} }\n"
            "expect('last') { |events| events.map { |e| e.get('n') } == [10] }\nend",
     ""},
    {"def filter(event)\n[]\nend\ntest 'a' do\nin_event { {} }\nexpect('none') { |e| e.empty? "
     "}\nend",
     ""},
    {"def filter(event)\n[event, event.clone]\nend\ntest 'a' do\nin_event { {} }\n"
     "expect('two') { |e| e.size == 2 }\nend",
     ""},
    /* Each test has an object of its own, and the filter's is another one still. */
    {"def filter(event)\n@seen = (@seen || 0) + 1\nevent.set('seen', @seen)\n[event]\nend\n"
     "2.times do |i|\ntest \"#{i}\" do\nin_event { {} }\nexpect('first') { |e| e[0].get('seen') == "
     "1 }\nend\nend",
     ""},
    /* Strings of an event that filter changed in place. */
    {"def filter(event)\nevent.get('m') << 'x'\n[event]\nend\ntest 'a' do\nin_event { {'m' => 'a'} "
     "}\n"
     "expect('ax') { |e| e[0].to_hash['m'] == 'ax' }\nend",
     ""},
    /* What a script may not do for each event it may not do in a test. */
    {"def filter(event)\nFile.read('/dev/null')\n[event]\nend\ntest 'a' do\nin_event { {} }\nend",
     ": test 'a': NotImplementedError: File.read for each event"},
    {KEEP "test 'a' do\nin_event { {'m' => File.read('/dev/null')} }\n"
          "expect('empty') { |e| File.exist?('/dev/null') && e[0].get('m') == '' }\nend",
     ""},
    {KEEP "test 'a' do\nin_event { {} }\nexpect('b') { false }\nexpect('c') { true }\nexpect('d') "
          "{ nil }\nend",
     ": 2 of 3 expectations failed: test 'a', 'b'; test 'a', 'd'"},
    {KEEP "test 'a' do\nin_event { {} }\nexpect('b') { raise \"no\\nway\" }\nend\n"
          "test 'z' do\nin_event { {} }\nexpect('y') { true }\nend",
     ": 1 of 2 expectations failed: test 'a', 'b' raised RuntimeError: no way"},
    {KEEP "test 'a' do\nexpect('b') { true }\nend",
     ": test 'a': RuntimeError: it declares no in_event"},
    {KEEP "test 'a' do\nin_event { 'text' }\nend", ": test 'a': ArgumentError: in_event must be"},
    {KEEP "test 'a' do\nin_event { [{}, 1] }\nend", ": test 'a': ArgumentError: in_event must be"},
    {KEEP "test 'a' do\nparameters { 1 }\nend",
     ": test 'a': ArgumentError: parameters must be a Hash"},
    {KEEP "test 'a' do\ntest 'b' do\nend\nend",
     ": test 'a': NoMethodError: undefined method 'test' for an instance of LogStash::ScriptTest"},
    {KEEP "test 'a' do\nin_event { {} }\nexpect 'b'\nend",
     ": test 'a': ArgumentError: expect needs a block"},
    {"def filter(event)\nnil\nend\ntest 'a' do\nin_event { {} }\nend",
     ": test 'a': RuntimeError: filter(event) returned no array of events"},
    {"def filter(event)\n[1]\nend\ntest 'a' do\nin_event { {} }\nend",
     ": test 'a': RuntimeError: filter(event) returned no array of events"},
    {KEEP "test 'a'", "ArgumentError: a test needs a block"},
    {"test 'a' do\nend", " defines no method filter(event)"},
    {"def filter(event)\n", ", line 2, column 0: syntax error"},
    {"\nnosuch\n" KEEP, "NameError: undefined local variable or method 'nosuch' for an instance of "
                        "LogStash::Filters::Ruby (/tmp/"},
};

static void write_script(char *path, const char *text)
{
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

START_TEST(runs_tests_of_files)
{
    char path[] = "/tmp/millrace_script_XXXXXX";
    const struct script_source source = {.path = str_from(path)};
    const struct plugin_env env = {.id = STR("one")};
    struct error err = {.text = ""};
    write_script(path, FILES[_i].file);
    bool passed = script_test(&env, &source, &err);
    unlink(path);
    ck_assert_msg(passed == (FILES[_i].error[0] == '\0') && strstr(err.text, FILES[_i].error),
                  "%s gave %s", FILES[_i].file, err.text);
    ck_assert_msg(passed || strstr(err.text, path), "%s", err.text);
    ck_assert_ptr_null(strstr(err.text, "prelude")); /* a place is the script's own or none */
}
END_TEST

START_TEST(a_missing_file_is_named)
{
    const struct script_source source = {.path = STR("/tmp/no/such.rb")};
    const struct plugin_env env = {.id = STR("one")};
    struct error err = {.text = ""};
    ck_assert(!script_test(&env, &source, &err));
    ck_assert_str_eq(err.text, "cannot open '/tmp/no/such.rb': No such file or directory");
}
END_TEST

/* More failures than an error can name: their number is right, and it is one line. */
START_TEST(counts_what_does_not_fit)
{
    char path[] = "/tmp/millrace_script_XXXXXX";
    const struct script_source source = {.path = str_from(path)};
    const struct plugin_env env = {.id = STR("one")};
    struct error err = {.text = ""};
    write_script(path, KEEP "test 'a' do\nin_event { {} }\n"
                            "1000.times { |i| expect(\"a\\n\" * 50 + i.to_s) { i == 7 } }\nend");
    ck_assert(!script_test(&env, &source, &err));
    unlink(path);
    ck_assert_msg(strstr(err.text, ": 999 of 1000 expectations failed: test 'a', 'a a"), "%s",
                  err.text);
    ck_assert_ptr_null(strchr(err.text, '\n'));
}
END_TEST

/* Globals, constants and events of tests are not there for the scripts of a lane, where tests do not run. */
START_TEST(leaves_nothing_behind)
{
    struct bench bench;
    char path[] = "/tmp/millrace_script_XXXXXX";
    const struct script_source source = {.path = str_from(path)};
    struct error err = {.text = ""};
    write_script(path, "def filter(event)\n$ran = ($ran || 0) + 1\n[event]\nend\n"
                       "test 'a' do\nin_event { {} }\nexpect('once') { $ran == 1 }\nend");
    bench_init(&bench);
    ck_assert_msg(script_test(&bench.env, &source, &err), "%s", err.text);
    ck_assert_str_eq(bench_code(&bench, "event.set('ran', $ran)", "{}"), "{\"ran\":null}");
    ck_assert_str_eq(bench_run(&bench, &source, "{}", 1), "{}");
    ck_assert_str_eq(bench_code(&bench, "event.set('ran', $ran)", "{}"), "{\"ran\":1}");
    unlink(path);
    bench_release(&bench);
}
END_TEST

Suite *tests_suite(void)
{
    Suite *suite = suite_create("tests");
    TCase *tcase = tcase_create("tests");
    tcase_add_loop_test(tcase, runs_tests_of_files, 0, (int)(sizeof FILES / sizeof *FILES));
    tcase_add_test(tcase, a_missing_file_is_named);
    tcase_add_test(tcase, counts_what_does_not_fit);
    tcase_add_test(tcase, leaves_nothing_behind);
    suite_add_tcase(suite, tcase);
    return suite;
}
