# SPDX-License-Identifier: Apache-2.0
"""A Kafka broker that answers one kind of request with lies: each count, length and number of its honest answer in turn is one that it
cannot be. All other requests are answered well, so that a client gets as far as the lie, again and again."""
import socket
import struct
import threading
import time

PRODUCE, FETCH, LIST_OFFSETS, METADATA, OFFSET_COMMIT, OFFSET_FETCH, FIND_COORDINATOR, JOIN_GROUP = 0, 1, 2, 3, 8, 9, 10, 11
HEARTBEAT, LEAVE_GROUP, SYNC_GROUP, SASL_HANDSHAKE, API_VERSIONS, INIT_PRODUCER_ID, SASL_AUTHENTICATE = 12, 13, 14, 17, 18, 22, 36
# The newest version that is offered, and the first one with compact lengths and tags.
OLD = {PRODUCE: 7, FETCH: 11, LIST_OFFSETS: 5, METADATA: 8, OFFSET_COMMIT: 7, OFFSET_FETCH: 5, FIND_COORDINATOR: 2, JOIN_GROUP: 5,
       HEARTBEAT: 3, LEAVE_GROUP: 1, SYNC_GROUP: 3, SASL_HANDSHAKE: 1, API_VERSIONS: 2, INIT_PRODUCER_ID: 1, SASL_AUTHENTICATE: 1}
NEW = {**OLD, PRODUCE: 10, FETCH: 16, LIST_OFFSETS: 7, METADATA: 12, OFFSET_COMMIT: 9, OFFSET_FETCH: 9, API_VERSIONS: 3, INIT_PRODUCER_ID: 4}
COMPACT = {PRODUCE: 9, FETCH: 12, LIST_OFFSETS: 6, METADATA: 9, OFFSET_COMMIT: 8, OFFSET_FETCH: 6, API_VERSIONS: 3, INIT_PRODUCER_ID: 2}
NAMES = {PRODUCE: 'Produce', FETCH: 'Fetch', LIST_OFFSETS: 'ListOffsets', METADATA: 'Metadata', OFFSET_COMMIT: 'OffsetCommit',
         OFFSET_FETCH: 'OffsetFetch', FIND_COORDINATOR: 'FindCoordinator', JOIN_GROUP: 'JoinGroup', HEARTBEAT: 'Heartbeat',
         LEAVE_GROUP: 'LeaveGroup', SYNC_GROUP: 'SyncGroup', SASL_HANDSHAKE: 'SaslHandshake', API_VERSIONS: 'ApiVersions',
         INIT_PRODUCER_ID: 'InitProducerId', SASL_AUTHENTICATE: 'SaslAuthenticate'}
COUNTS, LENGTHS, NUMBERS = (-1, -2, 99999, (1 << 31) - 1, 9), (-1, -2, 32767, 0), (-1, 7, (1 << 31) - 1, -(1 << 31))
TOPIC, MEMBER, TOPIC_ID = 't', 'member', b'0123456789abcdef'
FETCH_PAUSE_SECONDS = 0.02
# A client asks these again when it is told that its group changes, that the coordinator is another one, or when it is cut off.
OF_GROUPS, OF_CONNECTIONS = (JOIN_GROUP, SYNC_GROUP, OFFSET_FETCH, LIST_OFFSETS), (API_VERSIONS, SASL_HANDSHAKE, SASL_AUTHENTICATE, INIT_PRODUCER_ID)
REBALANCE_IN_PROGRESS, NOT_COORDINATOR = 27, 16


def uvarint(number):
    out = bytearray()
    number &= (1 << 32) - 1
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out) + bytes([number])


def varint(number):
    return uvarint(number << 1 ^ number >> 31)


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


class Answer:
    """The bytes of one answer. lie: (place, value), the place counted among all that could be one; None: the truth."""

    def __init__(self, compact, lie=None):
        self.compact, self.lie, self.bytes = compact, lie, bytearray()
        self.places = []  # what could be put there instead

    def _told(self, truth, lies):
        self.places.append(lies)
        is_here = self.lie and self.lie[0] == len(self.places) - 1
        return self.lie[1] if is_here else truth

    def raw(self, data):
        self.bytes += data

    def number(self, form, truth):
        bits = 8 * struct.calcsize(form)
        value = self._told(truth, NUMBERS) & (1 << bits) - 1
        self.bytes += struct.pack(form.upper(), value)

    def i8(self, truth):
        self.number('>b', truth)

    def i16(self, truth):
        self.number('>h', truth)

    def i32(self, truth):
        self.number('>i', truth)

    def i64(self, truth):
        self.number('>q', truth)

    def count(self, truth):
        value = self._told(truth, COUNTS)
        self.bytes += uvarint(value + 1) if self.compact else struct.pack('>i', value)

    def string(self, text, form='>h'):
        data = text if isinstance(text, bytes) else (text or '').encode()
        value = self._told(-1 if text is None else len(data), LENGTHS)
        self.bytes += (uvarint(value + 1) if self.compact else struct.pack(form, value)) + data

    def data(self, data):
        self.string(data, '>i')

    def varint(self, truth):
        self.bytes += varint(self._told(truth, LENGTHS + NUMBERS))

    def tags(self):
        if self.compact:
            self.bytes += b'\0'


# ---- what the answers say --------------------------------------------------------------------------

class Answers:
    def __init__(self, port, versions, lied_about):
        self.port, self.versions, self.offset = port, versions, 0
        self.heartbeat = REBALANCE_IN_PROGRESS if lied_about in OF_GROUPS else NOT_COORDINATOR if lied_about == FIND_COORDINATOR else 0
        self.committed = -1 if lied_about == LIST_OFFSETS else 0

    def of_api_versions(self, a, version):
        a.i16(0)
        a.count(len(self.versions))
        for api, newest in self.versions.items():
            a.raw(struct.pack('>hhh', api, 0, newest))
            a.tags()
        if version >= 1:
            a.i32(0)
        a.tags()

    def broker(self, a):
        a.i32(1)
        a.string('127.0.0.1')
        a.i32(self.port)

    def of_metadata(self, a, version):
        if version >= 3:
            a.i32(0)
        a.count(1)
        self.broker(a)
        if version >= 1:
            a.string(None)
        a.tags()
        if version >= 2:
            a.string('cluster')
        if version >= 1:
            a.i32(1)
        a.count(1)
        self.topic(a, version)
        if 8 <= version <= 10:
            a.i32(0)
        a.tags()

    def topic(self, a, version):
        a.i16(0)
        a.string(TOPIC)
        if version >= 10:
            a.raw(TOPIC_ID)
        if version >= 1:
            a.i8(0)
        a.count(1)
        a.i16(0)
        a.i32(0)
        a.i32(1)
        if version >= 7:
            a.i32(1)
        for _ in range(3 if version >= 5 else 2):
            a.count(1)
            a.i32(1)
        a.tags()
        if version >= 8:
            a.i32(0)
        a.tags()

    def of_find_coordinator(self, a, version):
        if version >= 1:
            a.i32(0)
        a.i16(0)
        if version >= 1:
            a.string(None)
        self.broker(a)

    def of_join_group(self, a, version):
        if version >= 2:
            a.i32(0)
        a.i16(0)
        a.i32(1)
        for text in ('range', MEMBER, MEMBER):
            a.string(text)
        a.count(1)
        a.string(MEMBER)
        if version >= 5:
            a.string(None)
        self.nested(a, self.subscription)

    def nested(self, a, write):
        """Bytes within bytes: what is in them is a lie as well."""
        inside = Answer(False, a.lie and (a.lie[0] - len(a.places) - 1, a.lie[1]))
        write(inside)
        a.data(bytes(inside.bytes))
        a.places += inside.places

    def subscription(self, a):
        a.i16(1)
        a.count(1)
        a.string(TOPIC)
        a.data(b'')
        a.count(1)
        self.partitions(a)

    def assignment(self, a):
        a.i16(0)
        a.count(1)
        self.partitions(a)
        a.data(b'')

    def partitions(self, a):
        a.string(TOPIC)
        a.count(1)
        a.i32(0)

    def of_sync_group(self, a, version):
        if version >= 1:
            a.i32(0)
        a.i16(0)
        self.nested(a, self.assignment)

    def of_heartbeat(self, a, version):
        if version >= 1:
            a.i32(0)
        a.i16(self.heartbeat)

    of_leave_group = of_heartbeat

    def of_offset_fetch(self, a, version):
        if version >= 3:
            a.i32(0)
        if version >= 8:
            a.count(1)
            a.string('group')
        a.count(1)
        a.string(TOPIC)
        a.count(1)
        a.i32(0)
        a.i64(self.committed)
        if version >= 5:
            a.i32(-1)
        a.string('')
        a.i16(0)
        a.tags()
        a.tags()
        if version >= 2:
            a.i16(0)
        a.tags()
        if version >= 8:
            a.tags()

    def of_list_offsets(self, a, version):
        if version >= 2:
            a.i32(0)
        a.count(1)
        a.string(TOPIC)
        a.count(1)
        a.i32(0)
        a.i16(0)
        a.i64(-1)
        a.i64(0)
        if version >= 4:
            a.i32(-1)
        for _ in range(3):
            a.tags()

    def of_offset_commit(self, a, version):
        if version >= 3:
            a.i32(0)
        a.count(1)
        a.string(TOPIC)
        a.count(1)
        a.i32(0)
        a.i16(0)
        for _ in range(3):
            a.tags()

    def of_fetch(self, a, version):
        a.i32(0)
        if version >= 7:
            a.i16(0)
            a.i32(0)
        a.count(1)
        if version >= 13:
            a.raw(TOPIC_ID)
        else:
            a.string(TOPIC)
        a.count(1)
        a.i32(0)
        a.i16(0)
        for _ in range(3):
            a.i64(1 << 40)
        a.count(0)
        if version >= 11:
            a.i32(-1)
        self.nested(a, self.records)
        if a.compact:
            self.leader_tags(a)
        a.tags()
        if a.compact:
            self.endpoint_tags(a)

    def leader_tags(self, a):
        a.raw(uvarint(1) + uvarint(1) + uvarint(9))
        a.i32(1)
        a.i32(1)
        a.tags()

    def endpoint_tags(self, a):
        inside = Answer(True, a.lie and (a.lie[0] - len(a.places), a.lie[1]))
        inside.count(1)
        self.broker(inside)
        inside.string(None)
        inside.tags()
        a.places += inside.places
        a.raw(uvarint(1) + uvarint(0) + uvarint(len(inside.bytes)) + inside.bytes)

    def records(self, a):
        """A batch of one record with one header."""
        record = Answer(False, a.lie and (a.lie[0] - len(a.places), a.lie[1]))
        record.raw(b'\0')
        for number in (0, 0, 1):
            record.varint(number)
        record.raw(b'k')
        record.varint(7)
        record.raw(b'{"n":1}')
        record.varint(1)
        record.varint(1)
        record.raw(b'h')
        record.varint(1)
        record.raw(b'v')
        a.places += record.places
        body = Answer(False, a.lie and (a.lie[0] - len(a.places), a.lie[1]))
        body.i16(0)
        body.i32(0)
        for number in (0, 0, -1):
            body.i64(number)
        body.i16(-1)
        body.i32(-1)
        body.i32(1)
        body.varint(len(record.bytes))
        body.raw(record.bytes)
        a.places += body.places
        self.offset += 1
        a.raw(struct.pack('>q', self.offset))
        a.i32(len(body.bytes) + 9)
        a.i32(0)
        a.raw(struct.pack('>bI', 2, crc32c(body.bytes)) + body.bytes)

    def of_produce(self, a, version):
        a.count(1)
        a.string(TOPIC)
        a.count(1)
        a.i32(0)
        a.i16(0)
        a.i64(0)
        a.i64(-1)
        if version >= 5:
            a.i64(0)
        if version >= 8:
            a.count(0)
            a.string(None)
        a.tags()
        a.tags()
        a.i32(0)
        a.tags()

    def of_init_producer_id(self, a, version):
        a.i32(0)
        a.i16(0)
        a.i64(1)
        a.i16(0)
        a.tags()

    def of_sasl_handshake(self, a, version):
        a.i16(0)
        a.count(1)
        a.string('PLAIN')

    def of_sasl_authenticate(self, a, version):
        a.i16(0)
        a.string(None)
        a.data(b'')
        if version >= 1:
            a.i64(0)


WRITERS = {API_VERSIONS: 'api_versions', METADATA: 'metadata', FIND_COORDINATOR: 'find_coordinator', JOIN_GROUP: 'join_group',
           SYNC_GROUP: 'sync_group', HEARTBEAT: 'heartbeat', LEAVE_GROUP: 'leave_group', OFFSET_FETCH: 'offset_fetch',
           LIST_OFFSETS: 'list_offsets', OFFSET_COMMIT: 'offset_commit', FETCH: 'fetch', PRODUCE: 'produce',
           INIT_PRODUCER_ID: 'init_producer_id', SASL_HANDSHAKE: 'sasl_handshake', SASL_AUTHENTICATE: 'sasl_authenticate'}


# ---- the broker ------------------------------------------------------------------------------------

class LyingBroker:
    """Lies about `api` (None: never). everything: about each number too, not only about counts and lengths. Each lie is told once."""

    def __init__(self, api, versions=None, everything=False, port=0):
        self.api, self.versions, self.everything = api, versions or NEW, everything
        self.turn, self.lies, self.is_over = 0, 0, False
        self.told, self.lock, self.closed, self.honest = [], threading.Lock(), False, False
        self.only = None  # (which one of the counts, value): no other lie, and no truth between
        self.listener = socket.create_server(('127.0.0.1', port))
        self.port = self.listener.getsockname()[1]
        self.answers = Answers(self.port, self.versions, api)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.closed = True
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self):
        while not self.closed:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            with client, client.makefile('rb') as file:
                while len(head := file.read(4)) == 4:
                    self._answer(client, file.read(struct.unpack('>I', head)[0]))
        except (OSError, struct.error):
            pass

    def _answer(self, client, request):
        api, version, correlation = struct.unpack('>hhi', request[:8])
        if api == FETCH:
            time.sleep(FETCH_PAUSE_SECONDS)
        if self.api in OF_CONNECTIONS and not self.honest and api in (FETCH, PRODUCE):
            raise OSError('cut off')
        compact = version >= COMPACT.get(api, 99)
        body = self._body(api, version, compact)
        head = struct.pack('>i', correlation) + (b'\0' if compact and api != API_VERSIONS else b'')
        client.sendall(struct.pack('>I', len(head) + len(body)) + head + body)

    def _write(self, api, version, compact, lie):
        answer = Answer(compact, lie)
        getattr(self.answers, f'of_{WRITERS[api]}')(answer, version)
        return answer

    def _lies(self, truth):
        """All places with the first value of what they are, then with the second; counts before lengths before numbers."""
        return [(place, kind[turn]) for kind in (COUNTS, LENGTHS, LENGTHS + NUMBERS, NUMBERS) if self.everything or kind is not NUMBERS
                for turn in range(len(kind)) for place, values in enumerate(truth.places) if values == kind]

    def _body(self, api, version, compact):
        truth = self._write(api, version, compact, None)
        if api != self.api or self.honest:
            return bytes(truth.bytes)
        lies = self._lies(truth)
        with self.lock:
            # every other answer is true: what a lie left behind meets what comes next
            if self.only:
                self.lies += 1
                places = [place for place, values in enumerate(truth.places) if values == COUNTS]
                return bytes(self._write(api, version, compact, (places[self.only[0]], self.only[1])).bytes)
            index = self.turn // 2
            self.turn += 1
            self.is_over |= index >= len(lies)
            if self.turn % 2 == 0 or self.is_over:
                return bytes(truth.bytes)
            self.lies += 1
            self.told.append((NAMES[api], version, *lies[index]))
        return bytes(self._write(api, version, compact, lies[index]).bytes)
