"""Plain numpy, where there is something that can be done without any Document."""

import numpy as np
from common import DATABASE, QUERIES, WIRE, check_nearest, nearest, serve, vectors, wire_check


def wire():
    texts, rows = [f'text {number}' for number in range(WIRE)], list(vectors(WIRE, 3))

    def work():
        packed = '\n'.join(texts).encode(), np.concatenate(rows).tobytes()
        return packed[0].decode().split('\n'), list(np.frombuffer(packed[1], 'f4').reshape(WIRE, -1))

    return work, wire_check


def match():
    queries, database = vectors(QUERIES, 1), vectors(DATABASE, 2)
    return lambda: nearest(queries, database), check_nearest


if __name__ == '__main__':
    serve({'wire': wire, 'match': match, 'match, rows of one array': match})
