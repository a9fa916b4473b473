"""LitServe: a model; with max_batch_size, predict takes a list."""

import os

import encoder
import litserve as ls

BATCH = int(os.environ['BATCH'])


class Encoder(ls.LitAPI):
    def setup(self, device):
        self.model = encoder.load()

    def decode_request(self, request):
        return request['text']

    def predict(self, text):
        return self.model.embed(text if BATCH > 1 else [text])

    def unbatch(self, output):
        return list(output)

    def encode_response(self, output):
        return {'embedding': output.ravel().tolist()}


if __name__ == '__main__':
    api = Encoder(max_batch_size=BATCH, batch_timeout=0.005)
    server = ls.LitServer(api, accelerator='cpu')
    server.run(
        host='127.0.0.1', port=int(os.environ['PORT']), generate_client_file=False, log_level='error', access_log=False
    )
