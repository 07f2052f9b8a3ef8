"""Runs `mlflow server` in a temporary folder until standard input closes, however the test ends."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile

port = sys.argv[1]
folder = tempfile.mkdtemp(prefix="vigie-mlflow-")
with open(os.path.join(folder, "log"), "w") as log:
    server = subprocess.Popen(
        [sys.executable, "-Wignore", "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", port, "--workers", "1",
         "--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", f"{folder}/artifacts"],
        stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=folder, start_new_session=True,
    )
    print(folder, flush=True)
    sys.stdin.read()
    os.killpg(server.pid, signal.SIGKILL)
    server.wait()
shutil.rmtree(folder, ignore_errors=True)
