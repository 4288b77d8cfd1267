"""How Gunicorn serves."""

import os

bind = "0.0.0.0:8000"
workers = int(os.environ.get("WORKERS", "2"))
worker_class = "gthread"
threads = 4
timeout = 30
graceful_timeout = 20
# Longer than a load balancer in front keeps a connection idle, so that it is not closed under a request.
keepalive = 75
worker_tmp_dir = "/dev/shm"
