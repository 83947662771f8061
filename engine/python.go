package engine

import (
	"strconv"
	"strings"

	"millrace/errs"
	"millrace/physical"
	planpb "millrace/proto/millrace/plan/v1"
)

// pythonSettings are the settings that PySpark's workers look at.
var pythonSettings = []string{
	"spark.sql.session.timeZone",
	"spark.sql.execution.pandas.convertToArrowArraySafely",
	"spark.sql.legacy.execution.pandas.groupedMap.assignColumnsByName",
	"spark.sql.execution.arrow.maxRecordsPerBatch",
	"spark.sql.execution.arrow.maxBytesPerBatch",
	"spark.sql.execution.pythonUDF.pandas.intToDecimalCoercionEnabled",
	"spark.sql.execution.pythonUDF.pandas.preferIntExtensionDtype",
	"spark.sql.execution.pythonUDF.arrow.concurrency.level",
	"spark.sql.execution.pyspark.binaryAsBytes",
	"spark.sql.legacy.execution.pythonUDF.pandas.conversion.enabled",
	"spark.sql.legacy.execution.pythonUDTF.pandas.conversion.enabled",
}

// maxPythonFiles bounds the modules that go to the workers with every task.
const maxPythonFiles = 64 << 20

// pythonEnv is what the session gives to functions of Python.
func (st *statement) pythonEnv() (*physical.PythonEnv, error) {
	env := &physical.PythonEnv{Executable: st.s.Conf.Get("spark.pyspark.python"), Conf: map[string]string{}, Env: map[string]string{}}
	for _, key := range pythonSettings {
		if v := st.s.Conf.Get(key); v != "" && v != "<undefined>" {
			env.Conf[key] = v
		}
	}
	if v := st.s.Conf.Get("spark.sql.execution.pyspark.udf.simplifiedTraceback.enabled"); strings.EqualFold(v, "false") {
		env.Env["SPARK_SIMPLIFIED_TRACEBACK"] = ""
	}
	if v := st.s.Conf.Get("spark.sql.execution.pyspark.udf.hideTraceback.enabled"); strings.EqualFold(v, "true") {
		env.Env["SPARK_HIDE_TRACEBACK"] = "1"
	}
	env.BatchRows = st.s.Conf.Int("spark.sql.execution.arrow.maxRecordsPerBatch", 10_000)
	if env.BatchRows <= 0 { // a batch without an end in Spark
		env.BatchRows = 1 << 20
	}
	size := 0
	for _, name := range st.s.Artifacts.Names("pyfiles/") {
		data, err := st.s.Artifacts.Read(name)
		if err != nil {
			return nil, errs.Wrap(err, "read the artifact %s", name)
		}
		if size += len(data); size > maxPythonFiles {
			return nil, errs.Unsupportedf("Python files of more than %s MiB together are not supported.", strconv.Itoa(maxPythonFiles>>20))
		}
		env.Files = append(env.Files, &planpb.PythonFile{Name: strings.TrimPrefix(name, "pyfiles/"), Data: data})
	}
	return env, nil
}
