"""BentoML: arrays as arguments."""

import bentoml
import numpy as np


@bentoml.service(logging={'access': {'enabled': False}})
class PlusOne:
    @bentoml.api
    def add(self, array: np.ndarray) -> np.ndarray:
        return array + 1
