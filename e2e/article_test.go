package e2e

import (
	"encoding/json"
	"fmt"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// outcome is what examples/lending_club.py --outcome writes.
type outcome struct {
	Counts       map[string][][2]any
	Averages     []float64
	Coefficients []float64
	Intercept    float64
	Scores       map[string]float64
	TrainAUC     float64 `json:"train_auc"`
	Best         string
	Money        [][3]float64
}

// story runs the whole scenario on a Spark Connect server and gives its outcome.
func story(t *testing.T, remote string, args ...string) (o outcome) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "outcome.json")
	args = append([]string{"--remote", remote, "--outcome", file}, args...)
	t.Log(tail(python(t, "run", filepath.Join(root(), "examples", "lending_club.py"), args...)))
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &o); err != nil {
		t.Fatal(err)
	}
	return o
}

// TestWholeArticle tells the article from its first line to its last on Spark and on millrace, which must come to the same: the streamed tables, and on the
// loans that Spark has set apart the coefficients within 1e-4 and the areas under the ROC within 1e-6.
func TestWholeArticle(t *testing.T) {
	dir := t.TempDir()
	theirs, ours := filepath.Join(dir, "spark"), filepath.Join(dir, "millrace")
	want := story(t, sparkServer(t), "--lake", theirs)
	got := story(t, up(t, "--workers", "2").Remote, "--lake", ours, "--split", theirs)
	if g, w := fmt.Sprint(got.Counts), fmt.Sprint(want.Counts); g != w {
		t.Errorf("the streamed tables have %s and Spark's %s", g, w)
	}
	if len(got.Coefficients) != len(want.Coefficients) {
		t.Fatalf("%d coefficients, not %d", len(got.Coefficients), len(want.Coefficients))
	}
	near := func(what string, got, want, relative, absolute float64) {
		t.Helper()
		if d := math.Abs(got - want); d > absolute && !(d <= relative*math.Abs(want)) {
			t.Errorf("%s: %v, and Spark has %v", what, got, want)
		}
	}
	for i, w := range want.Coefficients {
		near(fmt.Sprint("coefficient ", i), got.Coefficients[i], w, 1e-4, 1e-12)
	}
	near("intercept", got.Intercept, want.Intercept, 1e-4, 0)
	near("AUC in training", got.TrainAUC, want.TrainAUC, 0, 1e-6)
	for i, w := range want.Averages {
		near(fmt.Sprint("average AUC of the folds ", i), got.Averages[i], w, 0, 1e-6)
	}
	for name, w := range want.Scores {
		near("AUC of "+name, got.Scores[name], w, 0, map[string]float64{"glm": 1e-6, "gbt": 5e-3}[name])
	}
	if got.Best == want.Best && got.Best == "glm" && fmt.Sprint(got.Money) != fmt.Sprint(want.Money) {
		t.Errorf("dollars by label and prediction are %v and with Spark %v", got.Money, want.Money)
	}
}

// TestTracking has the runs reach a real MLflow server: one that answers from the start, and one that comes back later. What arrived is read by MLflow's own API.
func TestTracking(t *testing.T) {
	c := up(t)
	lake := filepath.Join(t.TempDir(), "lake")
	server := mlflowServer(t)
	text := python(t, "run", filepath.Join(root(), "examples", "lending_club.py"), "--remote", c.Remote, "--lake", lake, "--mlflow", "http://127.0.0.1:1")
	if n := strings.Count(text, "warning: MLflow"); n != 1 || !strings.Contains(text, "tracking.py "+filepath.Join(lake, "runs")+" --to") {
		t.Fatalf("without MLflow there are %d warnings:\n%s", n, tail(text))
	}
	for range 2 { // sending twice changes nothing
		python(t, "run", filepath.Join(root(), "examples", "tracking.py"), filepath.Join(lake, "runs"), "--to", server)
		t.Log(tail(python(t, "run", "tracked.py", server, filepath.Join(lake, "runs"))))
	}
}

// free is a port that nobody listens on.
func free(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// serve runs a server in a process group of its own until the test ends, and waits for its port.
func serve(t *testing.T, port int, env []string, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	})
	for end := time.Now().Add(3 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if conn, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", port)); err == nil {
			conn.Close()
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s never listened on port %d", name, port)
		}
	}
}

// mlflowServer starts a real MLflow server.
func mlflowServer(t *testing.T) string {
	t.Helper()
	port, dir := free(t), t.TempDir()
	serve(t, port, []string{"MLFLOW_DISABLE_TELEMETRY=true"}, filepath.Join(root(), ".cache", "venv-run", "bin", "python"), "-m", "mlflow", "server", "--host", "127.0.0.1",
		"--port", fmt.Sprint(port), "--workers", "1", "--backend-store-uri", "sqlite:///"+dir+"/mlflow.db", "--artifacts-destination", "file://"+dir+"/artifacts")
	return fmt.Sprint("http://127.0.0.1:", port)
}

// sparkServer starts a real Spark Connect server with Delta Lake. It has one core: the bins of its curves and the ties of its trees depend on partitions.
func sparkServer(t *testing.T) string {
	t.Helper()
	if !haveSpark() {
		t.Skip("Spark is not set up; bench/setup.sh spark does it")
	}
	venv := filepath.Join(root(), ".cache", "venv-spark")
	homes, err := filepath.Glob(filepath.Join(venv, "lib", "python3*", "site-packages", "pyspark"))
	if err != nil || len(homes) != 1 {
		t.Fatalf("no pyspark in %s (%v)", venv, err)
	}
	jars, err := filepath.Glob(filepath.Join(root(), ".cache", "spark-jars", "*.jar"))
	if err != nil {
		t.Fatal(err)
	}
	var extra []string
	for _, j := range jars {
		for _, prefix := range []string{"delta-", "unitycatalog-", "jts-core", "RoaringBitmap", "shims"} {
			if strings.HasPrefix(filepath.Base(j), prefix) {
				extra = append(extra, j)
			}
		}
	}
	port := free(t)
	args := []string{"--master", "local[1]", "--driver-memory", "3g", "--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "--jars", strings.Join(extra, ",")}
	for _, c := range []string{fmt.Sprint("spark.connect.grpc.binding.port=", port), "spark.connect.grpc.binding.address=127.0.0.1", "spark.driver.host=127.0.0.1",
		"spark.sql.extensions=io.delta.sql.DeltaSparkSessionExtension", "spark.sql.catalog.spark_catalog=org.apache.spark.sql.delta.catalog.DeltaCatalog",
		"spark.ui.enabled=false", "spark.log.level=ERROR", "spark.sql.shuffle.partitions=1", "spark.default.parallelism=1", "spark.databricks.delta.snapshotPartitions=2", "spark.sql.session.timeZone=UTC",
		"spark.driver.extraJavaOptions=-Duser.timezone=UTC -Xss4m"} {
		args = append(args, "--conf", c)
	}
	python := filepath.Join(venv, "bin", "python")
	serve(t, port, []string{"SPARK_HOME=" + homes[0], "SPARK_LOCAL_IP=127.0.0.1", "SPARK_NO_DAEMONIZE=1", "PYSPARK_PYTHON=" + python, "PYSPARK_DRIVER_PYTHON=" + python},
		filepath.Join(homes[0], "bin", "spark-submit"), append(args, "spark-internal")...)
	return fmt.Sprint("sc://127.0.0.1:", port)
}
