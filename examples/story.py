"""What the scenario's chapters share: numbered steps that print what they did, how long it took and what came out."""
import os
import sys
import time
import traceback


class Story:
    """Prints numbered steps with their times."""

    def __init__(self):
        self.number, self.started, self.steps = 0, time.time(), []

    def chapter(self, title):
        print(f"\n== {title}", flush=True)

    def step(self, title, work):
        self.number += 1
        began = time.time()
        outcome = work()
        seconds = time.time() - began
        self.steps.append((title, seconds))
        print(f"{self.number:3}. {title:<58}{seconds:8.2f} s   {outcome}", flush=True)


def must(condition, what):
    if not condition:
        sys.exit(f"lending_club: {what}")


def tell(main):
    """Runs a script and leaves at once: models that are still held would ask the cluster to forget them while the interpreter shuts
    down, which then may wait for ever."""
    code = 0
    try:
        main()
    except SystemExit as e:
        code = e.code if isinstance(e.code, int) else 1 if e.code else 0
        if isinstance(e.code, str):
            print(e.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
