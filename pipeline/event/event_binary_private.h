/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers of the form in event_binary.h, for the two that write and read it. Never renumbered.
 */
#ifndef MILLRACE_PIPELINE_EVENT_EVENT_BINARY_PRIVATE_H
#define MILLRACE_PIPELINE_EVENT_EVENT_BINARY_PRIVATE_H

/* Marks of an event. */
enum {
    MARK_ORIGIN = 1,
    MARK_SAME_ORIGIN = 2, /* the record is that of the event before */
    MARK_MADE = 4,        /* by filters, or filters made others of it */
    MARK_METADATA = 8,
    MARK_VALUES = 16, /* metadata and fields have a type in front of them */
    MARKS_KNOWN = 31,
};

/* Types. */
enum {
    WRITTEN_NULL,
    WRITTEN_FALSE,
    WRITTEN_TRUE,
    WRITTEN_INT,
    WRITTEN_FLOAT,
    WRITTEN_DECIMAL,
    WRITTEN_BIG_INT,
    WRITTEN_STRING,
    WRITTEN_TIMESTAMP,
    WRITTEN_ARRAY,
    WRITTEN_OBJECT,
    WRITTEN_SHAPED, /* an object whose keys were written before, or are now for those behind it */
    WRITTEN_JSON,   /* a container as the JSON that it is: nobody has looked into it */
    WRITTEN_JSON_DECIMALS, /* the same, of a decoder that keeps decimals */
};

enum { NUMBER_MAX_BYTES = 10, FIXED_BYTES = 8 };

#endif
