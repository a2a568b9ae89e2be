/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http_options.h"

#include <assert.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text/ascii.h"

/* Two lists that share their tail: `gzip` is one node, "Content-Encoding: gzip", before the others. */
struct http_headers {
    struct http_header_lines lines; /* for our own requests */
    struct curl_slist *plain;
    struct curl_slist gzip;
};

static char gzip_line[] = "Content-Encoding: gzip";

struct http_easy_options {
    struct http_client_options options; /* its strings are ours */
    struct curl_slist *connect_to;
    CURLSH *share; /* cookies, when they are kept */
    struct http_headers *no_headers;
};

static char *copy(const char *text)
{
    return text ? mem_strdup(text) : NULL;
}

static struct curl_slist *append(struct curl_slist *list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(list, line);
    if (!longer)
        mem_abort("curl_slist_append");
    return longer;
}

struct http_headers *http_headers_new(void)
{
    struct http_headers *headers = mem_zero(1, sizeof *headers);
    buf_init(&headers->lines.text, SIZE_MAX / 2);
    headers->plain = append(NULL, "Expect:"); /* never wait for 100 Continue */
    headers->gzip = (struct curl_slist){.data = gzip_line, .next = headers->plain};
    return headers;
}

void http_headers_free(struct http_headers *headers)
{
    if (!headers)
        return;
    curl_slist_free_all(headers->plain);
    buf_release(&headers->lines.text);
    mem_free(headers);
}

static bool is_token(struct str name)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool word = ascii_is_letter(c) || ascii_is_digit(c);
        if (!word && (c == 0 || !strchr(others, c)))
            return false;
    }
    return name.len > 0;
}

static bool ends_header(struct str value)
{
    return memchr(value.ptr, '\r', value.len) || memchr(value.ptr, '\n', value.len) ||
           memchr(value.ptr, 0, value.len);
}

bool http_headers_add(struct http_headers *headers, struct str name, struct str value)
{
    if (!is_token(name) || (value.len > 0 && ends_header(value)))
        return false;
    struct buf line;
    buf_init(&line, SIZE_MAX / 2);
    buf_append_str(&line, name);
    /* curl takes "Name;" for a header without a value, and "Name:" for one to leave out. */
    buf_append_str(&line, value.len > 0 ? STR(": ") : STR(";"));
    buf_append_str(&line, value);
    buf_append_char(&line, 0);
    append(headers->plain, line.ptr);
    buf_release(&line);
    http_header_lines_add(&headers->lines, name, str_trim(value));
    return true;
}

const struct http_header_lines *http_headers_lines(const struct http_easy_options *self,
                                                   const struct http_headers *headers)
{
    return headers ? &headers->lines : &self->no_headers->lines;
}

struct curl_slist *http_headers_list(const struct http_easy_options *self,
                                     const struct http_headers *headers, bool compressed)
{
    const struct http_headers *list = headers ? headers : self->no_headers;
    if (!compressed)
        return list->plain;
    return (struct curl_slist *)(uintptr_t)&list->gzip; /* curl reads it only */
}

static bool tls_version(struct str name, long *out)
{
    static const struct {
        struct str name;
        long version;
    } versions[] = {
        {STR_INIT("TLSv1"), CURL_SSLVERSION_TLSv1_0},
        {STR_INIT("TLSv1.1"), CURL_SSLVERSION_TLSv1_1},
        {STR_INIT("TLSv1.2"), CURL_SSLVERSION_TLSv1_2},
        {STR_INIT("TLSv1.3"), CURL_SSLVERSION_TLSv1_3},
    };
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        if (str_equal(versions[i].name, name)) {
            *out = versions[i].version;
            return true;
        }
    }
    return false;
}

bool http_tls_versions(const struct str *names, size_t count, long *out, struct error *err)
{
    long lowest = 0, highest = 0;
    for (size_t i = 0; i < count; i++) {
        long version;
        if (!tls_version(names[i], &version))
            return error_set(err, ERROR_CONFIG,
                             "unknown TLS version '%.*s', expected TLSv1.1, TLSv1.2 or TLSv1.3",
                             STR_FMT(names[i]));
        if (lowest == 0 || version < lowest)
            lowest = version;
        if (version > highest)
            highest = version;
    }
    *out = lowest | highest << 16; /* CURL_SSLVERSION_MAX_* are the versions shifted so */
    return true;
}

static void copy_text(struct str *text)
{
    if (text->len == 0) {
        *text = (struct str){0};
        return;
    }
    char *bytes = mem_alloc(text->len);
    memcpy(bytes, text->ptr, text->len);
    text->ptr = bytes;
}

static void copy_strings(struct http_client_options *options)
{
    options->user_agent = copy(options->user_agent);
    options->user = copy(options->user);
    options->password = copy(options->password);
    options->proxy = copy(options->proxy);
    options->certificate = copy(options->certificate);
    options->key = copy(options->key);
    options->key_password = copy(options->key_password);
    options->ciphers = copy(options->ciphers);
    copy_text(&options->authorities);
    copy_text(&options->certificate_pem);
    copy_text(&options->key_pem);
}

struct http_easy_options *http_easy_options_new(const struct http_client_options *options)
{
    struct http_easy_options *self = mem_zero(1, sizeof *self);
    self->options = *options;
    copy_strings(&self->options);
    self->no_headers = http_headers_new();
    for (const char *const *entry = options->connect_to; entry && *entry; entry++)
        self->connect_to = append(self->connect_to, *entry);
    self->options.connect_to = NULL;
    if (options->cookies) {
        self->share = curl_share_init();
        if (!self->share)
            mem_abort("curl_share_init");
        curl_share_setopt(self->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE);
    }
    return self;
}

void http_easy_options_free(struct http_easy_options *self)
{
    const struct http_client_options *options = &self->options;
    const char *owned[] = {
        options->user_agent,      options->user,
        options->password,        options->proxy,
        options->certificate,     options->key,
        options->key_password,    options->ciphers,
        options->authorities.ptr, options->certificate_pem.ptr,
        options->key_pem.ptr,
    };
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        mem_free((void *)(uintptr_t)owned[i]);
    curl_slist_free_all(self->connect_to);
    http_headers_free(self->no_headers);
    if (self->share)
        curl_share_cleanup(self->share);
    mem_free(self);
}

static void apply_text(CURL *easy, CURLoption option, struct str text)
{
    struct curl_blob blob = {
        .data = (void *)(uintptr_t)text.ptr, .len = text.len, .flags = CURL_BLOB_NOCOPY};
    if (text.len > 0)
        curl_easy_setopt(easy, option, &blob);
}

static void apply_tls(const struct http_client_options *options, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, options->verify != HTTP_VERIFY_NONE ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, options->verify == HTTP_VERIFY_FULL ? 2L : 0L);
    apply_text(easy, CURLOPT_CAINFO_BLOB, options->authorities);
    curl_easy_setopt(easy, CURLOPT_SSLCERT, options->certificate);
    curl_easy_setopt(easy, CURLOPT_SSLKEY, options->key);
    apply_text(easy, CURLOPT_SSLCERT_BLOB, options->certificate_pem);
    apply_text(easy, CURLOPT_SSLKEY_BLOB, options->key_pem);
    curl_easy_setopt(easy, CURLOPT_KEYPASSWD, options->key_password);
    if (options->ciphers)
        curl_easy_setopt(easy, CURLOPT_SSL_CIPHER_LIST, options->ciphers);
    if (options->tls_versions)
        curl_easy_setopt(easy, CURLOPT_SSLVERSION, options->tls_versions);
}

static void apply_connection(const struct http_client_options *options, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, options->proxy ? options->proxy : "");
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)options->connect_timeout_ms);
    if (options->close_connections)
        curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
}

void http_easy_options_apply(const struct http_easy_options *self, CURL *easy)
{
    const struct http_client_options *options = &self->options;
    apply_connection(options, easy);
    apply_tls(options, easy);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, options->user_agent);
    /* No coding is asked for, but one that a server uses all the same is understood. */
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "identity");
    curl_easy_setopt(easy, CURLOPT_CONNECT_TO, self->connect_to);
    if (options->user) {
        curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        curl_easy_setopt(easy, CURLOPT_USERNAME, options->user);
        curl_easy_setopt(easy, CURLOPT_PASSWORD, options->password ? options->password : "");
    }
    if (options->follow_redirects) {
        curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
        curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)HTTP_REDIRECTS_MAX);
        curl_easy_setopt(easy, CURLOPT_POSTREDIR,
                         (long)CURL_REDIR_POST_ALL); /* an event is never lost to a GET */
    }
    if (self->share) {
        curl_easy_setopt(easy, CURLOPT_SHARE, self->share);
        curl_easy_setopt(easy, CURLOPT_COOKIEFILE,
                         ""); /* starts the cookie engine, reads no file */
    }
}

bool http_escape(struct str text, struct buf *out)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool kept =
            ascii_is_letter(c) || ascii_is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
        char escaped[] = {'%', hex[c >> 4], hex[c & 15]};
        if (!(kept ? buf_append_char(out, (char)c) : buf_append(out, escaped, sizeof escaped)))
            return false;
    }
    return true;
}
