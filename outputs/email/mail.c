/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs/email/mail.h"

#include <stdio.h>

#include "base/base64.h"

enum {
    WORD_BYTES = 45, /* of a text in one encoded word, which has at most 75 characters */
    LINE_BYTES = 76, /* of base64 */
    PLAIN_LINE_MAX = 900,
};

/* ---- headers -------------------------------------------------------------------------------------- */

static bool is_plain(struct str text, size_t line_max)
{
    size_t line = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        bool is_break = byte == '\n';
        line = is_break ? 0 : line + 1;
        if (byte >= 127 || (byte < ' ' && !is_break && byte != '\t' && byte != '\r') ||
            line > line_max)
            return false;
    }
    return true;
}

/* Line breaks and other control characters would end the header. */
static struct str one_line(struct arena *arena, struct str text)
{
    char *copy = arena_bytes(arena, text.len + 1);
    for (size_t i = 0; i < text.len; i++)
        copy[i] = (unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 127 ? ' ' : text.ptr[i];
    return str_trim(str_make(copy, text.len));
}

static bool append_encoded(struct str bytes, struct buf *out)
{
    struct arena arena;
    arena_init(&arena, NULL);
    bool ok = buf_append_str(out, base64_encode(&arena, bytes));
    arena_release(&arena);
    return ok;
}

/* Not within a character. */
static size_t word_length(struct str text)
{
    size_t len = text.len < WORD_BYTES ? text.len : WORD_BYTES;
    while (len < text.len && len > 1 && ((unsigned char)text.ptr[len] & 0xc0) == 0x80)
        len--;
    return len;
}

static bool append_words(struct str text, struct buf *out)
{
    for (bool first = true; text.len > 0; first = false) {
        size_t len = word_length(text);
        if (!buf_append_str(out, first ? STR("=?UTF-8?B?") : STR("\r\n =?UTF-8?B?")) ||
            !append_encoded(str_make(text.ptr, len), out) || !buf_append_str(out, STR("?=")))
            return false;
        text = str_from_offset(text, len);
    }
    return true;
}

static bool append_header(const char *name, struct str value, bool encoded, struct buf *out)
{
    struct arena arena;
    arena_init(&arena, NULL);
    struct str line = one_line(&arena, value);
    bool ok = true;
    if (line.len > 0)
        ok = buf_printf(out, "%s: ", name) &&
             (encoded && !is_plain(line, PLAIN_LINE_MAX) ? append_words(line, out)
                                                         : buf_append_str(out, line)) &&
             buf_append_str(out, STR("\r\n"));
    arena_release(&arena);
    return ok;
}

static bool append_date(struct instant at, struct buf *out)
{
    static const char *const DAYS[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    static const char *const MONTHS[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct civil time = civil_from_instant(at);
    int weekday = civil_weekday(civil_to_days(time.year, time.month, time.day));
    return buf_printf(out, "Date: %s, %d %s %lld %02d:%02d:%02d +0000\r\n", DAYS[weekday - 1],
                      time.day, MONTHS[time.month - 1], (long long)time.year, time.hour,
                      time.minute, time.second);
}

static bool append_headers(const struct mail *mail, struct buf *out)
{
    return append_date(mail->date, out) && append_header("From", mail->from, false, out) &&
           append_header("To", mail->to, false, out) && append_header("Cc", mail->cc, false, out) &&
           append_header("Reply-To", mail->reply_to, false, out) &&
           append_header("Subject", mail->subject, true, out) &&
           buf_printf(out, "Message-ID: <%016llx%016llx@millrace>\r\nMIME-Version: 1.0\r\n",
                      (unsigned long long)mail->random[0], (unsigned long long)mail->random[1]);
}

/* ---- bodies --------------------------------------------------------------------------------------- */

static bool append_base64(struct str bytes, struct buf *out)
{
    struct arena arena;
    arena_init(&arena, NULL);
    bool ok = true;
    for (struct str rest = base64_encode(&arena, bytes); ok && rest.len > 0;
         rest = str_from_offset(rest, LINE_BYTES)) {
        struct str line = str_make(rest.ptr, rest.len < LINE_BYTES ? rest.len : LINE_BYTES);
        ok = buf_append_str(out, line) && buf_append_str(out, STR("\r\n"));
    }
    arena_release(&arena);
    return ok;
}

static bool append_lines(struct str text, struct buf *out)
{
    while (text.len > 0) {
        const char *end = memchr(text.ptr, '\n', text.len);
        size_t len = end ? (size_t)(end - text.ptr) : text.len;
        size_t shown = len > 0 && text.ptr[len - 1] == '\r' ? len - 1 : len;
        if (!buf_append(out, text.ptr, shown) || !buf_append_str(out, STR("\r\n")))
            return false;
        text = str_from_offset(text, len + 1);
    }
    return true;
}

static bool append_text(const char *type, struct str text, struct buf *out)
{
    bool plain = is_plain(text, PLAIN_LINE_MAX);
    return buf_printf(out,
                      "Content-Type: text/%s; charset=UTF-8\r\nContent-Transfer-Encoding: "
                      "%s\r\n\r\n",
                      type, plain ? "7bit" : "base64") &&
           (plain ? append_lines(text, out) : append_base64(text, out));
}

static bool append_boundary(const struct mail *mail, const char *kind, const char *behind,
                            struct buf *out)
{
    return buf_printf(out, "--%s-%016llx%s\r\n", kind, (unsigned long long)mail->random[1], behind);
}

static bool begin_parts(const struct mail *mail, const char *kind, struct buf *out)
{
    return buf_printf(out, "Content-Type: multipart/%s; boundary=\"%s-%016llx\"\r\n\r\n", kind,
                      kind, (unsigned long long)mail->random[1]);
}

static bool append_body(const struct mail *mail, struct buf *out)
{
    if (mail->html.len == 0)
        return append_text("plain", mail->text, out);
    return begin_parts(mail, "alternative", out) && append_boundary(mail, "alternative", "", out) &&
           append_text("plain", mail->text, out) && append_boundary(mail, "alternative", "", out) &&
           append_text("html", mail->html, out) && append_boundary(mail, "alternative", "--", out);
}

static bool append_attachment(const struct mail_attachment *attachment, struct buf *out)
{
    struct arena arena;
    arena_init(&arena, NULL);
    struct str name = one_line(&arena, attachment->name);
    char *safe = arena_cstr(&arena, name);
    for (size_t i = 0; i < name.len; i++)
        if (safe[i] == '"' || safe[i] == '\\')
            safe[i] = '_';
    bool ok = buf_printf(out,
                         "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: "
                         "base64\r\nContent-Disposition: attachment; filename=\"%s\"\r\n\r\n",
                         safe) &&
              append_base64(attachment->content, out);
    arena_release(&arena);
    return ok;
}

bool mail_append(const struct mail *mail, struct buf *out)
{
    if (!append_headers(mail, out))
        return false;
    if (mail->attachment_count == 0)
        return append_body(mail, out);
    bool ok = begin_parts(mail, "mixed", out) && append_boundary(mail, "mixed", "", out) &&
              append_body(mail, out);
    for (size_t i = 0; ok && i < mail->attachment_count; i++)
        ok = append_boundary(mail, "mixed", "", out) &&
             append_attachment(&mail->attachments[i], out);
    return ok && append_boundary(mail, "mixed", "--", out);
}

/* ---- addresses ------------------------------------------------------------------------------------ */

static struct str address_in(struct str entry)
{
    const char *open = memrchr(entry.ptr, '<', entry.len);
    const char *close = open ? memchr(open, '>', entry.len - (size_t)(open - entry.ptr)) : NULL;
    return open && close ? str_make(open + 1, (size_t)(close - open) - 1) : str_trim(entry);
}

/* Up to a comma that is not in the quotes of a name. */
static size_t entry_length(struct str list)
{
    bool quoted = false;
    size_t len = 0;
    for (; len < list.len && (quoted || list.ptr[len] != ','); len++) {
        if (list.ptr[len] == '\\' && quoted && len + 1 < list.len)
            len++;
        else if (list.ptr[len] == '"')
            quoted = !quoted;
    }
    return len;
}

bool mail_append_addresses(struct str list, struct buf *out)
{
    while (list.len > 0) {
        size_t len = entry_length(list);
        struct str address = address_in(str_make(list.ptr, len));
        if (address.len > 0 &&
            ((out->len > 0 && !buf_append_char(out, '\n')) || !buf_append_str(out, address)))
            return false;
        list = str_from_offset(list, len + 1);
    }
    return true;
}
