"""The machine, in a few words."""

import os
import platform
from pathlib import Path

import psutil


def describe() -> str:
    """Processor, cores, memory, system."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()
    memory = psutil.virtual_memory().total / 2**30
    return f'{processor()}, {cores} cores, {memory:.0f} GiB, {distribution()}, Linux {platform.release()}'


def processor() -> str:
    """The name of the processor."""
    try:
        lines = Path('/proc/cpuinfo').read_text().splitlines()
    except OSError:
        lines = []
    names = (line.partition(':')[2].strip() for line in lines if line.startswith('model name'))
    return next(names, platform.machine())


def distribution() -> str:
    """The name of the system."""
    try:
        return platform.freedesktop_os_release()['PRETTY_NAME']
    except OSError:
        return platform.platform()
