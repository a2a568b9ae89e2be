/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/delivery/retry.h"

#include <assert.h>
#include <string.h>

#include "pipeline/plugin.h"

enum { BACKOFF_MAX_DOUBLINGS = 20, STATUS_MIN = 100, STATUS_MAX = 999, CLASS_SIZE = 100 };

enum verdict retry_rule_verdict(const struct retry_table *table, int status, struct str type)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct retry_rule *rule = &table->rules[i];
        assert(rule->first_status <= rule->last_status && rule->verdict != VERDICT_NONE);
        if (status >= rule->first_status && status <= rule->last_status &&
            (rule->type.len == 0 || str_equal(rule->type, type)))
            return rule->verdict;
    }
    return VERDICT_NONE;
}

enum verdict retry_verdict(const struct retry_table *table, int status, struct str type)
{
    enum verdict verdict = retry_rule_verdict(table, status, type);
    return verdict == VERDICT_NONE ? VERDICT_RETRY : verdict;
}

/* ---- the user's rules ----------------------------------------------------------------------------- */

static bool parse_action(struct str text, enum verdict *out)
{
    static const struct {
        const char *name;
        enum verdict verdict;
    } ACTIONS[] = {{"retry", VERDICT_RETRY},
                   {"dead_letter", VERDICT_REFUSED},
                   {"drop", VERDICT_DROPPED},
                   {"hold", VERDICT_HELD}};
    for (size_t i = 0; i < sizeof ACTIONS / sizeof *ACTIONS; i++)
        if (str_equal(text, str_from(ACTIONS[i].name))) {
            *out = ACTIONS[i].verdict;
            return true;
        }
    return false;
}

/* "429", or "5xx" for all of a class. */
static bool parse_status(struct str text, struct retry_rule *rule)
{
    int64_t status;
    if (text.len == 3 && text.ptr[0] >= '1' && text.ptr[0] <= '9' &&
        str_equal(str_from_offset(text, 1), STR("xx"))) {
        rule->first_status = (text.ptr[0] - '0') * CLASS_SIZE;
        rule->last_status = rule->first_status + CLASS_SIZE - 1;
        return true;
    }
    if (!str_to_int(text, &status) || status < STATUS_MIN || status > STATUS_MAX)
        return false;
    rule->first_status = rule->last_status = (int)status;
    return true;
}

static bool parse_rule(const struct conf_pair *pair, bool types, struct retry_rule *rule,
                       struct error *err)
{
    struct str key = str_trim(pair->key.text);
    const char *blank = memchr(key.ptr, ' ', key.len);
    struct str status = blank ? str_make(key.ptr, (size_t)(blank - key.ptr)) : key;
    *rule = (struct retry_rule){0};
    if (blank)
        rule->type = str_trim(str_from_offset(key, status.len));
    if (!parse_status(status, rule) || (blank && !types))
        return error_set_at(err, pair->key.position,
                            types ? "retry: '%.*s' is not a status (429, 5xx), perhaps with a kind "
                                    "of error behind it (\"400 mapper_parsing_exception\")"
                                  : "retry: '%.*s' is not a status (429, 5xx)",
                            STR_FMT(key));
    if (!parse_action(pair->value.text, &rule->verdict))
        return error_set_at(err, pair->value.position,
                            "retry: '%.*s' is not one of retry, dead_letter, drop, hold",
                            STR_FMT(pair->value.text));
    return true;
}

/* The more a rule says, the earlier it is asked. */
static int rank(const struct retry_rule *rule)
{
    return (rule->type.len == 0) * 2 + (rule->first_status != rule->last_status);
}

static void sort_rules(struct retry_rule *rules, size_t count)
{
    for (size_t i = 1; i < count; i++)
        for (size_t at = i; at > 0 && rank(&rules[at]) < rank(&rules[at - 1]); at--) {
            struct retry_rule rule = rules[at];
            rules[at] = rules[at - 1];
            rules[at - 1] = rule;
        }
}

bool retry_rules_parse(struct arena *arena, const struct option_hash *option, bool types,
                       struct retry_table *out, struct error *err)
{
    struct retry_rule *rules = arena_zero(arena, (option->count + 1) * sizeof *rules);
    for (size_t i = 0; i < option->count; i++)
        if (!parse_rule(&option->pairs[i], types, &rules[i], err))
            return false;
    sort_rules(rules, option->count);
    *out = (struct retry_table){rules, option->count};
    return true;
}

struct retry_table retry_join(struct arena *arena, const struct retry_table *first,
                              const struct retry_table *then)
{
    size_t count = first->count + then->count;
    struct retry_rule *rules = arena_zero(arena, (count + 1) * sizeof *rules);
    for (size_t i = 0; i < count; i++)
        rules[i] = i < first->count ? first->rules[i] : then->rules[i - first->count];
    return (struct retry_table){rules, count};
}

/* ---- pauses --------------------------------------------------------------------------------------- */

uint64_t retry_backoff_ms(const struct output_limits *limits, unsigned tries, unsigned asked_ms,
                          uint64_t random)
{
    assert(limits->retry_initial_ms > 0 && limits->retry_max_ms > 0);
    unsigned doublings = tries < BACKOFF_MAX_DOUBLINGS ? tries : BACKOFF_MAX_DOUBLINGS;
    uint64_t most = (uint64_t)limits->retry_initial_ms << doublings;
    if (most > limits->retry_max_ms)
        most = limits->retry_max_ms;
    uint64_t wait = random % (most + 1);
    if (asked_ms == 0)
        return wait > 0 ? wait : 1;
    uint64_t asked = asked_ms + random % ((uint64_t)asked_ms / 2 + 1);
    return wait > asked ? wait : asked;
}
