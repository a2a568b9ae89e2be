/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/script/bench.h"
#include "tests/unit/script/suites.h"

/* Expressions and what Ruby makes of them, as JSON. */
static const struct bench_row TIME[] = {
    {"Time.at(0).utc.iso8601", "\"1970-01-01T00:00:00Z\""},
    {"Time.at(1443701655.25).utc.strftime('%Y-%m-%dT%H:%M:%S.%L%z')",
     "\"2015-10-01T12:14:15.250+0000\""},
    {"Time.utc(2020,2,29,1,2,3).strftime('%a %b %e %j %U %V %y %I:%M %p %s')",
     "\"Sat Feb 29 060 08 09 20 01:02 AM 1582938123\""},
    {"Time.parse('2015-10-01 12:00:00 +0900').utc.to_s", "\"2015-10-01 03:00:00 UTC\""},
    {"Time.parse('2015-10-01T12:00:00.123Z').usec", "123000"},
    {"Time.parse('Thu, 01 Oct 2015 12:14:15 GMT').to_i", "1443701655"},
    {"Time.strptime('01/Oct/2015:12:14:15 +0000','%d/%b/%Y:%H:%M:%S %z').to_i", "1443701655"},
    {"Time.strptime('1443701655','%s').to_i", "1443701655"},
    {"Time.utc(2020,1,31) + 86400 == Time.utc(2020,2,1)", "true"},
    {"Time.utc(2020,1,2) - Time.utc(2020,1,1)", "86400.0"},
    {"Time.utc(2020,1,1) < Time.utc(2020,1,2)", "true"},
    {"Time.at(0).utc.monday?", "false"},
    {"Time.utc(2020,12,31).yday", "366"},
    {"Time.at(0,500,:millisecond).utc.iso8601(3)", "\"1970-01-01T00:00:00.500Z\""},
    {"Time.new(2020,1,1,0,0,0,'+09:00').utc_offset", "32400"},
    {"Time.new(2020,1,1,0,0,0,'+09:00').iso8601", "\"2020-01-01T00:00:00+09:00\""},
    {"Time.at(0).getlocal('-05:00').hour", "19"},
    {"Time.at(0).utc.to_a[5]", "1970"},
    {"Time.iso8601('2020-01-01T00:00:00Z').to_i", "1577836800"},
    {"Time.at(1.5).utc.round.to_i", "2"},
    {"Time.at(0).utc.strftime('%-d/%-m/%y %k %l %P %A %B %^a %10Y|%03d')",
     "\"1/1/70  0 12 am Thursday January THU 0000001970|001\""},
    {"Date.parse('2020-02-28').next_day.to_s", "\"2020-02-29\""},
    {"(Date.parse('2020-03-01') - Date.parse('2020-02-28')).to_i", "2"},
    {"Date.new(2020,1,31).next_month.to_s", "\"2020-02-29\""},
    {"Date.strptime('25/12/2020','%d/%m/%Y').strftime('%F')", "\"2020-12-25\""},
    {"DateTime.parse('2020-01-02T03:04:05+09:00').to_s", "\"2020-01-02T03:04:05+09:00\""},
    {"DateTime.strptime('25/12/2020 18:30','%d/%m/%Y %H:%M').to_time.utc.to_i", "1608921000"},
    {"Date.valid_date?(2020,2,30)", "false"},
    {"Date.new(2020,5,17).cweek", "20"},
    {"DateTime.parse('2020-01-02 03:04:05').iso8601", "\"2020-01-02T03:04:05+00:00\""},
    {"Date.parse('3rd Feb 2001').to_s", "\"2001-02-03\""},
    {"Date.parse('20010203').to_s", "\"2001-02-03\""},
    {"Time.parse('12:30', Time.utc(2020,1,1)).hour", "12"},
    {"begin; Time.parse('garbage'); rescue ArgumentError => e; 'err'; end", "\"err\""},
    {"begin; Date.parse('nope'); rescue => e; e.class.to_s; end", "\"Date::Error\""},
    {"Date.new(2020,1,1).saturday?", "false"},
    {"Date.new(2020,1,1) + 1 > Date.new(2020,1,1)", "true"},
    {"(Date.new(2020,1,1)..Date.new(2020,1,3)).map(&:day)", "[1,2,3]"},
    {"Time.at(1443701655).utc.to_date.to_s", "\"2015-10-01\""},
    {"Time.gm(2000,'jan',1,20,15,1).to_i", "946757701"},
    {"LogStash::Timestamp.new('2015-10-01T12:14:15.123456Z').to_s",
     "\"2015-10-01T12:14:15.123456Z\""},
    {"LogStash::Timestamp.at(0).time.year", "1970"},
    {"LogStash::Timestamp.coerce('2015-10-01T12:14:15Z').to_i", "1443701655"},
    {"(LogStash::Timestamp.at(10) - LogStash::Timestamp.at(4))", "6.0"},
    {"LogStash::Timestamp.at(1) < LogStash::Timestamp.at(2)", "true"},
    {"(LogStash::Timestamp.at(100) - 40).to_s", "\"1970-01-01 00:01:00 UTC\""},
    {"(LogStash::Timestamp.at(0) + 60).class.to_s", "\"Time\""},
    {"LogStash::Timestamp.parse_iso8601('2015-01-01T00:00:00Z').to_i", "1420070400"},
    {"begin; LogStash::Timestamp.new('no'); rescue => e; e.class.to_s + ': ' + e.message; end",
     "\"LogStash::TimestampParserError: invalid timestamp string format no\""},
    {"begin; LogStash::Timestamp.new(5); rescue => e; e.class.to_s + ': ' + e.message; end",
     "\"TypeError: wrong argument type Integer (expected Time)\""},
    {"DateTime.parse('2015-01-01T10:00:00.5+02:00').strftime('%Q %%Q %H')",
     "\"1420099200500 %Q 10\""},
};

static const struct bench_row LIBRARY[] = {
    {"require 'json'; JSON.parse('{\"a\":[1,2.5,null,true]}')", "{\"a\":[1,2.5,null,true]}"},
    {"JSON.parse('{\"a\":{\"b\":1}}', symbolize_names: true)[:a][:b]", "1"},
    {"JSON.generate({'a'=>[1,nil,'x\"']})", "\"{\\\"a\\\":[1,null,\\\"x\\\\\\\"\\\"]}\""},
    {"begin; JSON.parse('{'); rescue JSON::ParserError; 'bad'; end", "\"bad\""},
    {"[1,'a',nil].to_json", "\"[1,\\\"a\\\",null]\""},
    {"'é'.to_json", "\"\\\"é\\\"\""},
    {"nil.to_json", "\"null\""},
    {"JSON.pretty_generate({'a'=>[1]})", "\"{\\n  \\\"a\\\": [\\n    1\\n  ]\\n}\""},
    {"1.5.to_json", "\"1.5\""},
    {"JSON.parse('[1]')", "[1]"},
    {"JSON.dump({a: :b})", "\"{\\\"a\\\":\\\"b\\\"}\""},
    {"require 'digest'; Digest::MD5.hexdigest('a')", "\"0cc175b9c0f1b6a831c399e269772661\""},
    {"Digest::SHA1.hexdigest('a')", "\"86f7e437faa5a7fce15d1ddcb9eaeaea377667b8\""},
    {"Digest::SHA256.hexdigest('a')",
     "\"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb\""},
    {"Digest::SHA256.new.update('a').hexdigest[0,8]", "\"ca978112\""},
    {"require 'base64'; Base64.encode64('hello')", "\"aGVsbG8=\\n\""},
    {"Base64.strict_encode64('hello')", "\"aGVsbG8=\""},
    {"Base64.decode64('aGVsbG8=')", "\"hello\""},
    {"Base64.urlsafe_encode64(\"\\xff\\xfe\")", "\"__4=\""},
    {"require 'uri'; URI.parse('https://u:p@ex.com:8443/a/b?x=1#f').host", "\"ex.com\""},
    {"URI('http://ex.com/a').port", "80"},
    {"URI.decode_www_form('a=1&b=%20x')", "[[\"a\",\"1\"],[\"b\",\" x\"]]"},
    {"URI.encode_www_form_component('a b&c')", "\"a+b%26c\""},
    {"URI.parse('http://ex.com/a b') rescue 'bad'", "\"bad\""},
    {"CGI.unescape('a%20b+c')", "\"a b c\""},
    {"CGI.escapeHTML('<a&\"')", "\"&lt;a&amp;&quot;\""},
    {"CGI.parse('a=1&a=2')", "{\"a\":[\"1\",\"2\"]}"},
    {"URI.unescape('%ED%95%9C')", "\"한\""},
    {"require 'ipaddr'; IPAddr.new('10.0.0.0/8').include?('10.1.2.3')", "true"},
    {"IPAddr.new('10.0.0.0/8').include?(IPAddr.new('11.0.0.1'))", "false"},
    {"IPAddr.new('2001:db8::/32').include?('2001:db8:1::1')", "true"},
    {"IPAddr.new('::1').to_s", "\"::1\""},
    {"Socket.sockaddr_in(514, '10.1.2.3').unpack('C*')", "[0,2,2,2,10,1,2,3,0,0,0,0,0,0,0,0]"},
    {"a = Socket.sockaddr_in(514, '2001:db8::fe'); "
     "[a.length, a[0, 2].unpack('C*'), a[4, 16].unpack('N*'), a[20, 8].unpack('N*')]",
     "[28,[0,10],[536939960,0,0,254],[0,0]]"},
    {"Socket.unpack_sockaddr_in(Socket.sockaddr_in(514, '10.1.2.3'))", "[514,\"10.1.2.3\"]"},
    {"Socket.unpack_sockaddr_in(Socket.sockaddr_in(1, '2001:db8::fe'))",
     "[1,\"2001:0db8:0000:0000:0000:0000:0000:00fe\"]"},
    {"require 'csv'; ' a,\"b,\"\"c\",,\"\"'.parse_csv", "[\" a\",\"b,\\\"c\",null,\"\"]"},
    {"['a;b;'.parse_csv(col_sep: ';'), ''.parse_csv, CSV.parse_line(\"x\\ny\")]",
     "[[\"a\",\"b\",null],null,[\"x\"]]"},
    {"CSV.parse(\"a,b\\n\\n\\\"c\\nd\\\",e\\n\")", "[[\"a\",\"b\"],[],[\"c\\nd\",\"e\"]]"},
    {"CSV.parse(\"a\\rb\")", "[[\"a\"],[\"b\"]]"},
    {"['a', nil, '', 'b,c', 'd\"e', 5].to_csv",
     "\"a,,\\\"\\\",\\\"b,c\\\",\\\"d\\\"\\\"e\\\",5\\n\""},
    {"begin; '\"a'.parse_csv; rescue CSV::MalformedCSVError; 'bad'; end", "\"bad\""},
    {"IPAddr.new('192.168.1.5/24').to_s", "\"192.168.1.0\""},
    {"IPAddr.new('1.2.3.4').to_i", "16909060"},
    {"IPAddr.new('1.2.3.4').ipv4?", "true"},
    {"begin; IPAddr.new('x'); rescue IPAddr::InvalidAddressError; 'bad'; end", "\"bad\""},
    {"IPAddr.new('10.0.0.1').private?", "true"},
    {"IPAddr.new('::ffff:1.2.3.4').native.to_s", "\"1.2.3.4\""},
    {"require 'set'; s=Set.new([1,2]); s << 2; [s.size, s.include?(2), s.to_a]", "[2,true,[1,2]]"},
    {"(Set[1,2] & Set[2,3]).to_a", "[2]"},
    {"ENV.fetch('NOPE_X','d')", "\"d\""},
    {"SecureRandom.hex(4).length", "8"},
    {"begin; require 'nokogiri'; rescue LoadError => e; 'no'; end", "\"no\""},
    {"begin; `ls`; rescue NotImplementedError => e; 'no'; end", "\"no\""},
    {"begin; File.read('/etc/hostname'); rescue NotImplementedError; 'no'; end", "\"no\""},
    {"begin; sleep 1; rescue NotImplementedError; 'no'; end", "\"no\""},
    {"begin; system('ls'); rescue NotImplementedError; 'no'; end", "\"no\""},
    {"File.basename('/a/b.log','.log')", "\"b\""},
    {"File.extname('a.tar.gz')", "\".gz\""},
    {"File.dirname('/a/b/c')", "\"/a/b\""},
    {"File.join('a','b')", "\"a/b\""},
    {"Timeout.timeout(1) { 5 }", "5"},
    {"OpenStruct.new(a: 1).a", "1"},
    {"Zlib.crc32('a')", "3904355907"},
};

START_TEST(time_rows)
{
    bench_check_rows(TIME, sizeof TIME / sizeof *TIME);
}
END_TEST

START_TEST(library_rows)
{
    bench_check_rows(LIBRARY, sizeof LIBRARY / sizeof *LIBRARY);
}
END_TEST

Suite *library_suite(void)
{
    Suite *suite = suite_create("library");
    TCase *tcase = tcase_create("library");
    tcase_add_test(tcase, time_rows);
    tcase_add_test(tcase, library_rows);
    suite_add_tcase(suite, tcase);
    return suite;
}
