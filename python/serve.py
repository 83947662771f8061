"""Runs the functions of queries by PySpark's own worker code, each task in a process of its own.

This process imports PySpark once and listens on the Unix socket that its argument names. For every connection it makes a child
by fork, so that a task begins at once and finds no module as another task has left it. A connection brings, in this order: a byte
with the descriptor to which the child prints, the length of a request and the request as JSON, and then what PySpark's worker reads
after its head. The child answers its process id and then as PySpark's worker does.

On the standard input come lines with the ids of children that are to be killed; when it ends, so does everything.
"""

import base64
import io
import json
import os
import selectors
import signal
import socket
import struct
import sys


def load():
    """What tasks need, imported before the first fork. A module that is missing is missed by the function that needs it."""
    import pyspark.worker

    for name in ("numpy", "pandas", "pyarrow", "pyspark.sql.pandas.serializers", "pyspark.sql.pandas.types"):
        try:
            __import__(name)
        except ImportError:
            pass
    return pyspark.worker


def head(r, version):
    """The bytes by which a JVM of the installed PySpark's version begins a task."""
    out = io.BytesIO()

    def integer(n):
        out.write(struct.pack("!i", n))

    def long(n):
        out.write(struct.pack("!q", n))

    def boolean(b):
        out.write(struct.pack("!?", b))

    def binary(b):
        integer(len(b))
        out.write(b)

    def text(s):
        binary(s.encode("utf-8"))

    def pairs(d):
        integer(len(d))
        for k, v in d.items():
            text(k)
            text(v)

    integer(r["partition"])
    text(r["python"])
    if version >= (4, 2):
        context = {"isBarrier": False, "stageId": r["stage"], "partitionId": r["partition"], "attemptNumber": r["attempt"],
                   "taskAttemptId": r["partition"], "cpus": 1, "resources": {}, "localProperties": {}}
        text(json.dumps(context))
    else:
        boolean(False)
        if version < (4, 1):
            integer(0)
            text("")
        for n in (r["stage"], r["partition"], r["attempt"]):
            integer(n)
        long(r["partition"])
        for n in (1, 0, 0):
            integer(n)
    text(r["dir"])
    integer(len(r["includes"]))
    for name in r["includes"]:
        text(name)
    boolean(False)
    integer(0)
    kind = r["eval"]
    integer(kind)
    if version >= (4, 2):
        pairs(r["conf"])
        pairs(r["eval_conf"])
    else:
        if kind != 100:
            pairs({"pandas_" + k if k == "window_bound_types" and version < (4, 1) else k: v for k, v in r["conf"].items()})
        if kind == 101 and (version >= (4, 1)):
            text(r["input"])
    if version < (4, 2):
        boolean(False)
    named = version >= (4, 2) or kind in (100, 101, 200, 202, 203, 204, 250, 251, 252, 253)
    integer(len(r["functions"]))
    for f in r["functions"]:
        integer(len(f["args"]))
        for offset, name in f["args"]:
            integer(offset)
            if named:
                boolean(name is not None)
                if name is not None:
                    text(name)
        integer(len(f["commands"]))
        for command in f["commands"]:
            binary(base64.b64decode(command))
        if version >= (4, 2):
            long(0)
    return out.getvalue()


class Joined(io.RawIOBase):
    """The head of a task and then what comes through its connection."""

    def __init__(self, first, rest):
        self.first, self.rest = memoryview(first), rest

    def readable(self):
        return True

    def readinto(self, into):
        if len(self.first):
            n = min(len(into), len(self.first))
            into[:n] = self.first[:n]
            self.first = self.first[n:]
            return n
        return self.rest.recv_into(into)


def exactly(conn, n):
    parts = []
    while n:
        part = conn.recv(min(n, 1 << 20))
        if not part:
            os._exit(0)
        parts.append(part)
        n -= len(part)
    return b"".join(parts)


class Rows:
    """Lets functions that PySpark's worker feeds with pickled rows have Arrow batches, and makes of their results what a JVM makes."""

    def __init__(self, request):
        import pyspark.sql.types as t

        self.input = t._parse_datatype_json_string(request["input"])
        self.outputs = [t._parse_datatype_json_string(o) for o in request["outputs"]]

    def load_stream(self, stream):
        import pyarrow as pa

        try:
            from pyspark.sql.conversion import ArrowTableToRowsConversion
        except ImportError:
            from pyspark.sql.connect.conversion import ArrowTableToRowsConversion
        import pyspark.sql.types as t

        plain = (t.IntegralType, t.FloatType, t.DoubleType, t.BooleanType, t.StringType, t.DateType, t.DecimalType)
        simple = all(isinstance(f.dataType, plain) for f in self.input)
        for batch in pa.ipc.open_stream(stream):
            if not len(self.input):
                yield from (() for _ in range(batch.num_rows))
                continue
            if simple:
                yield from zip(*(c.to_pylist() for c in batch.columns))
                continue
            yield from ArrowTableToRowsConversion.convert(pa.Table.from_batches([batch]), self.input)

    def dump_stream(self, rows, stream):
        import itertools

        import pyarrow as pa
        from pyspark.sql.pandas.types import to_arrow_type

        kinds = [arrow(o, to_arrow_type) for o in self.outputs]
        makers = [internal(o) for o in self.outputs]
        names = ["_%d" % i for i in range(len(kinds))]
        schema = pa.schema([pa.field(n, k) for n, k in zip(names, kinds)])
        writer = None
        rows = iter(rows)
        try:
            while True:
                part = list(itertools.islice(rows, 10000))
                if not part:
                    break
                columns = [part] if len(kinds) == 1 else list(zip(*part))
                arrays = [pa.array([m(v) for v in c], type=k) for c, k, m in zip(columns, kinds, makers)]
                if writer is None:
                    stream.write(struct.pack("!i", -6))
                    writer = pa.RecordBatchStreamWriter(stream, schema)
                writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))
        finally:
            if writer is not None:
                writer.close()


def arrow(data_type, to_arrow_type):
    import inspect

    if "timezone" in inspect.signature(to_arrow_type).parameters:
        return to_arrow_type(data_type, timezone="UTC")
    return to_arrow_type(data_type)


def internal(data_type):
    """How the JVM takes a pickled value as one of a type: what is of no fitting class becomes null."""
    import decimal

    import pyspark.sql.types as t

    def whole(bits):
        half, all_ = 1 << (bits - 1), 1 << bits

        def make(v):
            if type(v) is not int or not -(1 << 63) <= v < 1 << 63:
                return None
            return (v + half) % all_ - half

        return make

    def floating(v):
        return v if type(v) is float else None

    def text(v):
        if v is None or type(v) is str:
            return v
        return java_text(v)

    def blob(v):
        if isinstance(v, (bytes, bytearray)):
            return bytes(v)
        return v.encode("utf-8") if type(v) is str else None

    def number(v):
        if not isinstance(v, decimal.Decimal) or not v.is_finite():
            return None
        with decimal.localcontext() as c:
            c.prec = 100
            q = v.quantize(decimal.Decimal(1).scaleb(-data_type.scale), rounding=decimal.ROUND_HALF_UP)
        return q if len(q.as_tuple().digits) <= data_type.precision else None

    if isinstance(data_type, t.UserDefinedType):
        return internal(data_type.sqlType())
    if isinstance(data_type, t.ArrayType):
        element = internal(data_type.elementType)
        return lambda v: [element(x) for x in v] if isinstance(v, (list, tuple)) or hasattr(v, "tolist") or type(v).__name__ == "array" else None
    if isinstance(data_type, t.MapType):
        key, value = internal(data_type.keyType), internal(data_type.valueType)
        return lambda v: [(key(k), value(x)) for k, x in v.items()] if isinstance(v, dict) else None
    if isinstance(data_type, t.StructType):
        fields = [(f.name, internal(f.dataType)) for f in data_type.fields]

        def record(v):
            if not isinstance(v, tuple):
                return None
            if len(v) != len(fields):
                raise ValueError("Input row doesn't have expected number of values required by the schema. "
                                 "%d fields are required while %d values are provided." % (len(fields), len(v)))
            return {n: m(x) for (n, m), x in zip(fields, v)}

        return record
    if isinstance(data_type, (t.StringType, t.CharType, t.VarcharType)):
        return text
    for kind, make in (
        (t.BooleanType, lambda v: v if type(v) is bool else None),
        (t.ByteType, whole(8)), (t.ShortType, whole(16)), (t.IntegerType, whole(32)), (t.LongType, whole(64)),
        (t.FloatType, floating), (t.DoubleType, floating), (t.DecimalType, number), (t.BinaryType, blob),
        (t.DateType, whole(32)), (t.TimestampType, whole(64)), (t.TimestampNTZType, whole(64)), (t.DayTimeIntervalType, whole(64)),
        (t.NullType, lambda v: None),
    ):
        if isinstance(data_type, kind):
            return make
    raise TypeError("A function without Arrow cannot return %s." % data_type.simpleString())


def java_text(v):
    """A value that is no text as the toString of what Java has of it."""
    if v is None:
        return "null"
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, float):
        if v != v:
            return "NaN"
        if v in (float("inf"), float("-inf")):
            return "Infinity" if v > 0 else "-Infinity"
        if v == 0 or 1e-3 <= abs(v) < 1e7:
            return repr(v)
        digits, exponent = ("%r" % v if "e" in repr(v) else "%.16e" % v).split("e")
        from decimal import Decimal

        d = Decimal(repr(v))
        sign, places, _ = d.as_tuple()
        shown = "".join(map(str, places)).rstrip("0") or "0"
        return ("-" if sign else "") + shown[0] + "." + (shown[1:] or "0") + "E" + str(d.adjusted())
    if isinstance(v, (list, set, frozenset)):
        return "[" + ", ".join(v2 if isinstance(v2, str) else java_text(v2) for v2 in v) + "]"
    if isinstance(v, dict):
        return "{" + ", ".join((k if isinstance(k, str) else java_text(k)) + "=" + (x if isinstance(x, str) else java_text(x)) for k, x in v.items()) + "}"
    return str(v)


def whole_groups():
    """Gives the workers of PySpark 4.0 each group as the one batch that they take for it."""
    import pyarrow as pa
    from pyspark.serializers import read_int
    from pyspark.sql.pandas import serializers

    def load_stream(self, stream):
        while read_int(stream):
            yield from pa.Table.from_batches(pa.ipc.open_stream(stream)).combine_chunks().to_batches()

    serializers.ArrowStreamSerializer.load_stream = load_stream


def task(conn, worker, version):
    """One task in this process, which ends with it."""
    _, descriptors, _, _ = socket.recv_fds(conn, 1, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    for fd in descriptors:
        os.dup2(fd, 1)
        os.dup2(fd, 2)
        os.close(fd)
    request = json.loads(exactly(conn, struct.unpack("!i", exactly(conn, 4))[0]))
    conn.sendall(struct.pack("!i", os.getpid()))
    os.environ.update(request["env"])
    if version < (4, 1) and request["eval"] in (201, 202, 203, 209):
        whole_groups()
    if request["eval"] == 100:
        worker.BatchedSerializer = lambda *_: Rows(request)
    code = 0
    out = conn.makefile("wb", 1 << 16)
    try:
        worker.main(io.BufferedReader(Joined(head(request, version), conn), 1 << 16), out)
    except SystemExit:
        code = 1
    try:
        out.flush()
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # nobody listens any more
        pass
    os._exit(code)


def main(path):
    worker = load()
    import pyspark

    version = tuple(int(n) for n in pyspark.__version__.split(".")[:2])
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(128)
    children = set()
    woken, wake = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    wait = selectors.DefaultSelector()
    wait.register(listener, selectors.EVENT_READ)
    wait.register(0, selectors.EVENT_READ)
    wait.register(woken, selectors.EVENT_READ)
    print("ready", flush=True)
    left = b""
    while True:
        for key, _ in wait.select():
            if key.fileobj == woken:
                os.read(woken, 4096)
                while children:
                    pid, _ = os.waitpid(-1, os.WNOHANG)
                    if pid == 0:
                        break
                    children.discard(pid)
            elif key.fileobj == 0:
                said = os.read(0, 4096)
                *lines, left = (left + said).split(b"\n")
                for pid in children if not said else {int(n) for n in lines} & children:
                    os.kill(pid, signal.SIGKILL)
                if not said:
                    return
            else:
                conn, _ = listener.accept()
                pid = os.fork()
                if pid == 0:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    wait.close()
                    listener.close()
                    try:
                        task(conn, worker, version)
                    finally:
                        os._exit(2)
                children.add(pid)
                conn.close()


if __name__ == "__main__":
    main(sys.argv[1])
