# SPDX-License-Identifier: Apache-2.0
"""Reloads at the wrong moment: while another one is going, when the process ends or is killed, with outputs that cannot be opened, with
what an earlier version of the file has left in a spool."""
import json
import signal
import socket

import lumberjack
import support
import test_isolation
import test_reload_outputs
from test_reload_outputs import WINDOW, http

SPOOL = 'on_full => "spool" hold_max => "200 ms"'
SLOW = 'ruby { code => "i = 0; while i < 20000; i += 1; end" }'


class Case(test_reload_outputs.Case):
    def http(self, port, more='', id='id => "alerts"'):
        return http(port, f'{SPOOL} {more}', id)

    def read_in(self, millrace, count, plugin=0):
        millrace.wait_for(lambda: self.outputs()[plugin]['events']['in'] >= count, f'{count} events', 30)

    def send_again(self, millrace, count=WINDOW):
        """As a client that was told nothing does."""
        self.sent = 0
        with lumberjack.Client(self.port, 60) as client:
            self.send(client, count)
            self.wait_acknowledged(client, count)


class AtOnce(Case):
    def test_reloads_while_one_is_going(self):
        """Ten in a row without waiting; the last file is what runs in the end, and each event is delivered once."""
        hole, sink = self.hole(test_isolation.Silent), self.sink()
        millrace = self.serve(self.text(http(hole.port)))
        with lumberjack.Client(self.port, 60) as client:
            for version in range(1, 11):
                self.send(client)
                self.write_config(self.text(http(hole.port, f'pool_max => {version}'), version))
                millrace.signal(signal.SIGHUP)
            self.write_config(self.text(http(sink.port), 11))
            millrace.signal(signal.SIGHUP)
            for _ in range(10):
                self.wait_acknowledged(client)
        self.check_once(millrace, sink, range(10 * WINDOW))
        self.stop_in_place(millrace)

    def test_with_spools_while_one_is_going(self):
        """Outputs with a spool come and go without a rest."""
        hole, sink = self.hole(test_isolation.Silent), self.sink()
        outputs = [self.http(hole.port), 'null { }', self.http(hole.port, 'pool_max => 3'), http(hole.port)]
        millrace = self.serve(self.text(outputs[0]))
        with lumberjack.Client(self.port, 60) as client:
            self.send(client)
            self.read_in(millrace, WINDOW)
            for version in range(1, 9):
                self.reload(millrace, self.text(outputs[version % 4], version))
            self.reload(millrace, self.text(self.http(sink.port), 10))
            self.wait_acknowledged(client)
        self.check_once(millrace, sink, range(WINDOW))
        self.stop_in_place(millrace)

    def test_a_reload_while_filters_hold_one_up(self):
        """The first waits for events that are in a slow filter; the second comes meanwhile. On a slow machine it waits in vain, and the
        pipeline is exchanged: then the client sends again."""
        sink, other = self.sink(), self.sink()

        def text(port, version):
            return self.text(http(port), version).replace('filter {', f'filter {{ {SLOW}')
        millrace = self.serve(text(sink.port, 0))
        with lumberjack.Client(self.port, 60) as client:
            for _ in range(5):
                self.send(client)
            self.write_config(text(other.port, 1))
            millrace.signal(signal.SIGHUP)
            self.reload(millrace, text(sink.port, 2))
            acks = client.read_acks(5, 60 * support.PATIENCE)
        if {lumberjack.CLOSED, lumberjack.RESET} & set(acks):
            self.send_again(millrace, 5 * WINDOW)
        else:
            self.assertEqual([(2, WINDOW)] * 5, acks)
        self.assertEqual(set(range(5 * WINDOW)), sink.numbers | other.numbers)
        self.assertEqual(0, millrace.stop())


class Ends(Case):
    def test_sigterm_in_the_middle(self):
        """While what is under way is passed on: what is not delivered then is not acknowledged, and comes again."""
        for output in (http, self.http):
            with self.subTest(output.__name__ if output is http else 'spool'):
                self.sent = 0
                hole, sink = self.hole(test_isolation.Silent), self.sink()
                more = () if output is http else ('--path.data', self.folder / 'spool-data')
                text = self.text(output(hole.port))
                millrace = self.serve(text, '--shutdown.timeout', '1', *more)
                with lumberjack.Client(self.port, 60) as client:
                    self.send(client)
                    self.read_in(millrace, WINDOW)
                    self.write_config(self.text(output(hole.port, 'pool_max => 3'), 1))
                    millrace.signal(signal.SIGHUP)
                    millrace.signal(signal.SIGTERM)
                    self.assertIn(millrace.wait(60), (0, 1))
                    acks = [ack for ack in client.read_acks(100, 1) if ack not in (lumberjack.CLOSED, lumberjack.RESET) and ack[1] > 0]
                hole.close()
                millrace = self.serve(self.text(output(sink.port), 2), *more)
                if (2, WINDOW) not in acks:
                    self.send_again(millrace)
                self.wait_events(millrace, sink, range(WINDOW))
                self.assertEqual(0, millrace.stop())

    def test_kill_in_the_middle_of_passing_on_a_spool(self):
        """What was acknowledged is on the disk, whoever was about to have it."""
        hole, sink = self.hole(test_isolation.Silent), self.sink()
        millrace = self.serve(self.text(self.http(hole.port)))
        with lumberjack.Client(self.port, 60) as client:
            for _ in range(3):
                self.send(client)
            millrace.wait_for(lambda: self.counts('alerts')['spooled'] > 0, 'a spool', 30)
            self.reload(millrace, self.text(self.http(hole.port, 'pool_max => 3'), 1))
            for _ in range(3):
                self.wait_acknowledged(client)
        millrace.kill()
        millrace = self.serve(self.text(self.http(sink.port), 2))
        self.check_once(millrace, sink, range(3 * WINDOW))
        self.assertEqual(0, millrace.stop())

    def test_a_pipeline_with_a_spool_goes_and_comes_back(self):
        """In pipelines.yml, during an outage, twice in a row."""
        hole, sink = self.hole(test_isolation.Silent), None
        other = 'input { pipeline { address => "unused" } } output { null { } }'

        def yml(**pipelines):
            self.write('settings/pipelines.yml', ''.join(
                f'- pipeline.id: {name}\n  config.string: {json.dumps(text)}\n' for name, text in pipelines.items()))
        main = self.text(self.http(hole.port, 'request_timeout => 1').replace('request_timeout => 60', ''))
        yml(main=main, other=other)
        millrace = self.start('--path.settings', self.folder / 'settings', '--api.http.port', self.api)
        for turn in range(2):
            millrace.wait_for_port(self.port)
            with lumberjack.Client(self.port, 60) as client:
                for _ in range(2):
                    self.send(client)
                for _ in range(2):
                    self.wait_acknowledged(client)
            yml(other=other)
            millrace.signal(signal.SIGHUP)
            millrace.wait_for(lambda: millrace.stderr.count('a pipeline was removed') == turn + 1, 'the pipeline to go', 60)
            yml(main=main, other=other)
            millrace.signal(signal.SIGHUP)
            millrace.wait_for(lambda: millrace.stderr.count('pipeline started pipeline=main') == turn + 2, 'the pipeline to come', 60)
        hole.close()
        sink = self.sink(port=hole.port)
        self.check_once(millrace, sink, range(4 * WINDOW))
        self.assertEqual(0, millrace.stop())


class Refused(Case):
    def test_one_that_cannot_be_opened_beside_a_changed_spool(self):
        """Nothing has changed for the outputs that run: neither their spool nor their connections."""
        hole, sink = self.hole(test_isolation.Refusing), None
        millrace = self.serve(self.text(self.http(hole.port)))
        bad = 'http { url => "https://127.0.0.1/" http_method => "post" ssl_certificate_authorities => ["/no/such/file"] }'
        with lumberjack.Client(self.port, 60) as client:
            for version in range(1, 4):
                self.send(client)
                self.reload(millrace, self.text(self.http(1, f'pool_max => {version}') + bad, version),
                            'what was changed cannot be used; what runs goes on as it is')
            for _ in range(3):
                self.wait_acknowledged(client)
            hole.close()
            sink = self.sink(port=hole.port)
        self.check_once(millrace, sink, range(3 * WINDOW))
        self.stop_in_place(millrace)

    def test_one_that_wants_a_port_in_use_beside_a_changed_spool(self):
        """The whole pipeline is exchanged then, and comes back as it was: the spool with it."""
        hole, sink = self.hole(test_isolation.Refusing), None
        taken = socket.create_server(('127.0.0.1', 0))
        self.addCleanup(taken.close)
        millrace = self.serve(self.text(self.http(hole.port)))
        bad = f'tcp {{ mode => server host => "127.0.0.1" port => {taken.getsockname()[1]} }}'
        with lumberjack.Client(self.port, 60) as client:
            self.send(client)
            self.wait_acknowledged(client)
        self.reload(millrace, self.text(self.http(1, 'pool_max => 3') + bad, 1),
                    'the pipeline runs again as it was|what was changed cannot be used')
        sink = self.sink(port=hole.port)
        self.check_once(millrace, sink, range(WINDOW))
        self.assertEqual(0, millrace.stop())

    def test_a_change_of_the_input_too(self):
        """The whole pipeline is exchanged, during an outage; the spool is the next one's."""
        hole, sink = self.hole(test_isolation.Refusing), self.sink()
        millrace = self.serve(self.text(self.http(hole.port)))
        with lumberjack.Client(self.port, 60) as client:
            self.send(client)
            self.wait_acknowledged(client)
        self.reload(millrace, self.text(self.http(sink.port), 1).replace('beats {', 'beats { add_field => { "x" => "y" }'))
        self.check_once(millrace, sink, range(WINDOW))
        self.assertEqual(0, millrace.stop())


class HalfWritten(Case):
    def test_a_file_that_is_empty_for_a_moment(self):
        """Somebody writes it anew: what runs goes on, and then as the file says."""
        sink = self.sink()
        millrace = self.serve(self.text(http(1)), '--config.reload.automatic', '--config.reload.interval', '20 ms')
        with lumberjack.Client(self.port, 60) as client:
            self.send(client)
            for text in ('', '# soon', 'filter { }', 'input { beats {'):
                self.write_config(text)
                before = millrace.stderr.count('what was changed cannot be used')
                millrace.signal(signal.SIGHUP)
                millrace.wait_for(lambda: millrace.stderr.count('what was changed cannot be used') > before, 'the refusal', 30)
            self.assertIn('has no input any more', millrace.stderr)
            self.write_config(self.text(http(sink.port), 1))
            self.wait_acknowledged(client)
        self.check_once(millrace, sink, range(WINDOW))
        self.stop_in_place(millrace)


class OtherForms(Case):
    """A spool has items as the output made them that was there then; the one that is there now may read them in another way."""

    def forms(self):
        return {'json': self.http('@PORT@'), 'batch': self.http('@PORT@').replace('"json"', '"json_batch"'),
                'headers': self.http('@PORT@', 'headers => { "x" => "%{n}" }')}

    def check_change(self, millrace, sink, restart, now):
        text = self.text(now.replace('@PORT@', str(sink.port)), 1)
        if restart:
            millrace.stop()
            millrace = self.serve(text, '--path.data', self.data)
        else:
            self.reload(millrace, text)
        with lumberjack.Client(self.port, 60) as client:
            self.send(client)
            self.wait_acknowledged(client)
        self.wait_events(millrace, sink, range(WINDOW, 2 * WINDOW))
        return millrace

    def test_it(self):
        """Each is sent as it is, or kept as a dead letter: none is lost, and the process goes on."""
        for before, now, restart in (('json', 'batch', False), ('json', 'batch', True), ('batch', 'json', True),
                                     ('json', 'headers', True), ('headers', 'json', True)):
            with self.subTest(f'{before} {now} restart={restart}'):
                self.sent, self.data = 0, self.folder / f'{before}-{now}-{restart}'
                hole, sink = self.hole(test_isolation.Refusing), self.sink()
                millrace = self.serve(self.text(self.forms()[before].replace('@PORT@', str(hole.port))), '--path.data', self.data)
                with lumberjack.Client(self.port, 60) as client:
                    self.send(client)
                    self.wait_acknowledged(client)
                millrace = self.check_change(millrace, sink, restart, self.forms()[now])

                def letters():
                    shown = self.run_to_end('dlq', 'show', '--path.data', self.data, data=False)
                    return {letter['event']['n'] for letter in shown.json_lines()}
                millrace.wait_for(lambda: sink.numbers | letters() >= set(range(2 * WINDOW)), 'all events somewhere', 60)
                self.assertEqual(0, millrace.stop())
