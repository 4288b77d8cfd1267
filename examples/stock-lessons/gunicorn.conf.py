"""How Gunicorn serves: one process with threads, so that what it counts is what the replica did."""

import os

bind = "0.0.0.0:8000"
workers = 1
worker_class = "gthread"
threads = int(os.environ.get("THREADS", "8"))
timeout = 30
graceful_timeout = 20
# Longer than a load balancer in front keeps a connection idle, so that it is not closed under a request.
keepalive = 75
worker_tmp_dir = "/dev/shm"
