/* SPDX-License-Identifier: Apache-2.0
 *
 * A check of the connection: the questions of setup.h, asked once of every server, and nothing installed.
 */
#include "io/http_ask.h"
#include "outputs/elasticsearch/refusal.h"

enum { CHECK_TIMEOUT_MS = 15000 };

struct check {
    struct elasticsearch *output;
    struct host *host;
    struct arena arena;
    struct buf *said;
    struct error *err;
    struct http_answer answer;
};

static void ask(struct check *check, enum http_method method, struct str path)
{
    struct elasticsearch *output = check->output;
    struct http_request request = {
        .method = method,
        .url = hosts_url(&check->arena, &output->options, check->host, path),
        .headers = output->headers,
        .plain = true,
        .timeout_ms = CHECK_TIMEOUT_MS,
    };
    check->answer = http_ask(output->client, output->env->loop, &check->arena, request);
}

/* False, with what is wrong, unless the answer is a success or, where that is one too, 404. */
static bool is_good(struct check *check, const char *what, bool may_be_absent)
{
    struct str host = check->host->name;
    if (check->answer.outcome != HTTP_ANSWERED)
        return error_set(check->err, ERROR_IO, "%.*s: %.*s", STR_FMT(host),
                         STR_FMT(check->answer.error));
    if (check->answer.status / 100 == 2 || (may_be_absent && check->answer.status == 404))
        return true;
    struct str reason = refusal_reason(check->output->env->json, &check->arena, check->answer.body);
    const char *separator = reason.len > 0 ? ": " : "";
    const char *login = refusal_of_login(check->answer.status);
    if (login)
        return error_set(check->err, ERROR_IO, "%.*s: %s (user %.*s, status %d)%s%.*s",
                         STR_FMT(host), login, STR_FMT(refusal_user(check->output)),
                         check->answer.status, separator, STR_FMT(reason));
    return error_set(check->err, ERROR_IO, "%.*s: %s: status %d%s%.*s", STR_FMT(host), what,
                     check->answer.status, separator, STR_FMT(reason));
}

static bool check_version(struct check *check)
{
    ask(check, HTTP_GET, STR("/"));
    if (!is_good(check, "this is not Elasticsearch or OpenSearch", false))
        return false;
    struct server_identity identity =
        setup_identify(&check->output->setup, &check->arena, check->answer.body);
    if (identity.number.len == 0)
        return error_set(check->err, ERROR_IO,
                         "%.*s: it answers, but not as Elasticsearch or OpenSearch does",
                         STR_FMT(check->host->name));
    buf_printf(check->said, "%.*s: %.*s %.*s, user %.*s\n", STR_FMT(check->host->name),
               STR_FMT(identity.distribution), STR_FMT(identity.number),
               STR_FMT(refusal_user(check->output)));
    return true;
}

static bool check_template(struct check *check)
{
    struct index_template *template = &check->output->setup.template;
    if (!check->output->setup.manages_template)
        return true;
    ask(check, HTTP_HEAD, index_template_path(&check->arena, template));
    if (!is_good(check, "cannot ask for the index template", true))
        return false;
    bool installs = check->answer.status == 404 || check->output->options.template_overwrite;
    buf_printf(check->said, "%.*s: index template %.*s %s\n", STR_FMT(check->host->name),
               STR_FMT(template->name),
               installs ? "will be installed" : "is there and stays as it is");
    return true;
}

bool elasticsearch_connect(void *self, struct buf *said, struct error *err)
{
    struct elasticsearch *output = self;
    struct check check = {.output = output, .said = said, .err = err};
    arena_init(&check.arena, NULL);
    bool ok = true;
    for (size_t i = 0; ok && i < output->hosts.count; i++) {
        check.host = &output->hosts.items[i];
        ok = check_version(&check) && (i > 0 || check_template(&check));
    }
    arena_release(&check.arena);
    return ok;
}
