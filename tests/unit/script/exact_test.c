/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers, formats and messages that have to be exactly Ruby's.
 */
#include "tests/unit/script/bench.h"
#include "tests/unit/script/suites.h"

static const struct bench_row MESSAGES[] = {
    {"begin; nil.foo; rescue StandardError => e; e.message; end",
     "\"undefined method 'foo' for nil\""},
    {"begin; 5.split(','); rescue StandardError => e; e.message; end",
     "\"undefined method 'split' for an instance of Integer\""},
    {"begin; String.foo; rescue StandardError => e; e.message; end",
     "\"undefined method 'foo' for class String\""},
    {"begin; Math.foo; rescue StandardError => e; e.message; end",
     "\"undefined method 'foo' for module Math\""},
    {"begin; 1 + nil; rescue StandardError => e; e.message; end",
     "\"nil can't be coerced into Integer\""},
    {"begin; 1.5 * 'a'; rescue StandardError => e; e.message; end",
     "\"String can't be coerced into Float\""},
    {"begin; 4 % 0; rescue StandardError => e; e.message; end", "\"divided by 0\""},
    {"begin; 'a' + 1; rescue StandardError => e; e.message; end",
     "\"no implicit conversion of Integer into String\""},
    {"begin; 'a' << nil; rescue StandardError => e; e.message; end",
     "\"no implicit conversion of nil into String\""},
    {"begin; [1] + nil; rescue StandardError => e; e.message; end",
     "\"no implicit conversion of nil into Array\""},
    {"begin; {}.merge(nil); rescue StandardError => e; e.message; end",
     "\"no implicit conversion of nil into Hash\""},
    {"begin; {a: 1}.fetch(:b); rescue StandardError => e; e.message; end", "\"key not found: :b\""},
    {"begin; Integer('z'); rescue StandardError => e; e.message; end",
     "\"invalid value for Integer(): \\\"z\\\"\""},
    {"begin; Integer(nil); rescue StandardError => e; e.message; end",
     "\"can't convert nil into Integer\""},
    {"begin; Integer([1]); rescue StandardError => e; e.message; end",
     "\"can't convert Array into Integer\""},
    {"begin; Float('1.'); rescue StandardError => e; e.message; end",
     "\"invalid value for Float(): \\\"1.\\\"\""},
    {"begin; 1 < nil; rescue StandardError => e; e.message; end",
     "\"comparison of Integer with nil failed\""},
    {"begin; [1,'a'].max; rescue StandardError => e; e.message; end",
     "\"comparison of String with 1 failed\""},
    {"begin; [3,nil].sort; rescue StandardError => e; e.message; end",
     "\"comparison of Integer with nil failed\""},
    {"begin; 'abc'.freeze << 'd'; rescue StandardError => e; e.message; end",
     "\"can't modify frozen String: \\\"abc\\\"\""},
    {"begin; {a: 1}.freeze[:b] = 2; rescue StandardError => e; e.message; end",
     "\"can't modify frozen Hash: {a: 1}\""},
    {"begin; Foo::Bar; rescue StandardError => e; e.message; end",
     "\"uninitialized constant LogStash::Filters::Ruby::Foo\""},
    {"begin; Math::Foo; rescue StandardError => e; e.message; end",
     "\"uninitialized constant Math::Foo\""},
    {"begin; [1].zip(1); rescue StandardError => e; e.message; end",
     "\"wrong argument type Integer (must respond to :each)\""},
    {"begin; ['a','b'].zip(nil).to_h; rescue StandardError => e; e.message; end",
     "\"wrong argument type NilClass (must respond to :each)\""},
    {"begin; [1,2].to_h; rescue StandardError => e; e.message; end",
     "\"wrong element type Integer at 0 (expected array)\""},
    {"begin; [[1],[1,2]].transpose; rescue StandardError => e; e.message; end",
     "\"element size differs (2 should be 1)\""},
    {"begin; def m2(a, b=1); end; m2; rescue StandardError => e; e.message; end",
     "\"wrong number of arguments (given 0, expected 1..2)\""},
    {"begin; def m4(a, *b); end; m4; rescue StandardError => e; e.message; end",
     "\"wrong number of arguments (given 0, expected 1+)\""},
    {"begin; def m3(a:); end; m3(a: 1, b: 2); rescue StandardError => e; e.message; end",
     "\"unknown keyword: :b\""},
    {"begin; {a: 1}.dig(:a, :b); rescue StandardError => e; e.message; end",
     "\"Integer does not have #dig method\""},
    {"begin; (2**600_000) * (2**600_000); rescue StandardError => e; e.message; end",
     "\"integer is too large\""},
    {"begin; format('%z', 1); rescue StandardError => e; e.message; end",
     "\"malformed format string - %z\""},
    {"begin; format('%s %s', 1); rescue StandardError => e; e.message; end",
     "\"too few arguments\""},
    {"begin; format('%<b>d', a: 1); rescue StandardError => e; e.message; end",
     "\"key<b> not found\""},
    {"begin; Marshal.dump(proc { }); rescue StandardError => e; e.message; end",
     "\"no _dump_data is defined for class Proc\""},
    {"begin; YAML.safe_load('a: 2020-01-02'); rescue StandardError => e; e.message; end",
     "\"Tried to load unspecified class: Date\""},
    {"begin; 5.clamp(3, 1); rescue StandardError => e; e.message; end",
     "\"min argument must be less than or equal to max argument\""},
};

static const struct bench_row FORMATS[] = {
    {"format('%08.3f', -7.0)", "\"-007.000\""},
    {"'%+05d|%x|%#o|%08b' % [5, 255, 8, 37]", "\"+0005|ff|010|00100101\""},
    {"'%x %o %b' % [-255, -8, -5]", "\"..f01 ..70 ..1011\""},
    {"'%-10s|%5.1s|' % ['日本', 'ab']", "\"日本        |    a|\""},
    {"'%<a>03d %{b}' % {a: 1, b: :x}", "\"001 x\""},
    {"'%2$s %1$s' % %w[a b]", "\"b a\""},
    {"'%*d|%-*d|' % [5, 42, -4, 7]", "\"   42|7   |\""},
    {"format('%d %d', 2**70, '12')", "\"1180591620717411303424 12\""},
    {"format('%e %g %G', 12345.678, 1e-10, 1e20)", "\"1.234568e+04 1e-10 1E+20\""},
    {"format('%5.1f|%-8s|%c%c', 2.25, nil, 65, 'é')", "\"  2.2|        |Aé\""},
    {"format('%f %f', 1.0/0, -1.0/0)", "\"Inf -Inf\""},
    {"'%p %%' % [nil]", "\"nil %\""},
};

static const struct bench_row EXACT[] = {
    {"0.3 == 3 / 10.0", "true"},
    {"[0.1, 0.2, 0.3].sum", "0.6"},
    {"(0.1 + 0.2).to_s", "\"0.30000000000000004\""},
    {"1e21.to_i", "1000000000000000000000"},
    {"-7.div(2)", "-4"},
    {"7 % 2**70", "7"},
    {"(-7).divmod(2**70)", "[-1,1180591620717411303417]"},
    {"-(2**70) >> 3", "-147573952589676412928"},
    {"2**70 == 2**70", "true"},
    {"5.fdiv(2)", "2.5"},
    {"'ffffffffffffffffff'.to_i(16)", "4722366482869645213695"},
    {"9223372036854775807 + 1", "9223372036854775808"},
    {"{'k' => 'v', a: nil, 'b c': 1}.to_s", "\"{\\\"k\\\" => \\\"v\\\", a: nil, \\\"b c\\\": 1}\""},
    {"h = {}; h[:h] = h; h.inspect", "\"{h: {...}}\""},
    {"{'a' => 1}.to_h { |k, v| [k + 'x', v] }", "{\"ax\":1}"},
    {"{a: 1}.find { |pair| pair[1] == 1 }", "[\"a\",1]"},
    {"'3'.to_c.to_s", "\"3+0i\""},
    {"0.333.rationalize(0.01).to_s", "\"1/3\""},
    {"'0.75'.to_r.to_s", "\"3/4\""},
    {"Rational(7, 2).round", "4"},
    {"2.675.round(2)", "2.68"},
    {"3.14.prev_float < 3.14", "true"},
    {"a = {'x' => [1, {'y' => 'z'}]}; b = Marshal.load(Marshal.dump(a)); b['x'][1]['y'] << '!'; "
     "[a['x'][1]['y'], b['x'][1]['y']]",
     "[\"z\",\"z!\"]"},
    {"Socket.sockaddr_in(443, '195.169.1.2')[4..7].unpack('C*')", "[195,169,1,2]"},
    {"Socket.unpack_sockaddr_in(Socket.sockaddr_in(53, '::1'))",
     "[53,\"0000:0000:0000:0000:0000:0000:0000:0001\"]"},
    {"YAML.load(\"a: 017\\nb: [yes, ~, 1.5]\\nc: '5'\\nd: 0x1F\\ne: 1_000\\nf: :s\\n\")",
     "{\"a\":15,\"b\":[true,null,1.5],\"c\":\"5\",\"d\":31,\"e\":1000,\"f\":\"s\"}"},
    {"YAML.load(YAML.dump('a' => [1, {'b' => 'x: y'}], 'c' => nil))",
     "{\"a\":[1,{\"b\":\"x: y\"}],\"c\":null}"},
    {"({'a' => 1, 'b' => ['x']}).to_yaml", "\"---\\na: 1\\nb:\\n- x\\n\""},
    {"Time.strptime('016 07 +0000', '%j %H %z').yday", "16"},
    {"Time.strptime('2020 W01 4', '%G W%V %u').day", "2"},
    {"Time.parse('2020-01-02 3pm UTC').hour", "15"},
    {"LogStash::Timestamp.at(Time.at(5)).to_i", "5"},
    {"(Date.new(2020, 1, 3) - Date.new(2020, 1, 1)).to_i", "2"},
    {"Date.new(2020, 1, 1).step(Date.new(2020, 1, 5), 2).map(&:day)", "[1,3,5]"},
    {"IPAddr.new('10.0.0.0/30').to_range.map(&:to_s)",
     "[\"10.0.0.0\",\"10.0.0.1\",\"10.0.0.2\",\"10.0.0.3\"]"},
    {"IPAddr.new('::1').to_i", "1"},
    {"defined?(ObjectSpace).inspect", "\"nil\""},
    {"\"a\\nb\\n\".lines(chomp: true)", "[\"a\",\"b\"]"},
    {"{a: 1, b: 2}.all?", "true"},
    {"Struct.new(:a, :b).new(1, 2).each_pair.to_a", "[[\"a\",1],[\"b\",2]]"},
};

START_TEST(messages)
{
    bench_check_rows(MESSAGES, sizeof MESSAGES / sizeof *MESSAGES);
}
END_TEST

START_TEST(formats)
{
    bench_check_rows(FORMATS, sizeof FORMATS / sizeof *FORMATS);
}
END_TEST

START_TEST(exact_values)
{
    bench_check_rows(EXACT, sizeof EXACT / sizeof *EXACT);
}
END_TEST

Suite *exact_suite(void)
{
    Suite *suite = suite_create("exact");
    TCase *tcase = tcase_create("exact");
    tcase_add_test(tcase, messages);
    tcase_add_test(tcase, formats);
    tcase_add_test(tcase, exact_values);
    suite_add_tcase(suite, tcase);
    return suite;
}
