"""switcher.py - switch imports of running processes at a steady rate, and check every reply.

    switcher.py PATCH PER_SECOND STOP_FILE PID...

PATCH is a file, or NAME=RETVAL for a fault that is counted at every call of NAME and strikes at none.
Loads and reverts it in one process after the other through their FIFOs until STOP_FILE is
there, and leaves none of them patched. Prints how many switches were made and their median; exits
1 at the first reply that is not "done".
"""
import os
import sys
import time

from asked import Target

NEVER = 2**32 - 1  # the highest nth= there is


def requests(patch):
    """What to send to have it, and to be rid of it."""
    if patch.startswith("/"):
        return f"load reply={{reply}} {patch}", "revert reply={reply} name=wrap"
    name = patch.split("=")[0]
    return (f"load reply={{reply}} fail={patch} nth={NEVER}",
            f"revert reply={{reply}} name=fail:{name}")


class Switched(Target):
    loaded = False

    def switch(self, load, revert):
        start = time.monotonic()
        self.ask(revert if self.loaded else load)
        self.loaded = not self.loaded
        return time.monotonic() - start


def main():
    load, revert = requests(sys.argv[1])
    per_second, stop_file = float(sys.argv[2]), sys.argv[3]
    targets = []
    times = []
    try:
        for pid in sys.argv[4:]:
            targets.append(Switched(pid))
        start = due = time.monotonic()
        while not os.path.exists(stop_file):
            times.append(targets[len(times) % len(targets)].switch(load, revert))
            due += 1 / per_second
            time.sleep(max(0, due - time.monotonic()))
        seconds = time.monotonic() - start
        for target in targets:
            if target.loaded:
                target.switch(load, revert)
    finally:
        for target in targets:
            target.close()
    times.sort()
    print(f"{len(times)} switches, {len(times) / seconds:.0f}/s, "
          f"median {times[len(times) // 2] * 1e6:.0f} us, slowest {times[-1] * 1e3:.0f} ms")


main()
