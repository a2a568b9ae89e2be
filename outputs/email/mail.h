/* SPDX-License-Identifier: Apache-2.0
 *
 * A mail as it goes over the wire (RFC 5322, MIME): headers that nothing in a text can break, and bodies in forms that every server
 * takes. Pure.
 */
#ifndef MILLRACE_OUTPUTS_EMAIL_MAIL_H
#define MILLRACE_OUTPUTS_EMAIL_MAIL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "base/time/clock.h"

struct mail_attachment {
    struct str name, content;
};

struct mail {
    struct str from, to, cc, reply_to, subject; /* cc, reply_to empty: none */
    struct str text, html;                      /* html empty: none */
    const struct mail_attachment *attachments;
    size_t attachment_count;
    struct instant date;
    uint64_t random[2]; /* for Message-ID and boundaries */
};

/* False only when out is at its maximum. */
bool mail_append(const struct mail *mail, struct buf *out);
/* The addresses alone of "Name <a@b>, c@d", one on a line, appended to lists of others. False when out is at its maximum. */
bool mail_append_addresses(struct str list, struct buf *out);

#endif
