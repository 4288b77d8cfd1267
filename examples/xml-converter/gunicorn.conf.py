"""How Gunicorn serves: workers by the processors it may use, time for large bodies."""

import os

bind = "0.0.0.0:8000"
workers = int(os.environ.get("WORKERS", 2 * len(os.sched_getaffinity(0)) + 1))
timeout = 120
# Who is asked to stop ends what it is at; less than the engine waits before it kills (`stop_grace_period`).
graceful_timeout = 110
# Longer than a load balancer in front keeps a connection idle, so that it is not closed under a request.
keepalive = 75
worker_class = "gthread"
threads = 4
worker_tmp_dir = "/dev/shm"
