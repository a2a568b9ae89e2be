# SPDX-License-Identifier: Apache-2.0
"""Runs under Debian's own Python, which has Avro's library (python3-avro); test_avro.py starts it.

avro_peer.py write SCHEMA COUNT SEED   random records: a line each, base64 of the datum, a tab, JSON of what it says
avro_peer.py read SCHEMA               data from standard input, one behind the other: a line of JSON for each
"""
import base64
import datetime
import decimal
import io
import json
import random
import sys

import avro.io
import avro.schema

UTC = datetime.timezone.utc


def as_json(value):
    """As millrace's events show what Avro says."""
    if isinstance(value, datetime.datetime):
        return value.isoformat().replace('+00:00', 'Z')
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, bytes):
        return value.decode('latin-1')
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_json(item) for item in value]
    return value


def record(chance, depth=0):
    text = lambda: ''.join(chance.choice('ab é가\n"') for _ in range(chance.randrange(9)))
    return {
        'nothing': None,
        'flag': chance.random() < 0.5,
        'small': chance.randrange(-2 ** 31, 2 ** 31),
        'large': chance.choice([0, -1, 2 ** 63 - 1, -2 ** 63, chance.randrange(-2 ** 40, 2 ** 40)]),
        'single': chance.randrange(-1000, 1000) / 8,
        'real': chance.uniform(-1e9, 1e9),
        'text': text(),
        'raw': bytes(chance.randrange(128) for _ in range(chance.randrange(200))),
        'four': bytes(chance.randrange(0, 128) for _ in range(4)),
        'suit': chance.choice(['SPADES', 'HEARTS']),
        'list': [chance.randrange(-99, 99) for _ in range(chance.randrange(300))],
        'map': {f'k{index}': [text()] * index for index in range(chance.randrange(5))},
        'one_of': chance.choice([None, 5, 'five', 2.5, ['a', 'b']]),
        'day': datetime.date(1970, 1, 1) + datetime.timedelta(days=chance.randrange(-9000, 90000)),
        'at_millis': datetime.datetime.fromtimestamp(chance.randrange(1, 2 ** 31), UTC).replace(microsecond=125000),
        'at_micros': datetime.datetime.fromtimestamp(chance.randrange(1, 2 ** 31), UTC).replace(microsecond=123457),
        'price': decimal.Decimal(chance.randrange(-10 ** 8, 10 ** 8)).scaleb(-2),
        'child': record(chance, depth + 1) if depth < 3 and chance.random() < 0.4 else None,
    }


def main(task, path, *rest):
    with open(path, encoding='utf-8') as file:
        schema = avro.schema.parse(file.read())
    if task == 'write':
        chance = random.Random(int(rest[1]))
        for _ in range(int(rest[0])):
            datum, out = record(chance), io.BytesIO()
            avro.io.DatumWriter(schema).write(datum, avro.io.BinaryEncoder(out))
            print(base64.b64encode(out.getvalue()).decode() + '\t' + json.dumps(as_json(datum)))
        return
    source = io.BytesIO(sys.stdin.buffer.read())
    while source.tell() < len(source.getvalue()):
        print(json.dumps(as_json(avro.io.DatumReader(schema).read(avro.io.BinaryDecoder(source)))))


main(*sys.argv[1:])
