# SPDX-License-Identifier: Apache-2.0
"""Every recipe of docs/cookbook on its sample: deploy/pipelines/cookbook/NAME.conf, as it is, makes of NAME.input the
documents of NAME.expected. With MILLRACE_DOCS_WRITE=1 (./dev docs) that file is written instead of compared."""
import collections
import datetime
import json
import os
import pathlib
import re
import socket
import subprocess
import unittest

import mmdb
import search_stub
import support

RECIPES = support.ROOT / 'deploy/pipelines/cookbook'
PAGES = support.ROOT / 'docs/cookbook'
WRITE = bool(os.environ.get('MILLRACE_DOCS_WRITE'))
LONDON = {'city': {'names': {'en': 'London'}}, 'country': {'iso_code': 'GB', 'names': {'en': 'United Kingdom'}},
          'location': {'latitude': 51.5142, 'longitude': -0.0931}}
SIDECAR_LINES, SIDECAR_MIB = 100000, 32
THIS_YEAR = datetime.datetime.now(datetime.timezone.utc).year

# `feed` is how a recipe gets its sample: by Beats, or as a file of that name in the folder that the variable `folder`
# names, which stands for `place` in what is expected. `documents` is how many come of it.
Recipe = collections.namedtuple('Recipe', 'documents feed folder place service environment',
                                defaults=('beats', None, None, None, {}))
SAMPLES = {
    'csv-import': Recipe(3, 'orders.csv', 'CSV', '/srv/import'),
    'java-stack-traces': Recipe(3, 'shop.log', 'LOGS', '/var/log/app'),
    'json-data-streams': Recipe(2, service='Checkout-API'),
    'mask-personal-data': Recipe(2, service='shop', environment={'PSEUDONYM_KEY': 'an example, not a secret'}),
    'nginx-access': Recipe(4, service='nginx'),
    'routing': Recipe(4, service='shop'),
    'sampling': Recipe(8, service='shop'),
    'sidecar': Recipe(2, 'app.log', 'LOGS', '/var/log/app', environment={'SERVICE': 'shop', 'POD_NAME': 'shop-7d4b9-x2x8q'}),
    'syslog': Recipe(4, 'auth.log', 'LOGS', '/var/log'),
    'web-visitors': Recipe(3, service='nginx'),
}


class RecipeCase(support.Case):
    def setUp(self):
        super().setUp()
        self.search = search_stub.SearchStub()
        self.addCleanup(self.search.close)
        self.logs = self.folder / 'logs'
        self.logs.mkdir()
        self.port = support.free_port()

    def start_recipe(self, name, *arguments):
        recipe = SAMPLES[name]
        database = mmdb.write(self.folder / 'city.mmdb', {'81.2.69.0/24': LONDON})
        environment = {'ELASTICSEARCH': self.search.address, 'BEATS_PORT': str(self.port), 'GEOIP_DATABASE': str(database),
                       'ARCHIVE': str(self.folder / 'archive'), **recipe.environment}
        if recipe.folder:
            environment[recipe.folder] = str(self.logs)
        return self.start('-f', RECIPES / f'{name}.conf', '-w', '1', *arguments, env=environment)

    def send(self, millrace, content, service):
        millrace.wait_for_port(self.port)
        subprocess.run([support.BINARY, 'send', '--quiet', '--to', f'127.0.0.1:{self.port}', '--field', f'service={service}'],
                       input=content, check=True, timeout=60 * support.PATIENCE)

    def run_recipe(self, name):
        """Runs the recipe on its sample; returns what was indexed, as Elasticsearch would show it."""
        recipe, content = SAMPLES[name], (RECIPES / f'{name}.input').read_bytes()
        if recipe.folder:
            (self.logs / recipe.feed).write_bytes(content)
        millrace = self.start_recipe(name)
        if not recipe.folder:
            self.send(millrace, content, recipe.service)
        support.wait_until(lambda: len(self.search.documents) >= recipe.documents, f'{recipe.documents} documents')
        if 'exit_after_read => true' in re.sub(' +', ' ', (RECIPES / f'{name}.conf').read_text('utf-8')):
            self.assertEqual(0, millrace.wait(), millrace.stderr)
        self.assertEqual(0, millrace.stop(), millrace.stderr)
        # One of several paths may have no file.
        self.assertEqual([], re.findall(r'.*\]\[(?:WARN|ERROR)(?!.*no file matches a path so far).*', millrace.stderr))
        return sorted(self.hits(recipe), key=lambda hit: hit['_source'].get('@timestamp', ''))

    def hits(self, recipe):
        for target, (_, index, source) in zip(self.search.targets, self.search.documents):
            given = {'_id': target['_id']} if '_id' in target else {}
            if '_grokparsefailure' in source.get('tags', ()):  # its time is that of its arrival
                index, source = index[:-len('2026.03.02')] + 'DATE', {**source, '@timestamp': 'when it arrived'}
            yield self.as_anywhere({'_index': index, **given, '_source': source}, recipe)

    def as_anywhere(self, value, recipe):
        """Without what differs from machine to machine."""
        if isinstance(value, dict):
            return {key: self.as_anywhere(item, recipe) for key, item in value.items()}
        if isinstance(value, list):
            return [self.as_anywhere(item, recipe) for item in value]
        if not isinstance(value, str):
            return value
        # A time without a year gets that of today.
        value = re.sub(rf'\b{THIS_YEAR}([.-])03([.-])02\b', r'2026\g<1>03\g<2>02', value)
        return 'web-1' if value == socket.gethostname() else value.replace(str(self.logs), recipe.place or '')


class Cookbook(RecipeCase):
    def check(self, name):
        hits, path = self.run_recipe(name), RECIPES / f'{name}.expected'
        if WRITE:
            path.write_text(''.join(json.dumps(hit, ensure_ascii=False) + '\n' for hit in hits), 'utf-8')
        self.assertEqual([json.loads(line) for line in path.read_text('utf-8').splitlines()], hits)

    def test_every_recipe_has_a_sample_and_a_page(self):
        names = sorted(path.stem for path in RECIPES.glob('*.conf'))
        self.assertEqual(sorted(SAMPLES), names)
        self.assertEqual(names, sorted(path.stem for path in PAGES.glob('*.md') if path.stem != 'README'))

    def test_routing_keeps_a_copy_of_audit_events(self):
        self.run_recipe('routing')
        audits = [source for _, index, source in self.search.documents if index.startswith('audit-')]
        copy = self.folder / 'archive/audit-2026-03-02.jsonl'
        self.assertEqual(audits, [json.loads(line) for line in copy.read_text('utf-8').splitlines()])

    def test_csv_import_again_replaces_the_documents(self):
        first = self.run_recipe('csv-import')
        second = self.run_recipe('csv-import')
        self.assertEqual(first, second[:1] + second[2:3] + second[4:5])
        self.assertEqual({hit['_id'] for hit in first}, {hit['_id'] for hit in second})

    def test_sampling_keeps_or_drops_a_trace_as_a_whole(self):
        weights = collections.Counter(hit['_source']['sample']['weight'] for hit in self.run_recipe('sampling'))
        self.assertEqual({1: 2, 10: 6}, dict(weights))


class Sidecar(RecipeCase):
    def test_it_stays_small_under_load(self):
        """As its page says it is to be run; the peak is what the kernel says it was."""
        line = (RECIPES / 'sidecar.input').read_text('utf-8').splitlines()[0] + '\n'
        (self.logs / 'app.log').write_text(line * SIDECAR_LINES)
        millrace = self.start_recipe('sidecar', '--pipeline.memory', '8mb')
        millrace.wait_for(lambda: len(self.search.documents) >= SIDECAR_LINES, 'all documents', timeout=120)
        status = pathlib.Path(f'/proc/{millrace.pid}/status').read_text()
        peak_mib = int(re.search(r'VmHWM:\s+(\d+)', status).group(1)) / 1024
        if not support.SANITIZED:
            self.assertLess(peak_mib, SIDECAR_MIB)
        self.assertEqual(0, millrace.stop())
        self.assertEqual(SIDECAR_LINES, len(self.search.documents))

    def test_it_goes_on_where_it_was(self):
        self.run_recipe('sidecar')
        with open(self.logs / 'app.log', 'a') as log:
            log.write('{"ts":"2026-03-02T01:15:40Z","msg":"after the restart"}\n')
        millrace = self.start_recipe('sidecar')
        millrace.wait_for(lambda: len(self.search.documents) >= 3, 'the line that came later')
        self.assertEqual(0, millrace.stop())
        self.assertEqual(['listening', 'slow query', 'after the restart'], [source['msg'] for *_, source in self.search.documents])


def add_test(name):
    def test(self):
        self.check(name)
    setattr(Cookbook, f'test_recipe_{name.replace("-", "_")}', test)


for recipe_name in SAMPLES:
    add_test(recipe_name)


if __name__ == '__main__':
    unittest.main()
