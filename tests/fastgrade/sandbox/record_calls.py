"""Record the system calls that answers and tests make, and write the list of allowed ones.

``python -m tests.fastgrade.sandbox.record_calls`` grades this course's solutions and the cells
below under strace, collects what was called behind the filter, adds `KIN` and writes
``fastgrade/sandbox/calls.json``. It needs strace, and libseccomp for the numbers.

What is used and not granted in full (`fastgrade.sandbox.seccomp` has conditions or pretends) and
what is refused although it was tried stands in `REFUSED`.
"""

# ruff: noqa: E501  cells are written as they come

from __future__ import annotations

import ctypes
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from fastgrade.engine.grader import Grader
from fastgrade.sandbox import syscalls
from fastgrade.settings import Limits, Settings
from fastgrade.verdict import Task
from tests.fastgrade.cells import code, notebook

ROOT = Path(__file__).parents[3]

#: The same for another size, folder, time or version of the C library as what was recorded.
KIN = """
    read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek close close_range
    open openat creat dup dup2 dup3 pipe pipe2 fcntl flock ioctl ftruncate fallocate
    sendfile copy_file_range
    stat fstat lstat newfstatat statx access faccessat faccessat2 getdents getdents64
    getcwd chdir fchdir rename renameat renameat2 mkdir mkdirat rmdir unlink unlinkat link linkat
    symlink symlinkat readlink readlinkat umask getxattr lgetxattr fgetxattr listxattr llistxattr
    flistxattr
    mmap munmap mremap mprotect madvise brk membarrier
    get_mempolicy
    futex futex_waitv set_robust_list get_robust_list set_tid_address rseq arch_prctl sched_yield
    sched_getaffinity sched_setaffinity sched_getparam sched_getscheduler sched_get_priority_max
    sched_get_priority_min getcpu clone fork vfork exit exit_group wait4 waitid
    getpid getppid gettid getuid geteuid getgid getegid getgroups getresuid getresgid getpgid
    getpgrp getsid getrlimit prlimit64 getrusage times uname getpriority capget prctl
    rt_sigaction rt_sigprocmask rt_sigreturn rt_sigsuspend rt_sigpending rt_sigtimedwait sigaltstack
    restart_syscall pause alarm setitimer getitimer
    nanosleep clock_nanosleep clock_gettime clock_getres gettimeofday time timer_create
    timer_settime timer_gettime timer_getoverrun timer_delete timerfd_create timerfd_settime
    timerfd_gettime
    poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait
    epoll_pwait2 eventfd eventfd2 signalfd signalfd4
    socketpair sendto recvfrom sendmsg recvmsg recvmmsg shutdown getsockname getpeername
    getsockopt setsockopt
    getrandom
"""

#: Tried by libraries, and refused: they go on without. How much memory and disk the machine has
#: left, and which pages of a file are in memory, tells what others do.
REFUSED = """
    sysinfo statfs fstatfs mincore sendmmsg
    clone3 execve execveat socket connect bind listen accept accept4 kill tkill tgkill
    memfd_create setpgid setsid sched_setscheduler setpriority ioprio_set
    inotify_init inotify_init1 inotify_add_watch inotify_rm_watch
    landlock_create_ruleset landlock_add_rule landlock_restrict_self seccomp capset
"""

#: Landlock does not govern some, and copying a file in Python makes them; the others only ask the
#: disk to hurry or memory to keep something, for all who use it.
PRETENDED = """
    chmod fchmod fchmodat chown fchown lchown fchownat utime utimes futimesat utimensat setxattr
    lsetxattr fsetxattr removexattr lremovexattr fremovexattr sync syncfs flock
    fsync fdatasync sync_file_range msync fadvise64 readahead
"""

CELLS = [
    "import numpy as np\nrng = np.random.default_rng(0)\na = rng.normal(size=(300, 300))\n"
    "np.linalg.svd(a), np.fft.fft(a), a @ a\nnp.save('a.npy', a)\n"
    "np.load('a.npy', mmap_mode='r').sum()\nnp.savetxt('a.txt', a)\nnp.loadtxt('a.txt').shape",
    "import pandas as pd\nframe = pd.DataFrame({'x': range(50), 'y': list('ab') * 25})\n"
    "frame.to_csv('f.csv')\npd.read_csv('f.csv').groupby('y').x.mean()\nframe.to_pickle('f.pkl')\n"
    "pd.read_pickle('f.pkl').describe()\nframe",
    "import matplotlib.pyplot as plt\nplt.plot([1, 2, 3])\nplt.title(r'$x^2$')\n"
    "plt.savefig('p.png')\nplt.savefig('p.pdf')\nplt.savefig('p.svg')\nplt.show()",
    "from sklearn.linear_model import LogisticRegression\nfrom sklearn.ensemble import "
    "RandomForestClassifier\nfrom sklearn.datasets import load_digits\nfrom sklearn.model_selection "
    "import cross_val_score\nX, y = load_digits(return_X_y=True)\n"
    "RandomForestClassifier(20, n_jobs=2).fit(X, y).score(X, y)\n"
    "cross_val_score(LogisticRegression(max_iter=50), X[:300], y[:300], cv=3)",
    "import scipy.optimize, scipy.sparse, scipy.stats, scipy.integrate\n"
    "scipy.optimize.minimize(lambda x: (x**2).sum(), [1.0, 2.0])\n"
    "scipy.integrate.quad(lambda x: x, 0, 1)",
    "import sqlite3\nbase = sqlite3.connect('b.db')\nbase.execute('create table t (x)')\n"
    "base.execute('insert into t values (1)')\nbase.commit()\nlist(base.execute('select * from t'))",
    "import concurrent.futures, threading, queue, time\n"
    "with concurrent.futures.ThreadPoolExecutor(4) as pool:\n"
    "    print(list(pool.map(lambda n: time.sleep(0.01) or n, range(8))))\n"
    "threading.Timer(0.01, print, ['timer']).start()\ntime.sleep(0.05)",
    "import multiprocessing\ndef work(q):\n    q.send(1)\nhere, there = multiprocessing.Pipe()\n"
    "p = multiprocessing.get_context('fork').Process(target=work, args=(there,))\np.start()\n"
    "p.join()\nhere.recv()",
    "import asyncio\nasync def f():\n    await asyncio.sleep(0.01)\n    return 1\nawait f()",
    "import os, shutil, tempfile, zipfile, tarfile, gzip, mmap, pathlib, glob\n"
    "with tempfile.TemporaryDirectory() as d:\n    p = pathlib.Path(d, 'x')\n    p.write_text('x')\n"
    "    shutil.copy2(p, d + '/y')\n    shutil.copytree(d, 'tree')\n"
    "    zipfile.ZipFile('z.zip', 'w').write(p)\n    tarfile.open('t.tgz', 'w:gz').add(p)\n"
    "    os.rename(p, d + '/w')\nshutil.rmtree('tree')\n"
    "with open('m', 'wb+') as f:\n    f.write(b'x' * 8192)\n    f.truncate(4096)\n    f.flush()\n"
    "    os.fsync(f.fileno())\n    mmap.mmap(f.fileno(), 4096)[0]\nos.walk('.'), glob.glob('*')",
    "import random, secrets, uuid, datetime, platform, resource, logging, signal, subprocess, json\n"
    "secrets.token_hex(), uuid.uuid4(), datetime.datetime.now(), os.cpu_count(), os.getlogin\n"
    "signal.setitimer(signal.ITIMER_REAL, 0.01)\nsignal.signal(signal.SIGALRM, print)\n"
    "print(platform.platform(), resource.getrusage(0).ru_utime > 0)",
    "%timeit -n 1 -r 1 sum(range(10))",
    "import statsmodels.api, networkx, seaborn",
    "def f(x):\n    raise ValueError(x)\nf(1)",
    "input('x')",
]


def work() -> None:
    """Grade the course's solutions and the cells above, without namespaces around."""
    preload = ("numpy", "matplotlib.pyplot")
    limits = Limits(cell_seconds=600, total_seconds=3000, cpu_seconds=900, processes=40)
    settings = Settings(
        namespaces=False,
        preload=preload,
        judge_preload=preload,
        readable=(str(ROOT),),
        limits=limits,
    )
    cells = [code(cell) for cell in CELLS]
    cells.append(code("x = lambda: 1", "x", solution=True))
    cells.append(code("assert x() == 1", "t", grade=True, locked=True, points=1))
    notebooks = {"cells": notebook(*cells)}
    notebooks |= {p.stem: p.read_bytes() for p in sorted(ROOT.glob("solutions/*/*.ipynb"))}
    with Grader(settings) as grader:
        for name, data in notebooks.items():
            verdict = grader.grade(Task(name, "solution", name, data, data))
            print(name, verdict.points, "of", verdict.max_points, flush=True)


def called(trace: Path) -> set[str]:
    """Return the names of the calls that filtered processes have made."""
    names: dict[str, set[str]] = {}
    parents: dict[str, str] = {}
    filtered: set[str] = set()
    for line in trace.read_text(errors="replace").splitlines():
        found = re.match(r"(\d+) +(?:<\.\.\. )?(\w+)(?:\(| resumed)", line)
        if not found:
            continue
        pid, name = found.groups()
        if name in ("clone", "clone3", "fork", "vfork"):
            child = re.search(r"= (\d+)$", line)
            if child:
                parents[child.group(1)] = pid
                if pid in filtered:
                    filtered.add(child.group(1))
        if pid in filtered or parents.get(pid) in filtered:
            names.setdefault(pid, set()).add(name)
        if name == "seccomp" and "SECCOMP_SET_MODE_FILTER" in line:
            filtered.add(pid)
    return set().union(*names.values())


def numbers(name: str) -> list[int | None]:
    """Return the numbers of a call on the machines that are known."""
    library = ctypes.CDLL("libseccomp.so.2")
    resolved = [
        library.seccomp_syscall_resolve_name_arch(ctypes.c_uint32(token), name.encode())
        for token in syscalls.ARCHITECTURES.values()
    ]
    return [number if number >= 0 else None for number in resolved]


def main() -> None:
    """Record, and write the list."""
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder, "trace")
        command = ["strace", "-f", "-qq", "-o", str(trace), sys.executable, "-m", __spec__.name]
        subprocess.run([*command, "--work"], check=True)
        used = called(trace)
    refused, pretended = set(REFUSED.split()), set(PRETENDED.split())
    allowed = (used | set(KIN.split())) - refused - pretended
    print("not in KIN:", sorted(allowed - set(KIN.split())))
    lists = {"allowed": allowed, "pretended": pretended, "refused": refused - pretended}
    table = {kind: {n: numbers(n) for n in sorted(names)} for kind, names in lists.items()}
    text = json.dumps(table, indent=1)
    text = re.sub(r"\[\s+(\S+)\s+(\S+)\s+\]", r"[\1 \2]", text)
    syscalls.TABLE.write_text(text + "\n")


if __name__ == "__main__":
    work() if sys.argv[1:] == ["--work"] else main()
