import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / 'flow'))

from programs import place

__all__ = ['place']
