"""count.py REMOTE PATH: rows of a Delta table; fails when a row is there twice."""
import sys

import sessions

s = sessions.connect(sys.argv[1])
t = s.read.format("delta").load(sys.argv[2])
rows = t.count()
assert t.distinct().count() == rows, "a row is there twice"
print(rows)
