package fn

import "strings"

// unbuilt are the functions of Spark that this cluster does not have yet.
var unbuilt = wordSet(`
	direct_shuffle_partition_id from_protobuf
	java_method
	reflect st_asbinary st_geogfromwkb
	st_geomfromwkb st_setsrid st_srid
	to_protobuf try_reflect
	tuple_difference_double tuple_difference_integer tuple_difference_theta_double tuple_difference_theta_integer
	tuple_intersection_agg_double tuple_intersection_agg_integer tuple_intersection_double tuple_intersection_integer
	tuple_intersection_theta_double tuple_intersection_theta_integer tuple_sketch_agg_double tuple_sketch_agg_integer
	tuple_sketch_estimate_double tuple_sketch_estimate_integer tuple_sketch_summary_double tuple_sketch_summary_integer
	tuple_sketch_theta_double tuple_sketch_theta_integer tuple_union_agg_double tuple_union_agg_integer tuple_union_double
	tuple_union_integer tuple_union_theta_double tuple_union_theta_integer
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
