"""mosec: workers in a line. Its own options, such as --port, are read from the command line."""

import os

from mosec import Server, Worker


class Upper(Worker):
    def forward(self, data):
        return {'text': data['text'].upper()}


class Exclaim(Worker):
    def forward(self, data):
        return {'text': data['text'] + '!'}


if __name__ == '__main__':
    server = Server()
    server.append_worker(Upper)
    for _ in range(int(os.environ['STAGES']) - 1):
        server.append_worker(Exclaim)
    server.run()
