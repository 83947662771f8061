package expr

// Settings are the session's settings that kernels look at, with the values that they usually have: only others reach the kernels, in the
// settings' Conf.
var Settings = map[string]string{
	dedupPolicy: "EXCEPTION",
}

// setting is a session's setting, or empty when it has its usual value.
func setting(c *Call, key string) string { return c.Settings.GetConf()[key] }
