"""mosec: arrays as bytes, by a worker's own `deserialize` and `serialize`."""

import numpy as np
from mosec import Server, Worker


class PlusOne(Worker):
    def deserialize(self, data):
        return np.frombuffer(data, 'float32')

    def forward(self, data):
        return data + 1

    def serialize(self, data):
        return data.tobytes()


if __name__ == '__main__':
    server = Server()
    server.append_worker(PlusOne)
    server.run()
