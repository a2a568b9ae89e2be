/* SPDX-License-Identifier: Apache-2.0
 *
 * A second code of an expression, for subjects that are ASCII. PCRE2's code for bytes is shorter than that for UTF-8: it decodes
 * nothing and looks characters up in a small table. In such a subject all characters beyond ASCII are alike: they are not
 * there. So in the expression each of them becomes the byte FF, and both codes match the same.
 *
 * Not so where case is ignored: the long s and the Kelvin sign stand for letters of ASCII then.
 */
#include "base/mem.h"
#include "base/regex/regex_code.h"
#include "base/text/ascii.h"
#include "base/text/block.h"

enum { FIRST_BEYOND = 0x80 };

/* What of the text has been read and written. */
struct rewriting {
    struct str left;
    struct buf *out;
    bool has_others; /* characters beyond ASCII */
    bool ignores_case;
    bool has_properties; /* which may say something about case */
};

static void copy(struct rewriting *rewriting, size_t len)
{
    (void)buf_append(rewriting->out, rewriting->left.ptr, len);
    rewriting->left = str_from_offset(rewriting->left, len);
}

static void write_other(struct rewriting *rewriting, size_t len)
{
    (void)buf_append_str(rewriting->out, STR("\\xff"));
    rewriting->left = str_from_offset(rewriting->left, len);
    rewriting->has_others = true;
}

static bool is_beyond(char byte)
{
    return (unsigned char)byte >= FIRST_BEYOND;
}

static size_t character_length(struct str text)
{
    size_t len = 1;
    while (len < text.len && ((unsigned char)text.ptr[len] & 0xc0) == 0x80)
        len++;
    return len;
}

/* The value of \x{…} at the backslash, and its length; 0: it is none. */
static size_t read_hex(struct str text, uint32_t *out)
{
    enum { OPEN_BYTES = 3, DIGITS_MAX = 8 };
    size_t at = OPEN_BYTES;
    *out = 0;
    if (!str_starts_with(text, STR("\\x{")))
        return 0;
    for (; at < text.len && at < OPEN_BYTES + DIGITS_MAX && ascii_hex_value(text.ptr[at]) >= 0;
         at++)
        *out = *out << 4 | (uint32_t)ascii_hex_value(text.ptr[at]);
    return at < text.len && text.ptr[at] == '}' ? at + 1 : 0;
}

static void rewrite_escape(struct rewriting *rewriting)
{
    struct str left = rewriting->left;
    uint32_t codepoint;
    size_t hex = read_hex(left, &codepoint);
    char letter = left.len > 1 ? left.ptr[1] : '\0';
    if (hex > 0 && codepoint >= FIRST_BEYOND)
        write_other(rewriting, hex);
    else if (hex > 0)
        copy(rewriting, hex);
    else if (is_beyond(letter))
        write_other(rewriting, 1 + character_length(str_from_offset(left, 1)));
    else
        copy(rewriting, left.len > 1 ? 2 : 1);
    rewriting->has_properties |= letter == 'p' || letter == 'P';
}

/* False: the two codes could match differently. */
static bool rewrite(struct str text, bool ignores_case, struct buf *out)
{
    struct rewriting rewriting = {.left = text, .out = out, .ignores_case = ignores_case};
    while (rewriting.left.len > 0) {
        if (*rewriting.left.ptr == '\\') {
            rewrite_escape(&rewriting);
            continue;
        }
        rewriting.ignores_case |= str_starts_with(rewriting.left, STR("(?i"));
        rewriting.has_properties |= str_starts_with(rewriting.left, STR("[:"));
        if (is_beyond(*rewriting.left.ptr))
            write_other(&rewriting, character_length(rewriting.left));
        else
            copy(&rewriting, 1);
    }
    return !rewriting.ignores_case || (!rewriting.has_others && !rewriting.has_properties);
}

static struct regex_code *make_code(const struct regex *regex)
{
    struct regex_code *made = mem_zero(1, sizeof *made);
    struct buf text;
    int error;
    buf_init(&text, REGEX_TRANSLATED_MAX);
    if (rewrite(buf_str(&regex->text), regex->options & PCRE2_CASELESS, &text))
        regex_code_make(buf_str(&text), regex->options & ~(uint32_t)(PCRE2_UTF | PCRE2_UCP), true,
                        made, &error);
    buf_release(&text);
    if (!made->has_jit) {
        pcre2_code_free(made->code);
        made->code = NULL;
    }
    return made;
}

const struct regex_code *regex_ascii_code(const struct regex *regex_)
{
    struct regex *regex = (struct regex *)(uintptr_t)regex_;
    struct regex_code *made = atomic_load(&regex->ascii);
    return made ? made : regex_code_share(&regex->ascii, make_code(regex));
}

bool regex_is_ascii(struct str subject)
{
    size_t at = 0;
    if (subject.len < BLOCK) {
        while (at < subject.len && !is_beyond(subject.ptr[at]))
            at++;
        return at == subject.len;
    }
    for (; at + BLOCK <= subject.len; at += BLOCK)
        if (block_any(block_not_ascii(block_load(subject.ptr + at))))
            return false;
    return !block_any(block_not_ascii(block_load(subject.ptr + subject.len - BLOCK)));
}
