/* SPDX-License-Identifier: Apache-2.0
 *
 * The values of a field in a document: all of them, through arrays and through objects whether a path is written
 * {"a":{"b":1}} or {"a.b":1}; and each as the field's type has it.
 */
#ifndef MILLRACE_SERVICES_STORE_MAPPING_FIELD_READER_H
#define MILLRACE_SERVICES_STORE_MAPPING_FIELD_READER_H

#include "services/store/api_error.h"
#include "services/store/mapping/field_value.h"

enum term_kind { TERM_TEXT, TERM_INTEGER, TERM_REAL, TERM_IP };

/* A value as it is compared: dates are milliseconds, booleans 0 and 1. */
struct term {
    enum term_kind kind;
    union {
        struct str text;
        int64_t integer;
        double real;
        struct ip_network ip;
    } as;
};

struct field_reader {
    const struct field *field;
    size_t count;
    struct str parts[MAPPING_DEPTH_MAX + 2]; /* of the path; they lie in one text */
};

void field_reader_init(struct field_reader *reader, const struct field *field);

/* Called for each value that is not null; false ends the walk. */
typedef bool field_visit(void *ctx, const struct value *value);
/* False when a visit ended it. */
bool field_reader_each(const struct field_reader *reader, const struct value *document,
                       field_visit *visit, void *ctx);

/* A buffer for a number that a keyword holds. */
enum { TERM_TEXT_MAX = 32 };
/* False when the field does not have the value: it is malformed, or longer than ignore_above. */
bool term_of_value(const struct field *field, const struct value *value, char buffer[TERM_TEXT_MAX],
                   struct term *out);
enum term_kind term_kind_of_field(const struct field *field);
/* A real as the type keeps it. */
double field_round_real(enum field_type type, double real);
/* Numbers of different kinds by their value, else kinds are in an order. */
int term_compare(const struct term *a, const struct term *b);
/* An address as 16 bytes that sort as it does. True. */
enum { IP_KEY_BYTES = 16 };
bool ip_key(const struct ip_network *ip, char out[IP_KEY_BYTES]);
int ip_compare(const struct ip_network *a, const struct ip_network *b); /* IPv4 lies within IPv6 */

/* Sorting, aggregations and doc values need one value of a field for each document, which text has not. False with the words
 * of the server; path: as the request names the field. */
bool field_need_no_text(const struct field *field, struct str path, struct api_error *err);
/* The same, and the field must keep doc values. */
bool field_need_doc_values(const struct field *field, struct str path, struct api_error *err);

#endif
