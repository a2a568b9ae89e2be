/* SPDX-License-Identifier: Apache-2.0
 *
 * email: a mail for each event, by SMTP. All lanes make mails, the main lane sends them, one at a time. An item of a group is
 * the sender and the recipients, each with its length in four bytes, and then the mail.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "io/mail_client.h"
#include "outputs/describe.h"
#include "outputs/email/mail.h"
#include "outputs/item_parts.h"
#include "outputs/outputs.h"
#include "pipeline/delivery/group.h"
#include "pipeline/program/evaluate.h"

enum {
    MAIL_BYTES_MAX = 32 * 1024 * 1024,
    ATTACHMENT_BYTES_MAX = 20 * 1024 * 1024, /* of a file */
    TIMEOUT_MS = 60 * 1000,
    RETRY_INITIAL_MS = 1000,
    RETRY_MAX_MS = 60 * 1000,
    LOG_WINDOW_MS = 10 * 1000,
};

enum { VIA_SMTP, VIA_SENDMAIL };

struct email_output {
    struct template to, from, replyto, cc, bcc, subject, body, htmlbody;
    struct option_strings attachments;
    struct str address, domain, username, password;
    int64_t port;
    int via, authentication;
    bool use_tls;
    const struct conf_plugin *codec;

    const struct plugin_env *env;
    struct mail_client *client;
    struct group *group; /* of one mail, which is being sent */
    struct log_limit log_limit;
};

static const char *const MECHANISMS[] = {"plain", "login", "cram_md5", NULL};
static const char *const MECHANISM_NAMES[] = {"PLAIN", "LOGIN", "CRAM-MD5"};
static const char *const WAYS[] = {"smtp", "sendmail", NULL};

/* ---- a mail --------------------------------------------------------------------------------------- */

static bool fill_in(const struct template *template, const struct event *event,
                    struct arena *scratch, struct str *out)
{
    *out = STR("");
    return !template->parts || template_text(template, event, scratch, out);
}

/* The two characters \n become a line break, as in Logstash. */
static struct str with_breaks(struct arena *scratch, struct str text)
{
    char *copy = arena_bytes(scratch, text.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        bool is_break = text.ptr[i] == '\\' && i + 1 < text.len && text.ptr[i + 1] == 'n';
        copy[len++] = is_break ? '\n' : text.ptr[i];
        i += is_break;
    }
    return str_make(copy, len);
}

static bool read_attachment(struct arena *scratch, struct str path, struct mail_attachment *out,
                            struct error *err)
{
    const char *name = arena_cstr(scratch, path), *slash = strrchr(name, '/');
    FILE *file = fopen(name, "re");
    if (!file)
        return error_set(err, ERROR_IO, "cannot attach '%s': %s", name, strerror(errno));
    struct buf content;
    buf_init(&content, ATTACHMENT_BYTES_MAX + 1);
    size_t got = 1;
    while (got > 0 && buf_reserve(&content, 1)) {
        got = fread(content.ptr + content.len, 1, content.capacity - content.len, file);
        content.len += got;
    }
    bool fits = !ferror(file) && content.len <= ATTACHMENT_BYTES_MAX;
    fclose(file);
    *out = (struct mail_attachment){.name = str_from(slash ? slash + 1 : name),
                                    .content = arena_dup(scratch, buf_str(&content))};
    buf_release(&content);
    return fits ||
           error_set(err, ERROR_LIMIT, "cannot attach '%s': it is larger than 20 MiB", name);
}

static bool fill_mail(const struct email_output *output, const struct event *event,
                      struct arena *scratch, struct mail *mail, struct error *err)
{
    bool filled = fill_in(&output->from, event, scratch, &mail->from) &&
                  fill_in(&output->to, event, scratch, &mail->to) &&
                  fill_in(&output->cc, event, scratch, &mail->cc) &&
                  fill_in(&output->replyto, event, scratch, &mail->reply_to) &&
                  fill_in(&output->subject, event, scratch, &mail->subject) &&
                  fill_in(&output->body, event, scratch, &mail->text) &&
                  fill_in(&output->htmlbody, event, scratch, &mail->html);
    if (!filled)
        return error_set(err, ERROR_FORMAT, "no mail can be made of this event");
    mail->text = with_breaks(scratch, mail->text);
    mail->date = output->env->now();
    for (size_t i = 0; i < 2; i++)
        mail->random[i] = output->env->random(output->env->random_ctx);
    struct mail_attachment *attachments =
        arena_alloc(scratch, (output->attachments.count + 1) * sizeof *attachments);
    for (size_t i = 0; i < output->attachments.count; i++)
        if (!read_attachment(scratch, output->attachments.items[i], &attachments[i], err))
            return false;
    mail->attachments = attachments;
    mail->attachment_count = output->attachments.count;
    return true;
}

/* ---- items ---------------------------------------------------------------------------------------- */

static bool append_recipients(const struct email_output *output, const struct event *event,
                              const struct mail *mail, struct arena *scratch, struct buf *out)
{
    struct str bcc;
    struct buf list;
    buf_init(&list, MAIL_BYTES_MAX);
    bool ok = fill_in(&output->bcc, event, scratch, &bcc) &&
              mail_append_addresses(mail->to, &list) && mail_append_addresses(mail->cc, &list) &&
              mail_append_addresses(bcc, &list) && item_append_part(out, buf_str(&list));
    buf_release(&list);
    return ok;
}

static enum encode_result email_encode(void *self, const struct event *event, struct arena *scratch,
                                       struct buf *out, struct error *err)
{
    struct email_output *output = self;
    struct mail mail = {.text = STR("")};
    struct buf sender;
    if (!fill_mail(output, event, scratch, &mail, err))
        return ENCODE_REFUSED;
    buf_init(&sender, MAIL_BYTES_MAX);
    bool fits = mail_append_addresses(mail.from, &sender) &&
                item_append_part(out, buf_str(&sender)) &&
                append_recipients(output, event, &mail, scratch, out) && mail_append(&mail, out);
    buf_release(&sender);
    return fits ? ENCODE_DONE : ENCODE_FULL;
}

/* ---- sending -------------------------------------------------------------------------------------- */

static void answer(struct email_output *output, enum verdict verdict, struct str reason)
{
    struct group *group = output->group;
    output->group = NULL;
    group_answer_all(group, verdict, reason);
    group_answered(group);
}

static void give_back(struct email_output *output, enum send_cause cause, const char *reason)
{
    struct group *group = output->group;
    output->group = NULL;
    group_done(group, &(struct send_result){.cause = cause, .reason = str_from(reason)});
}

static void on_done(void *ctx, enum mail_outcome outcome, const char *reason)
{
    struct email_output *output = ctx;
    uint64_t suppressed;
    assert(output->group);
    if (outcome == MAIL_SENT) {
        answer(output, VERDICT_DELIVERED, STR(""));
    } else if (outcome == MAIL_REFUSED) {
        answer(output, VERDICT_REFUSED, str_from(reason));
    } else {
        if (log_limit_allow(&output->log_limit, clock_monotonic_ms(), &suppressed))
            log_warn(output->env->log, "mail_waits", "a mail cannot be sent, trying again",
                     LOG_CSTR("reason", reason), LOG_INT_IF("not_logged_before", suppressed));
        give_back(output, SEND_UNREACHABLE, reason);
    }
}

static void email_send(void *self, struct group *group)
{
    struct email_output *output = self;
    assert(!output->group && group_count(group) == 1);
    struct str item = group_item(group, 0);
    struct str from = item_take_part(&item), recipients = item_take_part(&item);
    output->group = group;
    if (!mail_client_send(output->client, from, recipients, item))
        answer(output, VERDICT_REFUSED, STR("from, to, cc or bcc gives no address"));
}

static void email_recall(void *self)
{
    struct email_output *output = self;
    if (!output->group || !group_waits_too_long(output->group) ||
        !mail_client_is_waiting(output->client))
        return;
    mail_client_cancel(output->client);
    give_back(output, SEND_STOPPED, "");
}

static void email_stop(void *self)
{
    struct email_output *output = self;
    if (!output->group)
        return;
    mail_client_cancel(output->client);
    give_back(output, SEND_STOPPED, "the output stops");
}

/* ---- the output ----------------------------------------------------------------------------------- */

static bool email_check(void *self, const struct plugin_env *env, struct error *err)
{
    const struct email_output *output = self;
    (void)env;
    if (output->via == VIA_SENDMAIL)
        return error_set(err, ERROR_CONFIG,
                         "via => sendmail is not there: send to the SMTP port of this machine, or "
                         "use output 'pipe' with command => [\"sendmail\", \"-t\"]");
    if ((output->username.len > 0) != (output->password.len > 0))
        return error_set(err, ERROR_CONFIG, "username and password belong together");
    return true;
}

static bool email_open_encoder(void *self, const struct plugin_env *env, struct error *err)
{
    struct email_output *output = self;
    output->env = env;
    return email_check(self, env, err);
}

static bool email_open(void *self, const struct plugin_env *env, struct output_limits *limits,
                       struct error *err)
{
    struct email_output *output = self;
    bool login = output->username.len > 0;
    struct mail_client_options options = {
        .loop = env->loop,
        .host = output->address.ptr, /* texts of options have a NUL behind them */
        .domain = output->domain.ptr,
        .port = (unsigned)output->port,
        .user = login ? output->username.ptr : NULL,
        .password = login ? output->password.ptr : NULL,
        .mechanism = login ? MECHANISM_NAMES[output->authentication] : NULL,
        .use_tls = output->use_tls,
        .timeout_ms = TIMEOUT_MS,
        .done = on_done,
        .ctx = output,
    };
    (void)err;
    output->client = mail_client_new(&options);
    output->log_limit = (struct log_limit){.window_ms = LOG_WINDOW_MS, .burst = 1};
    *limits = (struct output_limits){
        .max_items = 1,
        .max_bytes = MAIL_BYTES_MAX,
        .max_in_flight = 1,
        .flush_ms = 0,
        .retry_initial_ms = RETRY_INITIAL_MS,
        .retry_max_ms = RETRY_MAX_MS,
    };
    return true;
}

static void email_close(void *self)
{
    struct email_output *output = self;
    assert(!output->group);
    mail_client_close(output->client);
    output->client = NULL;
}

#define ROW(kind, member) OPTION_IN_##kind(struct email_output, member)

static const struct option email_rows[] = {
    {
        .name = "to",
        .doc = "Recipients, with commas between them.",
        ROW(TEMPLATE, to),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "from",
        .doc = "The sender.",
        ROW(TEMPLATE, from),
        .def = "logstash.alert@example.com",
    },
    {
        .name = "replyto",
        .doc = "Where answers go.",
        ROW(TEMPLATE, replyto),
    },
    {
        .name = "cc",
        .doc = "Further recipients.",
        ROW(TEMPLATE, cc),
    },
    {
        .name = "bcc",
        .doc = "Recipients that the others do not see.",
        ROW(TEMPLATE, bcc),
    },
    {
        .name = "subject",
        .doc = "The subject.",
        ROW(TEMPLATE, subject),
        .def = "",
    },
    {
        .name = "body",
        .doc = "The text; \\n in it is a line break.",
        ROW(TEMPLATE, body),
        .def = "",
    },
    {
        .name = "htmlbody",
        .doc = "The same as HTML, beside the text. What comes from the event is not escaped.",
        ROW(TEMPLATE, htmlbody),
    },
    {
        .name = "attachments",
        .doc = "Files to attach, as they are when the event comes.",
        ROW(STRINGS, attachments),
    },
    {
        .name = "address",
        .doc = "Name or address of the SMTP server.",
        ROW(STRING, address),
        .def = "localhost",
    },
    {
        .name = "port",
        .doc = "Its port.",
        ROW(INT, port),
        .min = 1,
        .max = 65535,
        .def = "25",
    },
    {
        .name = "domain",
        .doc = "The name that we greet with.",
        ROW(STRING, domain),
        .def = "localhost",
    },
    {
        .name = "username",
        .doc = "Who we are, where the server asks.",
        ROW(STRING, username),
    },
    {
        .name = "password",
        .doc = "The password.",
        ROW(PASSWORD, password),
    },
    {
        .name = "authentication",
        .doc = "How both are told.",
        ROW(CHOICE, authentication),
        .choices = MECHANISMS,
        .def = "plain",
    },
    {
        .name = "use_tls",
        .doc = "Go on by TLS where the server offers it (STARTTLS).",
        ROW(BOOL, use_tls),
        .def = "false",
    },
    {
        .name = "via",
        .doc = "smtp; sendmail is refused, with what to do instead.",
        ROW(CHOICE, via),
        .choices = WAYS,
        .def = "smtp",
    },
    {
        .name = "template_file",
        .doc = "A Mustache template for the HTML body.",
        .note = "write the HTML into htmlbody, with %{field} where the event's fields go",
        OPTION_NOWHERE,
        .flags = OPTION_UNSUPPORTED,
    },
    {
        .name = "contenttype",
        .doc = "Has no effect in Logstash either: a mail is text, or text and HTML.",
        .note = "leave it out",
        OPTION_NOWHERE,
        .flags = OPTION_IGNORED,
    },
    {
        .name = "debug",
        .doc = "Show what is said to the server.",
        .note = "a mail that is refused or waits is in the log",
        OPTION_NOWHERE,
        .flags = OPTION_IGNORED,
    },
    {
        .name = "codec",
        .doc = "Has no effect: subject and body say what is told of the event.",
        ROW(CODEC, codec),
    },
    OPTION_END,
};

static struct str email_describe_item(const void *self, struct str item, struct arena *arena,
                                      struct value *object)
{
    (void)self;
    struct str from = item_take_part(&item), recipients = item_take_part(&item);
    describe_text(arena, object, "from", from);
    describe_text(arena, object, "to", recipients);
    return item;
}

/* Names of options; struct output says what for. */
static const char *const SENT_BY[] = {"address", "port", "domain", "authentication",
                                      "use_tls", "via",  "debug",  NULL};

const struct output output_email = {
    .plugin = {.name = "email",
               .summary = "a mail for each event, by SMTP",
               .options = email_rows,
               .size = sizeof(struct email_output),
               .scope = SCOPE_PIPELINE,
               .check = email_check},
    .sent_by = SENT_BY,
    .open_encoder = email_open_encoder,
    .open = email_open,
    .encode = email_encode,
    .describe_item = email_describe_item,
    .refuses = true,
    .send = email_send,
    .recall = email_recall,
    .stop = email_stop,
    .close = email_close,
};
