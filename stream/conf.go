package stream

import (
	"strconv"

	"millrace/session"
)

// statefulKeys are the settings that a checkpoint keeps, with what Spark takes where they are not set: the state's form depends on them.
var statefulKeys = [][2]string{
	{"spark.sql.streaming.stateStore.providerClass", "org.apache.spark.sql.execution.streaming.state.HDFSBackedStateStoreProvider"},
	{"spark.sql.streaming.stateStore.rocksdb.mergeOperatorVersion", "2"},
	{"spark.sql.streaming.stateStore.rocksdb.formatVersion", "5"},
	{"spark.sql.streaming.queryEvolution.enableSourceEvolution", "false"},
	{"spark.sql.streaming.stateStore.encodingFormat", "unsaferow"},
	{"spark.sql.streaming.statefulOperator.useStrictDistribution", "true"},
	{"spark.sql.streaming.flatMapGroupsWithState.stateFormatVersion", "2"},
	{"spark.sql.streaming.multipleWatermarkPolicy", "min"},
	{"spark.sql.streaming.stateStore.rowChecksum.enabled", "false"},
	{"spark.sql.streaming.aggregation.stateFormatVersion", "2"},
	{"spark.sql.function.protobufExtensions.enabled", "false"},
	{"spark.sql.shuffle.partitions", "200"},
	{"spark.sql.streaming.join.stateFormatVersion", "2"},
	{"spark.sql.streaming.stateStore.compression.codec", "lz4"},
	{"spark.sql.optimizer.pruneFiltersCanPruneStreamingSubplan", "false"},
}

// statefulConf is what a new checkpoint keeps. The state has as many partitions as the user says, else as tasks run at once.
func statefulConf(s *session.Session, slots int) map[string]string {
	conf := make(map[string]string, len(statefulKeys))
	for _, k := range statefulKeys {
		if conf[k[0]] = s.Conf.Get(k[0]); conf[k[0]] == "" {
			conf[k[0]] = k[1]
		}
	}
	if _, set := s.Conf.Own()["spark.sql.shuffle.partitions"]; !set {
		conf["spark.sql.shuffle.partitions"] = strconv.Itoa(slots)
	}
	return conf
}
