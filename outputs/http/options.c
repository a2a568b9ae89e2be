/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs/http/http.h"
#include "outputs/http/request.h"

/* In the order of enum http_method. */
static const char *const methods[] = {"get", "head", "post", "put", "patch", "delete", NULL};
static const char *const formats[] = {"json", "json_batch", "form", "message", NULL};

#define DROPPED_ROW(row_name, row_doc, row_note)                                                   \
    {                                                                                              \
        .name = row_name, .doc = row_doc, .note = row_note, OPTION_NOWHERE,                        \
        .flags = OPTION_DEPRECATED | OPTION_IGNORED,                                               \
    }

const struct option http_option_rows[] = {
    {
        .name = "url",
        .doc = "Where requests go; with json_batch without fields.",
        OPTION_IN_TEMPLATE(struct http_options, url),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "http_method",
        .doc = "The method of the requests.",
        OPTION_IN_CHOICE(struct http_options, method),
        .choices = methods,
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "format",
        .doc = "What the body is: the event as JSON, a list of events, a form, or a text.",
        OPTION_IN_CHOICE(struct http_options, format),
        .choices = formats,
        .def = "json",
    },
    {
        .name = "mapping",
        .doc = "The body instead of the whole event; every text in it may have fields.",
        OPTION_IN_HASH(struct http_options, mapping),
    },
    {
        .name = "message",
        .doc = "The body with format => message.",
        OPTION_IN_TEMPLATE(struct http_options, message),
    },
    {
        .name = "headers",
        .doc = "Headers; values may have fields, but with json_batch.",
        OPTION_IN_HASH(struct http_options, headers),
    },
    {
        .name = "content_type",
        .doc = "The body's type; by default as the format says.",
        OPTION_IN_STRING(struct http_options, content_type),
    },
    {
        .name = "verify_ssl",
        .doc = "The old form of ssl_verification_mode.",
        .note = "write ssl_verification_mode => full or none",
        OPTION_IN_CHOICE(struct http_options, connection.tls.verification),
        .choices = client_true_false,
        .flags = OPTION_DEPRECATED,
    },
    {
        .name = "ssl_certificate_validation",
        .doc = "The old form of ssl_verification_mode.",
        .note = "write ssl_verification_mode => full or none",
        OPTION_IN_CHOICE(struct http_options, connection.tls.verification),
        .choices = client_true_false,
        .flags = OPTION_DEPRECATED,
    },
    DROPPED_ROW("concurrent_requests", "Requests at once.", "write pool_max"),
    {
        .name = "http_compression",
        .doc = "Compress bodies with gzip.",
        OPTION_IN_BOOL(struct http_options, http_compression),
        .def = "false",
    },
    {
        .name = "retry_failed",
        .doc = "Try again what could not be delivered; else it is refused.",
        OPTION_IN_BOOL(struct http_options, retry_failed),
        .def = "true",
    },
    {
        .name = "retryable_codes",
        .doc = "Statuses after which a request is tried again.",
        OPTION_IN_STRINGS(struct http_options, retryable_codes),
    },
    {
        .name = "ignorable_codes",
        .doc = "Statuses, besides 2xx, that count as success.",
        OPTION_IN_STRINGS(struct http_options, ignorable_codes),
    },
    {
        .name = "retry",
        .doc =
            "What becomes of events whose request is answered with a status: \"429\" or \"5xx\" => "
            "retry, dead_letter, drop or hold; before the codes above (ours).",
        OPTION_IN_HASH(struct http_options, retry),
    },
    {
        .name = "retry_max_attempts",
        .doc =
            "How often an event is sent while it is answered with a status to be tried again; then "
            "it becomes a dead letter. 0: any number. What is said of the destination as a whole "
            "(429, 502 to 504, it cannot be reached) does not count (ours).",
        OPTION_IN_INT(struct http_options, retry_max_attempts),
        .min = 0,
        .max = 65535,
        .def = "0",
    },
    {
        .name = "retry_max_age",
        .doc = "How old an event may be when it is answered with a wish for another try; an older "
               "one becomes a dead letter. 0: any age (ours).",
        OPTION_IN_DURATION_MS(struct http_options, retry_max_age_ms),
        .min = 0,
        .max = 2073600000,
        .def = "0",
    },
    CLIENT_CONNECTION_OPTIONS(struct http_options, connection),
    OPTION_END,
};

static bool check_headers(const struct http_options *options, struct error *err)
{
    struct http_headers *headers = client_headers(&options->headers, err);
    http_headers_free(headers);
    return headers != NULL;
}

static bool check_codes(const char *option, const struct option_strings *codes, struct error *err)
{
    for (size_t i = 0; i < codes->count; i++) {
        int64_t code;
        if (!str_to_int(codes->items[i], &code) || code < 100 || code > 999)
            return error_set(err, ERROR_CONFIG, "%s: '%.*s' is not a status", option,
                             STR_FMT(codes->items[i]));
    }
    return true;
}

bool http_options_check(void *self, const struct plugin_env *env, struct error *err)
{
    struct http_options *options = self;
    if (options->url.is_literal && !client_url_is_valid(options->url.text))
        return error_set(err, ERROR_CONFIG, "url does not begin with http:// or https://");
    if (options->format == HTTP_FORMAT_MESSAGE && !options->message.parts)
        return error_set(err, ERROR_CONFIG, "format => message needs message");
    return client_connection_check(&options->connection, err) && check_headers(options, err) &&
           check_codes("retryable_codes", &options->retryable_codes, err) &&
           check_codes("ignorable_codes", &options->ignorable_codes, err) &&
           retry_rules_parse(env->arena, &options->retry, false, &options->retry_rules, err);
}
