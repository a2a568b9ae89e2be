/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs/syslog/fields.h"

#define SYSLOG(path, ...)                                                                          \
    {                                                                                              \
        .text = STR_INIT("[log][syslog]" path), .root = FIELD_ROOT_EVENT,                          \
        .parts = (struct field_part[]){FIELD_PART("log"), FIELD_PART("syslog"), __VA_ARGS__},      \
        .count = 2 + sizeof((struct field_part[]){__VA_ARGS__}) / sizeof(struct field_part)        \
    }

const struct syslog_fields syslog_plain_fields = {
    .sender = FIELD_REF_TOP("host"),
    .priority = FIELD_REF_TOP("priority"),
    .severity = FIELD_REF_TOP("severity"),
    .severity_label = FIELD_REF_TOP("severity_label"),
    .facility = FIELD_REF_TOP("facility"),
    .facility_label = FIELD_REF_TOP("facility_label"),
    .host = FIELD_REF_TOP("logsource"),
    .program = FIELD_REF_TOP("program"),
    .pid = FIELD_REF_TOP("pid"),
    .procid = FIELD_REF_TOP("pid"),
    .version = FIELD_REF_TOP("version"),
    .msgid = FIELD_REF_TOP("msgid"),
    .data = FIELD_REF_TOP("structured_data"),
};

const struct syslog_fields syslog_ecs_fields = {
    .sender = FIELD_REF_BELOW("host", "ip"),
    .priority = SYSLOG("[priority]", FIELD_PART("priority")),
    .severity = SYSLOG("[severity][code]", FIELD_PART("severity"), FIELD_PART("code")),
    .severity_label = SYSLOG("[severity][name]", FIELD_PART("severity"), FIELD_PART("name")),
    .facility = SYSLOG("[facility][code]", FIELD_PART("facility"), FIELD_PART("code")),
    .facility_label = SYSLOG("[facility][name]", FIELD_PART("facility"), FIELD_PART("name")),
    .host = FIELD_REF_BELOW("host", "hostname"),
    .program = FIELD_REF_BELOW("process", "name"),
    .pid = FIELD_REF_BELOW("process", "pid"),
    .procid = SYSLOG("[procid]", FIELD_PART("procid")),
    .version = SYSLOG("[version]", FIELD_PART("version")),
    .msgid = SYSLOG("[msgid]", FIELD_PART("msgid")),
    .data = SYSLOG("[structured_data]", FIELD_PART("structured_data")),
};
