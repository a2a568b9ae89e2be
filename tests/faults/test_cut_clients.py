# SPDX-License-Identifier: Apache-2.0
"""Beats clients whose connections are reset or closed by half, on either side, while events flow: they send again what nobody
acknowledged, and every event arrives. MILLRACE_FAULT_ROUNDS and MILLRACE_FAULT_SEED as in test_rounds."""
import random
import threading

import fault_proxy
import lumberjack
import search_stub
import support
import test_rounds

WINDOWS, WINDOW, UNDER_WAY = 60, 50, 3
PIPELINE = '''input { beats { host => "127.0.0.1" port => @BEATS@ } }
output { elasticsearch { hosts => ["127.0.0.1:@PORT@"] index => "i" manage_template => false data_stream => false
  timeout => "1 s" retry_initial_interval => "50 ms" retry_max_interval => "400 ms" resurrect_delay => "200 ms" } }
'''


class Sender:
    """Sends its windows, each until it is acknowledged."""

    def __init__(self, port):
        self.port, self.acknowledged, self.connections = port, 0, 0

    def run(self):
        while self.acknowledged < WINDOWS:
            self.connections += 1
            try:
                with lumberjack.Client(self.port) as client:
                    self._send(client)
            except OSError:
                pass

    def _send(self, client):
        sent = self.acknowledged
        while self.acknowledged < WINDOWS:
            while sent < min(WINDOWS, self.acknowledged + UNDER_WAY):
                client.send(lumberjack.batch([{'n': n} for n in range(sent * WINDOW, (sent + 1) * WINDOW)]))
                sent += 1
            acks = client.read_acks(1, 20 * support.PATIENCE)
            if not acks or acks[0] in (lumberjack.CLOSED, lumberjack.RESET):
                return
            self.acknowledged += acks[0] == (2, WINDOW)


class CutClients(support.Case):
    def one_round(self, seed):
        chance, stub, beats = random.Random(seed), search_stub.SearchStub(), support.free_port()
        self.addCleanup(stub.close)
        behind = fault_proxy.FaultProxy(stub.port)
        self.addCleanup(behind.close)
        millrace = self.start('-e', support.fill(PIPELINE, beats=beats, port=behind.port), '-w', chance.choice((1, 2)))
        millrace.wait_for_port(beats)
        before = fault_proxy.FaultProxy(beats)
        self.addCleanup(before.close)
        sender = Sender(before.port)
        thread = threading.Thread(target=sender.run, daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(chance.uniform(0.01, 0.2))
            chance.choice((before, before, behind)).cut(chance.choice(fault_proxy.WAYS))
        found = {source['n'] for _, _, source in stub.documents}
        self.assertEqual(set(range(WINDOWS * WINDOW)), found, 'all were acknowledged')
        self.assertEqual(0, millrace.stop())
        return sender.connections, before.cuts + behind.cuts

    def test_rounds(self):
        for seed in range(test_rounds.FIRST_SEED, test_rounds.FIRST_SEED + test_rounds.ROUNDS):
            with self.subTest(seed=seed):
                connections, cuts = self.one_round(seed)
                if test_rounds.ROUNDS > 10:
                    print(f'round {seed}: nothing missing, {cuts} cuts, {connections} connections', flush=True)


if __name__ == '__main__':
    support.unittest.main()
