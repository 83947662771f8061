"""Makes the calls of a suite of cases and writes down how each was answered."""

import json
import signal

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame


def late(*_):
    raise TimeoutError("no answer in a minute")


def condition(e):
    """An error's condition, or how its message begins."""
    return [e.getCondition() or str(e).split("\n")[0][:100]]


def judge(name, work, shown, told, hidden):
    """A frame's schema and sorted rows, another value as `shown` gives it, or an error as `told` gives it, without the text `hidden`."""
    print(name, flush=True)
    signal.alarm(60)
    try:
        value = work()
        if isinstance(value, DataFrame):
            return [value.schema.json(), sorted(map(str, value.collect()))]
        return ["value", shown(value)]
    except PySparkException as e:
        return ["error", *(text.replace(hidden, "") for text in told(e))]
    except Exception as e:
        return ["error", f"{type(e).__name__}: {str(e)[:200]}".replace(hidden, "")]
    finally:
        signal.alarm(0)


def write(path, cases, only, shown=repr, told=condition, hidden="\0"):
    """Writes the answers of the cases, or of those that `only` names, as JSON."""
    signal.signal(signal.SIGALRM, late)
    with open(path, "w") as f:
        answers = {name: judge(name, work, shown, told, hidden) for name, work in cases.items() if not only or name in only}
        json.dump(answers, f, indent=0, sort_keys=True, ensure_ascii=False)
