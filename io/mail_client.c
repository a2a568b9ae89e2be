/* SPDX-License-Identifier: Apache-2.0 */
#include "io/mail_client.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>

#include "base/mem.h"
#include "io/curl_loop.h"

enum { ADDRESS_MAX = 320, RECIPIENTS_MAX = 1000, URL_MAX = 600, REFUSALS_FROM = 500 };

struct mail_client {
    struct curl_loop curl;
    CURL *easy;
    struct curl_slist *recipients;
    struct str rest; /* of the message, to be sent */
    bool sending, was_asked;
    void (*done)(void *ctx, enum mail_outcome outcome, const char *reason);
    void *ctx;
    char error[CURL_ERROR_SIZE];
};

static pthread_once_t curl_started = PTHREAD_ONCE_INIT;

static void start_curl(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        mem_abort("curl_global_init");
}

/* ---- one mail ------------------------------------------------------------------------------------- */

static size_t on_wanted(char *room, size_t size, size_t count, void *ctx)
{
    struct mail_client *client = ctx;
    client->was_asked = true;
    size_t len = size * count < client->rest.len ? size * count : client->rest.len;
    memcpy(room, client->rest.ptr, len);
    client->rest = str_from_offset(client->rest, len);
    return len;
}

static void finish(struct mail_client *client)
{
    client->sending = false;
    curl_slist_free_all(client->recipients);
    client->recipients = NULL;
}

static enum mail_outcome outcome_of(CURL *easy, CURLcode code)
{
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK)
        return MAIL_SENT;
    return status >= REFUSALS_FROM ? MAIL_REFUSED : MAIL_UNREACHABLE;
}

static void on_finished(struct curl_loop *curl, CURL *easy, CURLcode code)
{
    struct mail_client *client = (struct mail_client *)(void *)curl;
    enum mail_outcome outcome = outcome_of(easy, code);
    if (code != CURLE_OK && !client->error[0])
        snprintf(client->error, sizeof client->error, "%s", curl_easy_strerror(code));
    finish(client);
    client->done(client->ctx, outcome, outcome == MAIL_SENT ? "" : client->error);
}

static bool address_is_safe(struct str address)
{
    if (address.len == 0 || address.len > ADDRESS_MAX)
        return false;
    for (size_t i = 0; i < address.len; i++)
        if ((unsigned char)address.ptr[i] <= ' ' || strchr("<>,;\x7f", address.ptr[i]))
            return false;
    return true;
}

static bool add_recipients(struct mail_client *client, struct str recipients)
{
    for (size_t count = 0; recipients.len > 0; count++) {
        const char *end = memchr(recipients.ptr, '\n', recipients.len);
        struct str one =
            str_make(recipients.ptr, end ? (size_t)(end - recipients.ptr) : recipients.len);
        char text[ADDRESS_MAX + 3];
        if (!address_is_safe(one) || count == RECIPIENTS_MAX)
            return false;
        snprintf(text, sizeof text, "<%.*s>", STR_FMT(one));
        client->recipients = curl_slist_append(client->recipients, text);
        recipients = str_from_offset(recipients, one.len + 1);
    }
    return client->recipients != NULL;
}

bool mail_client_send(struct mail_client *client, struct str from, struct str recipients,
                      struct str message)
{
    char sender[ADDRESS_MAX + 3];
    assert(!client->sending && !client->recipients);
    if (!address_is_safe(from) || !add_recipients(client, recipients)) {
        finish(client);
        return false;
    }
    snprintf(sender, sizeof sender, "<%.*s>", STR_FMT(from));
    curl_easy_setopt(client->easy, CURLOPT_MAIL_FROM, sender);
    curl_easy_setopt(client->easy, CURLOPT_MAIL_RCPT, client->recipients);
    client->rest = message;
    client->error[0] = '\0';
    client->sending = true;
    client->was_asked = false;
    curl_loop_add(&client->curl, client->easy);
    return true;
}

bool mail_client_is_waiting(const struct mail_client *client)
{
    return client->sending && !client->was_asked;
}

void mail_client_cancel(struct mail_client *client)
{
    if (!client->sending)
        return;
    curl_loop_hang_up(&client->curl);
    curl_loop_remove(&client->curl, client->easy);
    finish(client);
}

/* ---- the client ----------------------------------------------------------------------------------- */

static void on_settled(struct curl_loop *curl)
{
    (void)curl;
}

static void on_closed(struct curl_loop *curl)
{
    mem_free(curl);
}

static void set_login(CURL *easy, const struct mail_client_options *options)
{
    char login[64];
    if (!options->user)
        return;
    curl_easy_setopt(easy, CURLOPT_USERNAME, options->user);
    curl_easy_setopt(easy, CURLOPT_PASSWORD, options->password ? options->password : "");
    if (!options->mechanism)
        return;
    snprintf(login, sizeof login, "AUTH=%s", options->mechanism);
    curl_easy_setopt(easy, CURLOPT_LOGIN_OPTIONS, login);
}

static void set_options(struct mail_client *client, const struct mail_client_options *options)
{
    char url[URL_MAX];
    CURL *easy = client->easy;
    snprintf(url, sizeof url, "smtp://%s:%u/%s", options->host, options->port, options->domain);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_wanted);
    curl_easy_setopt(easy, CURLOPT_READDATA, client);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, client->error);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)options->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_USE_SSL, options->use_tls ? CURLUSESSL_TRY : CURLUSESSL_NONE);
    set_login(easy, options);
}

struct mail_client *mail_client_new(const struct mail_client_options *options)
{
    pthread_once(&curl_started, start_curl);
    struct mail_client *client = mem_zero(1, sizeof *client);
    client->done = options->done;
    client->ctx = options->ctx;
    client->easy = curl_easy_init();
    if (!client->easy)
        mem_abort("curl_easy_init");
    client->curl.finished = on_finished;
    client->curl.settled = on_settled;
    client->curl.closed = on_closed;
    curl_loop_init(&client->curl, options->loop);
    curl_loop_prepare(&client->curl, client->easy);
    set_options(client, options);
    return client;
}

void mail_client_close(struct mail_client *client)
{
    if (!client)
        return;
    mail_client_cancel(client);
    curl_loop_hang_up(&client->curl);
    curl_easy_cleanup(client->easy);
    curl_loop_close(&client->curl);
}
