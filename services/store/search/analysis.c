/* SPDX-License-Identifier: Apache-2.0 */
#include "services/store/search/analysis.h"

#include <assert.h>

#include "base/text/ascii.h"
#include "base/text/case_map.h"
#include "base/text/utf8.h"

enum word_class {
    CLASS_OTHER,
    CLASS_LETTER,
    CLASS_DIGIT,
    CLASS_KATAKANA,
    CLASS_EXTEND,     /* '_' holds words together */
    CLASS_SINGLE,     /* a word by itself */
    CLASS_MID_LETTER, /* between letters: a:b */
    CLASS_MID_NUMBER, /* between digits: 1,000 */
    CLASS_MID_BOTH,   /* 3.14, e.g */
};

struct range {
    uint32_t first, last;
    enum word_class class;
};

/* In order; what is in none is a letter. */
static const struct range RANGES[] = {
    {0x80, 0xa9, CLASS_OTHER},        {0xab, 0xb4, CLASS_OTHER},
    {0xb6, 0xb6, CLASS_OTHER},        {0xb7, 0xb7, CLASS_MID_LETTER},
    {0xb8, 0xb9, CLASS_OTHER},        {0xbb, 0xbf, CLASS_OTHER},
    {0xd7, 0xd7, CLASS_OTHER},        {0xf7, 0xf7, CLASS_OTHER},
    {0x660, 0x669, CLASS_DIGIT},      {0x966, 0x96f, CLASS_DIGIT},
    {0x2000, 0x2017, CLASS_OTHER},    {0x2018, 0x2019, CLASS_MID_BOTH},
    {0x201a, 0x203e, CLASS_OTHER},    {0x203f, 0x2040, CLASS_EXTEND},
    {0x2041, 0x2070, CLASS_OTHER},    {0x2072, 0x207e, CLASS_OTHER},
    {0x2080, 0x20cf, CLASS_OTHER},    {0x2190, 0x2bff, CLASS_OTHER},
    {0x2e00, 0x2e7f, CLASS_OTHER},    {0x2e80, 0x2fdf, CLASS_SINGLE},
    {0x3000, 0x3004, CLASS_OTHER},    {0x3005, 0x3007, CLASS_SINGLE},
    {0x3008, 0x3020, CLASS_OTHER},    {0x3021, 0x3029, CLASS_SINGLE},
    {0x3030, 0x3030, CLASS_OTHER},    {0x3041, 0x309f, CLASS_SINGLE},
    {0x30a0, 0x30ff, CLASS_KATAKANA}, {0x31f0, 0x31ff, CLASS_KATAKANA},
    {0x3200, 0x32ff, CLASS_OTHER},    {0x3400, 0x9fff, CLASS_SINGLE},
    {0xd7ff, 0xdfff, CLASS_OTHER},    {0xe000, 0xf8ff, CLASS_OTHER},
    {0xf900, 0xfaff, CLASS_SINGLE},   {0xfe10, 0xfe6f, CLASS_OTHER},
    {0xfeff, 0xfeff, CLASS_OTHER},    {0xff00, 0xff0f, CLASS_OTHER},
    {0xff10, 0xff19, CLASS_DIGIT},    {0xff1a, 0xff20, CLASS_OTHER},
    {0xff5b, 0xff65, CLASS_OTHER},    {0xff66, 0xff9f, CLASS_KATAKANA},
    {0xffe0, 0xffff, CLASS_OTHER},    {0x1f000, 0x1faff, CLASS_SINGLE},
    {0x20000, 0x3ffff, CLASS_SINGLE}, {0xe0000, 0x10ffff, CLASS_OTHER},
};

static enum word_class class_of_ascii(unsigned char c)
{
    if (ascii_is_letter(c))
        return CLASS_LETTER;
    if (ascii_is_digit(c))
        return CLASS_DIGIT;
    switch (c) {
    case '_':
        return CLASS_EXTEND;
    case ':':
        return CLASS_MID_LETTER;
    case ',':
    case ';':
        return CLASS_MID_NUMBER;
    case '.':
    case '\'':
        return CLASS_MID_BOTH;
    default:
        return CLASS_OTHER;
    }
}

/* The class of the character at the beginning of text, and its length. */
static enum word_class class_at(struct str text, size_t *bytes_out)
{
    *bytes_out = 1;
    if ((unsigned char)text.ptr[0] < 0x80)
        return class_of_ascii((unsigned char)text.ptr[0]);
    uint32_t codepoint;
    *bytes_out = utf8_decode(text, &codepoint);
    size_t low = 0, high = sizeof RANGES / sizeof *RANGES;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (codepoint > RANGES[middle].last)
            low = middle + 1;
        else
            high = middle;
    }
    bool inside = low < sizeof RANGES / sizeof *RANGES && codepoint >= RANGES[low].first;
    return inside ? RANGES[low].class : CLASS_LETTER;
}

static bool is_word(enum word_class class)
{
    return class >= CLASS_LETTER && class <= CLASS_EXTEND;
}

/* No boundary between two characters that follow each other. */
static bool joins(enum word_class left, enum word_class right)
{
    if (!is_word(left) || !is_word(right))
        return false;
    if (left == CLASS_KATAKANA || right == CLASS_KATAKANA)
        return left == right || left == CLASS_EXTEND || right == CLASS_EXTEND;
    return true;
}

/* No boundary around a character in the middle. */
static bool joins_over(enum word_class left, enum word_class middle, enum word_class right)
{
    if (left != right)
        return false;
    return (left == CLASS_LETTER && (middle == CLASS_MID_LETTER || middle == CLASS_MID_BOTH)) ||
           (left == CLASS_DIGIT && (middle == CLASS_MID_NUMBER || middle == CLASS_MID_BOTH));
}

/* How far the word that begins the text goes; has_letters_out: it is more than underscores. */
static size_t word_end(struct str text, bool *has_letters_out)
{
    size_t bytes, next_bytes, characters = 1;
    enum word_class left = class_at(text, &bytes);
    size_t end = bytes;
    *has_letters_out = left != CLASS_EXTEND;
    while (end < text.len && left != CLASS_SINGLE && characters < WORD_CHARACTERS_MAX) {
        enum word_class class = class_at(str_from_offset(text, end), &bytes);
        if (joins(left, class)) {
            end += bytes;
            left = class;
        } else {
            struct str behind = str_from_offset(text, end + bytes);
            enum word_class right = behind.len ? class_at(behind, &next_bytes) : CLASS_OTHER;
            if (behind.len == 0 || !joins_over(left, class, right))
                break;
            end += bytes + next_bytes;
            left = right;
            characters++;
        }
        *has_letters_out = *has_letters_out || left != CLASS_EXTEND;
        characters++;
    }
    return end;
}

static struct str lower_case(struct words *words, struct str word)
{
    assert(word.len <= WORD_BYTES_MAX);
    unsigned char seen = 0;
    for (size_t i = 0; i < word.len; i++) {
        char c = word.ptr[i];
        seen |= (unsigned char)c;
        words->lower[i] = c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
    }
    if (seen < 0x80)
        return str_make(words->lower, word.len);
    struct arena arena;
    arena_init(&arena, NULL);
    struct str lower = case_lower(&arena, word);
    size_t len = lower.len < WORD_BYTES_MAX ? lower.len : WORD_BYTES_MAX;
    memcpy(words->lower, lower.ptr, len);
    arena_release(&arena);
    return str_make(words->lower, utf8_valid_prefix(str_make(words->lower, len)));
}

void words_init(struct words *words, struct str text)
{
    words->rest = text;
}

bool words_next(struct words *words, struct str *word_out)
{
    size_t bytes;
    while (words->rest.len > 0) {
        enum word_class class = class_at(words->rest, &bytes);
        if (!is_word(class) && class != CLASS_SINGLE) {
            words->rest = str_from_offset(words->rest, bytes);
            continue;
        }
        bool has_letters;
        size_t end = word_end(words->rest, &has_letters);
        struct str word = str_make(words->rest.ptr, end);
        words->rest = str_from_offset(words->rest, end);
        if (has_letters) {
            *word_out = lower_case(words, word);
            return true;
        }
    }
    return false;
}
