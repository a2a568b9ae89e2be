#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares every document that the sink stored with what the pipeline has to make of its line.

usage: check.py payment|payment_bulk|access LINES STORE

Every line has exactly one document, in the index of its day. A payment document is the line's object with the masked
user, `@timestamp`, tier and category; beside it only what inputs add. There is one alert for each SYSTEM_ERROR and no
other, of payment_bulk none is looked at. Prints one line and exits 0, or the first differences and 1."""
import json
import re
import sys

SHOWN = 10
# What an input, a codec or a client adds to an event, and the checker does not look into.
ADDED = {'@version', 'path', 'host', 'message', 'log', 'input', 'agent', 'ecs', 'fields', 'tags'}
ACCESS = re.compile(r'(?P<clientip>\S+) (?P<ident>\S+) (?P<auth>\S+) \[(?P<timestamp>[^]]+)\] "(?P<verb>\w+) '
                    r'(?P<request>\S+) HTTP/(?P<httpversion>[\d.]+)" (?P<response>\d+) (?P<bytes>\d+) '
                    r'(?P<referrer>"[^"]*") (?P<agent>"[^"]*")')


def expected_payment(line):
    event = json.loads(line)
    context, user = event['context'], event['userId']
    if len(user) >= 6:
        event['userId'] = f'{user[:3]}***{user[-3:]}'
    event['@timestamp'] = event['timestamp']
    if 'duration_ms' in context:
        duration = context['duration_ms']
        event['performance_tier'] = 'SLOW' if duration > 1000 else 'MEDIUM' if duration > 500 else 'FAST'
    if event['level'] == 'ERROR':
        event['error_category'] = 'BUSINESS_ERROR' if 'error_code' in context else 'SYSTEM_ERROR'
    return event, ADDED


def expected_access(line):
    event = ACCESS.match(line).groupdict()
    day, _, year, *time = re.split('[/: ]', event['timestamp'])
    event['@timestamp'] = f'{year}-11-{day}T{":".join(time[:3])}.000Z'
    event['message'] = line
    return event, ADDED - {'message', 'agent'}


class Kind:
    def __init__(self, expected, number_of, index):
        self.expected, self.number_of, self.index = expected, number_of, index


PAYMENT = Kind(expected_payment, lambda document: int(document['requestId'][4:]), 'kakaopay-logs')
KINDS = {
    'payment': PAYMENT,
    'payment_bulk': PAYMENT,
    'access': Kind(expected_access, lambda document: int(document['request'][12:21]), 'access'),
}


def differences(kind, line, document, action):
    expected, added = kind.expected(line)
    for key, value in expected.items():
        if key not in document:
            yield f'{key} is missing, has to be {value!r}'
        elif document[key] != value or type(document[key]) is not type(value):
            yield f'{key} is {document[key]!r}, has to be {value!r}'
    yield from (f'{key} is not expected' for key in document.keys() - expected.keys() - added)
    yield from (f'tagged {tag}' for tag in document.get('tags', ()) if 'failure' in tag or 'exception' in tag)
    if document.get('message', line) != line:
        yield 'message is not the line'
    index = f"{kind.index}-{expected['@timestamp'][:10].replace('-', '.')}"
    if action['_index'] != index:
        yield f"went to index {action['_index']}, has to be {index}"


def check_documents(kind, lines, store):
    """The differences of all documents, then the lines without one."""
    seen = bytearray(len(lines))
    with open(f'{store}.bulk', encoding='utf-8') as bulk:
        for action_line in bulk:
            (action,) = json.loads(action_line).values()
            document = json.loads(next(bulk))
            number = kind.number_of(document)
            if seen[number]:
                yield f'line {number}: a second document'
            seen[number] = 1
            yield from (f'line {number}: {what}' for what in differences(kind, lines[number], document, action))
    yield from (f'line {number}: no document' for number, there in enumerate(seen) if not there)


def alert_number(alert):
    description = alert['annotations']['description']
    request = json.loads(description)['requestId'] if description.startswith('{') else description
    return int(request[4:])


def is_system_error(line):
    return '"level":"ERROR"' in line and '"error_code"' not in line


def check_alerts(lines, store):
    wanted = {number for number, line in enumerate(lines) if is_system_error(line)}
    with open(f'{store}.alerts', encoding='utf-8') as alerts:
        for text in alerts:
            (alert,) = json.loads(text)['alerts']
            number = alert_number(alert)
            if alert['labels'] != {'alertname': 'SystemError', 'service': 'payment-service', 'severity': 'critical'}:
                yield f'line {number}: an alert with the labels {alert["labels"]}'
            if number not in wanted:
                yield f'line {number}: a second alert, or one for no SYSTEM_ERROR'
            wanted.discard(number)
    yield from (f'line {number}: no alert' for number in sorted(wanted))


def main():
    name, lines_path, store = sys.argv[1:]
    with open(lines_path, encoding='utf-8') as file:
        lines = file.read().split('\n')[:-1]
    found = list(check_documents(KINDS[name], lines, store))
    if name == 'payment':
        found += check_alerts(lines, store)
    for what in found[:SHOWN]:
        print(what)
    print(f'{len(lines)} lines: ' + (f'{len(found)} differences' if found else 'every document as it has to be'))
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
