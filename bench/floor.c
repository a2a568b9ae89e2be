/* SPDX-License-Identifier: Apache-2.0
 *
 * The floor of the job of pipelines/file_bulk.conf, which bench/peers.py compares with: yyjson reads each line of a file and
 * writes it again behind an action line, bulk requests go over one kept connection. There are no events, no filters and no
 * second try.
 *
 * usage: floor FILE PORT       prints how many documents it sent to the sink on 127.0.0.1
 *
 * cc -O2 -o floor bench/floor.c -lyyjson
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <yyjson.h>

enum {
    BLOCK_BYTES = 1 << 20,  /* of the file at once; a line is shorter */
    BULK_DOCUMENTS = 1000,  /* as many as millrace makes of a batch */
    BULK_BYTES = 8 << 20,   /* that is more than these take */
    ANSWER_BYTES = 1 << 20, /* the sink answers each item in some 190 bytes */
    READER_BYTES = 1 << 20, /* yyjson's own memory for one line */
};

struct bulk {
    int fd;
    size_t length;
    unsigned documents;
    unsigned long long sent;
    char body[BULK_BYTES];
};

static const char ACTION[] = "{\"create\":{\"_index\":\"kakaopay-logs-2024.01.15\"}}\n";

static _Noreturn void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void send_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
        if (sent <= 0)
            fail("send");
        bytes += sent;
        length -= (size_t)sent;
    }
}

/* The head says how long the rest is. */
static void receive_answer(int fd)
{
    static char answer[ANSWER_BYTES + 1];
    size_t have = 0, wanted = 0;
    while (wanted == 0 || have < wanted) {
        ssize_t got = recv(fd, answer + have, ANSWER_BYTES - have, 0);
        if (got <= 0)
            fail("recv");
        have += (size_t)got;
        answer[have] = '\0';
        const char *end = wanted == 0 ? strstr(answer, "\r\n\r\n") : NULL;
        const char *length = end ? strcasestr(answer, "content-length:") : NULL;
        if (length)
            wanted =
                (size_t)(end + 4 - answer) + strtoul(length + strlen("content-length:"), NULL, 10);
    }
}

static void send_bulk(struct bulk *bulk)
{
    char head[256];
    if (bulk->documents == 0)
        return;
    int length = snprintf(
        head, sizeof head,
        "POST /_bulk?filter_path=errors,items.*.status,items.*.error HTTP/1.1\r\nHost: sink\r\n"
        "Content-Type: application/x-ndjson\r\nContent-Length: %zu\r\n\r\n",
        bulk->length);
    send_all(bulk->fd, head, (size_t)length);
    send_all(bulk->fd, bulk->body, bulk->length);
    receive_answer(bulk->fd);
    bulk->sent += bulk->documents;
    bulk->documents = 0;
    bulk->length = 0;
}

static void append(struct bulk *bulk, const char *bytes, size_t length)
{
    if (length > sizeof bulk->body - bulk->length)
        fail("the lines are too long");
    memcpy(bulk->body + bulk->length, bytes, length);
    bulk->length += length;
}

static void take_line(struct bulk *bulk, char *line, size_t length)
{
    static char memory[READER_BYTES], written[READER_BYTES];
    yyjson_alc reader, writer;
    size_t bytes;
    yyjson_alc_pool_init(&reader, memory, sizeof memory);
    yyjson_alc_pool_init(&writer, written, sizeof written);
    yyjson_doc *document = yyjson_read_opts(line, length, 0, &reader, NULL);
    char *text = document ? yyjson_write_opts(document, 0, &writer, &bytes, NULL) : NULL;
    if (!text)
        fail("a line is no JSON");
    append(bulk, ACTION, sizeof ACTION - 1);
    append(bulk, text, bytes);
    append(bulk, "\n", 1);
    if (++bulk->documents == BULK_DOCUMENTS)
        send_bulk(bulk);
}

static void send_file(FILE *file, struct bulk *bulk)
{
    static char block[BLOCK_BYTES];
    size_t have = 0;
    for (ssize_t got; (got = read(fileno(file), block + have, sizeof block - have)) > 0;) {
        have += (size_t)got;
        char *line = block;
        for (char *end; (end = memchr(line, '\n', have - (size_t)(line - block))); line = end + 1)
            take_line(bulk, line, (size_t)(end - line));
        have -= (size_t)(line - block);
        memmove(block, line, have);
    }
    send_bulk(bulk);
}

int main(int argc, char **argv)
{
    static struct bulk bulk;
    FILE *file = argc == 3 ? fopen(argv[1], "rb") : NULL;
    if (!file)
        return fprintf(stderr, "usage: floor FILE PORT\n"), 2;
    struct sockaddr_in sink = {.sin_family = AF_INET,
                               .sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10)),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    bulk.fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bulk.fd < 0 || connect(bulk.fd, (struct sockaddr *)&sink, sizeof sink) != 0)
        fail("connect");
    send_file(file, &bulk);
    close(bulk.fd);
    fclose(file);
    printf("%llu documents\n", bulk.sent);
    return 0;
}
