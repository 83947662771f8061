"""conflicts.py CONFLICTS.TXT: the matrix of conflicts as the real Delta Lake decides it, against ours.

For each cell a table is made by its log alone; a transaction of Delta's own (OptimisticTransaction) reads it, the winner's commit is put into the log, and the
transaction commits. Data files are never opened. Prints the lines that differ, and ends with 1 if there are any but those of rows that we tell apart.
"""
import json
import os
import sys
import tempfile

import sessions

SCHEMA = '{"type":"struct","fields":[{"name":"id","type":"long","nullable":true,"metadata":{}},{"name":"p","type":"string","nullable":true,"metadata":{}}]}'
STATS = '{"numRecords":10,"minValues":{"id":1},"maxValues":{"id":9},"nullCount":{"id":0},"tightBounds":false}'
MARKS = {"ConcurrentAppendException": "A", "ConcurrentDeleteReadException": "R", "ConcurrentDeleteDeleteException": "D", "MetadataChangedException": "M",
         "ProtocolChangedException": "P", "ConcurrentTransactionException": "T"}


def vector(*rows):  # what the vectors hold is nobody's concern here
    return {"storageType": "i", "pathOrInlineDv": "^Bg9^0rr910000000000iXQKl0rr91000f55c8Xg" + "0" * len(rows), "sizeInBytes": 32, "cardinality": len(rows)}


def add(path, p, change=True, dv=None):
    a = {"path": path, "partitionValues": {"p": p}, "size": 100, "modificationTime": 1, "dataChange": change, "stats": STATS}
    return {"add": dict(a, deletionVector=dv) if dv else a}


def remove(path, p, change=True, dv=None):
    a = {"path": path, "deletionTimestamp": 1, "dataChange": change, "extendedFileMetadata": True, "partitionValues": {"p": p}, "size": 100}
    return {"remove": dict(a, deletionVector=dv) if dv else a}


def metadata(configuration):
    return {"metaData": {"id": "id", "format": {"provider": "parquet", "options": {}}, "schemaString": SCHEMA, "partitionColumns": ["p"], "configuration": configuration}}


def protocol(*features):
    return {"protocol": {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": ["deletionVectors"], "writerFeatures": ["deletionVectors", "appendOnly", "invariants", *features]}}


def domain(name):
    return {"domainMetadata": {"domain": name, "configuration": "{}", "removed": False}}


def grown(*gone):
    return [remove("v", "1", dv=vector(0)), add("v", "1", dv=vector(0, *gone))]


def everything(*extra):
    return [remove("a", "1"), remove("b", "2"), remove("v", "1", dv=vector(0)), *extra]


def application(name):
    return {"txn": {"appId": name, "version": 1, "lastUpdated": 1}}


# What a transaction reads: nothing, a partition's files, or all; and what it does.
N, P1, ALL = "nothing", "p1", "all"
LOSERS = {
    "append": (N, [add("n", "1")]),
    "append what was read of p=1": (P1, [add("n", "1")]),
    "append what was read of all": (ALL, [add("n", "1")]),
    "delete the partition p=1": (P1, [remove("a", "1")]),
    "update of p=1, files anew": (P1, [remove("a", "1"), add("n", "1")]),
    "rows 1 of v deleted": (P1, grown(1)),
    "rows 1 of v updated": (P1, grown(1) + [add("n", "1")]),
    "rows 1 of v merged, all read": (P1, grown(1) + [add("n", "1")]),
    "overwrite": (ALL, everything(add("n", "1"))),
    "overwrite of p=1": (P1, [remove("a", "1"), add("n", "1")]),
    "optimize of a": (P1, [remove("a", "1", False), add("n", "1", False)]),
    "set a property": (N, [metadata({"x": "1"})]),
    "add a feature": (N, [protocol("clustering", "domainMetadata")]),
    "set a domain": (N, [domain("d")]),
    "append of application x": ("x", [add("n", "1"), application("x")]),
}
WINNERS = [
    [add("w", "1")], [add("w", "2")], [remove("a", "1")], [remove("b", "2")], [remove("a", "1"), add("w", "1")], [remove("b", "2"), add("w", "2")],
    grown(1), grown(2), everything(add("w", "2")), [remove("a", "1", False), add("w", "1", False)], [remove("b", "2", False), add("w", "2", False)],
    [metadata({"y": "1"})], [metadata({"delta.enableDeletionVectors": "true"})], [protocol("domainMetadata")], [protocol("clustering", "domainMetadata")],
    [{"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}], [domain("d")], [domain("e")], [add("w", "2"), application("x")], [add("w", "2"), application("y")],
]


class Delta:
    def __init__(self, spark):
        self.spark, self.jvm, self.dir = spark, spark._jvm, tempfile.mkdtemp()
        self.n = 0
        self.operation = getattr(self.jvm, "org.apache.spark.sql.delta.DeltaOperations$ManualUpdate$").__getattr__("MODULE$")
        self.parser = spark._jsparkSession.sessionState().sqlParser()

    def seq(self, values):
        array = self.jvm.java.util.ArrayList()
        for v in values:
            array.add(v)
        return self.jvm.scala.jdk.javaapi.CollectionConverters.asScala(array).toSeq()

    def put(self, path, version, actions):
        with open(f"{path}/_delta_log/{version:020d}.json", "w") as f:
            f.writelines(json.dumps(a) + "\n" for a in actions)

    def trial(self, level, reads, mine, theirs):
        """How a transaction fares that reads and does something while another's commit lands."""
        self.n += 1
        path = f"{self.dir}/{self.n}"
        os.makedirs(path + "/_delta_log")
        config = {} if level == "Serializable" else {"delta.isolationLevel": level}
        extra = ["domainMetadata"] if any("domainMetadata" in a for a in mine + theirs) else []
        self.put(path, 0, [{"commitInfo": {"timestamp": 1, "operation": "CREATE TABLE", "operationParameters": {}}}, protocol(*extra), metadata(config),
                           add("a", "1"), add("b", "2"), add("v", "1", dv=vector(0))])
        log = getattr(self.jvm, "org.apache.spark.sql.delta.DeltaLog").forTable(self.spark._jsparkSession, path)
        t = log.startTransaction()
        if reads == P1:
            t.filterFiles(self.seq([self.parser.parseExpression("p = '1'")]))
        elif reads == ALL:
            t.readWholeTable()
            t.filterFiles()
        elif reads != N:
            t.txnVersion(reads)
        blind = all("add" in a or "txn" in a for a in theirs)
        theirs = [dict(a, metaData=dict(a["metaData"], configuration={**config, **a["metaData"]["configuration"]})) if "metaData" in a else a for a in theirs]
        mine = [dict(a, metaData=dict(a["metaData"], configuration={**config, **a["metaData"]["configuration"]})) if "metaData" in a else a for a in mine]
        theirs = [{"protocol": dict(a["protocol"], writerFeatures=sorted({*a["protocol"]["writerFeatures"], *extra}))} if "protocol" in a and "writerFeatures" in a["protocol"] else a for a in theirs]
        self.put(path, 1, [{"commitInfo": {"timestamp": 2, "operation": "W", "operationParameters": {}, "readVersion": 0, "isBlindAppend": blind}}, *theirs])
        action = getattr(self.jvm, "org.apache.spark.sql.delta.actions.Action")
        try:
            t.commit(self.seq([action.fromJson(json.dumps(a)) for a in mine]), self.operation)
            return "."
        except Exception as x:
            e = getattr(x, "java_exception", None)
            name = e.getClass().getSimpleName() if e is not None else type(x).__name__
            if name in MARKS:
                return MARKS[name]
            return "?" if os.environ.get("QUIET") else f"[{name}: {str(e.getMessage() if e is not None else x)[:200]}]"


def main(expected, only=None):
    spark = sessions.classic()
    spark.sparkContext.setLogLevel("OFF")
    d, different = Delta(spark), 0
    ours = {}
    with open(expected) as f:
        for line in f:
            if line.strip() and line[0] != "#":
                ours[line[:32].strip()] = line[32:].split()
    assert set(ours) == set(LOSERS), set(ours) ^ set(LOSERS)
    for name, (reads, mine) in LOSERS.items():
        if only and only not in name:
            continue
        for level, want in zip(("Serializable", "WriteSerializable"), ours[name]):
            got = [d.trial(level, reads, mine, w) for w in WINNERS]
            if "".join(got) != want:
                cells = [f"{i + 1}: {g} (ours {w})" for i, (g, w) in enumerate(zip(got, want)) if g != w]
                different += 1
                print(f"{name:32} {level}: {', '.join(cells)}", flush=True)
    print(different, "lines differ")
    sessions.leave()


main(*sys.argv[1:])
