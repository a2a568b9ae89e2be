/* SPDX-License-Identifier: Apache-2.0 */
#include "codecs/charset.h"

#include <assert.h>
#include <errno.h>

#include "base/text/inspect.h"
#include "base/text/utf8.h"

const char *const charset_names[] = {
    "UTF-8",        "ASCII-8BIT",   "BINARY",       "US-ASCII",     "ASCII",        "UTF-16",
    "UTF-16BE",     "UTF-16LE",     "UTF-32",       "UTF-32BE",     "UTF-32LE",     "UTF-7",
    "ISO-8859-1",   "ISO-8859-2",   "ISO-8859-3",   "ISO-8859-4",   "ISO-8859-5",   "ISO-8859-6",
    "ISO-8859-7",   "ISO-8859-8",   "ISO-8859-9",   "ISO-8859-10",  "ISO-8859-11",  "ISO-8859-13",
    "ISO-8859-14",  "ISO-8859-15",  "ISO-8859-16",  "ISO8859-1",    "ISO8859-2",    "ISO8859-5",
    "ISO8859-9",    "ISO8859-15",   "Windows-874",  "Windows-1250", "Windows-1251", "Windows-1252",
    "Windows-1253", "Windows-1254", "Windows-1255", "Windows-1256", "Windows-1257", "Windows-1258",
    "CP874",        "CP1250",       "CP1251",       "CP1252",       "CP1253",       "CP1254",
    "CP1255",       "CP1256",       "CP1257",       "CP1258",       "IBM437",       "IBM737",
    "IBM775",       "IBM850",       "IBM852",       "IBM855",       "IBM857",       "IBM860",
    "IBM861",       "IBM862",       "IBM863",       "IBM864",       "IBM865",       "IBM866",
    "IBM869",       "IBM037",       "CP437",        "CP737",        "CP775",        "CP850",
    "CP852",        "CP855",        "CP857",        "CP860",        "CP861",        "CP862",
    "CP863",        "CP864",        "CP865",        "CP866",        "CP869",        "KOI8-R",
    "KOI8-U",       "CP878",        "TIS-620",      "Big5",         "CP950",        "Big5-HKSCS",
    "EUC-JP",       "eucJP",        "eucJP-ms",     "EUC-KR",       "eucKR",        "CP949",
    "EUC-TW",       "eucTW",        "GB2312",       "EUC-CN",       "GB18030",      "GBK",
    "CP936",        "Shift_JIS",    "SJIS",         "Windows-31J",  "CP932",        "ISO-2022-JP",
    "macCyrillic",  "macRoman",     NULL,
};

/* Where the C library knows the encoding by another name. */
static const struct {
    const char *name, *iconv_name;
} other_names[] = {
    {"UTF-16", "UTF-16LE"},      {"UTF-32", "UTF-32LE"},      {"IBM737", "CP737"},
    {"Windows-874", "CP874"},    {"Windows-1250", "CP1250"},  {"Windows-1251", "CP1251"},
    {"Windows-1252", "CP1252"},  {"Windows-1253", "CP1253"},  {"Windows-1254", "CP1254"},
    {"Windows-1255", "CP1255"},  {"Windows-1256", "CP1256"},  {"Windows-1257", "CP1257"},
    {"Windows-1258", "CP1258"},  {"Windows-31J", "CP932"},    {"CP878", "KOI8-R"},
    {"eucJP", "EUC-JP"},         {"eucJP-ms", "EUC-JP-MS"},   {"eucKR", "EUC-KR"},
    {"eucTW", "EUC-TW"},         {"EUC-CN", "GB2312"},        {"macCyrillic", "MAC-CYRILLIC"},
    {"macRoman", "MACINTOSH"},   {"ISO8859-1", "ISO-8859-1"}, {"ISO8859-2", "ISO-8859-2"},
    {"ISO8859-5", "ISO-8859-5"}, {"ISO8859-9", "ISO-8859-9"}, {"ISO8859-15", "ISO-8859-15"},
};

static const char *iconv_name_of(const char *name)
{
    for (size_t i = 0; i < sizeof other_names / sizeof *other_names; i++) {
        if (strcmp(other_names[i].name, name) == 0)
            return other_names[i].iconv_name;
    }
    return name;
}

static unsigned unit_of(const char *name)
{
    if (strncmp(name, "UTF-16", 6) == 0)
        return 2;
    return strncmp(name, "UTF-32", 6) == 0 ? 4 : 1;
}

static bool is_ascii_name(const char *name)
{
    static const char *const names[] = {"ASCII-8BIT", "BINARY", "US-ASCII", "ASCII"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

bool charset_open(struct charset *charset, int choice, struct error *err)
{
    assert(choice >= 0 && (size_t)choice < sizeof charset_names / sizeof *charset_names - 1);
    const char *name = charset_names[choice];
    *charset = (struct charset){.kind = CHARSET_UTF8, .unit = 1, .name = iconv_name_of(name)};
    if (strcmp(name, "UTF-8") == 0)
        return true;
    if (is_ascii_name(name)) {
        charset->kind = CHARSET_ASCII;
        return true;
    }
    charset->decoder = iconv_open("UTF-8", charset->name);
    if (charset->decoder == (iconv_t)-1) /* NOLINT: iconv's own way to say so */
        return error_set(err, ERROR_CONFIG, "charset '%s' is not known to this system's iconv",
                         name);
    charset->kind = CHARSET_ICONV;
    charset->unit = unit_of(name);
    return true;
}

void charset_close(struct charset *charset)
{
    if (charset->kind == CHARSET_ICONV)
        iconv_close(charset->decoder);
    charset->kind = CHARSET_UTF8;
}

static struct str ascii_to_utf8(struct arena *arena, struct str text)
{
    size_t high = 0;
    for (size_t i = 0; i < text.len; i++)
        high += (unsigned char)text.ptr[i] >> 7;
    if (high == 0)
        return text;
    char *out = arena_bytes(arena, text.len + 2 * high), *to = out;
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.ptr[i] < 0x80)
            *to++ = text.ptr[i];
        else
            to += utf8_encode(0xFFFD, to);
    }
    return str_make(out, (size_t)(to - out));
}

/* No character of these encodings takes more than 4 bytes of UTF-8 for each of its own, and one combining mark more. */
enum { UTF8_BYTES_FOR_ONE = 4, UTF8_BYTES_OVER = 16 };

static struct str iconv_to_utf8(struct charset *charset, struct arena *arena, struct str text)
{
    size_t room = text.len * UTF8_BYTES_FOR_ONE + UTF8_BYTES_OVER;
    char *out = arena_bytes(arena, room), *to = out;
    char *from = (char *)(uintptr_t)text.ptr; /* iconv does not write there */
    size_t left = text.len;
    while (left > 0 && iconv(charset->decoder, &from, &left, &to, &room) == (size_t)-1) {
        if (room < UTF8_BYTES_FOR_ONE)
            break;
        size_t bad = left < charset->unit || errno == EINVAL ? left : charset->unit;
        unsigned written = utf8_encode(0xFFFD, to);
        to += written;
        room -= written;
        from += bad;
        left -= bad;
    }
    (void)iconv(charset->decoder, NULL, NULL, &to, &room);
    struct str result = str_make(out, (size_t)(to - out));
    struct str mark = STR("\xEF\xBB\xBF");
    bool unicode = charset->unit > 1;
    return unicode && str_starts_with(result, mark) ? str_from_offset(result, mark.len) : result;
}

struct str charset_to_utf8(struct charset *charset, struct arena *arena, struct str text)
{
    switch (charset->kind) {
    case CHARSET_UTF8:
        return inspect_unless_valid(arena, text);
    case CHARSET_ASCII:
        return ascii_to_utf8(arena, text);
    case CHARSET_ICONV:
        return iconv_to_utf8(charset, arena, text);
    }
    return text;
}

struct str charset_encode(const struct charset *charset, struct arena *arena, struct str text)
{
    if (charset->kind != CHARSET_ICONV)
        return text;
    iconv_t encoder = iconv_open(charset->name, "UTF-8");
    if (encoder == (iconv_t)-1) /* NOLINT: iconv's own way to say so */
        return text;
    size_t room = text.len * UTF8_BYTES_FOR_ONE + UTF8_BYTES_OVER, left = text.len;
    char *out = arena_bytes(arena, room), *to = out;
    char *from = (char *)(uintptr_t)text.ptr;
    bool encoded = iconv(encoder, &from, &left, &to, &room) != (size_t)-1;
    iconv_close(encoder);
    return encoded ? str_make(out, (size_t)(to - out)) : text;
}
