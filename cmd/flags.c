/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/flags.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/str.h"
#include "conf/bind.h"

static int bad(const struct flags *flags, const char *what, const char *flag)
{
    fprintf(stderr, "millrace %s: %s '--%s'\n", flags->argv[0], what, flag);
    return FLAGS_BAD;
}

/* text: as written, without its dashes. */
static int unknown(const struct flags *flags, const char *text, const char *dashes)
{
    enum { NAMES_MAX = 32 };
    const char *names[NAMES_MAX + 1];
    size_t count = 0;
    for (const struct flag *flag = flags->table; flag->name && count < NAMES_MAX; flag++)
        names[count++] = flag->name;
    names[count] = NULL;
    struct str name = str_from(text);
    size_t equals = str_find(name, STR("="));
    name.len = equals == SIZE_MAX ? name.len : equals;
    const char *near = bind_suggest(name, names);
    fprintf(stderr, "millrace %s: there is no flag '%s%.*s'%s%s%s\n", flags->argv[0], dashes,
            STR_FMT(name), near ? "; did you mean '--" : "", near ? near : "", near ? "'?" : "");
    return FLAGS_BAD;
}

/* The value is in the same argument, or the next one. */
static int with_value(struct flags *flags, const struct flag *flag, const char *attached)
{
    flags->name = flag->name;
    if (!flag->takes_value)
        return attached ? bad(flags, "no value belongs to", flag->name) : flag->id;
    if (!attached && flags->at >= flags->argc)
        return bad(flags, "a value is missing after", flag->name);
    flags->value = attached ? attached : flags->argv[flags->at++];
    return flag->id;
}

static int long_flag(struct flags *flags, const char *text)
{
    struct str name = str_from(text);
    size_t equals = str_find(name, STR("="));
    if (equals != SIZE_MAX)
        name.len = equals;
    for (const struct flag *flag = flags->table; flag->name; flag++)
        if (str_equal(name, str_from(flag->name)))
            return with_value(flags, flag, equals != SIZE_MAX ? text + equals + 1 : NULL);
    return unknown(flags, text, "--");
}

static int short_flag(struct flags *flags, const char *text)
{
    for (const struct flag *flag = flags->table; flag->name; flag++)
        if (flag->letter && flag->letter == text[0])
            return with_value(flags, flag, text[1] ? text + 1 : NULL);
    return unknown(flags, text, "-");
}

int flags_next(struct flags *flags)
{
    assert(flags->at >= 1);
    flags->value = NULL;
    if (flags->at >= flags->argc)
        return FLAGS_END;
    const char *text = flags->argv[flags->at++];
    if (!flags->only_operands && str_equal(str_from(text), STR("--"))) {
        flags->only_operands = true;
        return flags_next(flags);
    }
    if (flags->only_operands || text[0] != '-' || text[1] == '\0') {
        flags->value = text;
        return FLAGS_OPERAND;
    }
    return text[1] == '-' ? long_flag(flags, text + 2) : short_flag(flags, text + 1);
}

bool flags_number(const struct flags *flags, uint64_t min, uint64_t max, uint64_t *out)
{
    int64_t value;
    assert(flags->value && max <= INT64_MAX);
    if (str_to_int(str_from(flags->value), &value) && value >= 0 && (uint64_t)value >= min &&
        (uint64_t)value <= max) {
        *out = (uint64_t)value;
        return true;
    }
    fprintf(stderr,
            "millrace %s: --%s is '%s', expected a number from %" PRIu64 " to %" PRIu64 "\n",
            flags->argv[0], flags->name, flags->value, min, max);
    return false;
}

bool flags_unexpected(const struct flags *flags)
{
    assert(flags->value);
    fprintf(stderr, "millrace %s: unexpected argument '%s'\n", flags->argv[0], flags->value);
    return false;
}

void flags_missing(const struct flags *flags, const char *what)
{
    fprintf(stderr, "millrace %s: %s is missing\n", flags->argv[0], what);
}

int flags_end(const struct flags *flags, bool asked, const char *usage)
{
    enum { STATUS_DONE = 0, STATUS_USAGE = 2 };
    if (asked)
        fputs(usage, stdout);
    else
        fprintf(stderr, "'millrace help %s' says what it takes\n", flags->argv[0]);
    return asked ? STATUS_DONE : STATUS_USAGE;
}
