/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/useragent/useragent_parser.h"

#include <assert.h>
#include <stdatomic.h>

#include "base/mem.h"
#include "base/text/utf8.h"
#include "conf/yaml_tree.h"

enum { GROUPS_MAX = 10, PATTERNS_MAX = 20000 };

struct pattern {
    struct str text;
    unsigned flags;
    struct str family;      /* what replaces group 1; ptr NULL: nothing does */
    struct str versions[3]; /* the same for groups 2 to 4 */
    _Atomic(struct regex *) regex;
    atomic_bool is_broken;
};

struct pattern_list {
    struct pattern *items;
    size_t count;
};

struct useragent_parser {
    struct arena arena;
    atomic_uint references;
    struct pattern_list programs, systems, devices;
    atomic_size_t broken;
};

/* The names of the replacements in one list. */
struct pattern_names {
    const char *list;
    const char *family;
    const char *versions[3];
};
static const struct pattern_names PROGRAM_NAMES = {
    "user_agent_parsers", "family_replacement", {"v1_replacement", "v2_replacement", NULL}};
static const struct pattern_names SYSTEM_NAMES = {
    "os_parsers",
    "os_replacement",
    {"os_v1_replacement", "os_v2_replacement", "os_v3_replacement"}};
static const struct pattern_names DEVICE_NAMES = {
    "device_parsers", "device_replacement", {NULL, NULL, NULL}};

/* ---- reading -------------------------------------------------------------------------------------- */

static const struct yaml_tree *member(const struct yaml_tree *map, const char *name)
{
    for (size_t i = 0; name && map->type == YAML_TREE_MAP && i < map->count; i++)
        if (str_equal(map->keys[i].text, str_from(name)))
            return &map->items[i];
    return NULL;
}

static struct str text_of(const struct yaml_tree *map, const char *name)
{
    const struct yaml_tree *node = member(map, name);
    bool is_text = node && node->type == YAML_TREE_SCALAR && !yaml_tree_is_null(node);
    return is_text ? node->text : str_make(NULL, 0);
}

static bool read_pattern(const struct pattern_names *names, const struct yaml_tree *node,
                         struct pattern *out, struct error *err)
{
    out->text = text_of(node, "regex");
    if (!out->text.ptr || !utf8_valid(out->text))
        return error_set_at(err, node->position, "an entry of %s has no regex", names->list);
    out->flags = str_equal(text_of(node, "regex_flag"), STR("i")) ? REGEX_IGNORE_CASE : 0;
    out->family = text_of(node, names->family);
    for (size_t i = 0; i < 3; i++)
        out->versions[i] = text_of(node, names->versions[i]);
    return true;
}

static bool read_list(struct useragent_parser *parser, const struct yaml_tree *tree,
                      const struct pattern_names *names, struct pattern_list *out,
                      struct error *err)
{
    const struct yaml_tree *list = member(tree, names->list);
    if (!list || list->type != YAML_TREE_LIST)
        return error_set_at(err, tree->position, "there is no list '%s'", names->list);
    if (list->count > PATTERNS_MAX)
        return error_set_at(err, list->position, "'%s' has more than %d entries", names->list,
                            PATTERNS_MAX);
    out->items = arena_zero(&parser->arena, list->count * sizeof *out->items);
    for (; out->count < list->count; out->count++)
        if (!read_pattern(names, &list->items[out->count], &out->items[out->count], err))
            return false;
    return true;
}

struct useragent_parser *useragent_parser_read(const char *path, struct error *err)
{
    struct useragent_parser *parser = mem_zero(1, sizeof *parser);
    struct yaml_tree tree;
    arena_init(&parser->arena, NULL);
    atomic_init(&parser->references, 1);
    if (yaml_tree_read(&parser->arena, path, &tree, err) &&
        read_list(parser, &tree, &PROGRAM_NAMES, &parser->programs, err) &&
        read_list(parser, &tree, &SYSTEM_NAMES, &parser->systems, err) &&
        read_list(parser, &tree, &DEVICE_NAMES, &parser->devices, err))
        return parser;
    useragent_parser_unref(parser);
    return NULL;
}

struct useragent_parser *useragent_parser_ref(struct useragent_parser *parser)
{
    unsigned before = atomic_fetch_add(&parser->references, 1);
    assert(before > 0);
    (void)before;
    return parser;
}

static void free_expressions(struct pattern_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        regex_free(atomic_load(&list->items[i].regex));
}

void useragent_parser_unref(struct useragent_parser *parser)
{
    if (!parser)
        return;
    unsigned before = atomic_fetch_sub(&parser->references, 1);
    assert(before > 0);
    if (before > 1)
        return;
    free_expressions(&parser->programs);
    free_expressions(&parser->systems);
    free_expressions(&parser->devices);
    arena_release(&parser->arena);
    mem_free(parser);
}

size_t useragent_parser_broken(const struct useragent_parser *parser)
{
    return atomic_load(&parser->broken);
}

/* ---- matching ------------------------------------------------------------------------------------- */

/* Two lanes may compile the same expression; the second one's is thrown away. NULL when it does not compile. */
static const struct regex *compiled(struct useragent_parser *parser, struct pattern *pattern)
{
    struct regex *regex = atomic_load_explicit(&pattern->regex, memory_order_acquire);
    if (regex || atomic_load_explicit(&pattern->is_broken, memory_order_relaxed))
        return regex;
    struct regex *fresh = regex_compile(pattern->text, pattern->flags, NULL);
    if (!fresh) {
        if (!atomic_exchange(&pattern->is_broken, true))
            atomic_fetch_add(&parser->broken, 1);
        return NULL;
    }
    if (atomic_compare_exchange_strong(&pattern->regex, &regex, fresh))
        return fresh;
    regex_free(fresh);
    return regex;
}

struct match {
    const struct pattern *pattern;
    struct arena *arena;
    struct str groups[GROUPS_MAX]; /* ptr NULL: took no part, or there is no such group */
    unsigned count;
};

static bool search(struct useragent_parser *parser, struct pattern *pattern,
                   struct regex_scratch *scratch, struct str text, struct match *out)
{
    const struct regex *regex = compiled(parser, pattern);
    if (!regex || regex_search(regex, scratch, text, 0) != REGEX_MATCHED)
        return false;
    out->pattern = pattern;
    out->count = regex_group_count(regex);
    for (unsigned i = 0; i < GROUPS_MAX; i++) {
        size_t start, end;
        bool took_part = i <= out->count && regex_group(scratch, i, &start, &end);
        out->groups[i] = took_part ? str_make(text.ptr + start, end - start) : str_make(NULL, 0);
    }
    return true;
}

/* The replacement with $1 to $9 as what the groups hold. */
static struct str expand(const struct match *match, struct str replacement)
{
    size_t len = 0;
    if (!memchr(replacement.ptr, '$', replacement.len))
        return replacement;
    size_t room = replacement.len + (replacement.len / 2) * USERAGENT_TEXT_BYTES_MAX;
    room = room > USERAGENT_TEXT_BYTES_MAX ? USERAGENT_TEXT_BYTES_MAX : room;
    char *text = arena_bytes(match->arena, room);
    for (size_t i = 0; i < replacement.len; i++) {
        struct str piece = str_make(replacement.ptr + i, 1);
        char digit = i + 1 < replacement.len ? replacement.ptr[i + 1] : '\0';
        if (replacement.ptr[i] == '$' && digit >= '1' && digit <= '9') {
            piece = match->groups[digit - '0'];
            i++;
        }
        if (piece.len == 0 || piece.len > room - len)
            continue;
        memcpy(text + len, piece.ptr, piece.len);
        len += piece.len;
    }
    return str_make(text, len);
}

static struct str nothing_if_empty(struct str text)
{
    return text.len > 0 ? text : str_make(NULL, 0);
}

/* Group 1, or what replaces it. */
static struct str family_of(const struct match *match)
{
    const struct pattern *pattern = match->pattern;
    return pattern->family.ptr ? expand(match, pattern->family) : match->groups[1];
}

static bool read_program(const struct match *match, struct useragent_product *out)
{
    const struct str *replaced = match->pattern->versions;
    *out = (struct useragent_product){.family = family_of(match)};
    if (!out->family.ptr)
        return false;
    for (unsigned i = 0; i < USERAGENT_VERSIONS; i++)
        out->versions[i] = nothing_if_empty(match->groups[i + 2]);
    if (replaced[0].ptr)
        out->versions[0] = replaced[0];
    if (replaced[1].ptr) {
        /* what follows a version that is fixed is not read */
        out->versions[1] = replaced[1];
        out->versions[2] = out->versions[3] = str_make(NULL, 0);
    }
    return true;
}

static bool read_system(const struct match *match, struct useragent_product *out)
{
    const struct str *replaced = match->pattern->versions;
    *out = (struct useragent_product){.family = family_of(match)};
    if (!out->family.ptr)
        return false;
    for (unsigned i = 0; i < USERAGENT_VERSIONS; i++)
        out->versions[i] = match->groups[i + 2];
    for (unsigned i = 0; i < 3; i++) {
        if (!replaced[i].ptr)
            continue;
        bool is_group = replaced[i].len == 2 && replaced[i].ptr[0] == '$' &&
                        replaced[i].ptr[1] >= '0' && replaced[i].ptr[1] <= '9';
        out->versions[i] = is_group ? match->groups[replaced[i].ptr[1] - '0'] : replaced[i];
    }
    return true;
}

static bool read_device(const struct match *match, struct useragent_product *out)
{
    out->family = family_of(match);
    if (match->pattern->family.ptr)
        out->family = str_trim(out->family);
    return out->family.ptr;
}

struct subject {
    struct useragent_parser *parser;
    struct arena *arena;
    struct regex_scratch *scratch;
    struct str text;
};

static struct useragent_product
first_of(const struct subject *subject, const struct pattern_list *list,
         bool (*read)(const struct match *match, struct useragent_product *out))
{
    struct match match = {.arena = subject->arena};
    struct useragent_product product;
    for (size_t i = 0; i < list->count; i++)
        if (search(subject->parser, &list->items[i], subject->scratch, subject->text, &match) &&
            read(&match, &product))
            return product;
    return (struct useragent_product){.family = STR("Other")};
}

void useragent_parse(struct useragent_parser *parser, struct arena *arena,
                     struct regex_scratch *scratch, struct str text, struct useragent_facts *out)
{
    if (text.len > USERAGENT_TEXT_BYTES_MAX)
        text.len = utf8_valid_prefix(str_make(text.ptr, USERAGENT_TEXT_BYTES_MAX));
    struct subject subject = {parser, arena, scratch, text};
    out->program = first_of(&subject, &parser->programs, read_program);
    out->os = first_of(&subject, &parser->systems, read_system);
    out->device = first_of(&subject, &parser->devices, read_device).family;
    assert(out->program.family.ptr && out->os.family.ptr && out->device.ptr);
}
