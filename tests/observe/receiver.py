"""Posts what `seedbed run --otlp` wrote to a real OTLP/HTTP receiver, and counts what it understood.
Then has seedbed post the same spans by itself, and once more when the receiver is gone.

    receiver.py SPANS.json SEEDBED SIM SEED

The receiver is the agent of PyPI's `rotel`, which prints each span that it takes.
"""

import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import rotel


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def post(url, body):
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        return refused.code


def spans_in(body):
    resources = json.loads(body)["resourceSpans"]
    return sum(len(scope["spans"]) for it in resources for scope in it["scopeSpans"])


def counted(said, wanted):
    """Waits until the receiver has understood so many spans."""
    for attempt in range(100):
        took = said.read_text(encoding="utf-8", errors="replace").count("\nSpan #")
        if took == wanted:
            return
        time.sleep(0.1)
    sys.exit(f"receiver.py: {wanted} spans were sent, and {took} understood")


def main():
    seedbed, sim, seed = sys.argv[2:]
    body = pathlib.Path(sys.argv[1]).read_bytes()
    agent = pathlib.Path(rotel.__file__).parent / "rotel-agent"
    http, grpc = free_port(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        said = pathlib.Path(folder) / "said"
        with said.open("wb") as output:
            running = subprocess.Popen(
                [agent, "start", "--exporter", "blackhole", "--debug-log", "traces",
                 "--debug-log-verbosity", "detailed",
                 "--otlp-http-endpoint", f"127.0.0.1:{http}",
                 "--otlp-grpc-endpoint", f"127.0.0.1:{grpc}",
                 "--pid-file", f"{folder}/pid", "--log-file", f"{folder}/log"],
                stdout=output, stderr=output,
            )
        try:
            url = f"http://127.0.0.1:{http}/v1/traces"
            for attempt in range(100):
                try:
                    status = post(url, body)
                    break
                except (urllib.error.URLError, ConnectionError):
                    time.sleep(0.1)
            else:
                sys.exit("receiver.py: the receiver does not answer")
            if status != 200:
                sys.exit(f"receiver.py: refused with {status}")
            status = post(url, body.replace(b'"traceId":"', b'"traceId":"zz', 1))
            if status != 400:
                sys.exit(f"receiver.py: an id that is none was answered with {status}")
            sent = spans_in(body)
            counted(said, sent)
            run = [seedbed, "run", sim, "--seed", seed, "--otlp", f"http://127.0.0.1:{http}"]
            subprocess.run(run, check=True, stdout=subprocess.DEVNULL)
            counted(said, 2 * sent)
            print(f"receiver: {sent} spans, twice")
        finally:
            running.terminate()
            running.wait()
        gone = subprocess.run(run, capture_output=True, check=False, text=True)
        if gone.returncode != 2 or "cannot post spans" not in gone.stderr or gone.stdout:
            sys.exit(f"receiver.py: without a receiver: {gone}")


main()
