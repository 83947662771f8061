"""Generate the Go bindings of Spark Connect and Delta Connect from the descriptors inside the installed Python clients.

Usage: connect.py OUT_DIR, with protoc-gen-go and protoc-gen-go-grpc on the PATH. The bindings go to OUT_DIR/spark/connect and
OUT_DIR/delta/connect.
"""
import importlib
import pathlib
import pkgutil
import subprocess
import sys

from google.protobuf import descriptor_pb2
from google.protobuf.compiler import plugin_pb2

MODULE = "millrace/proto"
CLIENTS = {"pyspark.sql.connect.proto": "spark.connect", "delta.connect.proto": "delta.connect"}
SKIPPED = {"example_plugins_pb2"}  # a sample of Spark's own tests


def descriptors():
    """All files of both clients with what they import, imports first."""
    files = {}

    def add(descriptor):
        for imported in descriptor.dependencies:
            add(imported)
        if descriptor.name not in files:
            files[descriptor.name] = descriptor_pb2.FileDescriptorProto.FromString(descriptor.serialized_pb)

    for package in CLIENTS:
        for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
            if module.name.endswith("_pb2") and module.name not in SKIPPED:
                add(importlib.import_module(f"{package}.{module.name}").DESCRIPTOR)
    return list(files.values())


def request(files):
    """The plugins' input: every client file gets the Go package of its proto package."""
    req = plugin_pb2.CodeGeneratorRequest(parameter=f"module={MODULE}")
    for file in files:
        if file.package in CLIENTS.values():
            folder = file.package.replace(".", "/")
            name = file.package.replace(".", "")
            file.options.go_package = f"{MODULE}/{folder};{name}"
            req.file_to_generate.append(file.name)
    req.proto_file.extend(files)
    return req.SerializeToString()


def main(out):
    data = request(descriptors())
    for plugin in ("protoc-gen-go", "protoc-gen-go-grpc"):
        run = subprocess.run([plugin], input=data, stdout=subprocess.PIPE, check=True)
        answer = plugin_pb2.CodeGeneratorResponse.FromString(run.stdout)
        if answer.error:
            sys.exit(f"{plugin}: {answer.error}")
        for file in answer.file:
            path = pathlib.Path(out) / file.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(file.content)


if __name__ == "__main__":
    main(*sys.argv[1:])
