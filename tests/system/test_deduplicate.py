# SPDX-License-Identifier: Apache-2.0
"""deduplicate: what an origin sends again after a crash is no second document, and nothing else is taken for one."""
import json
import threading
import unittest

import lumberjack
import search_stub
import support

OUTPUT = 'output { elasticsearch { hosts => ["@ADDRESS@"] data_stream => false index => "i" deduplicate => @HOW@ @MORE@ } }'
FILE = '''input { file { path => "@IN@" mode => "tail" start_position => "beginning" stat_interval => "50 ms"
  sincedb_path => "@DB@" @MORE@ } }'''


class Documents(search_stub.SearchStub):
    """Knows documents by their ids, as a cluster does. While `gate` is not set it keeps what comes and answers nothing."""

    def __init__(self):
        self.ids, self.conflicts, self.held, self.gate, self.lock = {}, 0, 0, threading.Event(), threading.Lock()
        self.gate.set()
        super().__init__()

    def _bulk(self, request):
        answer = super()._bulk(request)
        if not self.gate.is_set():
            with self.lock:
                self.held += 1
            self.gate.wait()
        return answer

    def _item(self, action, target, source):
        with self.lock:
            key = target.get('_id')
            if key in self.ids and action == 'create':
                self.conflicts += 1
                return {action: {'_index': 'i', '_id': key, 'status': 409, 'error': {
                    'type': 'version_conflict_engine_exception', 'reason': 'document already exists'}}}
            self.ids[key or f'made {len(self.ids)}'] = (action, source)
            return super()._item(action, target, source)

    def texts(self, field='message'):
        with self.lock:
            return sorted(source[field] for _, source in self.ids.values())


class Deduplicate(support.Case):
    def setUp(self):
        super().setUp()
        self.stub = Documents()
        self.addCleanup(self.stub.close)
        self.addCleanup(self.stub.gate.set)

    def config(self, source, filters='', how='true', more=''):
        return support.fill(f'{source}\nfilter {{ {filters} }}\n{OUTPUT}', ADDRESS=self.stub.address, HOW=how, MORE=more)

    def file(self, path, filters='', more=''):
        return self.config(support.fill(FILE, IN=path, DB=self.folder / 'sincedb', MORE=more), filters)

    def arrived(self, millrace, count):
        millrace.wait_for(lambda: len(self.stub.ids) >= count, f'{count} documents, {len(self.stub.ids)} are there', 30)

    def crash_and_again(self, config, count, workers=2):
        """Nothing is acknowledged before the crash, though all of it may be there."""
        self.stub.gate.clear()
        millrace = self.start('-w', workers, '-e', config)
        millrace.wait_for(lambda: self.stub.held > 0, 'a request that is not answered', 30)
        millrace.kill()
        there = len(self.stub.ids)
        self.assertGreater(there, 0)
        self.stub.gate.set()
        millrace = self.start('-w', workers, '-e', config)
        self.arrived(millrace, count)
        millrace.wait_for(lambda: self.stub.conflicts >= there, 'what was there to be sent again', 30)
        self.assertEqual(0, millrace.stop())
        self.assertEqual(count, len(self.stub.ids))
        self.assertEqual({'create'}, {action for action, _ in self.stub.ids.values()})
        self.assertNotIn('something else under the id', millrace.stderr)

    def test_a_crash_makes_no_second_document_of_a_line(self):
        lines = [f'line {n % 4000}' for n in range(6000)]  # some of them twice
        self.crash_and_again(self.file(self.write('log', '\n'.join(lines) + '\n')), 6000)
        self.assertEqual(sorted(lines), self.stub.texts())

    def test_nor_of_what_filters_make_of_it(self):
        """Two splits and a clone: 2 * 2 * 2 of each line, on lanes that share them anew."""
        filters = '''mutate { add_field => { "a" => "1,2" "b" => "x,y" } } split { field => "a" terminator => "," }
          clone { clones => ["c"] } split { field => "b" terminator => "," }'''
        lines = [f'line {n}' for n in range(700)]
        self.crash_and_again(self.file(self.write('log', '\n'.join(lines) + '\n'), filters), 5600, 3)
        self.assertEqual(sorted(lines * 8), self.stub.texts())

    def test_nor_of_the_items_of_a_list(self):
        texts = [json.dumps([{'m': f'{n} first'}, {'m': f'{n} second'}, {'m': 'the same'}]) for n in range(500)]
        self.crash_and_again(self.file(self.write('log', '\n'.join(texts) + '\n'), more='codec => json'), 1500)
        self.assertEqual(500, self.stub.texts('m').count('the same'))

    def test_nor_of_lines_that_belong_together(self):
        text = ''.join(f'start {n}\n  more\n' for n in range(300))
        codec = 'codec => multiline { pattern => "^ " what => "previous" auto_flush_interval => 1 }'
        self.crash_and_again(self.file(self.write('log', text), more=codec), 300)

    def test_the_same_line_at_the_same_place_of_a_file_written_anew_is_another(self):
        log = self.write('log', 'header\nsomething\n')
        millrace = self.start('-e', self.file(log))
        self.arrived(millrace, 2)
        log.write_text('header\n')  # shorter: it was truncated
        self.arrived(millrace, 3)
        self.assertEqual(['header', 'header', 'something'], self.stub.texts())
        millrace.kill()
        with log.open('a') as end:
            end.write('more\n')
        millrace = self.start('-e', self.file(log))  # how often it was truncated is known
        self.arrived(millrace, 4)
        self.assertEqual(0, millrace.stop())
        self.assertEqual(['header', 'header', 'more', 'something'], self.stub.texts())

    def test_a_beat_that_sends_a_window_again(self):
        port = support.free_port()
        config = self.config(f'input {{ beats {{ host => "127.0.0.1" port => {port} }} }}')
        events = [{'@timestamp': '2026-01-02T03:04:05.678Z', 'message': 'the same', 'agent': {'id': 'a'},
                   'log': {'offset': n * 9, 'file': {'path': '/var/log/x'}}} for n in range(20)]
        again = [dict(reversed(event.items())) for event in events]  # a Beat does not keep the order of members
        millrace = self.start('-e', config)
        millrace.wait_for_port(port)
        for window in (events, again):
            client = lumberjack.Client(port)
            client.send(lumberjack.batch(window))
            self.assertEqual((2, 20), client.read_acks(1, 30 * support.PATIENCE)[-1])
            client.close()
        self.assertEqual(0, millrace.stop())
        self.assertEqual((20, 20), (len(self.stub.ids), self.stub.conflicts))

    def test_what_has_no_position_gets_no_id_unless_its_bytes_are_to_do(self):
        self.run_to_end('-e', self.config('input { stdin { } }'), stdin=b'a\nb\na\n')
        self.assertEqual(['a', 'a', 'b'], self.stub.texts())
        self.assertEqual([None] * 3, [target.get('_id') for target in self.stub.targets])
        self.stub.ids.clear()
        for _ in range(2):
            self.run_to_end('-e', self.config('input { stdin { } }', how='content'), stdin=b'a\nb\na\n')
        self.assertEqual(['a', 'b'], self.stub.texts())

    def test_a_conflict_with_a_document_of_an_id_that_is_not_ours_is_one(self):
        self.stub.ids['there'] = ('index', {'message': 'before'})
        filters = 'mutate { add_field => { "[@metadata][_ingest_document][id]" => "there" } }'
        config = self.config('input { stdin { } }', filters, 'content', 'action => "create"')
        millrace = self.run_to_end('-e', config, stdin=b'a\n')
        self.assertEqual(['before'], self.stub.texts())
        self.assertIn('something else under the id', millrace.stderr)

    def test_options_that_do_not_go_with_it_are_refused(self):
        for more in ('document_id => "x"', 'action => "update"', 'action => "%{a}"'):
            with self.subTest(more):
                millrace = self.run_to_end('-t', '-e', self.config('', more=more), status=1)
                self.assertIn('deduplicate', millrace.stderr)


if __name__ == '__main__':
    unittest.main()
