/* SPDX-License-Identifier: Apache-2.0
 *
 * syslog_pri: the priority of a syslog message into facility and severity, as codes and names.
 */
#include "filters/filters.h"
#include "pipeline/event/ruby_text.h"

enum { DEFAULT_PRIORITY = 13, SEVERITY_BITS = 3 };

struct syslog_pri {
    struct field_ref field;
    bool use_labels;
    struct option_strings facility_labels;
    struct option_strings severity_labels;

    const struct syslog_fields *targets;
    struct counter *failures;
};

struct syslog_fields {
    struct field_ref priority, facility_code, severity_code, facility, severity;
};

#define SYSLOG_ECS(group, name)                                                                    \
    {                                                                                              \
        .text = STR_INIT("[log][syslog][" group "][" name "]"), .root = FIELD_ROOT_EVENT,          \
        .parts = (struct field_part[]){FIELD_PART("log"), FIELD_PART("syslog"), FIELD_PART(group), \
                                       FIELD_PART(name)},                                          \
        .count = 4                                                                                 \
    }

static const struct syslog_fields PLAIN_FIELDS = {
    .priority = FIELD_REF_TOP("syslog_pri"),
    .facility_code = FIELD_REF_TOP("syslog_facility_code"),
    .severity_code = FIELD_REF_TOP("syslog_severity_code"),
    .facility = FIELD_REF_TOP("syslog_facility"),
    .severity = FIELD_REF_TOP("syslog_severity"),
};

static const struct syslog_fields ECS_FIELDS = {
    .priority =
        {
            .text = STR_INIT("[log][syslog][priority]"),
            .root = FIELD_ROOT_EVENT,
            .parts = (struct field_part[]){FIELD_PART("log"), FIELD_PART("syslog"),
                                           FIELD_PART("priority")},
            .count = 3,
        },
    .facility_code = SYSLOG_ECS("facility", "code"),
    .severity_code = SYSLOG_ECS("severity", "code"),
    .facility = SYSLOG_ECS("facility", "name"),
    .severity = SYSLOG_ECS("severity", "name"),
};

static const struct option OPTIONS[] = {
    {
        .name = "syslog_pri_field_name",
        .doc =
            "Field that holds the priority; default syslog_pri, with ECS [log][syslog][priority].",
        OPTION_IN_FIELD(struct syslog_pri, field),
    },
    {
        .name = "use_labels",
        .doc = "Set the names as well as the codes.",
        OPTION_IN_BOOL(struct syslog_pri, use_labels),
        .def = "true",
    },
    {
        .name = "facility_labels",
        .doc = "Names of the facilities, from code 0.",
        OPTION_IN_STRINGS(struct syslog_pri, facility_labels),
        .def =
            "[\"kernel\",\"user-level\",\"mail\",\"daemon\",\"security/authorization\",\"syslogd\","
            "\"line printer\",\"network news\",\"uucp\",\"clock\",\"security/authorization\","
            "\"ftp\",\"ntp\",\"log audit\",\"log "
            "alert\",\"clock\",\"local0\",\"local1\",\"local2\","
            "\"local3\",\"local4\",\"local5\",\"local6\",\"local7\"]",
    },
    {
        .name = "severity_labels",
        .doc = "Names of the severities, from code 0.",
        OPTION_IN_STRINGS(struct syslog_pri, severity_labels),
        .def = "[\"emergency\",\"alert\",\"critical\",\"error\",\"warning\",\"notice\","
               "\"informational\",\"debug\"]",
    },
    OPTION_END,
};

static bool syslog_pri_open(void *plugin, const struct plugin_env *env, struct error *err)
{
    struct syslog_pri *self = plugin;
    (void)err;
    self->targets = env->ecs == ECS_DISABLED ? &PLAIN_FIELDS : &ECS_FIELDS;
    self->failures = env->counter(env, "failures");
    if (self->field.count == 0)
        self->field = self->targets->priority;
    return true;
}

/* Wide enough for any priority that somebody can mean; beyond it is 0. */
__extension__ typedef __int128 wide;

static wide wide_of_digits(struct str text)
{
    enum { DIGITS_MAX = 37 };
    bool negative = text.len > 0 && text.ptr[0] == '-';
    wide number = 0;
    for (size_t i = negative; i < text.len && text.len <= DIGITS_MAX; i++)
        number = number * 10 + (text.ptr[i] - '0');
    return negative ? -number : number;
}

static wide wide_of_double(double real)
{
    return real > -1e37 && real < 1e37 ? (wide)real : 0;
}

static wide wide_of_value(const struct value *number)
{
    if (value_type(number) == VALUE_INT)
        return value_as_int(number);
    if (value_type(number) == VALUE_BIG_INT)
        return wide_of_digits(value_as_str(number));
    return value_type(number) == VALUE_FLOAT ? wide_of_double(value_as_float(number)) : 0;
}

static wide priority_of(struct arena *arena, const struct value *value)
{
    if (!value || value_type(value) == VALUE_NULL ||
        (value_type(value) == VALUE_BOOL && !value_as_bool(value)))
        return DEFAULT_PRIORITY;
    if (value_type(value) == VALUE_ARRAY)
        return value_array_count(value) > 0 &&
                       value_type(value_array_at(value, 0)) != VALUE_ARRAY &&
                       value_type(value_array_at(value, 0)) != VALUE_NULL
                   ? priority_of(arena, value_array_at(value, 0))
                   : 0;
    if (!value_is_str(value))
        return wide_of_value(value);
    struct value read = ruby_to_i(arena, value_as_str(value));
    return wide_of_value(&read);
}

static struct value value_of_wide(struct arena *arena, wide number)
{
    char digits[48], *at = digits + sizeof digits;
    if (number >= INT64_MIN && number <= INT64_MAX)
        return value_int((int64_t)number);
    wide left = number < 0 ? -number : number;
    for (; left > 0; left /= 10)
        *--at = (char)('0' + (int)(left % 10));
    if (number < 0)
        *--at = '-';
    return value_big_int(arena_dup(arena, str_make(at, (size_t)(digits + sizeof digits - at))));
}

/* A number below 0 counts from the end, as in Ruby; a number without a label sets none. */
static bool set_label(struct event *event, const struct field_ref *field,
                      const struct option_strings *labels, wide number)
{
    wide count = (wide)labels->count, index = number < 0 ? number + count : number;
    return index < 0 || index >= count ||
           event_set(event, field, value_str(labels->items[(size_t)index]), NULL);
}

static bool set_labels(const struct syslog_pri *self, struct event *event, wide facility,
                       wide severity)
{
    return facility < (wide)self->facility_labels.count &&
           set_label(event, &self->targets->facility, &self->facility_labels, facility) &&
           set_label(event, &self->targets->severity, &self->severity_labels, severity);
}

static enum filter_result syslog_pri_apply(void *plugin, struct event *event,
                                           struct event_sink *more)
{
    const struct syslog_pri *self = plugin;
    (void)more;
    wide priority = priority_of(event->arena, event_get(event, &self->field));
    wide severity = priority & ((1 << SEVERITY_BITS) - 1);
    wide facility = (priority - severity) / (1 << SEVERITY_BITS);
    bool set =
        event_set(event, &self->targets->severity_code, value_int((int64_t)severity), NULL) &&
        event_set(event, &self->targets->facility_code, value_of_wide(event->arena, facility),
                  NULL);
    if (!set || (self->use_labels && !set_labels(self, event, facility, severity))) {
        counter_add(self->failures, 1);
        event_add_tag(event, STR("_syslogpriparsefailure"));
    }
    return FILTER_MATCHED; /* also with the tag */
}

const struct filter filter_syslog_pri = {
    .plugin =
        {
            .name = "syslog_pri",
            .summary = "Takes a syslog priority apart.",
            .options = OPTIONS,
            .size = sizeof(struct syslog_pri),
        },
    .open = syslog_pri_open,
    .apply = syslog_pri_apply,
};
