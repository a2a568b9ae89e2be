#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the lines that the bench feeds: payment log entries, or the access log of a web server.

A payment entry is one JSON object a line, about 420 bytes on average.

15 % are ERROR, a quarter of them without an error_code; 3 % have no duration_ms; 12 % carry Korean text, 5 % JSON
escapes; no two have the same user. The same count and seed make the same bytes. `requestId` ends in the line's number,
by which bench/check.py finds the line of a document again; in an access log the path of the request does.

usage: lines.py payment|access COUNT FILE"""
import random
import sys

SEED = 20261123
FIRST_MILLISECOND = 1763856000000  # 2025-11-23T00:00:00Z
FIRST_DAY = FIRST_MILLISECOND // 86400000
MILLISECONDS_APART = 130           # a million lines cross into a second day
KOREAN = ('결제가 정상적으로 승인되었습니다', '잔액이 부족하여 결제가 거절되었습니다', '카드사 응답 지연으로 재시도합니다',
          '사용자 인증을 다시 확인해 주세요')
ENGLISH = ('payment approved by the card issuer', 'authorisation forwarded to the acquirer',
           'settlement queued for the nightly batch', 'customer returned from the confirmation page')
ESCAPES = ('quote \\"{}\\" in path C:\\\\pay\\\\{}', 'line one {}\\nline two\\t{}')
MERCHANTS = ('coffee-house', 'bookstore-gangnam', 'metro-transit', 'online-market', 'delivery-kitchen')
USERS = ('-', '-', '-', 'kim', 'park.minsu')
VERBS = ('GET', 'GET', 'GET', 'POST', 'PUT')
STATUSES = (200, 200, 200, 201, 304, 404, 500)
AGENTS = ('Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0 Safari/537.36',
          'Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 Version/17.1 Mobile Safari/604.1',
          'curl/7.88.1')
ERRORS = ('INSUFFICIENT_BALANCE', 'CARD_EXPIRED', 'LIMIT_EXCEEDED', 'ISSUER_DECLINED')


def moment(number):
    """Day of November 2025, time of day and milliseconds of a line; the lines cover few days, all in one month."""
    seconds, milliseconds = divmod(FIRST_MILLISECOND + number * MILLISECONDS_APART, 1000)
    days, second = divmod(seconds, 86400)
    return 23 + days - FIRST_DAY, f'{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}', milliseconds


def timestamp(number):
    return '2025-11-{:02}T{}.{:03}Z'.format(*moment(number))


def message(number, random_number):
    kind = random_number % 100
    if kind < 12:
        return KOREAN[number % len(KOREAN)]
    if kind < 17:
        return ESCAPES[number % len(ESCAPES)].format(number, kind)
    return ENGLISH[number % len(ENGLISH)]


def payment(number, choose):
    dice = choose.getrandbits(64)
    error = dice % 100 < 15
    coded = error and (dice >> 8) % 4 != 0
    duration = '' if (dice >> 16) % 100 < 3 else f'"duration_ms":{int(choose.expovariate(1 / 400))},'
    code = f'"error_code":"{ERRORS[(dice >> 24) % len(ERRORS)]}",' if coded else ''
    return (f'{{"timestamp":"{timestamp(number)}","level":"{"ERROR" if error else "INFO"}","service":"payment-service",'
            f'"event":"{"PAYMENT_FAILED" if error else "PAYMENT_COMPLETED"}","transactionId":"txn-{dice:016x}",'
            f'"userId":"user{number * 7 + 10000000}","sessionId":"sess-{dice >> 20:011x}","requestId":"req-{number:09}",'
            f'"context":{{{duration}{code}"amount":{dice >> 40},"currency":"KRW",'
            f'"merchant":"{MERCHANTS[(dice >> 32) % len(MERCHANTS)]}","message":"{message(number, dice >> 48)}",'
            f'"thread":"nio-exec-{number % 200}","retry":false}}}}\n')


def access(number, choose):
    dice = choose.getrandbits(64)
    day, time, _ = moment(number)
    return (f'{dice & 255}.{dice >> 8 & 255}.{dice >> 16 & 255}.{dice >> 24 & 255} - '
            f'{USERS[(dice >> 32) % len(USERS)]} [{day:02}/Nov/2025:{time} +0000] '
            f'"{VERBS[(dice >> 40) % len(VERBS)]} /api/orders/{number:09}?page={dice >> 56} HTTP/1.1" '
            f'{STATUSES[(dice >> 48) % len(STATUSES)]} {dice >> 44} "https://shop.example/cart/{dice >> 52}" '
            f'"{AGENTS[dice % len(AGENTS)]}"\n')


def main():
    make, count, path = {'payment': payment, 'access': access}[sys.argv[1]], int(sys.argv[2]), sys.argv[3]
    choose = random.Random(SEED)
    with open(path, 'w', encoding='utf-8', newline='\n') as out:
        out.writelines(make(number, choose) for number in range(count))


if __name__ == '__main__':
    main()
