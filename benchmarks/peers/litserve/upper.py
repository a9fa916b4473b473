"""LitServe: one LitAPI."""

import os

import litserve as ls


class Upper(ls.LitAPI):
    def setup(self, device):
        pass

    def decode_request(self, request):
        return request['text']

    def predict(self, text):
        return text.upper()

    def encode_response(self, text):
        return {'text': text}


if __name__ == '__main__':
    server = ls.LitServer(Upper(), accelerator='cpu')
    server.run(
        host='127.0.0.1', port=int(os.environ['PORT']), generate_client_file=False, log_level='error', access_log=False
    )
