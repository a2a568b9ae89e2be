# SPDX-License-Identifier: Apache-2.0
"""What a service manager or a container engine sees of the process."""
import shutil
import signal
import socket
import subprocess
import unittest

import support

BEATS = 'input {{ beats {{ host => "127.0.0.1" port => {} }} }} output {{ null {{ }} }}'


class ServiceManager(support.Case):
    def test_it_is_told_when_all_ports_are_open_and_when_the_end_begins(self):
        address, port = self.folder / 'notify', support.free_port()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(str(address))
            manager.settimeout(10 * support.PATIENCE)
            millrace = self.start('-e', BEATS.format(port), env={'NOTIFY_SOCKET': str(address)})
            self.assertEqual(b'READY=1', manager.recv(100))
            self.assertTrue(support.is_listening(port))
            millrace.signal(signal.SIGTERM)
            self.assertEqual(b'STOPPING=1', manager.recv(100))
            self.assertEqual(0, millrace.wait())

    def test_it_is_told_when_the_store_listens(self):
        address, port = self.folder / 'notify', support.free_port()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(str(address))
            manager.settimeout(10 * support.PATIENCE)
            store = self.start('store', '--path', self.folder / 'documents', '--listen', f'127.0.0.1:{port}', data=False,
                               env={'NOTIFY_SOCKET': str(address)})
            self.assertEqual(b'READY=1', manager.recv(100))
            self.assertTrue(support.is_listening(port))
            store.signal(signal.SIGTERM)
            self.assertEqual(b'STOPPING=1', manager.recv(100))
            self.assertEqual(0, store.wait())

    def test_it_is_not_told_of_a_start_that_failed(self):
        address = self.folder / 'notify'
        with socket.socket() as taken, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            taken.bind(('127.0.0.1', 0))
            taken.listen()
            manager.bind(str(address))
            manager.setblocking(False)
            self.run_to_end('-e', BEATS.format(taken.getsockname()[1]), env={'NOTIFY_SOCKET': str(address)}, status=1)
            with self.assertRaises(BlockingIOError):
                manager.recv(100)


class Container(support.Case):
    def test_as_process_1_it_ends_in_good_order_on_sigterm(self):
        """The kernel gives process 1 no default action for SIGTERM: it has to have a handler."""
        support.need_command('unshare', 'it makes the namespace')
        if subprocess.run(['unshare', '--pid', '--fork', 'true'], capture_output=True).returncode != 0:
            raise unittest.SkipTest('a namespace of processes cannot be made here')
        port = support.free_port()
        millrace = self.start('-e', BEATS.format(port), prefix=(shutil.which('unshare'), '--pid', '--fork', '--kill-child'))
        millrace.wait_for_port(port)
        with open(f'/proc/{millrace.pid}/task/{millrace.pid}/children') as children:
            inside = int(children.read())
        subprocess.run(['kill', '-TERM', str(inside)], check=True)
        self.assertEqual(0, millrace.wait())
        self.assertIn('pipeline stopped', millrace.stderr)


if __name__ == '__main__':
    unittest.main()
