/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/conf/dump.h"
#include "tests/unit/conf/suites.h"

enum { DUMP_MAX = 1 << 20 };

static const struct {
    const char *text; /* of filter { … } */
    const char *tree;
} TREES[] = {
    {"", ""},
    {"# only a comment", ""},
    {"mutate { }", "mutate()"},
    {"mutate{add_tag=>\"x\"}", "mutate(add_tag=\"x\")"},
    {"a { b => cc d => 12 e => -1.50 f => 1.0 g => 010 }", "a(b=cc d=i12 e=f-1.5 f=f1.0 g=i8)"},
    {"a { \"quoted\" => 'x' 'single' => \"y\" }", "a(quoted=\"x\" single=\"y\")"},
    {"\"a\" { }", "\"a\"()"},
    {"a { h => { \"k\" => \"v\" word => [1, \"two\", three] 5 => { } } }",
     "a(h={\"k\":\"v\" word:[i1,\"two\",three] i5:{}})"},
    {"a { h => {\"a\"=>\"1\"\"b\"=>\"2\"} }", "a(h={\"a\":\"1\" \"b\":\"2\"})"},
    {"a { h => { 'k' => 1 \"k\" => 2 } }", "a(h={\"k\":i2})"},
    {"a { x => [] y => [[1, 2], [ ]] }", "a(x=[] y=[[i1,i2],[]])"},
    {"a { x => \"it's\" y => 'say \"hi\"' }", "a(x=\"it's\" y=\"say \"hi\"\")"},
    {"a { x => \"say \\\"hi\\\"\" y => \"tab\\there\" }",
     "a(x=\"say \\\"hi\\\"\" y=\"tab\\there\")"},
    {"a { x => \"line\nline\" }", "a(x=\"line\nline\")"},
    {"a { codec => json { charset => \"UTF-8\" } codec2 => json }",
     "a(codec=json(charset=\"UTF-8\") codec2=json)"},
    {"a { # c\n x => 1 # d } }\n # e\n y # f\n => # g\n 2 }", "a(x=i1 y=i2)"},
    {"a {\r\n\tx => 1\r\n}\r\n", "a(x=i1)"},
    {"a { x => 1 x => 2 }", "a(x=i1 x=i2)"},
    {"if [a] { } else { b { } }", "if {[a]} <> else <b()>"},
    {"if [a] { b { } } else if [c] == 1 { d { } } else { if [e] { f { } } }",
     "if {[a]} <b()> elif ({[c]} == i1) <d()> else <if {[e]} <f()>>"},
    {"if[a]{b{}}elseif[c]{d{}}else{e{}}", "if {[a]} <b()> elif {[c]} <d()> else <e()>"},
    {"if [a] { b { } } # c\n else # d\n if [c] { d { } }", "if {[a]} <b()> elif {[c]} <d()>"},
    {"if [a] { b { } } if [c] { d { } }", "if {[a]} <b()>; if {[c]} <d()>"},
    {"if [a.b] and ![c.d] { e { } }", "if ({[a.b]} and !{[c.d]}) <e()>"},
    {"if ! [c d][e/f] { e { } }", "if !{[c d][e/f]} <e()>"},
    {"ifoo { }", "ifoo()"},
    {"a { x => \"${SET}\" y => \"${NONE:d f:g}-${EMPTY}\" }", "a(x=\"a value\" y=\"d f:g-\")"},
    {"a { x => \"${LIST}\" y => [\"${QUOTED}\"] z => { \"${SET}\" => \"${SET}\" } }",
     "a(x=\"[x, 'y']\" y=[\"'v'\"] z={\"${SET}\":\"a value\"})"},
    {"a { x => \"${LIST}${EMPTY}\" y => [\"${EMPTY}${QUOTED}\"] z => \"[${QUOTED}, b]\" }",
     "a(x=[\"x\",\"y\"] y=[\"v\"] z=[\"v\",\"b\"])"},
    {"a { x => \"${NONE:${SET}}\" y => \"[${NONE:${SET}}, ${NONE:b}]\" }",
     "a(x=\"a value\" y=[\"a value\",\"b\"])"},
    {"a { x => \"[${NONE:}]\" y => \"[a]\" z => \"$SET ${ } ${1}\" }",
     "a(x=[] y=\"[a]\" z=\"$SET ${ } ${1}\")"},
};

static struct str in_filter(struct arena *arena, const char *text)
{
    return arena_printf(arena, "filter {\n%s\n}", text);
}

START_TEST(reads_trees)
{
    struct arena arena;
    arena_init(&arena, NULL);
    struct parsed parsed;
    struct buf out;
    buf_init(&out, DUMP_MAX);
    parsed_init(&parsed, in_filter(&arena, TREES[_i].text), NULL);
    dump_errors(&parsed.errors, &out);
    dump_block(&parsed.tree.filters, &out);
    buf_append_char(&out, '\0');
    ck_assert_str_eq(out.ptr, TREES[_i].tree);
    ck_assert(parsed.ok);
    buf_release(&out);
    parsed_release(&parsed);
    arena_release(&arena);
}
END_TEST

static const struct {
    const char *text;
    const char *errors;
} ERRORS[] = {
    {"filter { mutate { add_tag => a } }", "1:30 a word of one letter must be in quotes: \"a\""},
    {"filter { mutate { add_tag => 5. } }", "1:30 a number does not end with '.': write 5.0"},
    {"filter { mutate { add_tag => [\"a\", \"b\",] } }",
     "1:39 no comma after the last item of an array"},
    {"filter { mutate { add_tag => [\"x\"]remove_field => \"message\" } }",
     "1:35 a blank must follow the value before the next option"},
    {"filter { mutate { add_tag => \"x\" }",
     "1:8 this section is never closed: the file ends before its '}'"},
    {"filter { mutate { add_tag \"x\" } }", "1:27 expected '=>' after 'add_tag', found '\"'"},
    {"filters { mutate { } }", "1:1 unknown section 'filters'; did you mean 'filter'?"},
    {"filter { mutate { add_tag => /x/ } }",
     "1:30 a regular expression is written as text in quotes here, without slashes"},
    {"input { file { path => /var/log/x.log tags => [/x, \"y\"] } }",
     "1:24 a value like /var/log/x.log must be in quotes\n1:48 a value like /x must be in quotes"},
    {"input { file { path => /var/log/ } }", "1:24 a value like /var/log/ must be in quotes"},
    {"input { file { path => /\\", "1:14 this plugin is never closed: the file ends before its "
                                   "'}'\n1:24 a value like /\\ must be in quotes"},
    {"filter { a { h => { \"a\" => 1, \"b\" => 2 } } }",
     "1:29 no comma between the entries of a hash, only blanks"},
    {"filter { a { h => { \"a\" => 1 \"a\" => 2 } } }",
     "1:30 the key \"a\" is given twice in this hash"},
    {"filter { a { hosts => 10.0.0.1 port => 5 } }",
     "1:23 a value like 10.0.0.1 must be in quotes"},
    {"filter { a { x => foo-bar, y => 5s } }",
     "1:19 a value like foo-bar must be in quotes\n1:26 no ',' between options, only blanks\n"
     "1:33 a value like 5s must be in quotes"},
    {"filter { a { x = 1 y: 2 } }",
     "1:16 expected '=>' after 'x', found '='\n1:21 expected '=>' after 'y', found ':'"},
    {"filter { a { x => 08 } }", "1:19 a number that begins with 0 is octal, and 08 is none"},
    {"filter { a { x => \"abc } }", "1:19 this text has no closing \""},
    {"filter {\n  a { x => \n  b { }\n}\noutput { c { } }",
     "5:1 a '}' is missing before the section 'output'"},
    {"filter { a { x => ${SET} } }",
     "1:19 expected a value (text in quotes, a number, a word, [array] or {hash}), found '${'"},
    {"filter { a { x => \"${NONE:${MISSING}}\" } }",
     "1:19 the environment variable 'MISSING' is not set; '${MISSING:default}' gives a default"},
    {"filter { a { x => \"${MISSING}\" y => \"${MISSING}\" } }",
     "1:19 the environment variable 'MISSING' is not set; '${MISSING:default}' gives a default\n"
     "1:37 the environment variable 'MISSING' is not set; '${MISSING:default}' gives a default"},
    {"filter { } }", "1:12 expected a section (input, filter or output), found '}'"},
    {"filter { else { } }", "1:10 'else' does not follow an 'if' block"},
    {"filter { if [a] { } elsif [b] { } }", "1:21 'elsif' is written 'else if'"},
    {"mutate { }", "1:1 expected a section (input, filter or output), found 'mutate'"},
    {"filter { mutate add_tag => 1 }", "1:17 expected '{' after 'mutate', found 'add_tag'"},
    {"filter mutate { }", "1:8 expected '{' to begin this section, found 'mutate'"},
    /* all at once: attributes, plugins and sections after an error are read */
    {"filter {\n a {\n  x 1\n  y => ,\n  z => 1\n }\n b {\n  q => {\n   \"k\" 1\n   \"l\" => 2\n  "
     "}\n  r => /x/\n"
     " }\n}\noutputs { c { h => [1 2] } }",
     "3:5 expected '=>' after 'x', found '1'\n"
     "4:8 expected a value (text in quotes, a number, a word, [array] or {hash}), found ','\n"
     "9:8 expected '=>' after '\"k\"', found '1'\n"
     "12:8 a regular expression is written as text in quotes here, without slashes\n"
     "15:1 unknown section 'outputs'; did you mean 'output'?\n"
     "15:23 expected ',' or ']' after an item of an array, found '2'"},
    /* a quote too few: one error, where it is missing */
    {"filter {\n a { x => \"abc\n  y => \"def\"\n  z => \"ghi\" }\n}",
     "2:11 this text goes on to line 3; is its closing \" missing?"},
    {"filter { a { h => { \"k\" => \"v\n \"l\" => \"w\" } } }",
     "1:28 this text goes on to line 2; is its closing \" missing?"},
    {"filter { a { x => [\"b\n, \"c\"] } }",
     "1:20 this text goes on to line 2; is its closing \" missing?"},
    {"filter { a { x => \"\xE9\" } }", "1:20 this is not UTF-8: byte 0xE9"},
    /* a bad condition does not hide its block; columns count characters */
    {"filter {\n if message == \"x\" {\n  m { \"한글\" => ; }\n }\n}",
     "2:5 'message' is no value here: a field is written [message], a text \"message\"\n"
     "3:15 expected a value (text in quotes, a number, a word, [array] or {hash}), found ';'"},
};

START_TEST(reports_errors)
{
    struct parsed parsed;
    struct buf out;
    buf_init(&out, DUMP_MAX);
    parsed_init(&parsed, str_from(ERRORS[_i].text), NULL);
    dump_errors(&parsed.errors, &out);
    buf_append_char(&out, '\0');
    ck_assert_str_eq(out.ptr, ERRORS[_i].errors);
    ck_assert(!parsed.ok);
    buf_release(&out);
    parsed_release(&parsed);
}
END_TEST

START_TEST(joins_sections)
{
    struct parsed parsed;
    parsed_init(&parsed, STR("filter { a { } } input { i { } } filter { b { } }"), NULL);
    ck_assert(parsed.ok);
    ck_assert_uint_eq(parsed.tree.filters.count, 2);
    ck_assert_uint_eq(parsed.tree.inputs.count, 1);
    ck_assert(parsed.tree.has_input_section);
    ck_assert(!parsed.tree.has_output_section);
    ck_assert_int_eq(parsed.tree.inputs.statements[0].plugin->section, CONF_INPUT);
    parsed_release(&parsed);
}
END_TEST

START_TEST(applies_escapes)
{
    static const struct conf_options ESCAPES = {.support_escapes = true};
    struct parsed parsed;
    parsed_init(&parsed,
                STR("filter { m { a => \"x\\ny\\tz\\q\\\\\\\"\\0\" h => { \"k\\n\" => 1 } } }"),
                &ESCAPES);
    ck_assert(parsed.ok);
    const struct conf_plugin *plugin = parsed.tree.filters.statements[0].plugin;
    ck_assert(str_equal(plugin->attributes[0].value.text, STR("x\ny\tz\\q\\\"\0")));
    ck_assert(str_equal(plugin->attributes[1].value.pairs[0].key.text, STR("k\n")));
    parsed_release(&parsed);
}
END_TEST

/* Brackets without end meet the limit, and nothing after it is reported. */
START_TEST(limits_nesting)
{
    static const char *const OPENERS[] = {"[", "{ kk => ", "(", "if [a] { "};
    static const char *const HEADS[] = {"m { x => ", "m { x => ", "if ", ""};
    struct buf text;
    buf_init(&text, DUMP_MAX);
    buf_printf(&text, "filter { %s", HEADS[_i]);
    for (int i = 0; i < 5000; i++)
        buf_append_str(&text, str_from(OPENERS[_i]));
    struct parsed parsed;
    parsed_init(&parsed, buf_str(&text), NULL);
    ck_assert_uint_eq(parsed.errors.errors, 1);
    ck_assert_str_eq(parsed.errors.items[0].text, "nested deeper than 100 levels");
    parsed_release(&parsed);
    buf_release(&text);
}
END_TEST

/* One mistake in a file is one error: nothing of what follows it is reported as well. */
static const struct {
    const char *filters, *error;
} MISTAKES[] = {
    {"if [a] = 5 {\n mutate { }\n}", "2:8 '=' is no operator; write '=='"},
    {"if [a == 5 {\n drop { }\n}", "2:6 a ']' is missing: [a]"},
    {"if [a][long-name == 5 {\n drop { }\n}", "2:17 a ']' is missing: [long-name]"},
    {"if 5 in [a {\n drop { }\n}", "2:11 a ']' is missing: [a]"},
    {"if ![a {\n drop { }\n}", "2:7 a ']' is missing: [a]"},
    {"if [a] == true {\n drop { }\n}",
     "2:11 'true' cannot be compared with; test the field itself: [field] or ![field]"},
    {"if [a] == 5\n drop { }\n}",
     "3:2 expected '{', 'and' or 'or' after the condition, found 'drop'"},
    {"if {\n drop { }\n}", "2:4 expected a [field], a text, a number or a list, found '{'"},
    {"mutate {\n a => { \"k\" => 1 }\ngrok { }", "4:1 a '}' is missing before 'grok'"},
    {"mutate {\n a => { \"k\" => 1\n}\ngrok { }", "5:1 a '}' is missing before 'grok'"},
    {"mutate {\n aa => 1\nif [x] {\n drop { }\n}", "4:1 a '}' is missing before 'if'"},
    {"mutate\n aa => 1\n}", "3:2 expected '{' after 'mutate', found 'aa'"},
    {"mutate {\n grok { \"a\" => 1 }\n}", "3:2 a '}' is missing before 'grok'"},
    {"mutate {\n add { \"a\" => 1 }\n}", "3:6 expected '=>' after 'add', found '{'"},
    {"mutate {\n aa => [1, 2\n bb => [3]\n}",
     "4:2 expected ',' or ']' after an item of an array, found 'bb'"},
    {"mutate { aa => [\"b\" \"c\"] }",
     "2:21 expected ',' or ']' after an item of an array, found '\"'"},
    {"mutate { aa => \"b\", \"c\" }", "2:19 several values are written as a list: [\"a\", \"b\"]"},
    {"mutate { aa => \"b\"], bb => 1 }",
     "2:19 a blank must follow the value before the next option"},
    {"mutate { aa => { x y => 1 } }", "2:18 a word of one letter must be in quotes: \"x\""},
    {"mutate { aa => \"b\"c\"d\" }", "2:19 a blank must follow the value before the next option"},
    {"drop { }; mutate { }", "2:9 expected a plugin, 'if' or '}', found ';'"},
    {"drop { } // why\n mutate { }", "2:10 expected a plugin, 'if' or '}', found '//'"},
    /* templates that were not rendered */
    {"mutate { aa => {{ value }} bb => 1 }\n{% if x %}\ndrop { }\n{% endif %}",
     "2:16 '{{' begins a tag of a template (ERB, Jinja, Go): this file is not a pipeline yet; "
     "render "
     "it first and give the result"},
    {"<% @all.each do |one| -%>\ndrop { }\n<% end -%>",
     "2:1 '<%' begins a tag of a template (ERB, Jinja, Go): this file is not a pipeline yet; "
     "render "
     "it first and give the result"},
    {"if [x] == {{ x }} { drop { } }", "2:11 '{{' begins a tag of a template (ERB, Jinja, Go): "
                                       "this file is not a pipeline yet; render "
                                       "it first and give the result"},
    /* a secret is not quoted */
    {"mutate { password => my!secret }",
     "2:24 a blank must follow the value before the next option"},
    {"mutate { password => 12ab34 }", "2:22 this value must be in quotes"},
    {"mutate { password => [ab cd] }",
     "2:26 expected ',' or ']' after an item of an array, found something else"},
};

static bool is_grok(struct str name)
{
    return str_equal(name, STR("grok"));
}

START_TEST(one_mistake_is_one_error)
{
    static const struct conf_options OPTIONS = {.is_plugin = is_grok};
    struct parsed parsed;
    struct buf out;
    struct arena arena;
    arena_init(&arena, NULL);
    buf_init(&out, DUMP_MAX);
    struct str text =
        arena_printf(&arena, "filter {\n%s\n}\noutput { x { } }\n", MISTAKES[_i].filters);
    parsed_init(&parsed, text, &OPTIONS);
    dump_errors(&parsed.errors, &out);
    buf_append_char(&out, '\0');
    ck_assert_str_eq(out.ptr, MISTAKES[_i].error);
    ck_assert(!parsed.ok);
    buf_release(&out);
    parsed_release(&parsed);
    arena_release(&arena);
}
END_TEST

/* Behind a mistake that is plain, or on another line, the next one is reported as well. */
START_TEST(several_mistakes_are_several_errors)
{
    struct parsed parsed;
    parsed_init(&parsed,
                STR("filter {\n if [a] = 1 && [b] { m { aa = 1 bb: 2 cc => 3, dd => 4 } }\n"
                    " m { aa => ; }\n m { bb => ; }\n}\nfliter { }\n"),
                NULL);
    ck_assert_uint_eq(parsed.errors.errors, 8);
    parsed_release(&parsed);
}
END_TEST

Suite *parse_suite(void)
{
    Suite *suite = suite_create("parse");
    TCase *tcase = tcase_create("parse");
    tcase_add_loop_test(tcase, reads_trees, 0, sizeof TREES / sizeof *TREES);
    tcase_add_loop_test(tcase, reports_errors, 0, sizeof ERRORS / sizeof *ERRORS);
    tcase_add_loop_test(tcase, one_mistake_is_one_error, 0, sizeof MISTAKES / sizeof *MISTAKES);
    tcase_add_test(tcase, several_mistakes_are_several_errors);
    tcase_add_test(tcase, joins_sections);
    tcase_add_test(tcase, applies_escapes);
    tcase_add_loop_test(tcase, limits_nesting, 0, 4);
    suite_add_tcase(suite, tcase);
    return suite;
}
