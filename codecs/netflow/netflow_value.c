/* SPDX-License-Identifier: Apache-2.0 */
#include "codecs/netflow/netflow_value.h"

#include <math.h>

#include "base/ip_network.h"
#include "base/text/utf8.h"
#include "base/time/clock.h"

static const int64_t NTP_EPOCH = -2208988800; /* 1900 */

enum { NUMBER_BYTES = 8, PEN_ENGINE = 20, PEN_BYTES = 4 };

uint64_t netflow_number(struct str bytes)
{
    uint64_t number = 0;
    for (size_t i = bytes.len > NUMBER_BYTES ? bytes.len - NUMBER_BYTES : 0; i < bytes.len; i++)
        number = number << 8 | (unsigned char)bytes.ptr[i];
    return number;
}

static struct value unsigned_value(struct arena *arena, uint64_t number)
{
    if (number <= INT64_MAX)
        return value_int((int64_t)number);
    return value_big_int(arena_printf(arena, "%llu", (unsigned long long)number));
}

static struct value signed_value(struct str bytes)
{
    unsigned unused =
        bytes.len > 0 && bytes.len < NUMBER_BYTES ? (unsigned)(NUMBER_BYTES - bytes.len) * 8 : 0;
    return value_int((int64_t)(netflow_number(bytes) << unused) >> unused);
}

/* What JSON cannot say (NaN, infinity) is null. */
static struct value real_value(struct str bytes)
{
    uint64_t bits = netflow_number(bytes);
    uint32_t small_bits = (uint32_t)bits;
    double real;
    float small;
    memcpy(&real, &bits, sizeof real);
    memcpy(&small, &small_bits, sizeof small);
    if (bytes.len == sizeof small)
        real = (double)small;
    return isfinite(real) ? value_float(real) : value_null();
}

static struct value text_value(struct arena *arena, struct str bytes)
{
    while (bytes.len > 0 && bytes.ptr[bytes.len - 1] == '\0')
        bytes.len--;
    return value_str(utf8_or_octets(arena, bytes));
}

/* Hexadecimal digits, with `mark` after each `group` octets; group 0: none. */
static struct value hex_value(struct arena *arena, struct str bytes, size_t group, char mark)
{
    static const char DIGITS[] = "0123456789abcdef";
    char *text = arena_bytes(arena, bytes.len * 3);
    size_t len = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char octet = (unsigned char)bytes.ptr[i];
        if (group > 0 && i > 0 && i % group == 0)
            text[len++] = mark;
        text[len++] = DIGITS[octet >> 4];
        text[len++] = DIGITS[octet & 15];
    }
    return value_str(str_make(text, len));
}

static struct value address_value(struct arena *arena, struct str bytes)
{
    struct ip_network address = {.bytes = (unsigned)bytes.len, .prefix = (unsigned)bytes.len * 8};
    char text[IP_TEXT_MAX];
    memcpy(address.address, bytes.ptr, bytes.len);
    return value_str_dup(arena, str_make(text, ip_network_format(&address, text)));
}

static void set_member(struct arena *arena, struct value *object, const char *name, uint64_t number)
{
    value_object_set(arena, object, str_from(name), value_int((int64_t)number));
}

static struct value mpls_value(struct arena *arena, struct str bytes)
{
    uint64_t bits = netflow_number(bytes);
    struct value object = value_object_new(arena, 4);
    set_member(arena, &object, "label", bits >> 12 & 0xFFFFF);
    set_member(arena, &object, "experimental", bits >> 9 & 7);
    set_member(arena, &object, "bottom_of_stack", bits >> 8 & 1);
    set_member(arena, &object, "ttl", bits & 0xFF);
    return object;
}

static struct value status_value(struct arena *arena, struct str bytes)
{
    uint64_t bits = netflow_number(bytes);
    struct value object = value_object_new(arena, 2);
    set_member(arena, &object, "status", bits >> 6 & 3);
    set_member(arena, &object, "reason", bits & 0x3F);
    return object;
}

/* RFC 6759: the engine, then its number; of engine 20 an enterprise stands between. */
static struct value application_value(struct arena *arena, struct str bytes)
{
    struct str rest = str_from_offset(bytes, 1);
    unsigned engine = (unsigned char)bytes.ptr[0];
    if (engine == PEN_ENGINE && bytes.len >= 7)
        return value_str(
            arena_printf(arena, "%u..%llu..%llu", engine,
                         (unsigned long long)netflow_number(str_make(rest.ptr, PEN_BYTES)),
                         (unsigned long long)netflow_number(str_from_offset(rest, PEN_BYTES))));
    return value_str(
        arena_printf(arena, "%u..%llu", engine, (unsigned long long)netflow_number(rest)));
}

/* A length that the kind cannot have is shown as octets. */
struct value netflow_value(struct arena *arena, enum netflow_kind kind, struct str bytes)
{
    if (bytes.len == 0)
        return kind == NETFLOW_TEXT || kind == NETFLOW_OCTETS ? value_str(STR("")) : value_null();
    switch (kind) {
    case NETFLOW_UINT:
        if (bytes.len <= NUMBER_BYTES)
            return unsigned_value(arena, netflow_number(bytes));
        break;
    case NETFLOW_INT:
        if (bytes.len <= NUMBER_BYTES)
            return signed_value(bytes);
        break;
    case NETFLOW_REAL:
        if (bytes.len == sizeof(float) || bytes.len == sizeof(double))
            return real_value(bytes);
        break;
    case NETFLOW_TEXT:
        return text_value(arena, bytes);
    case NETFLOW_IP4:
    case NETFLOW_IP6:
        if (bytes.len == (kind == NETFLOW_IP4 ? 4 : 16))
            return address_value(arena, bytes);
        break;
    case NETFLOW_MAC:
        return hex_value(arena, bytes, 1, ':');
    case NETFLOW_ACL:
        return hex_value(arena, bytes, 4, '-');
    case NETFLOW_MPLS:
        return mpls_value(arena, bytes);
    case NETFLOW_STATUS:
        return status_value(arena, bytes);
    case NETFLOW_APPLICATION:
        if (bytes.len <= 1 + NUMBER_BYTES)
            return application_value(arena, bytes);
        break;
    case NETFLOW_OCTETS:
    case NETFLOW_SKIP:
        break;
    }
    return hex_value(arena, bytes, 0, 0);
}

/* ---- times ---------------------------------------------------------------------------------------- */

static struct value instant_text(struct arena *arena, int64_t seconds, uint64_t nanoseconds)
{
    char text[INSTANT_TEXT_MAX];
    assert(nanoseconds < 1000000000);
    struct instant at = {seconds, (uint32_t)nanoseconds};
    return value_str_dup(arena, str_make(text, instant_format(at, text)));
}

struct value netflow_time_text(struct arena *arena, int64_t seconds, int64_t micros)
{
    return instant_text(arena, seconds + micros / 1000000, (uint64_t)(micros % 1000000) * 1000);
}

bool netflow_flow_time(struct arena *arena, struct str name, struct str bytes, struct value *out)
{
    struct str unit;
    if (str_starts_with(name, STR("flowStart")))
        unit = str_from_offset(name, 9);
    else if (str_starts_with(name, STR("flowEnd")))
        unit = str_from_offset(name, 7);
    else
        return false;
    uint64_t number = netflow_number(bytes);
    if (str_equal(unit, STR("Seconds")))
        *out = netflow_time_text(arena, (int64_t)(number & UINT32_MAX), 0);
    else if (str_equal(unit, STR("Milliseconds")))
        *out = netflow_time_text(arena, (int64_t)(number / 1000), (int64_t)(number % 1000) * 1000);
    else if (str_equal(unit, STR("Microseconds")) || str_equal(unit, STR("Nanoseconds")))
        *out = instant_text(arena, NTP_EPOCH + (int64_t)(number >> 32),
                            (number & UINT32_MAX) * 1000000000 >> 32);
    else
        return false;
    return true;
}
