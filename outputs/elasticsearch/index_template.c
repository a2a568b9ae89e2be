/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs/elasticsearch/index_template.h"

#include <assert.h>
#include <unistd.h>

/* Text is searchable and, in a sub-field, exact; the names that logs share have their types. */
static const char PLAIN_CONTENT[] =
    "\"settings\":{\"index\":{\"refresh_interval\":\"5s\"}},"
    "\"mappings\":{\"dynamic_templates\":["
    "{\"message\":{\"path_match\":\"message\",\"match_mapping_type\":\"string\","
    "\"mapping\":{\"type\":\"text\",\"norms\":false}}},"
    "{\"text\":{\"match\":\"*\",\"match_mapping_type\":\"string\",\"mapping\":{\"type\":\"text\","
    "\"norms\":false,\"fields\":{\"keyword\":{\"type\":\"keyword\",\"ignore_above\":256}}}}}],"
    "\"properties\":{\"@timestamp\":{\"type\":\"date\"},\"@version\":{\"type\":\"keyword\"},"
    "\"geoip\":{\"dynamic\":true,\"properties\":{\"ip\":{\"type\":\"ip\"},"
    "\"location\":{\"type\":\"geo_point\"}}}}}";

/* ECS: text is exact unless its name says that people write it. */
static const char ECS_CONTENT[] =
    "\"settings\":{\"index\":{\"refresh_interval\":\"5s\"}},"
    "\"mappings\":{\"date_detection\":false,\"dynamic_templates\":["
    "{\"location\":{\"path_match\":\"*.geo.location\",\"mapping\":{\"type\":\"geo_point\"}}},"
    "{\"address\":{\"path_match\":\"*.ip\",\"match_mapping_type\":\"string\","
    "\"mapping\":{\"type\":\"ip\"}}},"
    "{\"exact\":{\"match_mapping_type\":\"string\","
    "\"mapping\":{\"type\":\"keyword\",\"ignore_above\":1024}}}],"
    "\"properties\":{\"@timestamp\":{\"type\":\"date\"},\"@version\":{\"type\":\"keyword\"},"
    "\"message\":{\"type\":\"text\",\"norms\":false},"
    "\"error\":{\"properties\":{\"message\":{\"type\":\"text\",\"norms\":false}}},"
    "\"event\":{\"properties\":{\"created\":{\"type\":\"date\"},\"end\":{\"type\":\"date\"},"
    "\"start\":{\"type\":\"date\"},"
    "\"original\":{\"type\":\"keyword\",\"index\":false,\"doc_values\":false}}}}}";

struct str index_template_own(struct arena *arena, bool is_ecs, bool composable)
{
    const char *content = is_ecs ? ECS_CONTENT : PLAIN_CONTENT;
    const char *pattern = is_ecs ? "ecs-logstash-*" : "logstash-*";
    return composable
               ? arena_printf(arena,
                              "{\"index_patterns\":[\"%s\"],\"priority\":200,\"template\":{%s}}",
                              pattern, content)
               : arena_printf(arena, "{\"index_patterns\":[\"%s\"],\"order\":0,%s}", pattern,
                              content);
}

struct str index_template_path(struct arena *arena, const struct index_template *template)
{
    struct buf path;
    buf_init(&path, SIZE_MAX / 2);
    buf_append_str(&path, template->composable ? STR("/_index_template/") : STR("/_template/"));
    http_escape(template->name, &path);
    struct str copy = arena_dup(arena, buf_str(&path));
    buf_release(&path);
    return copy;
}

static struct str file_name(struct str path)
{
    size_t at = path.len;
    while (at > 0 && path.ptr[at - 1] != '/')
        at--;
    return str_from_offset(path, at);
}

/* Where the file is read from; NULL when it is nowhere. */
static const char *find_file(const struct plugin_env *env, struct str configured)
{
    struct str name = file_name(configured);
    const char *places[] = {NULL, env->settings->path_templates, env->settings->shipped_templates};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (i > 0 && !places[i])
            continue;
        const char *path = i == 0
                               ? arena_cstr(env->arena, configured)
                               : arena_printf(env->arena, "%s/%.*s", places[i], STR_FMT(name)).ptr;
        if (access(path, R_OK) != 0)
            continue;
        if (i > 0 && env->primary)
            log_warn(env->log, "template_fallback",
                     "the index template is not where the configuration says",
                     LOG_STR("configured", configured), LOG_CSTR("used", path));
        return path;
    }
    return NULL;
}

static bool is_object(const struct value *value)
{
    return value && value_type(value) == VALUE_OBJECT;
}

static bool read_shape(const struct plugin_env *env, struct index_template *template,
                       struct error *err)
{
    struct arena scratch;
    arena_init(&scratch, NULL);
    struct value document;
    bool ok = json_decode(env->json, &scratch, template->body, &document, err);
    if (ok && !is_object(&document))
        ok = error_set(err, ERROR_FORMAT, "it is not a JSON object");
    if (ok)
        template->composable = is_object(value_object_get(&document, STR("template"))) ||
                               value_object_get(&document, STR("composed_of")) != NULL;
    arena_release(&scratch);
    return ok;
}

static bool read_file(const struct elasticsearch_options *options, const struct plugin_env *env,
                      struct index_template *out, struct error *err)
{
    const char *path = find_file(env, options->template);
    if (!path)
        return error_set(err, ERROR_NOT_FOUND,
                         "index template '%.*s' is not there, nor '%.*s' under --path.templates or "
                         "among the templates that ship",
                         STR_FMT(options->template), STR_FMT(file_name(options->template)));
    return client_read_file(env->arena, path, INDEX_TEMPLATE_MAX_BYTES, &out->body, err) &&
           (read_shape(env, out, err) || error_prefix(err, "index template '%s'", path));
}

bool index_template_load(const struct elasticsearch_options *options, const struct plugin_env *env,
                         struct index_template *out, struct error *err)
{
    assert(env->json && env->settings);
    *out = (struct index_template){.is_ecs = env->ecs != ECS_DISABLED};
    out->name = options->template_name;
    if (out->name.len == 0)
        out->name = out->is_ecs ? STR("ecs-logstash") : STR("logstash");
    if (options->template.ptr && !read_file(options, env, out, err))
        return false;
    if (options->template_api != TEMPLATE_API_AUTO)
        out->composable = options->template_api == TEMPLATE_API_COMPOSABLE;
    return true;
}
