/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/script/bench.h"
#include "tests/unit/script/suites.h"

static const struct field_ref MESSAGE = FIELD_REF_TOP("m");

static const struct {
    const char *code, *event, *result;
} RUNS[] = {
    {"event.set('x', 1)", "{\"a\":1}", "{\"a\":1,\"x\":1}"},
    {"event.set('[a][b]', nil)", "{}", "{\"a\":{\"b\":null}}"},
    {"event.set('x', event.get('[a][1]'))", "{\"a\":[1,\"two\"]}",
     "{\"a\":[1,\"two\"],\"x\":\"two\"}"},
    {"event.set('x', [1, 2.5, :s, {a: true}, 'é', nil])", "{}",
     "{\"x\":[1,2.5,\"s\",{\"a\":true},\"é\",null]}"},
    {"event.set('x', event.remove('a'))", "{\"a\":{\"b\":1}}", "{\"x\":{\"b\":1}}"},
    {"event.set('x', [event.include?('a'), event.include?('b')])", "{\"a\":null}",
     "{\"a\":null,\"x\":[true,false]}"},
    {"event.tag('t'); event.tag('t')", "{\"tags\":\"s\"}", "{\"tags\":[\"s\",\"t\"]}"},
    {"event.set('x', event.sprintf('%{a}-%{b}'))", "{\"a\":1}", "{\"a\":1,\"x\":\"1-%{b}\"}"},
    {"h = event.to_hash; h['a'] = 2; event.set('x', h['a'])", "{\"a\":1}", "{\"a\":1,\"x\":2}"},
    {"event.set('[@metadata][m]', 1); event.set('x', "
     "event.to_hash_with_metadata['@metadata']['m'])",
     "{}", "{\"x\":1}"},
    {"event.set('x', event.to_json.length > 10)", "{\"a\":1}", "{\"a\":1,\"x\":true}"},
    {"event.cancel; event.uncancel; event.set('x', event.cancelled?)", "{}", "{\"x\":false}"},
    {"event.set('x', event.timestamp.to_s)", "{\"@timestamp\":\"2015-10-01T13:14:15.25Z\"}",
     "{\"x\":\"2015-10-01T13:14:15.250Z\"}"},
    {"event.timestamp = LogStash::Timestamp.at(1.5); event.set('x', event.get('@timestamp').to_f)",
     "{}", "{\"x\":1.5}"},
    {"event.append(LogStash::Event.new({'a' => 2, 'b' => {'c' => 1}}))",
     "{\"a\":1,\"b\":{\"d\":2}}", "{\"a\":[1,2],\"b\":{\"d\":2,\"c\":1}}"},
    {"event.overwrite(LogStash::Event.new({'z' => 1}))", "{\"a\":1}", "{\"z\":1}"},
    {"c = event.clone; c.set('a', 2); event.set('x', c.get('a'))", "{\"a\":1}",
     "{\"a\":1,\"x\":2}"},
    /* Strings of the event are the event's own. */
    {"event.get('a') << 'x'", "{\"a\":\"s\"}", "{\"a\":\"sx\"}"},
    {"s = event.get('a'); s << 'x'; event.set('h', event.to_hash['a'])", "{\"a\":\"s\"}",
     "{\"a\":\"sx\",\"h\":\"sx\"}"},
    {"s = event.get('a'); event.set('a', 'new'); s << 'x'", "{\"a\":\"s\"}", "{\"a\":\"new\"}"},
    {"s = event.get('a'); s << 'x'; event.set('b', event.get('a'))", "{\"a\":\"s\"}",
     "{\"a\":\"sx\",\"b\":\"sx\"}"},
    {"event.get('a') << 'x'; raise 'no'", "{\"a\":\"s\"}",
     "raised: RuntimeError: no (code:1) {\"a\":\"sx\"}"},
    /* Numbers keep their value though mruby's floats are shorter. */
    {"event.set('x', event.get('f'))", "{\"f\":[0.1,3.14159,1e300,123456789.123,-2.5e-7]}",
     "{\"f\":[0.1,3.14159,1.0E300,1.23456789123E8,-2.5E-7],\"x\":[0.1,3.14159,1.0E300,1."
     "23456789123E8,-2.5E-7]}"},
    {"event.set('x', event.get('b'))", "{\"b\":92233720368547758080}",
     "{\"b\":92233720368547758080,\"x\":92233720368547758080}"},
    {"return if event.get('a') == 1\nevent.set('x', 1)", "{\"a\":1}", "{\"a\":1}"},
    {"def twice(n) n * 2 end; event.set('x', twice(4))", "{}", "{\"x\":8}"},
    {"event.set('x', 1) # comment", "{}", "{\"x\":1}"},
    {"LIMIT = 3; event.set('x', LIMIT)", "{}", "{\"x\":3}"},
    {"if /(?<year>\\d+)-(?<mon>\\d+)/ =~ 'in 2020-05' then event.set('x', [year, mon]) end", "{}",
     "{\"x\":[\"2020\",\"05\"]}"},
    {"if 'ab' =~ /(b)/\nTime.parse('2020-01-01'); IPAddr.new('::1')\nevent.set('x', [$1, $~[0]]) "
     "end",
     "{}", "{\"x\":[\"b\",\"b\"]}"},
    {"i = 0\nbegin\ni += 1\nend while i < 3\nbegin\ni += 10\nend while false\nbegin\ni += 100\nend "
     "until true\nevent.set('x', i)",
     "{}", "{\"x\":113}"},
    {"@a = 1\nb = 2\nevent.set('x', [defined?(@a), defined?(@no), defined?(b), defined?(puts), "
     "defined?(nope), defined?(String), defined?(Nope), defined?(b.foo), defined?(b.to_s), "
     "defined?(b = 1)].map { |d| d.inspect }.join(','))",
     "{}",
     "{\"x\":\"\\\"instance-variable\\\",nil,\\\"local-variable\\\",\\\"method\\\",nil,"
     "\\\"constant\\\",nil,nil,"
     "\\\"method\\\",\\\"assignment\\\"\"}"},
    /* What raises leaves the rest as it is. */
    {"event.set('a', 1); raise 'boom'", "{}", "raised: RuntimeError: boom (code:1) {\"a\":1}"},
    {"\n\nnil.foo", "{}", "raised: NoMethodError: undefined method 'foo' for nil (code:3) {}"},
    {"event.set('[a', 1)", "{}", "raised: RuntimeError: "},
    {"event['a']", "{\"a\":1}", "raised: NoMethodError: write event.get"},
    {"event['a'] = 2", "{\"a\":1}", "raised: NoMethodError: write event.get"},
    {"event.set('tags', {'a' => 1})", "{}", "raised: RuntimeError: "},
    {"event.set('x', Object.new)", "{}", "raised: TypeError: an event cannot hold a Object"},
    {"a = []; a << a; event.set('x', a)", "{}", "raised: ArgumentError: nested too deeply"},
    {"event.set(1, 1)", "{}", "raised: TypeError: a field reference must be a string"},
    {"s = 'x' * 1000; loop { s += s }", "{}", "raised: NoMemoryError"},
    {"def f; f; end; f", "{}", "raised: SystemStackError"},
    {"event.set('a', ", "{}", "refused: code ends too early"},
    {"x = 1\nif )", "{}", "refused: code, line 2, column 4: syntax error"},
    {"} ; {", "{}", "refused: code"},
    {"x = 1\n  require \"net/http\" # so\n", "{}", "refused: code, line 2: cannot load 'net/http'"},
    {"require('nope'); 1", "{}", "refused: code, line 1: cannot load 'nope'"},
};

/* The result, or its beginning where it ends with a blank or names an exception of which the rest may vary. */
START_TEST(runs)
{
    struct bench bench;
    bench_init(&bench);
    const char *result = bench_code(&bench, RUNS[_i].code, RUNS[_i].event);
    bool exact = RUNS[_i].result[strlen(RUNS[_i].result) - 1] == '}';
    bool same = exact ? strcmp(result, RUNS[_i].result) == 0
                      : strncmp(result, RUNS[_i].result, strlen(RUNS[_i].result)) == 0;
    ck_assert_msg(same, "%s\n  gave %s\n  not  %s", RUNS[_i].code, result, RUNS[_i].result);
    bench_release(&bench);
}
END_TEST

START_TEST(init_and_variables_last)
{
    struct bench bench;
    const struct script_source source = {.code = STR("@n += 1; event.set('n', @n)"),
                                         .init = STR("@n = 0")};
    bench_init(&bench);
    ck_assert_str_eq(bench_run(&bench, &source, "{}", 3), "{\"n\":3}");
    ck_assert_str_eq(bench_run(&bench, &source, "{}", 1), "{\"n\":1}");
    const struct script_source bad = {.code = STR("1"), .init = STR("x = 1\nraise 'no'")};
    ck_assert_str_eq(bench_run(&bench, &bad, "{}", 1), "refused: RuntimeError: no (init:2)");
    bench_release(&bench);
}
END_TEST

static const struct {
    const char *file, *event, *result;
} FILES[] = {
    {"def register(params)\n@by = params['by']\nend\ndef filter(event)\nevent.set('x', "
     "event.get('n') * @by)\n"
     "[event]\nend\ntest 'it' do\nend\n",
     "{\"n\":2}", "{\"n\":2,\"x\":6}"},
    {"def filter(event)\nnil\nend", "{}", "raised: bad value {}"},
    {"def filter(event)\n[1]\nend", "{}", "raised: bad value {}"},
    {"def filter(event)\n[]\nend", "{}", "cancelled"},
    {"def filter(event)\n[event, event.clone]\nend", "{}", "{}"},
    {"def filter(event)\n", "{}", "refused: "},
    {"def other(event)\nend", "{}", "refused: "},
    {"def register(params)\nraise 'no'\nend\ndef filter(event)\nend", "{}", "refused: "},
};

START_TEST(runs_files)
{
    struct bench bench;
    char path[] = "/tmp/millrace_script_XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, FILES[_i].file, strlen(FILES[_i].file)),
                     (ssize_t)strlen(FILES[_i].file));
    close(fd);
    static const struct conf_pair PAIRS[] = {
        {.key = {.type = CONF_STRING, .text = STR_INIT("by")},
         .value = {.type = CONF_NUMBER, .text = STR_INIT("3")}},
    };
    const struct option_hash params = {PAIRS, 1};
    const struct script_source source = {.path = str_from(path), .params = &params};
    bench_init(&bench);
    const char *result = bench_run(&bench, &source, FILES[_i].event, 1);
    unlink(path);
    ck_assert_msg(strncmp(result, FILES[_i].result, strlen(FILES[_i].result)) == 0, "%s gave %s",
                  FILES[_i].file, result);
    bench_release(&bench);
}
END_TEST

START_TEST(makes_events)
{
    struct bench bench;
    bench_init(&bench);
    bench_code(&bench,
               "new_event_block.call(LogStash::Event.new({'@timestamp' => '2015-10-01T13:14:15Z', "
               "'m' => 1}))",
               "{}");
    ck_assert(str_equal(buf_str(&bench.made),
                        STR("{\"@timestamp\":\"2015-10-01T13:14:15.000Z\",\"m\":1}\n")));
    bench_release(&bench);
}
END_TEST

/* An event's object outlives the call, its memory does not. */
START_TEST(cuts_events_off)
{
    struct bench bench;
    bench_init(&bench);
    bench_code(&bench, "$kept = event; $made = LogStash::Event.new", "{\"a\":1}");
    const char *message = "raised: RuntimeError: this event has left the filter";
    ck_assert_int_eq(strncmp(bench_code(&bench, "$kept.get('a')", "{}"), message, strlen(message)),
                     0);
    ck_assert_int_eq(strncmp(bench_code(&bench, "$made.get('a')", "{}"), message, strlen(message)),
                     0);
    bench_release(&bench);
}
END_TEST

/* Many events leave no more behind than some. */
START_TEST(keeps_its_heap)
{
    struct bench bench;
    const struct script_source source = {
        .code = STR("event.set('x', event.get('m').split(' ').map { |w| w * 2 }.join(','))")};
    struct error err = {.text = ""};
    bench_init(&bench);
    struct script *script = script_open(bench.vm, &bench.env, &source, &err);
    ck_assert_ptr_nonnull(script);
    struct arena arena;
    arena_init(&arena, NULL);
    size_t early = 0;
    for (int i = 0; i < 40000; i++) {
        arena_reset(&arena);
        struct event *event = event_new(&arena);
        event_set(event, &MESSAGE, value_str(STR("some words that are split and joined")), NULL);
        ck_assert_int_eq(script_run(script, event, &bench.sink, &err), SCRIPT_DONE);
        if (i == 10000)
            early = script_vm_heap_bytes(bench.vm);
    }
    ck_assert_uint_lt(script_vm_heap_bytes(bench.vm), early + early / 2);
    arena_release(&arena);
    script_close(script);
    bench_release(&bench);
}
END_TEST

/* A search that is given up raises, in whatever method it is, and the script goes on behind a rescue. */
START_TEST(gives_up_at_a_limit)
{
    static const char *const CODES[] = {
        "event.get('a') =~ /^(a+)+$/",         "/^(a+)+$/.match?(event.get('a'))",
        "event.get('a').match(/^(a+)+$/)",     "event.get('a').gsub(/^(a+)+$/, 'x')",
        "event.get('a').sub(/^(a+)+$/) { 1 }", "event.get('a').scan(/^(a+)+$/)",
        "event.get('a').split(/^(a+)+$/)",     "case event.get('a'); when /^(a+)+$/ then 1; end",
    };
    static const char EVENT[] = "{\"a\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\"}";
    struct bench bench;
    bench_init(&bench);
    const char *result = bench_code(&bench, CODES[_i], EVENT);
    ck_assert_msg(strstr(result, "raised: RuntimeError: regular expression given up"), "%s: %s",
                  CODES[_i], result);
    ck_assert_uint_eq(regex_limits_met(bench.env.regex), 1);
    struct str rescued =
        arena_printf(&bench.arena, "begin; %s; rescue => e; event.set('a', 1); end", CODES[_i]);
    ck_assert_str_eq(bench_code(&bench, rescued.ptr, EVENT), "{\"a\":1}");
    bench_release(&bench);
}
END_TEST

Suite *event_suite(void)
{
    Suite *suite = suite_create("event");
    TCase *tcase = tcase_create("event");
    tcase_add_loop_test(tcase, runs, 0, sizeof RUNS / sizeof *RUNS);
    tcase_add_test(tcase, init_and_variables_last);
    tcase_add_loop_test(tcase, runs_files, 0, sizeof FILES / sizeof *FILES);
    tcase_add_test(tcase, makes_events);
    tcase_add_test(tcase, cuts_events_off);
    tcase_add_test(tcase, keeps_its_heap);
    tcase_add_loop_test(tcase, gives_up_at_a_limit, 0, 8);
    suite_add_tcase(suite, tcase);
    return suite;
}
