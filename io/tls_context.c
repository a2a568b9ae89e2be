/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "io/tls_private.h"

enum { FILES_MAX = 64 };

/* What a file looked like when it was read. */
struct file_mark {
    const char *path;
    bool is_there;
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified, changed;
};

struct tls_context {
    struct tls_settings settings;
    SSL_CTX *current;
    struct file_mark files[FILES_MAX];
    size_t file_count;
};

unsigned tls_version_of(struct str name)
{
    static const struct {
        struct str name;
        unsigned version;
    } VERSIONS[] = {{STR_INIT("TLSv1.1"), TLS_1_1},
                    {STR_INIT("TLSv1.2"), TLS_1_2},
                    {STR_INIT("TLSv1.3"), TLS_1_3}};
    for (size_t i = 0; i < sizeof VERSIONS / sizeof *VERSIONS; i++)
        if (str_equal(name, VERSIONS[i].name))
            return VERSIONS[i].version;
    return 0;
}

/* ---- making one ---- */

static void set_versions(SSL_CTX *ssl_ctx, unsigned versions)
{
    if (versions == 0)
        versions = TLS_1_2 | TLS_1_3;
    SSL_CTX_set_min_proto_version(ssl_ctx, TLS1_1_VERSION);
    SSL_CTX_set_max_proto_version(ssl_ctx, TLS1_3_VERSION);
    SSL_CTX_set_options(ssl_ctx, (versions & TLS_1_1 ? 0 : SSL_OP_NO_TLSv1_1) |
                                     (versions & TLS_1_2 ? 0 : SSL_OP_NO_TLSv1_2) |
                                     (versions & TLS_1_3 ? 0 : SSL_OP_NO_TLSv1_3));
    if (versions & TLS_1_1) /* its signatures are below what OpenSSL takes by default */
        SSL_CTX_set_security_level(ssl_ctx, 0);
}

static void set_verify(SSL_CTX *ssl_ctx, enum tls_verify verify)
{
    static const int MODES[] = {
        [TLS_VERIFY_NONE] = SSL_VERIFY_NONE,
        [TLS_VERIFY_OPTIONAL] = SSL_VERIFY_PEER,
        [TLS_VERIFY_REQUIRED] = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
        [TLS_VERIFY_FULL] = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
    };
    SSL_CTX_set_verify(ssl_ctx, MODES[verify], NULL);
}

/* No sessions are kept or resumed: clients stay connected for long, and each is checked anew. */
static SSL_CTX *new_ssl_ctx(const struct tls_settings *settings)
{
    SSL_CTX *ssl_ctx = SSL_CTX_new(settings->is_server ? TLS_server_method() : TLS_client_method());
    if (!ssl_ctx)
        mem_abort("SSL_CTX_new");
    SSL_CTX_set_session_cache_mode(ssl_ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(ssl_ctx, 0);
    SSL_CTX_set_options(ssl_ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(ssl_ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    set_versions(ssl_ctx, settings->versions);
    set_verify(ssl_ctx, settings->verify);
    return ssl_ctx;
}

static SSL_CTX *load(const struct tls_settings *settings, struct error *err)
{
    SSL_CTX *ssl_ctx = new_ssl_ctx(settings);
    if (tls_set_ciphers(ssl_ctx, settings, err) && tls_load_identity(ssl_ctx, settings, err) &&
        tls_load_trust(ssl_ctx, settings, err))
        return ssl_ctx;
    SSL_CTX_free(ssl_ctx);
    return NULL;
}

/* ---- its files ---- */

static struct file_mark mark_of(const char *path)
{
    struct file_mark mark = {.path = path};
    struct stat found;
    if (stat(path, &found) != 0)
        return mark;
    mark.is_there = true;
    mark.device = found.st_dev;
    mark.inode = found.st_ino;
    mark.size = found.st_size;
    mark.modified = found.st_mtim;
    mark.changed = found.st_ctim;
    return mark;
}

static bool is_same_time(const struct timespec *one, const struct timespec *other)
{
    return one->tv_sec == other->tv_sec && one->tv_nsec == other->tv_nsec;
}

static bool is_same(const struct file_mark *one, const struct file_mark *other)
{
    return one->is_there == other->is_there && one->device == other->device &&
           one->inode == other->inode && one->size == other->size &&
           is_same_time(&one->modified, &other->modified) &&
           is_same_time(&one->changed, &other->changed);
}

static void add_file(struct tls_context *context, const char *path)
{
    if (path && context->file_count < FILES_MAX) /* more are read, and not looked at again */
        context->files[context->file_count++] = mark_of(path);
}

/* Before they are read, so that what changes meanwhile is seen. */
static void note_files(struct tls_context *context)
{
    const struct tls_settings *settings = &context->settings;
    context->file_count = 0;
    add_file(context, settings->certificate);
    add_file(context, settings->key);
    add_file(context, settings->keystore.path);
    add_file(context, settings->truststore.path);
    for (const char *const *at = settings->extra_chain; at && *at; at++)
        add_file(context, *at);
    for (const char *const *at = settings->authorities; at && *at; at++)
        add_file(context, *at);
}

static bool has_changed(const struct tls_context *context)
{
    for (size_t i = 0; i < context->file_count; i++) {
        struct file_mark now = mark_of(context->files[i].path);
        if (!is_same(&now, &context->files[i]))
            return true;
    }
    return false;
}

/* ---- */

struct tls_context *tls_context_new(const struct tls_settings *settings, struct error *err)
{
    assert(!settings->is_server || settings->verify != TLS_VERIFY_FULL);
    struct tls_context *context = mem_zero(1, sizeof *context);
    context->settings = *settings;
    note_files(context);
    context->current = load(settings, err);
    if (context->current)
        return context;
    mem_free(context);
    return NULL;
}

void tls_context_free(struct tls_context *context)
{
    if (!context)
        return;
    SSL_CTX_free(context->current);
    mem_free(context);
}

enum tls_refresh tls_context_refresh(struct tls_context *context, struct error *err)
{
    if (!has_changed(context))
        return TLS_UNCHANGED;
    note_files(context);
    SSL_CTX *renewed = load(&context->settings, err);
    if (!renewed)
        return TLS_KEPT_OLD;
    SSL_CTX_free(context->current);
    context->current = renewed;
    return TLS_RENEWED;
}

struct ssl_ctx_st *tls_context_use(const struct tls_context *context)
{
    assert(context->current);
    SSL_CTX_up_ref(context->current);
    return context->current;
}

bool tls_context_verifies_host(const struct tls_context *context)
{
    return context->settings.verify == TLS_VERIFY_FULL;
}

void tls_context_unuse(struct ssl_ctx_st *used)
{
    SSL_CTX_free(used);
}
