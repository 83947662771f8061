package fn

import "strings"

// unbuilt are the functions of Spark that this cluster does not have yet.
var unbuilt = wordSet(`
	direct_shuffle_partition_id
	java_method
	reflect st_asbinary st_geogfromwkb
	st_geomfromwkb st_setsrid st_srid
	try_reflect
	measure python_worker_logs
`)

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}

// Unbuilt reports whether Spark has a function of that name, in lower case, and this cluster has not.
func Unbuilt(name string) bool { return unbuilt[name] && table[name] == nil }
