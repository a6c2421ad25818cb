"""A wall clock that is wrong for one process: a preloaded library that moves CLOCK_REALTIME.

Patching Python's `time` would miss what C code reads for itself. The monotonic clock stays right,
as it does on a machine whose clock is set.
"""

import shutil
import subprocess
from pathlib import Path

_SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static int (*real)(clockid_t, struct timespec *);
static double offset, after, began;

__attribute__((constructor)) static void begin(void) {
    struct timespec now;
    const char *text;
    real = dlsym(RTLD_NEXT, "clock_gettime");
    if ((text = getenv("CHAOS_CLOCK_OFFSET"))) offset = atof(text);
    if ((text = getenv("CHAOS_CLOCK_AFTER"))) after = atof(text);
    real(CLOCK_MONOTONIC, &now);
    began = now.tv_sec + now.tv_nsec / 1e9;
}

int clock_gettime(clockid_t which, struct timespec *at) {
    struct timespec now;
    if (!real) begin();
    int answer = real(which, at);
    if (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE) {
        real(CLOCK_MONOTONIC, &now);
        if (now.tv_sec + now.tv_nsec / 1e9 - began >= after) at->tv_sec += (time_t)offset;
    }
    return answer;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}
"""


def is_possible() -> bool:
    """Whether this machine has a C compiler."""
    return shutil.which("cc") is not None


def environment(folder: Path, offset: float, after: float) -> dict[str, str]:
    """What a process needs in its environment to be `offset` seconds off, `after` its start."""
    library = folder / "wrong_clock.so"
    if not library.exists():
        source = folder / "wrong_clock.c"
        source.write_text(_SOURCE, encoding="utf-8")
        subprocess.run(("cc", "-O1", "-shared", "-fPIC", "-o", library, source, "-ldl"), check=True)
    return {
        "LD_PRELOAD": str(library),
        "CHAOS_CLOCK_OFFSET": str(offset),
        "CHAOS_CLOCK_AFTER": str(after),
    }
