/* SPDX-License-Identifier: Apache-2.0
 *
 * The form of RFC 5424: <PRI>VERSION TIME HOST APP PROCID MSGID DATA MESSAGE, with "-" for what is not there. Pure; what it
 * finds points into the text.
 */
#ifndef MILLRACE_INPUTS_SYSLOG_RFC5424_H
#define MILLRACE_INPUTS_SYSLOG_RFC5424_H

#include "pipeline/event/value.h"

struct rfc5424 {
    int64_t priority;                                       /* 0..191 */
    struct str version, time, host, program, procid, msgid; /* empty: "-" */
    struct str data;    /* the elements as written; empty: "-" */
    struct str message; /* without a byte order mark */
};

/* False when the text is not of this form. */
bool rfc5424_read(struct str text, struct rfc5424 *out);
/* {id: {name: value}} of elements that rfc5424_read found. Of names that come twice the last counts. */
struct value rfc5424_data(struct arena *arena, struct str data);

#endif
