# SPDX-License-Identifier: Apache-2.0
"""The beats input: what no honest client says. Each is refused in order, costs no memory, and harms nobody else."""
import random
import socket
import struct
import threading
import time
import unittest
import zlib

import support
from beats import BeatsCase
from lumberjack import CLOSED, RESET, Client, batch, data, messages, numbered, packed, pairs, raw_packed, window

HUGE = (0xffffffff, 0x80000000, 0x7fffffff)
FEW = 4  # descriptors that have nothing to do with clients
ONE = data(1, {'message': 'one'})


def frame(start, *numbers):
    return start + b''.join(struct.pack('>I', number) for number in numbers)


def gzipped(content):
    stream = zlib.compressobj(wbits=31)
    return stream.compress(content) + stream.flush()


class Refused(BeatsCase):
    def setUp(self):
        super().setUp()
        self.serve('max_event_bytes => "4 MiB"')

    def refuse_all(self, table, memory_kib=12 * 1024):
        self.assert_serves()
        before = self.millrace.resident_kib()
        for name, *parts in table:
            with self.subTest(name):
                self.assert_refused(*parts)
        self.assert_memory(self.millrace.resident_kib(), before + memory_kib)
        self.assert_serves()
        self.assertEqual(len(table), sum(self.refusals(self.counters())))

    @staticmethod
    def refusals(counters):
        return counters['protocol_errors'], counters['limit_errors'], counters['window_timeouts']

    def test_mixed_versions(self):
        self.refuse_all([
            ('D in a window of 2', window(1), pairs(1, {'line': 'x'})),
            ('J in a window of 1', window(1, 1), ONE),
            ('J of version 1', window(1, 1), data(1, {}, version=1)),
            ('D of version 2', window(1), pairs(1, {'line': 'x'}, version=2)),
            ('C of version 1 in a window of 2', window(1), packed(ONE, version=1)),
        ])

    def test_events_and_windows_that_do_not_fit(self):
        self.refuse_all([
            ('no window', ONE),
            ('a window before the last is full', window(3), ONE, window(1)),
            ('two windows, one event', window(3), window(1), ONE),
        ])

    def test_more_events_than_the_window(self):
        self.assert_refused(window(1), ONE, data(2, {'message': 'two'}), acks=[(2, 1)])
        self.assertEqual(['one'], self.messages())

    def test_what_is_no_frame(self):
        hello = bytes.fromhex('16030100c8010000c40303') + bytes(190)
        self.refuse_all([
            ('type X', b'2X\0\0\0\1'), ('an ack', b'2A\0\0\0\1'), ('version 3', b'3W\0\0\0\1'), ('binary', b'\2W\0\0\0\1'),
            ('HTTP', b'GET / HTTP/1.1\r\nhost: x\r\n\r\n'), ('TLS', hello), ('zeros', bytes(1000)),
            ('chance', random.Random(1).randbytes(100000)),
        ])

    def test_the_log_is_not_flooded(self):
        for _ in range(50):
            self.assert_refused(b'nonsense')
        self.assertLess(self.millrace.stderr.count('connection is closed'), 25)

    def test_lengths_of_events(self):
        self.refuse_all([(f'{length:#x}', window(1), frame(b'2J', 1, length), b'{}')
                         for length in (0, *HUGE, 4 * 1024 * 1024 + 1)])

    def test_broken_compression(self):
        good = zlib.compress(ONE)
        other = data(2, {'message': 'two'})
        self.refuse_all([
            *((f'length {length:#x}', window(1), frame(b'2C', length), good) for length in HUGE),
            ('not zlib', window(1), raw_packed(b'this is not compressed')),
            ('gzip', window(1), raw_packed(gzipped(ONE))),
            ('wrong checksum', window(1), raw_packed(good[:-1] + bytes([good[-1] ^ 1]))),
            ('no checksum', window(1), raw_packed(good[:-4])),
            ('cut in half', window(1), raw_packed(good[:len(good) // 2])),
            ('two streams', window(2), raw_packed(good + zlib.compress(other))),
            ('ends inside a frame', window(1), packed(ONE[:-3])),
            ('goes on in the next one', window(1), packed(ONE[:-3]), packed(ONE[-3:])),
            ('nested', window(1), packed(packed(ONE))),
        ])

    def test_nested_200_deep(self):
        content = ONE
        for _ in range(200):
            content = packed(content)
        nasty = packed(packed(ONE) + b'2J\0\0')
        used = self.cpu_seconds()
        self.refuse_all([('200', window(1), content), ('then a part', window(1), nasty)])
        self.assertLess(used, 5)

    def test_nothing_of_a_refused_window_is_acknowledged_twice(self):
        """A good window before the bad one keeps its ack."""
        self.assert_refused(batch(messages('good')), window(2), ONE, b'nonsense', acks=[(2, 1)])

    def test_empty_compressed_frames_are_nothing(self):
        client = self.client()
        client.send(window(1), frame(b'2C', 0), packed(b''), ONE)
        self.assertEqual([(2, 1)], client.read_acks(1))

    def test_bytes_after_the_compressed_content(self):
        client = self.client()
        client.send(window(1), raw_packed(zlib.compress(ONE) + b'trailing'), batch(messages('next')))
        self.assertEqual([(2, 1), (2, 1)], client.read_acks(2))

    def test_windows_too_large(self):
        self.refuse_all([(f'{count:#x}', window(count), ONE) for count in HUGE])

    def test_version_1_numbers(self):
        self.refuse_all([
            *((f'{count:#x} pairs', window(1, 1), frame(b'1D', 1, count), b'\0\0\0\1a\0\0\0\1b')
              for count in (0, 1 << 28, *HUGE)),
            *((f'a key of {length:#x}', window(1, 1), frame(b'1D', 1, 1, length), b'abc') for length in HUGE),
            ('a value too long', window(1, 1), frame(b'1D', 1, 1, 1), b'a', frame(b'', 0x7fffffff)),
        ])

    def test_half_closed(self):
        client = self.client()
        client.send(batch(messages('whole'))).end()
        self.assertEqual([(2, 1), CLOSED], client.read_to_end())
        for name, content in (('middle of a window', window(3) + ONE), ('middle of a frame', window(1) + ONE[:-2]),
                              ('half a header', b'2W\0'), ('one byte', b'2')):
            with self.subTest(name):
                client = self.client()
                client.send(content).end()
                self.assertEqual([CLOSED], client.read_to_end())
        self.assertEqual(['whole'], self.messages())


class Bombs(BeatsCase):
    LIMIT_KIB = 96 * 1024  # the budget of 64 MiB, and the program itself

    def test_64_mb_in_64_kb(self):
        self.serve(output='null {}')
        bomb = packed(b''.join(data(i, {'message': 'a' * 64000}) for i in range(1, 1001)), level=9)
        self.assertLess(len(bomb), 400000)
        clients = [self.client(timeout=60) for _ in range(4)]
        peak = Peak(self.millrace)
        threads = [threading.Thread(target=client.send, args=(window(1000), bomb)) for client in clients]
        for thread in threads:
            thread.start()
        self.assert_serves()
        for client in clients:
            self.assertEqual([(2, 1000)], client.read_acks(1, timeout=60))
        for thread in threads:
            thread.join()
        self.assert_memory(peak.end(), self.LIMIT_KIB)

    def test_1_gb_of_zeros(self):
        self.serve('max_window_inflated_bytes => "32 MiB"', output='null {}')
        zeros = zlib.compress(bytes(64 << 20), 9)  # enough to pass every limit; inflating stops there
        stream = zlib.compressobj(9)
        headed = stream.compress(frame(b'2J', 1, 1 << 30)) + b''.join(stream.compress(bytes(1 << 20)) for _ in range(64))
        headed += stream.flush()
        events = packed(b''.join(data(i, {'message': '0' * 1000000}) for i in range(1, 41)), level=9)
        peak = Peak(self.millrace)
        for name, content in (('zeros', raw_packed(zeros)), ('an event of 1 GB', raw_packed(headed)), ('events', events)):
            with self.subTest(name):
                self.assert_refused(window(1000), content)
        self.assert_serves()
        self.assert_memory(peak.end(), self.LIMIT_KIB)
        counters = self.counters()
        self.assertEqual((1, 2), (counters['protocol_errors'], counters['limit_errors']))


class Peak:
    """The largest resident memory of a process until end()."""

    def __init__(self, process):
        self.process, self.kib, self.stopped = process, 0, threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def _watch(self):
        while not self.stopped.wait(0.02):
            self.kib = max(self.kib, self.process.resident_kib())

    def end(self):
        self.stopped.set()
        self.thread.join()
        return max(self.kib, self.process.resident_kib())


class Slow(BeatsCase):
    """Deadlines. A trickle of bytes is no progress, and half a window is not kept alive."""

    def test_half_windows_meet_the_deadline(self):
        self.serve('window_timeout => "400 ms" keepalive_interval => "50 ms"')
        contents = (b'2', b'2W\0\0', window(2) + ONE, window(1) + ONE[:-1], window(1) + packed(ONE)[:-2],
                    window(1) + frame(b'2C', 1000), window(999999) + ONE)
        for content in contents:
            with self.subTest(content=content[:20]):
                self.assert_refused(content)
        self.assertEqual(len(contents), self.counters()['window_timeouts'])

    def test_a_trickle_meets_the_deadline(self):
        self.serve('window_timeout => "400 ms" keepalive_interval => "50 ms"')
        client = self.client()
        stop = time.monotonic() + 10 * support.PATIENCE
        try:
            for byte in batch(messages('x' * 4000)):
                client.send(bytes([byte]))
                time.sleep(0.02)
                self.assertLess(time.monotonic(), stop, 'still open')
        except ConnectionError:
            pass
        self.assertIn(client.read_to_end(), ([CLOSED], [RESET]))

    def test_300_at_once_harm_nobody(self):
        self.serve('window_timeout => "600 ms"')
        clients = [self.client().send(window(5) + ONE) for _ in range(300)]
        for _ in range(20):
            self.assert_serves()
        for client in clients:
            self.assertEqual([CLOSED], client.read_to_end())

    def test_a_slow_client_that_goes_on_is_served(self):
        """Time is earned with bytes: this window takes longer than the timeout alone."""
        self.serve('window_timeout => "300 ms"')
        client = self.client()
        content = batch(messages('x' * 20000))
        client.send_slowly(content, piece=len(content) // 10, pause=0.08)
        self.assertEqual([(2, 1)], client.read_acks(1))

    def test_silence(self):
        self.serve('client_inactivity_timeout => "300 ms"')
        for content in (b'', batch(messages('x'))):
            with self.subTest(content=content):
                started = time.monotonic()
                self.assert_refused(content, acks=[(2, 1)] if content else [])
                self.assertGreater(time.monotonic() - started, 0.25)
        self.assertEqual(2, self.counters()['inactivity_timeouts'])

    def test_more_connections_than_allowed(self):
        self.serve('max_connections => 3')
        clients = [self.client() for _ in range(3)]
        for client in clients:
            client.send(batch(messages('x')))
            self.assertEqual([(2, 1)], client.read_acks(1))
        self.assertIn(self.client().read_ack(), (CLOSED, RESET))
        clients[0].close()
        self.millrace.wait_for(lambda: self.is_served(), 'room for another client')

    def is_served(self):
        with Client(self.port) as client:
            try:
                return client.send(batch(messages('x'))).read_ack() == (2, 1)
            except ConnectionError:
                return False


class Unread(BeatsCase):
    def test_a_client_that_reads_no_acks(self):
        self.serve('write_timeout => "300 ms"', output='null {}')
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            client.connect(('127.0.0.1', self.port))
            client.settimeout(10)
            with self.assertRaises(ConnectionError):
                for _ in range(100000):
                    client.sendall(window(0) * 1000)
        self.assert_serves()
        self.assertEqual(1, self.counters()['write_timeouts'])

    def test_a_client_that_never_stops(self):
        """The destination takes nothing: reading pauses, memory stays, keep-alives go on."""
        stub = self.search_stub(lambda source: 503)
        self.serve_search(stub, 'keepalive_interval => "100 ms"')
        client = self.client(timeout=1.0)
        content = batch(messages(*['x' * 10000] * 100))
        sent = 0
        with self.assertRaises(TimeoutError):
            while sent < 1 << 30:
                client.send(content)
                sent += len(content)
        self.assertLess(sent, 200 << 20)
        self.assert_memory(self.millrace.resident_kib(), Bombs.LIMIT_KIB)
        self.assertEqual([(2, 0)] * 3, client.read_acks(3, keepalives=True))


class HalfFrames(BeatsCase):
    def test_they_hold_a_part_of_the_memory_at_most(self):
        """The connection longest without progress goes first; those that go on are served."""
        self.serve(output='null {}')
        event = data(1, {'message': 'x' * 3000000})
        clients = []
        for _ in range(20):
            clients.append(self.client().send(window(1), event[:2000000]))
            self.wait_until_read()
        self.assertEqual([CLOSED], clients[0].read_to_end())
        self.assertEqual([CLOSED], clients[1].read_to_end())
        for client in clients[-3:]:
            client.send(event[2000000:])
            self.assertEqual([(2, 1)], client.read_acks(1))
        self.assert_memory(self.millrace.resident_kib(), Bombs.LIMIT_KIB)
        self.assertGreater(self.counters()['connections_shed'], 5)


class HalfWindows(BeatsCase):
    """Many connections that begin a window and do not go on."""

    def begin_windows(self, count, size):
        halves = [self.client().send(window(5), data(1, {'message': 'x' * size}), data(2, {'message': 'y' * size}))
                  for _ in range(count)]
        self.wait_until_read()
        return halves

    def test_they_do_not_keep_others_from_being_served(self):
        self.serve(output='null {}', arguments=('-w', '2'))
        for size in (100, 100000):
            self.begin_windows(297, size)
            last = self.begin_windows(3, size)
            clean = self.client().send(batch(messages('one', 'two')))
            self.assertEqual([(2, 2)], clean.read_acks(1))
            large = self.client().send(batch(numbered('x' * 1000, 2000)))
            self.assertEqual([(2, 2000)], large.read_acks(1))
            for half in last:  # still there
                half.send(*(data(3 + n, {'message': 'z'}) for n in range(3)))
                self.assertEqual([(2, 5)], half.read_acks(1))
        self.assertGreater(self.counters()['connections_shed'], 10)


    def test_what_is_reserved_for_them_is_had_by_others(self):
        """Each begins a window for which a megabyte is reserved, and sends nothing more; together that is all the memory."""
        self.serve(output='null {}', arguments=('-w', '2'))
        idle = [self.client().send(window(2000), data(1, {'message': 'x'})) for _ in range(40)]
        self.wait_until_read()
        clean = self.client(timeout=60).send(batch(numbered('x' * 1000, 2000)))
        self.assertEqual([(2, 2000)], clean.read_acks(1, timeout=60))
        self.assertGreater(self.counters()['connections_shed'], 3)
        self.assertEqual([CLOSED], idle[0].read_to_end())


class BusyWindows(BeatsCase):
    def test_nobody_is_closed_who_goes_on(self):
        """Windows of twelve clients are under way at once; what is reserved for them is half of the memory."""
        self.serve(output='null {}', arguments=('-w', '2'))
        count = 2000
        clients = [self.client().send(window(count), data(1, {'message': 'x' * 1000})) for _ in range(12)]
        self.wait_until_read()
        for client in clients:
            client.send(*(data(n, {'message': 'x' * 1000}) for n in range(2, count + 1)))
        for client in clients:
            self.assertEqual([(2, count)], client.read_acks(1))
        self.assertEqual(0, self.counters()['connections_shed'])


class Churn(BeatsCase):
    def test_clients_that_leave_at_every_byte(self):
        self.serve()
        for content in (batch(messages('one', 'two')), batch(messages('one', 'two'), compress=3)):
            self.leave_everywhere(content)
        before = self.descriptors(), self.millrace.resident_kib()
        for _ in range(5):
            self.leave_everywhere(batch(messages('one', 'two'), compress=3))
        self.millrace.wait_for(lambda: self.descriptors() <= before[0] + FEW, 'the descriptors of those who left')
        # What millrace keeps of freed memory, and some: a leak of a window in each round would be a multiple.
        self.assert_memory(self.millrace.resident_kib(), before[1] + 10 * 1024)
        self.assert_serves()

    def leave_everywhere(self, content):
        for length in range(len(content)):
            with Client(self.port) as client:
                client.send(content[:length])

    def test_1000_short_connections(self):
        self.serve()
        self.assert_serves()
        before = self.descriptors()
        for i in range(1000):
            with Client(self.port) as client:
                client.send(batch(messages(f'n{i}')))
                self.assertEqual([(2, 1)], client.read_acks(1))
        self.millrace.wait_for(lambda: self.descriptors() <= before + FEW, 'the descriptors of those who left')
        self.assertEqual({f'n{i}' for i in range(1000)} | {'still here'}, set(self.messages()))
        self.assertEqual(1001, self.counters()['connections_closed'])

    def test_400_connections_at_once_are_served_alike(self):
        self.serve()
        clients = [self.client() for _ in range(400)]
        for turn in range(3):
            for i, client in enumerate(clients):
                client.send(batch(numbered(f'{turn} {i} ', 2)))
            for client in clients:
                self.assertEqual([(2, 2)], client.read_acks(1))
        self.assertEqual(2400, len(set(self.messages())))


if __name__ == '__main__':
    unittest.main()
