/* SPDX-License-Identifier: Apache-2.0
 *
 * Avro schemas: the JSON text of one, as a graph of types; a record may hold itself. It is part of the configuration and is
 * trusted as that is, but has limits all the same, because it may have come over the network. Everything lives in the arena,
 * is never changed afterwards and may be read on any thread.
 */
#ifndef MILLRACE_CODECS_AVRO_AVRO_SCHEMA_H
#define MILLRACE_CODECS_AVRO_AVRO_SCHEMA_H

#include "base/arena.h"
#include "base/error.h"
#include "pipeline/event/event_json.h"

enum {
    AVRO_SCHEMA_MAX_BYTES = 1024 * 1024,
    AVRO_SCHEMA_MAX_TYPES = 20000,
    AVRO_SCHEMA_MAX_DEPTH = 60, /* of types written inside each other */
    AVRO_FIXED_MAX_BYTES = 1024 * 1024,
    AVRO_DECIMAL_MAX_DIGITS = 38, /* 16 bytes; with more, a decimal is left as its bytes */
    AVRO_DECIMAL_MAX_BYTES = 16,
};

enum avro_type {
    AVRO_NULL,
    AVRO_BOOLEAN,
    AVRO_INT,
    AVRO_LONG,
    AVRO_FLOAT,
    AVRO_DOUBLE,
    AVRO_BYTES,
    AVRO_STRING,
    AVRO_FIXED,
    AVRO_ENUM,
    AVRO_ARRAY,
    AVRO_MAP,
    AVRO_UNION,
    AVRO_RECORD,
};

/* What else a type means. Others (uuid, time-millis, local-timestamp-millis, …) are read as the type that they stand on, as
 * the library does that Logstash uses. */
enum avro_meaning {
    AVRO_PLAIN,
    AVRO_DATE,
    AVRO_TIMESTAMP_MILLIS,
    AVRO_TIMESTAMP_MICROS,
    AVRO_TIMESTAMP_NANOS,
    AVRO_DECIMAL,
};

struct avro_schema;

struct avro_field {
    struct str name;
    const struct avro_schema *type;
};

struct avro_schema {
    enum avro_type type;
    enum avro_meaning meaning;
    size_t size;               /* FIXED: bytes */
    unsigned precision, scale; /* DECIMAL */
    size_t count;              /* RECORD: fields; UNION: branches; ENUM: symbols */
    struct avro_field *fields;
    struct str *symbols;
    const struct avro_schema **branches; /* UNION; of an ARRAY or a MAP the one type of its items */
};

/* NULL and *err when the text is no schema. */
const struct avro_schema *avro_schema_parse(struct arena *arena, struct json_reader *reader,
                                            struct str text, struct error *err);

#endif
