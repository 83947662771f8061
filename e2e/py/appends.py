"""appends.py REMOTE PATH N: append 100 rows N times; print a line for each append that was acknowledged."""
import os
import sys
import threading

import sessions

threading.Timer(6, lambda: os._exit(1)).start()  # the cluster is killed under it
remote, path, n = sys.argv[1:4]
s = sessions.connect(remote)
for i in range(int(n)):
    s.range(i * 100, i * 100 + 100).write.format("delta").mode("append").save(path)
    print("acknowledged", i, flush=True)
os._exit(0)
