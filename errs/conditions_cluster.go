package errs

// Conditions of the cluster itself; they are millrace's own.
var _ = register(map[string]Condition{
	"CLUSTER_NO_WORKER":        {Exhausted, ClassSpark, "53000", "No worker has joined the cluster for <timeout>, and the job cannot run without one. Start a worker, or check its log for why it does not join."},
	"CLUSTER_VERSION_MISMATCH": {Invalid, ClassSpark, "55000", "The <role> <name> runs millrace <version>, and this cluster runs <clusterVersion>. All processes of a cluster must run the same version."},
})
