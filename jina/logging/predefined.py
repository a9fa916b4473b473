"""A logger for everybody."""

from jina.logging.logger import JinaLogger

default_logger = JinaLogger('JINA')
