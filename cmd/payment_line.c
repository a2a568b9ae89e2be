/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/payment_line.h"

#include <inttypes.h>

/* Each question asked of a line takes its own number from it. */
enum dice {
    DICE_KIND,
    DICE_LEVEL,
    DICE_ERROR_CODE,
    DICE_TEXT,
    DICE_WORDS,
    DICE_AMOUNT,
    DICE_DURATION,
    DICE_SESSION,
    DICE_REQUEST,
    DICE_TRANSACTION,
    DICE_PLACE,
    DICE_COUNT,
};

enum { PERCENT_SECURITY = 3, PERCENT_PERFORMANCE = 10 };
enum { ERRORS_OF_1000_PAYMENTS = 172 }; /* 15 of 100 lines, as 87 of 100 are payments */
enum { KOREAN_OF_1000_PAYMENTS = 138, ESCAPES_OF_1000_PAYMENTS = 57 };
enum { SLOW_MS = 1000, USER_BITS = 48 };

struct line {
    uint64_t seed, index;
    struct str time;
};

/* A permutation of the 64-bit numbers (splitmix64's finish). */
static uint64_t mix(uint64_t value)
{
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

static uint64_t roll(const struct line *line, enum dice dice)
{
    uint64_t position = line->index * DICE_COUNT + dice + 1;
    return mix(mix(line->seed) + position * UINT64_C(0x9e3779b97f4a7c15));
}

static unsigned roll_below(const struct line *line, enum dice dice, unsigned sides)
{
    return (unsigned)(roll(line, dice) % sides);
}

/* Distinct for distinct indexes below 2^48: an odd factor permutes. */
static uint64_t user_number(const struct line *line)
{
    uint64_t factor = mix(line->seed) | 1;
    return (line->index * factor + mix(line->seed + 1)) & ((UINT64_C(1) << USER_BITS) - 1);
}

/* Mostly quick, at times slow: about 5 % above one second. */
static unsigned duration_ms(const struct line *line)
{
    unsigned dice = roll_below(line, DICE_DURATION, 100);
    unsigned fine = (unsigned)(roll(line, DICE_DURATION) >> 32);
    if (dice < 80)
        return 20 + fine % 400;
    return dice < 95 ? 420 + fine % 580 : SLOW_MS + fine % 4000;
}

#define PICK(list, number) (list)[(number) % (sizeof(list) / sizeof *(list))]

static const char *text_of(const struct line *line)
{
    static const char *const KOREAN[] = {
        "카카오페이 결제가 정상적으로 승인되었습니다",
        "잔액이 부족하여 결제를 진행할 수 없습니다",
        "가맹점 정산 요청이 접수되었습니다",
        "본인 인증 후 다시 시도해 주세요",
    };
    static const char *const ESCAPES[] = {
        "issuer said \\\"do not honor\\\"\\nretry after review",
        "settlement file C:\\\\pay\\\\out\\\\batch.csv\\twritten",
        "caf\\u00e9 order, terminal says \\\"ok\\\"\\r\\n",
    };
    static const char *const PLAIN[] = {
        "payment processed by the primary card gateway",
        "authorization forwarded to the acquiring bank",
        "wallet balance charged, receipt sent to the customer",
        "merchant notified by webhook, waiting for capture",
    };
    unsigned dice = roll_below(line, DICE_TEXT, 1000);
    uint64_t words = roll(line, DICE_WORDS);
    if (dice < KOREAN_OF_1000_PAYMENTS)
        return PICK(KOREAN, words);
    if (dice < KOREAN_OF_1000_PAYMENTS + ESCAPES_OF_1000_PAYMENTS)
        return PICK(ESCAPES, words);
    return PICK(PLAIN, words);
}

static bool append_head(struct buf *out, const struct line *line, const char *level,
                        const char *event)
{
    return buf_printf(out,
                      "{\"timestamp\":\"%.*s\",\"level\":\"%s\",\"service\":\"payment-service\","
                      "\"event\":\"%s\",\"transactionId\":",
                      STR_FMT(line->time), level, event);
}

static bool append_ids(struct buf *out, const struct line *line, bool transaction)
{
    bool good = transaction ? buf_printf(out, "\"TXN%016" PRIX64 "\"", roll(line, DICE_TRANSACTION))
                            : buf_append_str(out, STR("null"));
    return good &&
           buf_printf(out,
                      ",\"userId\":\"user%012" PRIx64 "\",\"sessionId\":\"sess-%016" PRIx64
                      "\",\"requestId\":\"req-%016" PRIx64 "\",\"context\":{",
                      user_number(line), roll(line, DICE_SESSION), roll(line, DICE_REQUEST));
}

static bool append_payment(struct buf *out, const struct line *line)
{
    static const char *const EVENTS[] = {"PAYMENT_REQUESTED", "PAYMENT_APPROVED",
                                         "PAYMENT_COMPLETED", "PAYMENT_REFUNDED"};
    static const char *const METHODS[] = {"CARD", "KAKAO_MONEY", "BANK_TRANSFER", "POINT"};
    static const char *const CODES[] = {"INSUFFICIENT_BALANCE", "CARD_EXPIRED", "LIMIT_EXCEEDED",
                                        "MERCHANT_CLOSED", "FRAUD_SUSPECTED"};
    bool error = roll_below(line, DICE_LEVEL, 1000) < ERRORS_OF_1000_PAYMENTS;
    const char *event = error ? "PAYMENT_FAILED" : PICK(EVENTS, roll(line, DICE_WORDS) >> 8);
    uint64_t place = roll(line, DICE_PLACE);
    bool good = append_head(out, line, error ? "ERROR" : "INFO", event) &&
                append_ids(out, line, true) &&
                buf_printf(out,
                           "\"amount\":%u,\"currency\":\"KRW\",\"method\":\"%s\",\"merchantId\":"
                           "\"SHOP-%06u\",\"duration_ms\":%u,\"description\":\"%s\"",
                           100 + 10 * roll_below(line, DICE_AMOUNT, 50000), PICK(METHODS, place),
                           (unsigned)(place >> 32) % 1000000, duration_ms(line), text_of(line));
    if (error && roll_below(line, DICE_ERROR_CODE, 4) != 0)
        good = good && buf_printf(out, ",\"error_code\":\"%s\"", PICK(CODES, place >> 16));
    return good;
}

static bool append_security(struct buf *out, const struct line *line)
{
    static const char *const TYPES[] = {"LOGIN_FAILED", "PASSWORD_CHANGED", "NEW_DEVICE",
                                        "TOKEN_REVOKED"};
    static const char *const SEVERITIES[] = {"LOW", "MEDIUM", "HIGH"};
    uint64_t place = roll(line, DICE_PLACE);
    return append_head(out, line, "INFO", "SECURITY_EVENT") && append_ids(out, line, false) &&
           buf_printf(out,
                      "\"sourceIp\":\"203.0.113.%u\",\"userAgent\":\"Mozilla/5.0 (Linux; Android "
                      "14) KakaoTalk/10.4\",\"eventType\":\"%s\",\"severity\":\"%s\","
                      "\"additionalInfo\":{\"attempts\":%u}",
                      (unsigned)(place >> 8) % 254 + 1, PICK(TYPES, place),
                      PICK(SEVERITIES, place >> 16), (unsigned)(place >> 24) % 5 + 1);
}

static bool append_performance(struct buf *out, const struct line *line)
{
    static const char *const OPERATIONS[] = {"PaymentRepository.findByTransactionId",
                                             "SettlementService.closeBatch", "WalletClient.charge"};
    uint64_t place = roll(line, DICE_PLACE);
    unsigned duration = duration_ms(line);
    bool slow = duration > SLOW_MS;
    return append_head(out, line, slow ? "WARN" : "INFO", "PERFORMANCE") &&
           append_ids(out, line, false) &&
           buf_printf(out,
                      "\"operation\":\"%s\",\"duration_ms\":%u,\"is_slow\":%s,\"thread\":"
                      "\"http-nio-8080-exec-%u\"",
                      PICK(OPERATIONS, place), duration, slow ? "true" : "false",
                      (unsigned)(place >> 8) % 200 + 1);
}

bool payment_line(struct buf *out, uint64_t seed, uint64_t index, struct instant at)
{
    char time[INSTANT_TEXT_MAX];
    struct line line = {seed, index, str_make(time, instant_format(at, time))};
    unsigned kind = roll_below(&line, DICE_KIND, 100);
    bool good;
    if (kind < PERCENT_SECURITY)
        good = append_security(out, &line);
    else if (kind < PERCENT_SECURITY + PERCENT_PERFORMANCE)
        good = append_performance(out, &line);
    else
        good = append_payment(out, &line);
    return good && buf_append_str(out, STR("}}\n"));
}
