"""Ten messages from acceptance to their ends: what `make demo` runs.

A broker is started in a temporary directory on a free port of this host. `waypost send --follow` sends
one text to each recipient of recipients.csv and shows what becomes of it. The sandbox provider sends
nothing: the last digits of a number choose its fate (see plugins/sandbox/README.md).
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RECIPIENTS = Path(__file__).resolve().parent / "recipients.csv"
TEXT = "Hello from Waypost"
WAYPOST = [sys.executable, "-m", "broker"]
# Settings and a key for another broker are none of this one's business.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("WAYPOST_")}
FOLLOW_S_MAX = 30
STOP_S_MAX = 30


def main() -> int:
    """Run the demonstration; 0 when every message reached an end."""
    with tempfile.TemporaryDirectory(prefix="waypost-demo-") as directory:
        log = Path(directory) / "broker.log"
        with log.open("w") as log_file:
            broker = subprocess.Popen(
                [*WAYPOST, "serve", "--json", "--listen", "127.0.0.1:0", "--data-dir", f"{directory}/data"],
                stdout=subprocess.PIPE,
                stderr=log_file,
                env=ENVIRONMENT,
                text=True,
            )
            try:
                sent = send_and_follow(broker)
            except KeyboardInterrupt:
                return 130
            finally:
                stopped = stop(broker)
        if sent or stopped:
            print(log.read_text(), file=sys.stderr)
    return sent or stopped


def send_and_follow(broker: "subprocess.Popen[str]") -> int:
    """Send to the ten recipients and watch; the exit code."""
    assert broker.stdout is not None
    started_s = time.monotonic()
    line = broker.stdout.readline()
    if not line:
        print("The broker did not start:", file=sys.stderr)
        return 1
    ready = json.loads(line)
    print(
        f"Waypost {ready['version']} is ready on {ready['address']}"
        f" after {time.monotonic() - started_s:.1f} s, data in {ready['data_dir']}"
    )
    print(f"Sending to the recipients of {RECIPIENTS.parent.name}/{RECIPIENTS.name}\n", flush=True)
    command = ["send", "--csv", str(RECIPIENTS), "--text", TEXT, "--follow", "--timeout", f"{FOLLOW_S_MAX}s"]
    where = ["--target", ready["address"], "--data-dir", ready["data_dir"]]
    return subprocess.run([*WAYPOST, *command, *where], env=ENVIRONMENT, check=False).returncode


def stop(broker: "subprocess.Popen[str]") -> int:
    """Let the broker drain; its exit code."""
    broker.terminate()
    try:
        return broker.wait(STOP_S_MAX)
    except subprocess.TimeoutExpired:
        broker.kill()
        return broker.wait()
    finally:
        if broker.stdout is not None:
            broker.stdout.close()


if __name__ == "__main__":
    sys.exit(main())
