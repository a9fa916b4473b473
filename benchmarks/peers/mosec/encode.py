"""mosec: a model, which batches by itself when it is told how many and how long."""

import os

import encoder
from mosec import Server, Worker

BATCH = int(os.environ['BATCH'])


class Encoder(Worker):
    def __init__(self):
        self.model = encoder.load()

    def forward(self, data):
        """One request, or a list of them when batching is on."""
        if BATCH == 1:
            return {'embedding': self.model.embed([data['text']])[0].tolist()}
        return [{'embedding': row} for row in self.model.embed([each['text'] for each in data]).tolist()]


if __name__ == '__main__':
    server = Server()
    server.append_worker(Encoder, max_batch_size=BATCH, max_wait_time=5)
    server.run()
