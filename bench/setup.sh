#!/usr/bin/env bash
# Peers of the benchmark, each installed once below .cache: Spark with Delta Lake, Sail, and engines that run in the client's process.
#   setup.sh [spark] [sail] [local]     default: all
set -euo pipefail
cd "$(dirname "$0")/.."
cache=$PWD/.cache
what=${*:-spark sail local}

venv() { # venv NAME PACKAGES…
  local ready=$cache/venv-$1/ready
  [ -e "$ready" ] && [ "$(cat "$ready")" = "${*:2}" ] && return
  python3 -m venv "$cache/venv-$1"
  "$cache/venv-$1/bin/pip" install -q "${@:2}"
  echo "${@:2}" > "$ready"
}

case " $what " in *" spark "*)
  venv spark "pyspark[connect]==4.2.0" "pandas<3" pyarrow psutil "deltalake==1.6.6" numpy
  if [ ! -d "$cache/spark-jars" ]; then
    mvn -q -B -f bench/spark/pom.xml dependency:copy-dependencies -DoutputDirectory="$cache/spark-jars.tmp" -DincludeScope=runtime
    mv "$cache/spark-jars.tmp" "$cache/spark-jars"
  fi ;;
esac
case " $what " in *" sail "*) venv sail pysail==0.7.2 "pyspark-client==4.1.3" "pandas<3" pyarrow psutil ;; esac
case " $what " in *" sail "*) venv bench "pyspark-client==4.2.0" "pandas<3" pyarrow psutil grpcio-status "deltalake==1.6.6" scikit-learn ;; esac
case " $what " in *" local "*) venv peers duckdb==2.0.0 polars==2.1.0 datafusion==55.0.0 tpchgen-cli==4.0.0 "deltalake==1.6.6" pyarrow==26.0.1 psutil ;; esac
