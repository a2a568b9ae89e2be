#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The demo: `./dev demo [N]`. Generated payment events through the filter of the shipped pipeline, before and after.

The filter is cut out of deploy/pipelines/payment.conf as it is; only where the events come from and go to is ours, so
that nothing has to run beside millrace. Colours when standard output is a terminal."""
import collections
import json
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
MILLRACE = os.environ.get('MILLRACE') or str(ROOT / 'build/millrace')
PIPELINE = ROOT / 'deploy/pipelines/payment.conf'
INPUT = 'input { stdin { codec => line add_field => { "[fields][service]" => "payment" } } }'
OUTPUT = 'output { stdout { codec => json_lines } }'
TIERS = ('FAST', 'MEDIUM', 'SLOW', None)
CATEGORIES = (None, 'BUSINESS_ERROR', 'SYSTEM_ERROR')
# What the filter changes or adds, in the order in which the file does it.
CHANGED = ('@timestamp', 'userId', 'performance_tier', 'error_category')
COLOUR = sys.stdout.isatty() and os.environ.get('TERM') != 'dumb' and 'NO_COLOR' not in os.environ


def paint(code, text):
    return f'\x1b[{code}m{text}\x1b[0m' if COLOUR else text


def heading(text):
    print('\n' + paint('1', text))


def filter_of(path):
    """The filter section: from the line `filter {` to the brace in the first column that ends it."""
    lines = path.read_text('utf-8').split('\n')
    first = lines.index('filter {')
    return '\n'.join(lines[first:lines.index('}', first) + 1])


def run(arguments, data=b''):
    done = subprocess.run([MILLRACE, *arguments], input=data, stdout=subprocess.PIPE)
    if done.returncode != 0:
        sys.exit(f'demo: millrace ended with {done.returncode}')
    return done.stdout


def examples(pairs):
    """One event of each kind that the filter treats differently."""
    wanted = (('a slow payment', lambda after: after.get('performance_tier') == 'SLOW'),
              ('refused by a rule of the business', lambda after: after.get('error_category') == 'BUSINESS_ERROR'),
              ('something broke', lambda after: after.get('error_category') == 'SYSTEM_ERROR'))
    for title, fits in wanted:
        found = next((pair for pair in pairs if fits(pair[1])), None)
        if found:
            yield title, *found


def show(title, before, after):
    heading(title)
    print(paint('2', '  before  ' + before))
    for key in CHANGED:
        if key in after:
            old = json.loads(before).get({'@timestamp': 'timestamp'}.get(key, key))
            was = paint('2', f'  (was {old})') if old is not None and old != after[key] else ''
            print(f'  after   {key:<17} {paint("32", after[key])}{was}')


def table(events):
    counts = collections.Counter((event.get('performance_tier'), event.get('error_category')) for event in events)
    heading('counts by tier and category')
    print('  ' + ' ' * 10 + ''.join(f'{category or "no error":>16}' for category in CATEGORIES) + f'{"all":>10}')
    for tier in TIERS:
        row = [counts[tier, category] for category in CATEGORIES]
        print(f'  {tier or "no tier":<10}' + ''.join(f'{number:>16,}' for number in row) + f'{sum(row):>10,}')
    columns = [sum(counts[tier, category] for tier in TIERS) for category in CATEGORIES]
    print('  ' + f'{"all":<10}' + ''.join(f'{number:>16,}' for number in columns) + paint('1', f'{sum(columns):>10,}'))


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20000
    pipeline = f'{INPUT}\n{filter_of(PIPELINE)}\n{OUTPUT}'
    lines = run(['generate', '-n', str(count), '--seed', '1'])
    print(f'{paint("1", "millrace demo")}: {count:,} generated payment events through the filter of '
          f'{PIPELINE.relative_to(ROOT)}')
    started = time.monotonic()
    output = run(['-e', pipeline, '--log.level', 'error'], lines)
    seconds = time.monotonic() - started
    before = lines.decode().split('\n')[:-1]
    # Events may come out in another order than they went in: they are matched by their message.
    after = {event['message']: event for event in map(json.loads, output.decode().split('\n')[:-1])}
    if len(after) != len(set(before)):
        sys.exit(f'demo: {len(set(before)):,} events went in, {len(after):,} came out')
    for title, line, event in examples([(line, after[line]) for line in before]):
        show(title, line, event)
    table(after.values())
    print(f'\n{count:,} events in {seconds:.2f} s, from start to exit of the process.')
    print('Next: build/millrace -f deploy/pipelines/payment.conf   (./README.md says more)')


if __name__ == '__main__':
    main()
