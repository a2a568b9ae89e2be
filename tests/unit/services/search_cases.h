/* SPDX-License-Identifier: Apache-2.0
 *
 * Searches and their answers. Where an answer is no error 501 it is what an OpenSearch 2.19 node said to the same
 * documents: the aggregations, else the hits without _index, else status, type and reason of the error.
 */
#ifndef MILLRACE_TESTS_UNIT_SERVICES_SEARCH_CASES_H
#define MILLRACE_TESTS_UNIT_SERVICES_SEARCH_CASES_H

static const struct {
    const char *params, *body, *answer;
} CASES[] = {
    {"", "{\"query\":{\"term\":{\"k\":\"a\"}},\"_source\":false}",
     "{\"total\":{\"value\":2,\"relation\":\"eq\"},\"max_score\":1.0,\"hits\":[{\"_id\":\""
     "0\",\"_score\":1.0},{\"_id\":\"1\",\"_score\":1.0}]}"},
    {"", "{\"query\":{\"term\":{\"n\":1.0}},\"_source\":false}",
     "{\"total\":{\"value\":1,\"relation\":\"eq\"},\"max_score\":1.0,\"hits\":[{\"_id\":\""
     "0\",\"_score\":1.0}]}"},
    {"", "{\"query\":{\"term\":{\"n\":1.5}},\"_source\":false}",
     "{\"total\":{\"value\":0,\"relation\":\"eq\"},\"max_score\":null,\"hits\":[]}"},
    {"", "{\"query\":{\"term\":{\"d\":\"2024-01-02\"}},\"_source\":false}",
     "{\"total\":{\"value\":1,\"relation\":\"eq\"},\"max_score\":1.0,\"hits\":[{\"_id\":\""
     "1\",\"_score\":1.0}]}"},
    {"", "{\"query\":{\"term\":{\"ip\":\"10.0.0.0/16\"}},\"_source\":false}",
     "{\"total\":{\"value\":2,\"relation\":\"eq\"},\"max_score\":1.0,\"hits\":[{\"_id\":\""
     "0\",\"_score\":1.0},{\"_id\":\"1\",\"_score\":1.0}]}"},
    {"", "{\"query\":{\"term\":{\"b\":\"true\"}},\"_source\":false}",
     "{\"total\":{\"value\":1,\"relation\":\"eq\"},\"max_score\":1.0,\"hits\":[{\"_id\":\""
     "0\",\"_score\":1.0}]}"},
    {"", "{\"query\":{\"term\":{\"_id\":\"2\"}},\"_source\":false}",
     "{\"total\":{\"value\":1,\"relation\":\"eq\"},\"max_score\":1.0,\"hits\":[{\"_id\":\""
     "2\",\"_score\":1.0}]}"},
    {"",
     "{\"query\":{\"term\":{\"k\":{\"value\":\"A\",\"case_insensitive\":true}}},\"_source"
     "\":false}",
     "{\"total\":{\"value\":2,\"relation\":\"eq\"},\"max_score\":1.0,\"hits\":[{\"_id\":\""
     "0\",\"_score\":1.0},{\"_id\":\"1\",\"_score\":1.0}]}"},
    {"", "{\"query\":{\"terms\":{\"k\":[\"a\",\"z\"]}},\"_source\":false}",
     "{\"total\":{\"value\":3,\"relation\":\"eq\"},\"max_score\":1.0,\"hits\":[{\"_id\":\""
     "0\",\"_score\":1.0},{\"_id\":\"1\",\"_score\":1.0},{\"_id\":\"4\",\"_score\":1.0}]}"},
    {"", "{\"query\":{\"terms\":{\"d\":[\"2024-01-01\",\"2024-02-01\"]}},\"_source\":false}",
     "{\"total\":{\"value\":2,\"relation\":\"eq\"},\"max_score\":1.0,\"hits\":[{\"_id\":\""
     "0\",\"_score\":1.0},{\"_id\":\"2\",\"_score\":1.0}]}"},
    {"", "{\"query\":{\"range\":{\"n\":{\"gt\":1.5,\"lt\":\"4\"}}},\"_source\":false}",
     "{\"total\":{\"value\":2,\"relation\":\"eq\"},\"max_score\":1.0,\"hits\":[{\"_id\":\""
     "1\",\"_score\":1.0},{\"_id\":\"2\",\"_score\":1.0}]}"},
    {"",
     "{\"query\":{\"range\":{\"d\":{\"gte\":\"2024-01-01\",\"lt\":\"2024-01-02\"}}},\"_sou"
     "rce\":false}",
     "{\"total\":{\"value\":1,\"relation\":\"eq\"},\"max_score\":1.0,\"hits\":[{\"_id\":\""
     "0\",\"_score\":1.0}]}"},
    {"", "{\"query\":{\"range\":{\"d\":{\"gt\":\"2024-01\"}}},\"_source\":false}",
     "{\"total\":{\"value\":3,\"relation\":\"eq\"},\"max_score\":1.0,\"hits\":[{\"_id\":\""
     "1\",\"_score\":1.0},{\"_id\":\"2\",\"_score\":1.0},{\"_id\":\"4\",\"_score\":1.0}]}"},
    {"",
     "{\"query\":{\"range\":{\"d\":{\"gte\":\"2024-01-01||+1d\",\"lte\":\"2024-01-01||+1M/"
     "M\"}}},\"_source\":false}",
     "{\"total\":{\"value\":2,\"relation\":\"eq\"},\"max_score\":1.0,\"hits\":[{\"_id\":\""
     "1\",\"_score\":1.0},{\"_id\":\"2\",\"_score\":1.0}]}"},
    {"",
     "{\"query\":{\"range\":{\"d\":{\"gte\":\"02/01/2024\",\"format\":\"dd/MM/yyyy\",\"tim"
     "e_zone\":\"Asia/Seoul\"}}},\"_source\":false}",
     "{\"total\":{\"value\":3,\"relation\":\"eq\"},\"max_score\":1.0,\"hits\":[{\"_id\":\""
     "1\",\"_score\":1.0},{\"_id\":\"2\",\"_score\":1.0},{\"_id\":\"4\",\"_score\":1.0}]}"},
    {"",
     "{\"query\":{\"range\":{\"ip\":{\"gte\":\"10.0.0.0\",\"lt\":\"10.0.1.0\"}}},\"_source"
     "\":false}",
     "{\"total\":{\"value\":1,\"relation\":\"eq\"},\"max_score\":1.0,\"hits\":[{\"_id\":\""
     "0\",\"_score\":1.0}]}"},
    {"", "{\"query\":{\"range\":{\"k\":{\"gte\":\"b\"}}},\"_source\":false}",
     "{\"total\":{\"value\":3,\"relation\":\"eq\"},\"max_score\":1.0,\"hits\":[{\"_id\":\""
     "1\",\"_score\":1.0},{\"_id\":\"2\",\"_score\":1.0},{\"_id\":\"4\",\"_score\":1.0}]}"},
    {"", "{\"query\":{\"exists\":{\"field\":\"p\"}},\"_source\":false}",
     "{\"total\":{\"value\":1,\"relation\":\"eq\"},\"max_score\":1.0,\"hits\":[{\"_id\":\""
     "4\",\"_score\":1.0}]}"},
    {"", "{\"query\":{\"exists\":{\"field\":\"p.*\"}},\"_source\":false}",
     "{\"total\":{\"value\":1,\"relation\":\"eq\"},\"max_score\":1.0,\"hits\":[{\"_id\":\""
     "4\",\"_score\":1.0}]}"},
    {"", "{\"query\":{\"prefix\":{\"t\":\"qu\"}},\"_source\":false}",
     "{\"total\":{\"value\":2,\"relation\":\"eq\"},\"max_score\":1.0,\"hits\":[{\"_id\":\""
     "0\",\"_score\":1.0},{\"_id\":\"1\",\"_score\":1.0}]}"},
    {"", "{\"query\":{\"wildcard\":{\"k\":\"?\"}},\"_source\":false}",
     "{\"total\":{\"value\":4,\"relation\":\"eq\"},\"max_score\":1.0,\"hits\":[{\"_id\":\""
     "0\",\"_score\":1.0},{\"_id\":\"1\",\"_score\":1.0},{\"_id\":\"2\",\"_score\":1.0},{"
     "\"_id\":\"4\",\"_score\":1.0}]}"},
    {"", "{\"query\":{\"wildcard\":{\"t\":\"q*k\"}},\"_source\":false}",
     "{\"total\":{\"value\":2,\"relation\":\"eq\"},\"max_score\":1.0,\"hits\":[{\"_id\":\""
     "0\",\"_score\":1.0},{\"_id\":\"1\",\"_score\":1.0}]}"},
    {"", "{\"query\":{\"ids\":{\"values\":[\"1\",\"4\"]}},\"_source\":false}",
     "{\"total\":{\"value\":2,\"relation\":\"eq\"},\"max_score\":1.0,\"hits\":[{\"_id\":\""
     "1\",\"_score\":1.0},{\"_id\":\"4\",\"_score\":1.0}]}"},
    {"",
     "{\"query\":{\"match\":{\"t\":{\"query\":\"QUICK fox\",\"operator\":\"and\"}}},\"_sou"
     "rce\":false}",
     "{\"total\":{\"value\":1,\"relation\":\"eq\"},\"max_score\":2.0,\"hits\":[{\"_id\":\""
     "0\",\"_score\":2.0}]}"},
    {"", "{\"query\":{\"match_phrase\":{\"t\":\"quick brown\"}},\"_source\":false}",
     "{\"total\":{\"value\":1,\"relation\":\"eq\"},\"max_score\":1.0,\"hits\":[{\"_id\":\""
     "0\",\"_score\":1.0}]}"},
    {"", "{\"query\":{\"match_phrase\":{\"t\":\"quick fox\"}},\"_source\":false}",
     "{\"total\":{\"value\":0,\"relation\":\"eq\"},\"max_score\":null,\"hits\":[]}"},
    {"", "{\"query\":{\"match_phrase_prefix\":{\"t\":\"quick bro\"}},\"_source\":false}",
     "{\"total\":{\"value\":1,\"relation\":\"eq\"},\"max_score\":1.0,\"hits\":[{\"_id\":\""
     "0\",\"_score\":1.0}]}"},
    {"", "{\"query\":{\"multi_match\":{\"query\":\"dyn\"}},\"_source\":false}",
     "{\"total\":{\"value\":1,\"relation\":\"eq\"},\"max_score\":1.0,\"hits\":[{\"_id\":\""
     "3\",\"_score\":1.0}]}"},
    {"", "{\"query\":{\"match\":{\"nope\":\"a\"}},\"_source\":false}",
     "{\"total\":{\"value\":0,\"relation\":\"eq\"},\"max_score\":null,\"hits\":[]}"},
    {"", "{\"query\":{\"match_none\":{}},\"_source\":false}",
     "{\"total\":{\"value\":0,\"relation\":\"eq\"},\"max_score\":null,\"hits\":[]}"},
    {"",
     "{\"query\":{\"bool\":{\"must\":[{\"range\":{\"n\":{\"gte\":1}}}],\"should\":[{\"rang"
     "e\":{\"n\":{\"gte\":3}}}]}},\"_source\":false}",
     "{\"total\":{\"value\":3,\"relation\":\"eq\"},\"max_score\":2.0,\"hits\":[{\"_id\":\""
     "1\",\"_score\":2.0},{\"_id\":\"2\",\"_score\":2.0},{\"_id\":\"0\",\"_score\":1.0}]}"},
    {"",
     "{\"query\":{\"bool\":{\"filter\":{\"exists\":{\"field\":\"k\"}},\"must_not\":[{\"ter"
     "m\":{\"k\":\"a\"}}]}},\"_source\":false}",
     "{\"total\":{\"value\":2,\"relation\":\"eq\"},\"max_score\":0.0,\"hits\":[{\"_id\":\""
     "2\",\"_score\":0.0},{\"_id\":\"4\",\"_score\":0.0}]}"},
    {"",
     "{\"query\":{\"bool\":{\"should\":[{\"exists\":{\"field\":\"k\"}},{\"exists\":{\"fiel"
     "d\":\"n\"}},{\"exists\":{\"field\":\"f\"}}],\"minimum_should_match\":3}},\"_source\""
     ":false}",
     "{\"total\":{\"value\":2,\"relation\":\"eq\"},\"max_score\":3.0,\"hits\":[{\"_id\":\""
     "0\",\"_score\":3.0},{\"_id\":\"1\",\"_score\":3.0}]}"},
    {"",
     "{\"query\":{\"constant_score\":{\"filter\":{\"term\":{\"k\":\"a\"}},\"boost\":2.5}},"
     "\"_source\":false}",
     "{\"total\":{\"value\":2,\"relation\":\"eq\"},\"max_score\":2.5,\"hits\":[{\"_id\":\""
     "0\",\"_score\":2.5},{\"_id\":\"1\",\"_score\":2.5}]}"},
    {"", "{\"query\":{\"bool\":{}},\"_source\":false}",
     "{\"total\":{\"value\":5,\"relation\":\"eq\"},\"max_score\":1.0,\"hits\":[{\"_id\":\""
     "0\",\"_score\":1.0},{\"_id\":\"1\",\"_score\":1.0},{\"_id\":\"2\",\"_score\":1.0},{"
     "\"_id\":\"3\",\"_score\":1.0},{\"_id\":\"4\",\"_score\":1.0}]}"},
    {"",
     "{\"query\":{\"query_string\":{\"query\":\"k:(a OR c) AND NOT n:3\"}},\"_source\":fal"
     "se}",
     "{\"total\":{\"value\":2,\"relation\":\"eq\"},\"max_score\":1.0,\"hits\":[{\"_id\":\""
     "0\",\"_score\":1.0},{\"_id\":\"1\",\"_score\":1.0}]}"},
    {"", "{\"query\":{\"query_string\":{\"query\":\"+k:a -n:1\"}},\"_source\":false}",
     "{\"total\":{\"value\":1,\"relation\":\"eq\"},\"max_score\":1.0,\"hits\":[{\"_id\":\""
     "1\",\"_score\":1.0}]}"},
    {"", "{\"query\":{\"query_string\":{\"query\":\"n:{2 TO 5}\"}},\"_source\":false}",
     "{\"total\":{\"value\":1,\"relation\":\"eq\"},\"max_score\":1.0,\"hits\":[{\"_id\":\""
     "2\",\"_score\":1.0}]}"},
    {"", "{\"query\":{\"query_string\":{\"query\":\"n:>=2 AND n:<=3\"}},\"_source\":false}",
     "{\"total\":{\"value\":2,\"relation\":\"eq\"},\"max_score\":2.0,\"hits\":[{\"_id\":\""
     "1\",\"_score\":2.0},{\"_id\":\"2\",\"_score\":2.0}]}"},
    {"",
     "{\"query\":{\"query_string\":{\"query\":\"t:\\\"quick brown\\\" OR p.a:1\"}},\"_sour"
     "ce\":false}",
     "{\"total\":{\"value\":2,\"relation\":\"eq\"},\"max_score\":1.0,\"hits\":[{\"_id\":\""
     "0\",\"_score\":1.0},{\"_id\":\"4\",\"_score\":1.0}]}"},
    {"", "{\"query\":{\"query_string\":{\"query\":\"_exists_:f\"}},\"_source\":false}",
     "{\"total\":{\"value\":2,\"relation\":\"eq\"},\"max_score\":1.0,\"hits\":[{\"_id\":\""
     "0\",\"_score\":1.0},{\"_id\":\"1\",\"_score\":1.0}]}"},
    {"", "{\"query\":{\"query_string\":{\"query\":\"n:x\"}},\"_source\":false}",
     "{\"total\":{\"value\":0,\"relation\":\"eq\"},\"max_score\":null,\"hits\":[]}"},
    {"",
     "{\"query\":{\"query_string\":{\"query\":\"d:[2024-01-01 TO 2024-01-31]\"}},\"_source"
     "\":false}",
     "{\"total\":{\"value\":2,\"relation\":\"eq\"},\"max_score\":1.0,\"hits\":[{\"_id\":\""
     "0\",\"_score\":1.0},{\"_id\":\"1\",\"_score\":1.0}]}"},
    {"",
     "{\"query\":{\"query_string\":{\"query\":\"quick fox\",\"default_operator\":\"AND\"}}"
     ",\"_source\":false}",
     "{\"total\":{\"value\":1,\"relation\":\"eq\"},\"max_score\":2.0,\"hits\":[{\"_id\":\""
     "0\",\"_score\":2.0}]}"},
    {"", "{\"query\":{\"query_string\":{\"query\":\"k:a AND\"}},\"_source\":false}",
     "400 query_shard_exception: Failed to parse query [k:a AND]"},
    {"", "{\"query\":{\"foo\":{}},\"_source\":false}",
     "400 parsing_exception: unknown query [foo]"},
    {"", "{\"query\":{},\"_source\":false}",
     "400 illegal_argument_exception: query malformed, empty clause found"},
    {"", "{\"query\":{\"term\":{\"n\":\"x\"}},\"_source\":false}",
     "400 query_shard_exception: failed to create query: For input string: \"x\""},
    {"", "{\"query\":{\"term\":{\"k\":[\"a\"]}},\"_source\":false}",
     "400 parsing_exception: [term] query does not support array of values"},
    {"", "{\"query\":{\"range\":{\"n\":{\"foo\":1}}},\"_source\":false}",
     "400 parsing_exception: [range] query does not support [foo]"},
    {"", "{\"query\":{\"range\":{\"d\":{\"gte\":\"x\"}}},\"_source\":false}",
     "400 parse_exception: failed to parse date field [x] with format [strict_date_optiona"
     "l_time||epoch_millis]: [failed to parse date field [x] with format [strict_date_opti"
     "onal_time||epoch_millis]]"},
    {"", "{\"query\":{\"prefix\":{\"n\":\"1\"}},\"_source\":false}",
     "400 query_shard_exception: Can only use prefix queries on keyword and text fields - "
     "not on [n] which is of type [long]"},
    {"", "{\"query\":{\"bool\":{\"foo\":1}},\"_source\":false}",
     "400 x_content_parse_exception: [bool] unknown field [foo]"},
    {"", "{\"query\":{\"terms\":{\"k\":\"a\"}},\"_source\":false}",
     "400 parsing_exception: [terms] query does not support [k]"},
    {"", "{\"size\":10001}",
     "400 illegal_argument_exception: Result window is too large, from + size must be less"
     " than or equal to: [10000] but was [10001]. Ask for more with [sort] and [search_aft"
     "er]: this store has no scroll, and the limit is the same for every index."},
    {"", "{\"foo\":1}", "400 parsing_exception: Unknown key for a VALUE_NUMBER in [foo]."},
    {"", "{\"size\":-1}",
     "400 illegal_argument_exception: [size] parameter cannot be negative, found [-1]"},
    {"", "{\"from\":2,\"size\":1,\"_source\":false}",
     "{\"total\":{\"value\":5,\"relation\":\"eq\"},\"max_score\":1.0,\"hits\":[{\"_id\":\""
     "2\",\"_score\":1.0}]}"},
    {"", "{\"track_total_hits\":2,\"size\":0}",
     "{\"total\":{\"value\":2,\"relation\":\"gte\"},\"max_score\":null,\"hits\":[]}"},
    {"q=k:a&_source=false", "",
     "{\"total\":{\"value\":2,\"relation\":\"eq\"},\"max_score\":1.0,\"hits\":[{\"_id\":\""
     "0\",\"_score\":1.0},{\"_id\":\"1\",\"_score\":1.0}]}"},
    {"size=1&from=1&sort=n:desc&_source=false", "",
     "{\"total\":{\"value\":5,\"relation\":\"eq\"},\"max_score\":null,\"hits\":[{\"_id\":"
     "\"2\",\"_score\":null,\"sort\":[3]}]}"},
    {"rest_total_hits_as_int=true&size=0", "", "{\"total\":5,\"max_score\":null,\"hits\":[]}"},
    {"size=x", "",
     "400 illegal_argument_exception: Failed to parse int parameter [size] with value [x]"},
    {"", "{\"sort\":[\"n\"],\"_source\":false}",
     "{\"total\":{\"value\":5,\"relation\":\"eq\"},\"max_score\":null,\"hits\":[{\"_id\":"
     "\"4\",\"_score\":null,\"sort\":[-4]},{\"_id\":\"0\",\"_score\":null,\"sort\":[1]},{"
     "\"_id\":\"1\",\"_score\":null,\"sort\":[2]},{\"_id\":\"2\",\"_score\":null,\"sort\":"
     "[3]},{\"_id\":\"3\",\"_score\":null,\"sort\":[9223372036854775807]}]}"},
    {"", "{\"sort\":[{\"n\":\"desc\"}],\"_source\":false}",
     "{\"total\":{\"value\":5,\"relation\":\"eq\"},\"max_score\":null,\"hits\":[{\"_id\":"
     "\"1\",\"_score\":null,\"sort\":[5]},{\"_id\":\"2\",\"_score\":null,\"sort\":[3]},{\""
     "_id\":\"0\",\"_score\":null,\"sort\":[1]},{\"_id\":\"4\",\"_score\":null,\"sort\":[-"
     "4]},{\"_id\":\"3\",\"_score\":null,\"sort\":[-9223372036854775808]}]}"},
    {"", "{\"sort\":[{\"n\":{\"order\":\"desc\",\"missing\":\"_first\"}}],\"_source\":false}",
     "{\"total\":{\"value\":5,\"relation\":\"eq\"},\"max_score\":null,\"hits\":[{\"_id\":"
     "\"3\",\"_score\":null,\"sort\":[9223372036854775807]},{\"_id\":\"1\",\"_score\":null"
     ",\"sort\":[5]},{\"_id\":\"2\",\"_score\":null,\"sort\":[3]},{\"_id\":\"0\",\"_score"
     "\":null,\"sort\":[1]},{\"_id\":\"4\",\"_score\":null,\"sort\":[-4]}]}"},
    {"", "{\"sort\":[{\"n\":{\"mode\":\"avg\"}}],\"_source\":false}",
     "{\"total\":{\"value\":5,\"relation\":\"eq\"},\"max_score\":null,\"hits\":[{\"_id\":"
     "\"4\",\"_score\":null,\"sort\":[-4]},{\"_id\":\"0\",\"_score\":null,\"sort\":[1]},{"
     "\"_id\":\"2\",\"_score\":null,\"sort\":[3]},{\"_id\":\"1\",\"_score\":null,\"sort\":"
     "[4]},{\"_id\":\"3\",\"_score\":null,\"sort\":[9223372036854775807]}]}"},
    {"", "{\"sort\":[{\"k\":\"desc\"}],\"_source\":false}",
     "{\"total\":{\"value\":5,\"relation\":\"eq\"},\"max_score\":null,\"hits\":[{\"_id\":"
     "\"4\",\"_score\":null,\"sort\":[\"z\"]},{\"_id\":\"2\",\"_score\":null,\"sort\":[\"c"
     "\"]},{\"_id\":\"1\",\"_score\":null,\"sort\":[\"b\"]},{\"_id\":\"0\",\"_score\":null"
     ",\"sort\":[\"a\"]},{\"_id\":\"3\",\"_score\":null,\"sort\":[null]}]}"},
    {"", "{\"sort\":[\"ip\"],\"_source\":false}",
     "{\"total\":{\"value\":5,\"relation\":\"eq\"},\"max_score\":null,\"hits\":[{\"_id\":"
     "\"2\",\"_score\":null,\"sort\":[\"::1\"]},{\"_id\":\"0\",\"_score\":null,\"sort\":["
     "\"10.0.0.1\"]},{\"_id\":\"1\",\"_score\":null,\"sort\":[\"10.0.1.1\"]},{\"_id\":\"3"
     "\",\"_score\":null,\"sort\":[null]},{\"_id\":\"4\",\"_score\":null,\"sort\":[null]}]"
     "}"},
    {"", "{\"sort\":[\"b\"],\"_source\":false}",
     "{\"total\":{\"value\":5,\"relation\":\"eq\"},\"max_score\":null,\"hits\":[{\"_id\":"
     "\"1\",\"_score\":null,\"sort\":[0]},{\"_id\":\"0\",\"_score\":null,\"sort\":[1]},{\""
     "_id\":\"2\",\"_score\":null,\"sort\":[2147483647]},{\"_id\":\"3\",\"_score\":null,\""
     "sort\":[2147483647]},{\"_id\":\"4\",\"_score\":null,\"sort\":[2147483647]}]}"},
    {"", "{\"sort\":[\"f\"],\"_source\":false}",
     "{\"total\":{\"value\":5,\"relation\":\"eq\"},\"max_score\":null,\"hits\":[{\"_id\":"
     "\"0\",\"_score\":null,\"sort\":[1.5]},{\"_id\":\"1\",\"_score\":null,\"sort\":[2.5]}"
     ",{\"_id\":\"2\",\"_score\":null,\"sort\":[\"Infinity\"]},{\"_id\":\"3\",\"_score\":n"
     "ull,\"sort\":[\"Infinity\"]},{\"_id\":\"4\",\"_score\":null,\"sort\":[\"Infinity\"]}"
     "]}"},
    {"", "{\"sort\":[{\"d\":\"desc\"},{\"k\":\"asc\"}],\"_source\":false}",
     "{\"total\":{\"value\":5,\"relation\":\"eq\"},\"max_score\":null,\"hits\":[{\"_id\":"
     "\"4\",\"_score\":null,\"sort\":[1715815800000,\"z\"]},{\"_id\":\"2\",\"_score\":null"
     ",\"sort\":[1706745600000,\"c\"]},{\"_id\":\"1\",\"_score\":null,\"sort\":[1704189600"
     "000,\"a\"]},{\"_id\":\"0\",\"_score\":null,\"sort\":[1704067200000,\"a\"]},{\"_id\":"
     "\"3\",\"_score\":null,\"sort\":[-9223372036854775808,null]}]}"},
    {"", "{\"sort\":[\"n\"],\"_source\":false,\"search_after\":[2]}",
     "{\"total\":{\"value\":5,\"relation\":\"eq\"},\"max_score\":null,\"hits\":[{\"_id\":"
     "\"2\",\"_score\":null,\"sort\":[3]},{\"_id\":\"3\",\"_score\":null,\"sort\":[9223372"
     "036854775807]}]}"},
    {"", "{\"sort\":[\"n\"],\"_source\":false,\"search_after\":[1,2]}",
     "400 illegal_argument_exception: search_after has 2 value(s) but sort has 1."},
    {"", "{\"sort\":[\"t\"],\"_source\":false}",
     "400 illegal_argument_exception: Text fields are not optimised for operations that re"
     "quire per-document field data like aggregations and sorting, so these operations are"
     " disabled by default. Please use a keyword field instead. Alternatively, set fieldda"
     "ta=true on [t] in order to load field data by uninverting the inverted index. Note t"
     "hat this can use significant memory."},
    {"", "{\"sort\":[\"nope\"],\"_source\":false}",
     "400 query_shard_exception: No mapping found for [nope] in order to sort on"},
    {"",
     "{\"_source\":{\"includes\":[\"p*\"],\"excludes\":[\"p.b.c\"]},\"query\":{\"term\":{"
     "\"k\":\"z\"}}}",
     "{\"total\":{\"value\":1,\"relation\":\"eq\"},\"max_score\":1.0,\"hits\":[{\"_id\":\""
     "4\",\"_score\":1.0,\"_source\":{\"p\":{\"a\":1,\"b\":{\"d\":3}},\"p.x\":5}}]}"},
    {"", "{\"_source\":[\"*.c\"],\"query\":{\"ids\":{\"values\":[\"4\"]}}}",
     "{\"total\":{\"value\":1,\"relation\":\"eq\"},\"max_score\":1.0,\"hits\":[{\"_id\":\""
     "4\",\"_score\":1.0,\"_source\":{\"p\":{\"b\":{\"c\":2}}}}]}"},
    {"",
     "{\"fields\":[\"k\",\"n\",{\"field\":\"d\",\"format\":\"yyyy\"}],\"_source\":false,\""
     "size\":2}",
     "{\"total\":{\"value\":5,\"relation\":\"eq\"},\"max_score\":1.0,\"hits\":[{\"_id\":\""
     "0\",\"_score\":1.0,\"fields\":{\"d\":[\"2024\"],\"k\":[\"a\"],\"n\":[1]}},{\"_id\":"
     "\"1\",\"_score\":1.0,\"fields\":{\"d\":[\"2024\"],\"k\":[\"a\",\"b\"],\"n\":[2,5]}}]"
     "}"},
    {"", "{\"version\":true,\"_source\":false,\"size\":1}",
     "{\"total\":{\"value\":5,\"relation\":\"eq\"},\"max_score\":1.0,\"hits\":[{\"_id\":\""
     "0\",\"_version\":1,\"_score\":1.0}]}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"terms\":{\"field\":\"k\"}}}}",
     "{\"x\":{\"doc_count_error_upper_bound\":0,\"sum_other_doc_count\":0,\"buckets\":[{\""
     "key\":\"a\",\"doc_count\":2},{\"key\":\"b\",\"doc_count\":1},{\"key\":\"c\",\"doc_co"
     "unt\":1},{\"key\":\"z\",\"doc_count\":1}]}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"terms\":{\"field\":\"k\",\"size\":2}}}}",
     "{\"x\":{\"doc_count_error_upper_bound\":0,\"sum_other_doc_count\":2,\"buckets\":[{\""
     "key\":\"a\",\"doc_count\":2},{\"key\":\"b\",\"doc_count\":1}]}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"terms\":{\"field\":\"n\"}}}}",
     "{\"x\":{\"doc_count_error_upper_bound\":0,\"sum_other_doc_count\":0,\"buckets\":[{\""
     "key\":-4,\"doc_count\":1},{\"key\":1,\"doc_count\":1},{\"key\":2,\"doc_count\":1},{"
     "\"key\":3,\"doc_count\":1},{\"key\":5,\"doc_count\":1}]}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"terms\":{\"field\":\"f\"}}}}",
     "{\"x\":{\"doc_count_error_upper_bound\":0,\"sum_other_doc_count\":0,\"buckets\":[{\""
     "key\":1.5,\"doc_count\":1},{\"key\":2.5,\"doc_count\":1}]}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"terms\":{\"field\":\"b\"}}}}",
     "{\"x\":{\"doc_count_error_upper_bound\":0,\"sum_other_doc_count\":0,\"buckets\":[{\""
     "key\":0,\"key_as_string\":\"false\",\"doc_count\":1},{\"key\":1,\"key_as_string\":\""
     "true\",\"doc_count\":1}]}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"terms\":{\"field\":\"d\"}}}}",
     "{\"x\":{\"doc_count_error_upper_bound\":0,\"sum_other_doc_count\":0,\"buckets\":[{\""
     "key\":1704067200000,\"key_as_string\":\"2024-01-01T00:00:00.000Z\",\"doc_count\":1},"
     "{\"key\":1704189600000,\"key_as_string\":\"2024-01-02T10:00:00.000Z\",\"doc_count\":"
     "1},{\"key\":1706745600000,\"key_as_string\":\"2024-02-01T00:00:00.000Z\",\"doc_count"
     "\":1},{\"key\":1715815800000,\"key_as_string\":\"2024-05-15T23:30:00.000Z\",\"doc_co"
     "unt\":1}]}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"terms\":{\"field\":\"ip\"}}}}",
     "{\"x\":{\"doc_count_error_upper_bound\":0,\"sum_other_doc_count\":0,\"buckets\":[{\""
     "key\":\"::1\",\"doc_count\":1},{\"key\":\"10.0.0.1\",\"doc_count\":1},{\"key\":\"10."
     "0.1.1\",\"doc_count\":1}]}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"terms\":{\"field\":\"t\"}}}}",
     "400 illegal_argument_exception: Text fields are not optimised for operations that re"
     "quire per-document field data like aggregations and sorting, so these operations are"
     " disabled by default. Please use a keyword field instead. Alternatively, set fieldda"
     "ta=true on [t] in order to load field data by uninverting the inverted index. Note t"
     "hat this can use significant memory."},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"terms\":{\"field\":\"nope\"}}}}",
     "{\"x\":{\"doc_count_error_upper_bound\":0,\"sum_other_doc_count\":0,\"buckets\":[]}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"terms\":{\"field\":\"k\",\"missing\":\"NA\"}}}}",
     "{\"x\":{\"doc_count_error_upper_bound\":0,\"sum_other_doc_count\":0,\"buckets\":[{\""
     "key\":\"a\",\"doc_count\":2},{\"key\":\"NA\",\"doc_count\":1},{\"key\":\"b\",\"doc_c"
     "ount\":1},{\"key\":\"c\",\"doc_count\":1},{\"key\":\"z\",\"doc_count\":1}]}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"terms\":{\"field\":\"k\",\"min_doc_count\":2}}}}",
     "{\"x\":{\"doc_count_error_upper_bound\":0,\"sum_other_doc_count\":0,\"buckets\":[{\""
     "key\":\"a\",\"doc_count\":2}]}}"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"terms\":{\"field\":\"k\",\"order\":{\"_key\":\"desc\""
     "}}}}}",
     "{\"x\":{\"doc_count_error_upper_bound\":0,\"sum_other_doc_count\":0,\"buckets\":[{\""
     "key\":\"z\",\"doc_count\":1},{\"key\":\"c\",\"doc_count\":1},{\"key\":\"b\",\"doc_co"
     "unt\":1},{\"key\":\"a\",\"doc_count\":2}]}}"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"terms\":{\"field\":\"k\",\"order\":{\"_count\":\"asc"
     "\"}}}}}",
     "{\"x\":{\"doc_count_error_upper_bound\":0,\"sum_other_doc_count\":0,\"buckets\":[{\""
     "key\":\"b\",\"doc_count\":1},{\"key\":\"c\",\"doc_count\":1},{\"key\":\"z\",\"doc_co"
     "unt\":1},{\"key\":\"a\",\"doc_count\":2}]}}"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"terms\":{\"field\":\"k\",\"order\":{\"_term\":\"asc\""
     "}}}}}",
     "{\"x\":{\"doc_count_error_upper_bound\":0,\"sum_other_doc_count\":0,\"buckets\":[{\""
     "key\":\"a\",\"doc_count\":2},{\"key\":\"b\",\"doc_count\":1},{\"key\":\"c\",\"doc_co"
     "unt\":1},{\"key\":\"z\",\"doc_count\":1}]}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"terms\":{\"field\":\"k\",\"include\":\"a|b\"}}}}",
     "501 a pattern as [include] of the aggregation [terms] is not supported"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"terms\":{\"field\":\"k\",\"include\":[\"a\",\"z\"]}}}"
     "}",
     "{\"x\":{\"doc_count_error_upper_bound\":0,\"sum_other_doc_count\":0,\"buckets\":[{\""
     "key\":\"a\",\"doc_count\":2},{\"key\":\"z\",\"doc_count\":1}]}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"terms\":{\"field\":\"k\",\"exclude\":[\"a\"]}}}}",
     "{\"x\":{\"doc_count_error_upper_bound\":0,\"sum_other_doc_count\":0,\"buckets\":[{\""
     "key\":\"b\",\"doc_count\":1},{\"key\":\"c\",\"doc_count\":1},{\"key\":\"z\",\"doc_co"
     "unt\":1}]}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"terms\":{\"field\":\"k\",\"size\":0}}}}",
     "400 x_content_parse_exception: [terms] failed to parse field [size]"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"terms\":{}}}}",
     "400 illegal_argument_exception: Required one of fields [field, script], but none wer"
     "e specified. "},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"terms\":{\"field\":\"k\",\"foo\":1}}}}",
     "400 x_content_parse_exception: [terms] unknown field [foo]"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"terms\":{\"field\":\"k\",\"show_term_doc_count_error"
     "\":true}}}}",
     "{\"x\":{\"doc_count_error_upper_bound\":0,\"sum_other_doc_count\":0,\"buckets\":[{\""
     "key\":\"a\",\"doc_count\":2,\"doc_count_error_upper_bound\":0},{\"key\":\"b\",\"doc_"
     "count\":1,\"doc_count_error_upper_bound\":0},{\"key\":\"c\",\"doc_count\":1,\"doc_co"
     "unt_error_upper_bound\":0},{\"key\":\"z\",\"doc_count\":1,\"doc_count_error_upper_bo"
     "und\":0}]}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"terms\":{\"field\":\"n\",\"missing\":7}}}}",
     "{\"x\":{\"doc_count_error_upper_bound\":0,\"sum_other_doc_count\":0,\"buckets\":[{\""
     "key\":-4,\"doc_count\":1},{\"key\":1,\"doc_count\":1},{\"key\":2,\"doc_count\":1},{"
     "\"key\":3,\"doc_count\":1},{\"key\":5,\"doc_count\":1},{\"key\":7,\"doc_count\":1}]}"
     "}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"terms\":{\"field\":\"d\",\"format\":\"yyyy-MM\"}}}}",
     "{\"x\":{\"doc_count_error_upper_bound\":0,\"sum_other_doc_count\":0,\"buckets\":[{\""
     "key\":1704067200000,\"key_as_string\":\"2024-01\",\"doc_count\":1},{\"key\":17041896"
     "00000,\"key_as_string\":\"2024-01\",\"doc_count\":1},{\"key\":1706745600000,\"key_as"
     "_string\":\"2024-02\",\"doc_count\":1},{\"key\":1715815800000,\"key_as_string\":\"20"
     "24-05\",\"doc_count\":1}]}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"terms\":{\"field\":\"k\",\"size\":-1}}}}",
     "400 x_content_parse_exception: [terms] failed to parse field [size]"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"avg\":{\"field\":\"n\"}}}}", "{\"x\":{\"value\":1.4}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"sum\":{\"field\":\"n\"}}}}", "{\"x\":{\"value\":7.0}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"min\":{\"field\":\"n\"}}}}", "{\"x\":{\"value\":-4.0}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"max\":{\"field\":\"n\"}}}}", "{\"x\":{\"value\":5.0}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"stats\":{\"field\":\"n\"}}}}",
     "{\"x\":{\"count\":5,\"min\":-4.0,\"max\":5.0,\"avg\":1.4,\"sum\":7.0}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"value_count\":{\"field\":\"n\"}}}}",
     "{\"x\":{\"value\":5}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"value_count\":{\"field\":\"k\"}}}}",
     "{\"x\":{\"value\":5}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"cardinality\":{\"field\":\"k\"}}}}",
     "{\"x\":{\"value\":4}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"cardinality\":{\"field\":\"n\"}}}}",
     "{\"x\":{\"value\":5}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"avg\":{\"field\":\"f\"}}}}", "{\"x\":{\"value\":2.0}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"avg\":{\"field\":\"nope\"}}}}",
     "{\"x\":{\"value\":null}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"min\":{\"field\":\"nope\"}}}}",
     "{\"x\":{\"value\":null}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"stats\":{\"field\":\"nope\"}}}}",
     "{\"x\":{\"count\":0,\"min\":null,\"max\":null,\"avg\":null,\"sum\":0.0}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"avg\":{\"field\":\"k\"}}}}",
     "400 illegal_argument_exception: Field [k] of type [keyword] is not supported for agg"
     "regation [avg]"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"avg\":{\"field\":\"d\"}}}}",
     "{\"x\":{\"value\":1.70770455E12,\"value_as_string\":\"2024-02-12T02:22:30.000Z\"}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"max\":{\"field\":\"d\"}}}}",
     "{\"x\":{\"value\":1.7158158E12,\"value_as_string\":\"2024-05-15T23:30:00.000Z\"}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"stats\":{\"field\":\"d\"}}}}",
     "{\"x\":{\"count\":4,\"min\":1.7040672E12,\"min_as_string\":\"2024-01-01T00:00:00.000"
     "Z\",\"max\":1.7158158E12,\"max_as_string\":\"2024-05-15T23:30:00.000Z\",\"avg\":1.70"
     "770455E12,\"avg_as_string\":\"2024-02-12T02:22:30.000Z\",\"sum\":6.8308182E12,\"sum_"
     "as_string\":\"2186-06-17T09:30:00.000Z\"}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"avg\":{\"field\":\"t\"}}}}",
     "400 illegal_argument_exception: Text fields are not optimised for operations that re"
     "quire per-document field data like aggregations and sorting, so these operations are"
     " disabled by default. Please use a keyword field instead. Alternatively, set fieldda"
     "ta=true on [t] in order to load field data by uninverting the inverted index. Note t"
     "hat this can use significant memory."},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"value_count\":{\"field\":\"t\"}}}}",
     "400 illegal_argument_exception: Text fields are not optimised for operations that re"
     "quire per-document field data like aggregations and sorting, so these operations are"
     " disabled by default. Please use a keyword field instead. Alternatively, set fieldda"
     "ta=true on [t] in order to load field data by uninverting the inverted index. Note t"
     "hat this can use significant memory."},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"avg\":{\"field\":\"n\",\"missing\":10}}}}",
     "{\"x\":{\"value\":2.8333333333333335}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"sum\":{\"field\":\"dbl\"}}}}", "{\"x\":{\"value\":0.0}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"avg\":{\"field\":\"b\"}}}}",
     "{\"x\":{\"value\":0.5,\"value_as_string\":\"true\"}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"max\":{\"field\":\"ip\"}}}}",
     "400 illegal_argument_exception: Field [ip] of type [ip] is not supported for aggrega"
     "tion [max]"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"sum\":{\"field\":\"nope\"}}}}", "{\"x\":{\"value\":0.0}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"cardinality\":{\"field\":\"nope\"}}}}",
     "{\"x\":{\"value\":0}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"cardinality\":{\"field\":\"t\"}}}}",
     "400 illegal_argument_exception: Text fields are not optimised for operations that re"
     "quire per-document field data like aggregations and sorting, so these operations are"
     " disabled by default. Please use a keyword field instead. Alternatively, set fieldda"
     "ta=true on [t] in order to load field data by uninverting the inverted index. Note t"
     "hat this can use significant memory."},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"avg\":{}}}}",
     "400 illegal_argument_exception: Required one of fields [field, script], but none wer"
     "e specified. "},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"avg\":{\"field\":\"n\",\"foo\":1}}}}",
     "400 x_content_parse_exception: [avg] unknown field [foo]"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"avg\":{\"field\":\"n\",\"format\":\"0.0\"}}}}",
     "501 the [format] of numbers, for the aggregation [x], is not supported"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"extended_stats\":{\"field\":\"n\"}}}}",
     "501 the aggregation [extended_stats] is not supported"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"median_absolute_deviation\":{\"field\":\"n\"}}}}",
     "501 the aggregation [median_absolute_deviation] is not supported"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"percentiles\":{\"field\":\"n\"}}}}",
     "{\"x\":{\"values\":{\"1.0\":-4.0,\"5.0\":-4.0,\"25.0\":-0.25,\"50.0\":2.0,\"75.0\":3"
     ".5,\"95.0\":5.0,\"99.0\":5.0}}}"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"percentiles\":{\"field\":\"n\",\"percents\":[50,99.9]"
     "}}}}",
     "{\"x\":{\"values\":{\"50.0\":2.0,\"99.9\":5.0}}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"percentiles\":{\"field\":\"n\",\"keyed\":false}}}}",
     "{\"x\":{\"values\":[{\"key\":1.0,\"value\":-4.0},{\"key\":5.0,\"value\":-4.0},{\"key"
     "\":25.0,\"value\":-0.25},{\"key\":50.0,\"value\":2.0},{\"key\":75.0,\"value\":3.5},{"
     "\"key\":95.0,\"value\":5.0},{\"key\":99.0,\"value\":5.0}]}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"percentiles\":{\"field\":\"nope\"}}}}",
     "{\"x\":{\"values\":{\"1.0\":null,\"5.0\":null,\"25.0\":null,\"50.0\":null,\"75.0\":n"
     "ull,\"95.0\":null,\"99.0\":null}}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"percentiles\":{\"field\":\"k\"}}}}",
     "400 illegal_argument_exception: Field [k] of type [keyword] is not supported for agg"
     "regation [percentiles]"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"percentiles\":{\"field\":\"d\"}}}}",
     "{\"x\":{\"values\":{\"1.0\":1.7040672E12,\"1.0_as_string\":\"2024-01-01T00:00:00.000"
     "Z\",\"5.0\":1.7040672E12,\"5.0_as_string\":\"2024-01-01T00:00:00.000Z\",\"25.0\":1.7"
     "041284E12,\"25.0_as_string\":\"2024-01-01T17:00:00.000Z\",\"50.0\":1.7054676E12,\"50"
     ".0_as_string\":\"2024-01-17T05:00:00.000Z\",\"75.0\":1.7112807E12,\"75.0_as_string\""
     ":\"2024-03-24T11:45:00.000Z\",\"95.0\":1.7158158E12,\"95.0_as_string\":\"2024-05-15T"
     "23:30:00.000Z\",\"99.0\":1.7158158E12,\"99.0_as_string\":\"2024-05-15T23:30:00.000Z"
     "\"}}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"percentiles\":{\"field\":\"n\",\"percents\":[101]}}}}",
     "400 x_content_parse_exception: Failed to build [percentiles] after last required fie"
     "ld arrived"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"percentiles\":{\"field\":\"n\",\"percents\":[]}}}}",
     "400 x_content_parse_exception: Failed to build [percentiles] after last required fie"
     "ld arrived"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"percentile_ranks\":{\"field\":\"n\",\"values\":[2,3]}"
     "}}}",
     "501 the aggregation [percentile_ranks] is not supported"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"date_histogram\":{\"field\":\"d\",\"fixed_interval\":"
     "\"1d\",\"min_doc_count\":1}}}}",
     "{\"x\":{\"buckets\":[{\"key_as_string\":\"2024-01-01T00:00:00.000Z\",\"key\":1704067"
     "200000,\"doc_count\":1},{\"key_as_string\":\"2024-01-02T00:00:00.000Z\",\"key\":1704"
     "153600000,\"doc_count\":1},{\"key_as_string\":\"2024-02-01T00:00:00.000Z\",\"key\":1"
     "706745600000,\"doc_count\":1},{\"key_as_string\":\"2024-05-15T00:00:00.000Z\",\"key"
     "\":1715731200000,\"doc_count\":1}]}}"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"date_histogram\":{\"field\":\"d\",\"calendar_interval"
     "\":\"month\"}}}}",
     "{\"x\":{\"buckets\":[{\"key_as_string\":\"2024-01-01T00:00:00.000Z\",\"key\":1704067"
     "200000,\"doc_count\":2},{\"key_as_string\":\"2024-02-01T00:00:00.000Z\",\"key\":1706"
     "745600000,\"doc_count\":1},{\"key_as_string\":\"2024-03-01T00:00:00.000Z\",\"key\":1"
     "709251200000,\"doc_count\":0},{\"key_as_string\":\"2024-04-01T00:00:00.000Z\",\"key"
     "\":1711929600000,\"doc_count\":0},{\"key_as_string\":\"2024-05-01T00:00:00.000Z\",\""
     "key\":1714521600000,\"doc_count\":1}]}}"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"date_histogram\":{\"field\":\"d\",\"calendar_interval"
     "\":\"1M\",\"time_zone\":\"Asia/Seoul\"}}}}",
     "{\"x\":{\"buckets\":[{\"key_as_string\":\"2024-01-01T00:00:00.000+09:00\",\"key\":17"
     "04034800000,\"doc_count\":2},{\"key_as_string\":\"2024-02-01T00:00:00.000+09:00\",\""
     "key\":1706713200000,\"doc_count\":1},{\"key_as_string\":\"2024-03-01T00:00:00.000+09"
     ":00\",\"key\":1709218800000,\"doc_count\":0},{\"key_as_string\":\"2024-04-01T00:00:0"
     "0.000+09:00\",\"key\":1711897200000,\"doc_count\":0},{\"key_as_string\":\"2024-05-01"
     "T00:00:00.000+09:00\",\"key\":1714489200000,\"doc_count\":1}]}}"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"date_histogram\":{\"field\":\"d\",\"calendar_interval"
     "\":\"month\",\"format\":\"yyyy-MM\",\"min_doc_count\":1}}}}",
     "{\"x\":{\"buckets\":[{\"key_as_string\":\"2024-01\",\"key\":1704067200000,\"doc_coun"
     "t\":2},{\"key_as_string\":\"2024-02\",\"key\":1706745600000,\"doc_count\":1},{\"key_"
     "as_string\":\"2024-05\",\"key\":1714521600000,\"doc_count\":1}]}}"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"date_histogram\":{\"field\":\"d\",\"fixed_interval\":"
     "\"30d\",\"offset\":\"1d\"}}}}",
     "{\"x\":{\"buckets\":[{\"key_as_string\":\"2023-12-20T00:00:00.000Z\",\"key\":1703030"
     "400000,\"doc_count\":2},{\"key_as_string\":\"2024-01-19T00:00:00.000Z\",\"key\":1705"
     "622400000,\"doc_count\":1},{\"key_as_string\":\"2024-02-18T00:00:00.000Z\",\"key\":1"
     "708214400000,\"doc_count\":0},{\"key_as_string\":\"2024-03-19T00:00:00.000Z\",\"key"
     "\":1710806400000,\"doc_count\":0},{\"key_as_string\":\"2024-04-18T00:00:00.000Z\",\""
     "key\":1713398400000,\"doc_count\":1}]}}"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"date_histogram\":{\"field\":\"d\",\"interval\":\"mont"
     "h\"}}}}",
     "{\"x\":{\"buckets\":[{\"key_as_string\":\"2024-01-01T00:00:00.000Z\",\"key\":1704067"
     "200000,\"doc_count\":2},{\"key_as_string\":\"2024-02-01T00:00:00.000Z\",\"key\":1706"
     "745600000,\"doc_count\":1},{\"key_as_string\":\"2024-03-01T00:00:00.000Z\",\"key\":1"
     "709251200000,\"doc_count\":0},{\"key_as_string\":\"2024-04-01T00:00:00.000Z\",\"key"
     "\":1711929600000,\"doc_count\":0},{\"key_as_string\":\"2024-05-01T00:00:00.000Z\",\""
     "key\":1714521600000,\"doc_count\":1}]}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"date_histogram\":{\"field\":\"d\"}}}}",
     "400 illegal_argument_exception: Invalid interval specified, must be non-null and non"
     "-empty"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"date_histogram\":{\"field\":\"d\",\"fixed_interval\":"
     "\"1M\"}}}}",
     "400 x_content_parse_exception: [date_histogram] failed to parse field [fixed_interva"
     "l]"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"date_histogram\":{\"field\":\"d\",\"calendar_interval"
     "\":\"2M\"}}}}",
     "400 x_content_parse_exception: [date_histogram] failed to parse field [calendar_inte"
     "rval]"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"date_histogram\":{\"field\":\"n\",\"fixed_interval\":"
     "\"1d\"}}}}",
     "{\"x\":{\"buckets\":[{\"key\":-86400000,\"doc_count\":1},{\"key\":0,\"doc_count\":3}"
     "]}}"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"date_histogram\":{\"field\":\"k\",\"fixed_interval\":"
     "\"1d\"}}}}",
     "400 illegal_argument_exception: Field [k] of type [keyword] is not supported for agg"
     "regation [date_histogram]"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"date_histogram\":{\"field\":\"d\",\"calendar_interval"
     "\":\"quarter\",\"keyed\":true}}}}",
     "{\"x\":{\"buckets\":{\"2024-01-01T00:00:00.000Z\":{\"key_as_string\":\"2024-01-01T00"
     ":00:00.000Z\",\"key\":1704067200000,\"doc_count\":3},\"2024-04-01T00:00:00.000Z\":{"
     "\"key_as_string\":\"2024-04-01T00:00:00.000Z\",\"key\":1711929600000,\"doc_count\":1"
     "}}}}"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"date_histogram\":{\"field\":\"d\",\"calendar_interval"
     "\":\"year\",\"missing\":\"2020-01-01\"}}}}",
     "{\"x\":{\"buckets\":[{\"key_as_string\":\"2020-01-01T00:00:00.000Z\",\"key\":1577836"
     "800000,\"doc_count\":1},{\"key_as_string\":\"2021-01-01T00:00:00.000Z\",\"key\":1609"
     "459200000,\"doc_count\":0},{\"key_as_string\":\"2022-01-01T00:00:00.000Z\",\"key\":1"
     "640995200000,\"doc_count\":0},{\"key_as_string\":\"2023-01-01T00:00:00.000Z\",\"key"
     "\":1672531200000,\"doc_count\":0},{\"key_as_string\":\"2024-01-01T00:00:00.000Z\",\""
     "key\":1704067200000,\"doc_count\":4}]}}"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"date_histogram\":{\"field\":\"d\",\"calendar_interval"
     "\":\"month\",\"extended_bounds\":{\"min\":\"2023-11-01\",\"max\":\"2024-07-01\"}}}}}",
     "{\"x\":{\"buckets\":[{\"key_as_string\":\"2023-11-01T00:00:00.000Z\",\"key\":1698796"
     "800000,\"doc_count\":0},{\"key_as_string\":\"2023-12-01T00:00:00.000Z\",\"key\":1701"
     "388800000,\"doc_count\":0},{\"key_as_string\":\"2024-01-01T00:00:00.000Z\",\"key\":1"
     "704067200000,\"doc_count\":2},{\"key_as_string\":\"2024-02-01T00:00:00.000Z\",\"key"
     "\":1706745600000,\"doc_count\":1},{\"key_as_string\":\"2024-03-01T00:00:00.000Z\",\""
     "key\":1709251200000,\"doc_count\":0},{\"key_as_string\":\"2024-04-01T00:00:00.000Z\""
     ",\"key\":1711929600000,\"doc_count\":0},{\"key_as_string\":\"2024-05-01T00:00:00.000"
     "Z\",\"key\":1714521600000,\"doc_count\":1},{\"key_as_string\":\"2024-06-01T00:00:00."
     "000Z\",\"key\":1717200000000,\"doc_count\":0},{\"key_as_string\":\"2024-07-01T00:00:"
     "00.000Z\",\"key\":1719792000000,\"doc_count\":0}]}}"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"date_histogram\":{\"field\":\"d\",\"calendar_interval"
     "\":\"month\",\"hard_bounds\":{\"min\":\"2024-01-01\",\"max\":\"2024-03-01\"}}}}}",
     "501 [hard_bounds] of the aggregation [date_histogram] is not supported"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"date_histogram\":{\"field\":\"d\",\"calendar_interval"
     "\":\"week\",\"min_doc_count\":1}}}}",
     "{\"x\":{\"buckets\":[{\"key_as_string\":\"2024-01-01T00:00:00.000Z\",\"key\":1704067"
     "200000,\"doc_count\":2},{\"key_as_string\":\"2024-01-29T00:00:00.000Z\",\"key\":1706"
     "486400000,\"doc_count\":1},{\"key_as_string\":\"2024-05-13T00:00:00.000Z\",\"key\":1"
     "715558400000,\"doc_count\":1}]}}"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"date_histogram\":{\"field\":\"d\",\"calendar_interval"
     "\":\"month\",\"order\":{\"_key\":\"desc\"}}}}}",
     "{\"x\":{\"buckets\":[{\"key_as_string\":\"2024-05-01T00:00:00.000Z\",\"key\":1714521"
     "600000,\"doc_count\":1},{\"key_as_string\":\"2024-04-01T00:00:00.000Z\",\"key\":1711"
     "929600000,\"doc_count\":0},{\"key_as_string\":\"2024-03-01T00:00:00.000Z\",\"key\":1"
     "709251200000,\"doc_count\":0},{\"key_as_string\":\"2024-02-01T00:00:00.000Z\",\"key"
     "\":1706745600000,\"doc_count\":1},{\"key_as_string\":\"2024-01-01T00:00:00.000Z\",\""
     "key\":1704067200000,\"doc_count\":2}]}}"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"date_histogram\":{\"field\":\"d\",\"fixed_interval\":"
     "\"12h\",\"min_doc_count\":1,\"time_zone\":\"+09:00\"}}}}",
     "{\"x\":{\"buckets\":[{\"key_as_string\":\"2024-01-01T00:00:00.000+09:00\",\"key\":17"
     "04034800000,\"doc_count\":1},{\"key_as_string\":\"2024-01-02T12:00:00.000+09:00\",\""
     "key\":1704164400000,\"doc_count\":1},{\"key_as_string\":\"2024-02-01T00:00:00.000+09"
     ":00\",\"key\":1706713200000,\"doc_count\":1},{\"key_as_string\":\"2024-05-16T00:00:0"
     "0.000+09:00\",\"key\":1715785200000,\"doc_count\":1}]}}"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"date_histogram\":{\"field\":\"nope\",\"fixed_interval"
     "\":\"12h\"}}}}",
     "{\"x\":{\"buckets\":[]}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"histogram\":{\"field\":\"n\",\"interval\":2}}}}",
     "{\"x\":{\"buckets\":[{\"key\":-4.0,\"doc_count\":1},{\"key\":-2.0,\"doc_count\":0},{"
     "\"key\":0.0,\"doc_count\":1},{\"key\":2.0,\"doc_count\":2},{\"key\":4.0,\"doc_count"
     "\":1}]}}"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"histogram\":{\"field\":\"n\",\"interval\":2,\"min_doc"
     "_count\":1}}}}",
     "{\"x\":{\"buckets\":[{\"key\":-4.0,\"doc_count\":1},{\"key\":0.0,\"doc_count\":1},{"
     "\"key\":2.0,\"doc_count\":2},{\"key\":4.0,\"doc_count\":1}]}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"histogram\":{\"field\":\"f\",\"interval\":0.5}}}}",
     "{\"x\":{\"buckets\":[{\"key\":1.5,\"doc_count\":1},{\"key\":2.0,\"doc_count\":0},{\""
     "key\":2.5,\"doc_count\":1}]}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"histogram\":{\"field\":\"n\",\"interval\":0}}}}",
     "400 x_content_parse_exception: [histogram] failed to parse field [interval]"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"histogram\":{\"field\":\"n\"}}}}",
     "400 illegal_argument_exception: interval must be positive, got: 0.0"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"histogram\":{\"field\":\"n\",\"interval\":5,\"extende"
     "d_bounds\":{\"min\":-10,\"max\":10}}}}}",
     "{\"x\":{\"buckets\":[{\"key\":-10.0,\"doc_count\":0},{\"key\":-5.0,\"doc_count\":1},"
     "{\"key\":0.0,\"doc_count\":3},{\"key\":5.0,\"doc_count\":1},{\"key\":10.0,\"doc_coun"
     "t\":0}]}}"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"histogram\":{\"field\":\"n\",\"interval\":5,\"offset"
     "\":1,\"keyed\":true,\"min_doc_count\":1}}}}",
     "{\"x\":{\"buckets\":{\"-4.0\":{\"key\":-4.0,\"doc_count\":1},\"1.0\":{\"key\":1.0,\""
     "doc_count\":3}}}}"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"range\":{\"field\":\"n\",\"ranges\":[{\"to\":2},{\"fr"
     "om\":2,\"to\":4},{\"from\":4}]}}}}",
     "{\"x\":{\"buckets\":[{\"key\":\"*-2.0\",\"to\":2.0,\"doc_count\":2},{\"key\":\"2.0-4"
     ".0\",\"from\":2.0,\"to\":4.0,\"doc_count\":2},{\"key\":\"4.0-*\",\"from\":4.0,\"doc_"
     "count\":1}]}}"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"range\":{\"field\":\"n\",\"keyed\":true,\"ranges\":[{"
     "\"key\":\"low\",\"to\":2},{\"from\":2.5}]}}}}",
     "{\"x\":{\"buckets\":{\"low\":{\"to\":2.0,\"doc_count\":2},\"2.5-*\":{\"from\":2.5,\""
     "doc_count\":2}}}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"range\":{\"field\":\"n\",\"ranges\":[]}}}}",
     "400 illegal_argument_exception: No [ranges] specified for the [x] aggregation"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"range\":{\"field\":\"d\",\"ranges\":[{\"from\":\"2024"
     "-01-02\"}]}}}}",
     "501 a range between texts or dates of the aggregation [range] is not supported"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"date_range\":{\"field\":\"d\",\"ranges\":[{\"from\":"
     "\"2024-01-02\",\"to\":\"now\"}]}}}}",
     "501 the aggregation [date_range] is not supported"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"range\":{\"field\":\"k\",\"ranges\":[{\"to\":2}]}}}}",
     "400 illegal_argument_exception: Field [k] of type [keyword] is not supported for agg"
     "regation [range]"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"filter\":{\"term\":{\"k\":\"a\"}}}}}",
     "{\"x\":{\"doc_count\":2}}"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"filters\":{\"filters\":{\"x\":{\"term\":{\"k\":\"a\"}"
     "},\"y\":{\"match_all\":{}}}}}}}",
     "{\"x\":{\"buckets\":{\"x\":{\"doc_count\":2},\"y\":{\"doc_count\":5}}}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"filters\":{\"filters\":[{\"term\":{\"k\":\"a\"}}]}}}}",
     "{\"x\":{\"buckets\":[{\"doc_count\":2}]}}"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"filters\":{\"other_bucket\":true,\"filters\":{\"x\":{"
     "\"term\":{\"k\":\"a\"}}}}}}}",
     "{\"x\":{\"buckets\":{\"x\":{\"doc_count\":2},\"_other_\":{\"doc_count\":3}}}}"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"filters\":{\"other_bucket_key\":\"rest\",\"filters\":"
     "{\"x\":{\"term\":{\"k\":\"a\"}}}}}}}",
     "{\"x\":{\"buckets\":{\"x\":{\"doc_count\":2},\"rest\":{\"doc_count\":3}}}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"missing\":{\"field\":\"k\"}}}}",
     "{\"x\":{\"doc_count\":1}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"missing\":{\"field\":\"nope\"}}}}",
     "{\"x\":{\"doc_count\":5}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"global\":{}}}}",
     "501 the aggregation [global] is not supported"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"terms\":{\"field\":\"k\",\"order\":{\"m\":\"desc\"}},"
     "\"aggs\":{\"m\":{\"avg\":{\"field\":\"n\"}}}}}}",
     "{\"x\":{\"doc_count_error_upper_bound\":0,\"sum_other_doc_count\":0,\"buckets\":[{\""
     "key\":\"b\",\"doc_count\":1,\"m\":{\"value\":3.5}},{\"key\":\"c\",\"doc_count\":1,\""
     "m\":{\"value\":3.0}},{\"key\":\"a\",\"doc_count\":2,\"m\":{\"value\":2.6666666666666"
     "665}},{\"key\":\"z\",\"doc_count\":1,\"m\":{\"value\":-4.0}}]}}"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"terms\":{\"field\":\"k\",\"order\":{\"m.max\":\"desc"
     "\"}},\"aggs\":{\"m\":{\"stats\":{\"field\":\"n\"}}}}}}",
     "{\"x\":{\"doc_count_error_upper_bound\":0,\"sum_other_doc_count\":0,\"buckets\":[{\""
     "key\":\"a\",\"doc_count\":2,\"m\":{\"count\":3,\"min\":1.0,\"max\":5.0,\"avg\":2.666"
     "6666666666665,\"sum\":8.0}},{\"key\":\"b\",\"doc_count\":1,\"m\":{\"count\":2,\"min"
     "\":2.0,\"max\":5.0,\"avg\":3.5,\"sum\":7.0}},{\"key\":\"c\",\"doc_count\":1,\"m\":{"
     "\"count\":1,\"min\":3.0,\"max\":3.0,\"avg\":3.0,\"sum\":3.0}},{\"key\":\"z\",\"doc_c"
     "ount\":1,\"m\":{\"count\":1,\"min\":-4.0,\"max\":-4.0,\"avg\":-4.0,\"sum\":-4.0}}]}}"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"terms\":{\"field\":\"k\",\"order\":[{\"_count\":\"des"
     "c\"},{\"_key\":\"desc\"}]},\"aggs\":{\"s\":{\"terms\":{\"field\":\"b\"}}}}}}",
     "{\"x\":{\"doc_count_error_upper_bound\":0,\"sum_other_doc_count\":0,\"buckets\":[{\""
     "key\":\"a\",\"doc_count\":2,\"s\":{\"doc_count_error_upper_bound\":0,\"sum_other_doc"
     "_count\":0,\"buckets\":[{\"key\":0,\"key_as_string\":\"false\",\"doc_count\":1},{\"k"
     "ey\":1,\"key_as_string\":\"true\",\"doc_count\":1}]}},{\"key\":\"z\",\"doc_count\":1"
     ",\"s\":{\"doc_count_error_upper_bound\":0,\"sum_other_doc_count\":0,\"buckets\":[]}}"
     ",{\"key\":\"c\",\"doc_count\":1,\"s\":{\"doc_count_error_upper_bound\":0,\"sum_other"
     "_doc_count\":0,\"buckets\":[]}},{\"key\":\"b\",\"doc_count\":1,\"s\":{\"doc_count_er"
     "ror_upper_bound\":0,\"sum_other_doc_count\":0,\"buckets\":[{\"key\":0,\"key_as_strin"
     "g\":\"false\",\"doc_count\":1}]}}]}}"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"terms\":{\"field\":\"k\",\"order\":{\"zz\":\"desc\"}}"
     "}}}",
     "500 aggregation_execution_exception: Invalid aggregator order path [zz]. The provide"
     "d aggregation [zz] either does not exist, or is a pipeline aggregation and cannot be"
     " used to sort the buckets."},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"date_histogram\":{\"field\":\"d\",\"calendar_interval"
     "\":\"month\"},\"aggs\":{\"s\":{\"sum\":{\"field\":\"n\"}},\"p\":{\"percentiles\":{\""
     "field\":\"n\",\"percents\":[50]}}}}}}",
     "{\"x\":{\"buckets\":[{\"key_as_string\":\"2024-01-01T00:00:00.000Z\",\"key\":1704067"
     "200000,\"doc_count\":2,\"s\":{\"value\":8.0},\"p\":{\"values\":{\"50.0\":2.0}}},{\"k"
     "ey_as_string\":\"2024-02-01T00:00:00.000Z\",\"key\":1706745600000,\"doc_count\":1,\""
     "s\":{\"value\":3.0},\"p\":{\"values\":{\"50.0\":3.0}}},{\"key_as_string\":\"2024-03-"
     "01T00:00:00.000Z\",\"key\":1709251200000,\"doc_count\":0,\"s\":{\"value\":0.0},\"p\""
     ":{\"values\":{\"50.0\":null}}},{\"key_as_string\":\"2024-04-01T00:00:00.000Z\",\"key"
     "\":1711929600000,\"doc_count\":0,\"s\":{\"value\":0.0},\"p\":{\"values\":{\"50.0\":n"
     "ull}}},{\"key_as_string\":\"2024-05-01T00:00:00.000Z\",\"key\":1714521600000,\"doc_c"
     "ount\":1,\"s\":{\"value\":-4.0},\"p\":{\"values\":{\"50.0\":-4.0}}}]}}"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"filter\":{\"term\":{\"k\":\"a\"}},\"aggs\":{\"u\":{\""
     "cardinality\":{\"field\":\"ip\"}}}}}}",
     "{\"x\":{\"doc_count\":2,\"u\":{\"value\":2}}}"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"top_hits\":{\"size\":1}}}}",
     "501 the aggregation [top_hits] is not supported"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"foo\":{}}}}",
     "400 parsing_exception: Unknown aggregation type [foo]"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{}}}",
     "400 parsing_exception: Missing definition for aggregation [x]"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"terms\":{\"field\":\"k\"},\"avg\":{\"field\":\"n\"}}}"
     "}",
     "400 parsing_exception: Found two aggregation type definitions in [x]: [terms] and [a"
     "vg]"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"terms\":{\"field\":\"k\"},\"meta\":{\"a\":1}}}}",
     "{\"x\":{\"meta\":{\"a\":1},\"doc_count_error_upper_bound\":0,\"sum_other_doc_count\""
     ":0,\"buckets\":[{\"key\":\"a\",\"doc_count\":2},{\"key\":\"b\",\"doc_count\":1},{\"k"
     "ey\":\"c\",\"doc_count\":1},{\"key\":\"z\",\"doc_count\":1}]}}"},
    {"",
     "{\"size\":0,\"aggs\":{\"x\":{\"avg\":{\"field\":\"n\"},\"aggs\":{\"x\":{\"avg\":{\"f"
     "ield\":\"n\"}}}}}}",
     "500 aggregation_initialization_exception: Aggregator [x] of type [avg] cannot accept"
     " sub-aggregations"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"composite\":{\"sources\":[]}}}}",
     "501 the aggregation [composite] is not supported"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"significant_terms\":{\"field\":\"k\"}}}}",
     "501 the aggregation [significant_terms] is not supported"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"rare_terms\":{\"field\":\"k\"}}}}",
     "501 the aggregation [rare_terms] is not supported"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"terms\":{\"script\":\"x\"}}}}",
     "501 [script] of the aggregation [terms] is not supported"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"avg\":5}}}",
     "400 parsing_exception: Expected [START_OBJECT] under [avg], but got another value in"
     " [x]"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"filter\":{}}}}",
     "400 illegal_argument_exception: query malformed, empty clause found"},
    {"", "{\"size\":0,\"aggs\":{\"x\":{\"auto_date_histogram\":{\"field\":\"d\"}}}}",
     "501 the aggregation [auto_date_histogram] is not supported"},
};

#endif
