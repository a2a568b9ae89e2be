/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs/elasticsearch/options.h"

#include "outputs/elasticsearch/common_rows.h"
#include "outputs/elasticsearch/hosts.h"
#include "outputs/elasticsearch/index_template.h"

const char *const elasticsearch_script_types[] = {"inline", "indexed", "file", NULL};
const char *const elasticsearch_deduplicate[] = {"false", "true", "content", NULL};
const char *const elasticsearch_on_mapping_conflict[] = {"dead_letter", "stringify", "move", NULL};
static const char *const template_apis[] = {"auto", "legacy", "composable", NULL};

#define ILM_NOTE                                                                                   \
    "index lifecycles are the server's to manage: put the policy into the index template"

const struct option elasticsearch_option_rows[] = {
    SERVER_ROWS,
    {
        .name = "cloud_id",
        .doc = "Cloud id of an Elastic Cloud deployment, instead of hosts.",
        OPTION_IN_STRING(struct elasticsearch_options, cloud_id),
    },
    {
        .name = "cloud_auth",
        .doc = "USER:PASSWORD, instead of user and password.",
        OPTION_IN_PASSWORD(struct elasticsearch_options, cloud_auth),
        .flags = OPTION_SECRET,
    },
    {
        .name = "api_key",
        .doc = "API key as ID:KEY, instead of user and password.",
        OPTION_IN_PASSWORD(struct elasticsearch_options, api_key),
        .flags = OPTION_SECRET,
    },
    CLIENT_TLS_OPTIONS(struct elasticsearch_options, tls),
    CLIENT_OLD_TLS_OPTIONS(struct elasticsearch_options, tls),
    UNSUPPORTED_ROW("ca_trusted_fingerprint", "SHA-256 of a trusted certificate authority.",
                    "save the authority's certificate and name it in ssl_certificate_authorities"),
    {
        .name = "compression_level",
        .doc = "gzip level of request bodies, 0 to 9; 0 sends them as they are.",
        OPTION_IN_INT(struct elasticsearch_options, compression_level),
        .min = 0,
        .max = 9,
        .def = "0",
    },
    {
        .name = "http_compression",
        .doc = "The old form of compression_level.",
        .note = "write compression_level => 1, or 0",
        OPTION_IN_CHOICE(struct elasticsearch_options, http_compression),
        .choices = client_auto_true_false,
        .flags = OPTION_DEPRECATED,
    },
    DOCUMENT_ROWS,
    {
        .name = "template_api",
        .doc = "Which API installs the template; auto: as the template's own shape says.",
        OPTION_IN_CHOICE(struct elasticsearch_options, template_api),
        .choices = template_apis,
        .def = "auto",
    },
    {
        .name = "data_stream",
        .doc = "Whether documents go to data streams; auto: with ECS on and nothing against it.",
        OPTION_IN_CHOICE(struct elasticsearch_options, data_stream),
        .choices = client_auto_true_false,
        .def = "auto",
    },
    {
        .name = "data_stream_type",
        .doc = "First part of the data stream's name (logs).",
        OPTION_IN_STRING(struct elasticsearch_options, data_stream_type),
    },
    {
        .name = "data_stream_dataset",
        .doc = "Second part of the data stream's name (generic).",
        OPTION_IN_STRING(struct elasticsearch_options, data_stream_dataset),
    },
    {
        .name = "data_stream_namespace",
        .doc = "Third part of the data stream's name (default).",
        OPTION_IN_STRING(struct elasticsearch_options, data_stream_namespace),
    },
    {
        .name = "data_stream_auto_routing",
        .doc = "Take the parts of the name from the event's [data_stream].",
        OPTION_IN_CHOICE(struct elasticsearch_options, data_stream_auto_routing),
        .choices = client_true_false,
        .def = "true",
    },
    {
        .name = "data_stream_sync_fields",
        .doc = "Write the parts of the name into the document's [data_stream].",
        OPTION_IN_CHOICE(struct elasticsearch_options, data_stream_sync_fields),
        .choices = client_true_false,
        .def = "true",
    },
    IGNORED_ROW("ilm_enabled", "Whether index lifecycle management is set up.", ILM_NOTE),
    IGNORED_ROW("ilm_rollover_alias", "Alias that documents are written to.", ILM_NOTE),
    IGNORED_ROW("ilm_pattern", "Pattern of the indices behind the alias.", ILM_NOTE),
    IGNORED_ROW("ilm_policy", "Lifecycle policy of the indices.", ILM_NOTE),
    OPTION_END,
};

/* ---- data streams ------------------------------------------------------------------------------ */

/* The first option that says documents go to an index, NULL when there is none. */
static const char *index_option(const struct elasticsearch_options *options)
{
    const struct {
        const char *name;
        bool set;
    } rows[] = {
        {"index", options->index.parts},
        {"document_id", options->document_id.parts},
        {"action", options->action.parts && !str_equal(options->action.text, STR("create"))},
        {"version", options->version.parts},
        {"version_type", options->version_type.parts},
        {"parent", options->parent.parts},
        {"join_field", options->join_field.count > 0},
        {"upsert", options->upsert.parts},
        {"script", options->script.parts},
        {"doc_as_upsert", options->doc_as_upsert},
        {"scripted_upsert", options->scripted_upsert},
        {"manage_template", options->manage_template == SWITCH_TRUE},
        {"template", options->template.ptr},
        {"template_name", options->template_name.ptr},
        {"template_overwrite", options->template_overwrite},
        {"template_api", options->template_api != TEMPLATE_API_AUTO},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].set)
            return rows[i].name;
    return NULL;
}

/* The first option that is only for data streams, NULL when there is none. */
static const char *stream_option(const struct elasticsearch_options *options)
{
    const struct {
        const char *name;
        bool set;
    } rows[] = {
        {"data_stream_type", options->data_stream_type.ptr},
        {"data_stream_dataset", options->data_stream_dataset.ptr},
        {"data_stream_namespace", options->data_stream_namespace.ptr},
        {"data_stream_auto_routing", options->data_stream_auto_routing != 0},
        {"data_stream_sync_fields", options->data_stream_sync_fields != 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].set)
            return rows[i].name;
    return NULL;
}

static bool check_stream_name(const char *option, struct str part, struct error *err)
{
    enum { PART_MAX_BYTES = 100 };
    static const char forbidden[] = "\\/*?\"<>| ,#:";
    if (!part.ptr)
        return true;
    bool bad = part.len == 0 || part.len > PART_MAX_BYTES;
    for (size_t i = 0; i < part.len && !bad; i++)
        bad = part.ptr[i] == 0 || strchr(forbidden, part.ptr[i]);
    if (!bad)
        return true;
    return error_set(err, ERROR_CONFIG,
                     "%s is 1 to %d bytes without any of \\ / * ? \" < > | blank , # :", option,
                     (int)PART_MAX_BYTES);
}

static bool decide_streams(struct elasticsearch_options *options, enum ecs_mode ecs,
                           struct error *err)
{
    const char *against = index_option(options);
    const char *only = stream_option(options);
    if (options->data_stream == SWITCH_TRUE && against)
        return error_set(err, ERROR_CONFIG, "data_stream => true does not go with %s", against);
    if (options->data_stream == SWITCH_TRUE && ecs == ECS_DISABLED)
        return error_set(err, ERROR_CONFIG, "data_stream => true needs ecs_compatibility v1 or v8");
    options->streams = options->data_stream == SWITCH_TRUE ||
                       (options->data_stream == SWITCH_AUTO && ecs != ECS_DISABLED && !against);
    if (!options->streams && only)
        return error_set(err, ERROR_CONFIG, "%s is only for data streams, which %s%s", only,
                         options->data_stream == SWITCH_AUTO && against ? "do not go with "
                                                                        : "are off here",
                         options->data_stream == SWITCH_AUTO && against ? against : "");
    return check_stream_name("data_stream_type", options->data_stream_type, err) &&
           check_stream_name("data_stream_dataset", options->data_stream_dataset, err) &&
           check_stream_name("data_stream_namespace", options->data_stream_namespace, err);
}

/* ---- the rest ---------------------------------------------------------------------------------- */

static bool check_credentials(const struct elasticsearch_options *options, struct error *err)
{
    int kinds = (options->user.ptr != NULL) + (options->api_key.ptr != NULL) +
                (options->cloud_auth.ptr != NULL);
    if (kinds > 1)
        return error_set(err, ERROR_CONFIG, "only one of user, api_key and cloud_auth can be used");
    if (options->cloud_auth.ptr && !memchr(options->cloud_auth.ptr, ':', options->cloud_auth.len))
        return error_set(err, ERROR_CONFIG, "cloud_auth is USER:PASSWORD");
    return true;
}

static bool check_actions(const struct elasticsearch_options *options, struct error *err)
{
    static const char *const actions[] = {"index", "create", "update", "delete"};
    const struct template *action = &options->action;
    bool known = !action->parts || !action->is_literal;
    for (size_t i = 0; i < sizeof actions / sizeof *actions && !known; i++)
        known = str_equal(action->text, str_from(actions[i]));
    if (!known)
        return error_set(err, ERROR_CONFIG,
                         "action is index, create, update, delete or a %%{field}, not '%.*s'",
                         STR_FMT(action->text));
    if (options->scripted_upsert && options->doc_as_upsert)
        return error_set(err, ERROR_CONFIG, "scripted_upsert and doc_as_upsert exclude each other");
    return true;
}

/* The id and the action are what makes it work. */
static bool check_deduplicate(const struct elasticsearch_options *options, struct error *err)
{
    const struct template *action = &options->action;
    if (options->deduplicate == DEDUPLICATE_NOT)
        return true;
    if (options->document_id.parts)
        return error_set(err, ERROR_CONFIG,
                         "deduplicate makes the ids of documents: take document_id out");
    if (action->parts && !(action->is_literal && (str_equal(action->text, STR("index")) ||
                                                  str_equal(action->text, STR("create")))))
        return error_set(err, ERROR_CONFIG, "deduplicate only goes with action index or create");
    return true;
}

bool elasticsearch_needs_provenance(const void *self)
{
    const struct elasticsearch_options *options = self;
    return options->deduplicate != DEDUPLICATE_NOT;
}

static bool check_common(struct elasticsearch_options *options, struct error *err)
{
    struct hosts hosts;
    struct arena scratch;
    arena_init(&scratch, NULL);
    bool ok = client_tls_check(&options->tls, err) && check_credentials(options, err) &&
              check_actions(options, err) && check_deduplicate(options, err) &&
              hosts_parse(&scratch, options, &hosts, err);
    arena_release(&scratch);
    if (ok && options->retry_max_ms < options->retry_initial_ms)
        return error_set(err, ERROR_CONFIG,
                         "retry_max_interval is shorter than retry_initial_interval");
    return ok;
}

bool elasticsearch_manages_template(const struct elasticsearch_options *options)
{
    return options->manage_template == SWITCH_TRUE ||
           (options->manage_template == SWITCH_AUTO && !options->streams);
}

/* A template that is missing or broken is found before anything starts. */
static bool check_template(const struct elasticsearch_options *options,
                           const struct plugin_env *env, struct error *err)
{
    if (!elasticsearch_manages_template(options) || !options->template.ptr)
        return true;
    struct index_template template;
    struct plugin_env reading = *env;
    reading.json = json_reader_new();
    bool ok = index_template_load(options, &reading, &template, err);
    json_reader_free(reading.json);
    return ok;
}

static bool check_retry(struct elasticsearch_options *options, const struct plugin_env *env,
                        struct error *err)
{
    return retry_rules_parse(env->arena, &options->retry, true, &options->retry_rules, err);
}

bool elasticsearch_check(void *self, const struct plugin_env *env, struct error *err)
{
    struct elasticsearch_options *options = self;
    if (options->http_compression == SWITCH_TRUE && options->compression_level == 0)
        options->compression_level = 1;
    if (options->http_compression == SWITCH_FALSE)
        options->compression_level = 0;
    return check_common(options, err) && check_retry(options, env, err) &&
           decide_streams(options, env->ecs, err) && check_template(options, env, err);
}

bool opensearch_check(void *self, const struct plugin_env *env, struct error *err)
{
    struct elasticsearch_options *options = self;
    options->opensearch = true;
    options->compression_level = options->http_compression == SWITCH_TRUE;
    if (options->legacy_template != SWITCH_AUTO)
        options->template_api =
            options->legacy_template == SWITCH_TRUE ? TEMPLATE_API_LEGACY : TEMPLATE_API_COMPOSABLE;
    for (size_t i = 0; i < options->auth_type.count; i++) {
        const struct conf_pair *pair = &options->auth_type.pairs[i];
        if (str_equal(pair->key.text, STR("type")) && !str_equal(pair->value.text, STR("basic")))
            return error_set(err, ERROR_CONFIG, "auth_type '%.*s' is not built, only basic",
                             STR_FMT(pair->value.text));
        if (str_equal(pair->key.text, STR("user")))
            options->user = pair->value.text;
        if (str_equal(pair->key.text, STR("password")))
            options->password = pair->value.text;
    }
    return check_common(options, err) && check_retry(options, env, err) &&
           check_template(options, env, err);
}
