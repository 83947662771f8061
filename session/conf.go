package session

import (
	_ "embed"
	"maps"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"millrace/errs"
)

//go:embed conf_defaults.txt
var confDefaults string

type confEntry struct {
	value     string
	undefined bool
	alias     string // the key whose value this one takes
	static    bool
	internal  bool // not listed
}

var confEntries = sync.OnceValue(func() map[string]confEntry {
	entries := map[string]confEntry{}
	for line := range strings.Lines(confDefaults) {
		parts := strings.Split(strings.TrimSuffix(line, "\n"), "|")
		if strings.HasPrefix(line, "#") || len(parts) < 2 {
			continue
		}
		e := confEntry{value: parts[1], undefined: parts[1] == "<undefined>", static: len(parts) > 2 && parts[2] == "static", internal: len(parts) > 2 && parts[2] == "internal"}
		if rest, ok := strings.CutPrefix(e.value, "<value of "); ok {
			e.alias = strings.TrimSuffix(rest, ">")
		}
		entries[parts[0]] = e
	}
	return entries
})

// Conf is a session's configuration over Spark 4.2's defaults. It is safe for concurrent use.
type Conf struct {
	mu   sync.RWMutex
	base map[string]string // what the cluster was started with
	set  map[string]string
}

// NewConf makes a configuration; base holds the cluster's own settings and is not changed.
func NewConf(base map[string]string) *Conf {
	return &Conf{base: base, set: map[string]string{}}
}

func (c *Conf) clone() *Conf {
	c.mu.RLock()
	defer c.mu.RUnlock()
	n := NewConf(c.base)
	for k, v := range c.set {
		n.set[k] = v
	}
	return n
}

// Lookup is a key's value. Known reports whether the key exists at all; one that exists without a value gives
// defined false.
func (c *Conf) Lookup(key string) (value string, defined, known bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.lookup(key)
}

func (c *Conf) lookup(key string) (value string, defined, known bool) {
	if v, ok := c.set[key]; ok {
		return v, true, true
	}
	if v, ok := c.base[key]; ok {
		return v, true, true
	}
	e, ok := confEntries()[key]
	switch {
	case !ok:
		return "", false, false
	case e.alias != "":
		v, defined, _ := c.lookup(e.alias)
		return v, defined, true
	case key == "spark.sql.session.timeZone":
		return localZone(), true, true
	}
	return e.value, !e.undefined, true
}

func localZone() string {
	if name := time.Local.String(); name != "Local" && name != "" {
		return name
	}
	return "UTC"
}

// Get is a key's value or the empty string.
func (c *Conf) Get(key string) string {
	v, defined, _ := c.Lookup(key)
	if !defined {
		return ""
	}
	return v
}

// Changed are the settings of the session that are not the cluster's.
func (c *Conf) Changed() map[string]string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return maps.Clone(c.set)
}

// Bool is a key's value as a boolean.
func (c *Conf) Bool(key string) bool { return strings.EqualFold(c.Get(key), "true") }

// Int is a key's value as an integer, or the default when it is none.
func (c *Conf) Int(key string, otherwise int64) int64 {
	n, err := strconv.ParseInt(strings.TrimSuffix(c.Get(key), "b"), 10, 64)
	if err != nil {
		return otherwise
	}
	return n
}

// Require is a key's value as spark.conf.get gives it: an unknown key is an error.
func (c *Conf) Require(key string) (value string, defined bool, err error) {
	v, defined, known := c.Lookup(key)
	if !known {
		return "", false, errs.New("SQL_CONF_NOT_FOUND", "sqlConf", strconv.Quote(key))
	}
	return v, defined, nil
}

// Given is a key's value where the session or the cluster has set it, rather than its default.
func (c *Conf) Given(key string) (value string, given bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for {
		if v, ok := c.set[key]; ok {
			return v, true
		}
		if v, ok := c.base[key]; ok {
			return v, true
		}
		if key = confEntries()[key].alias; key == "" {
			return "", false
		}
	}
}

// Set changes a key. Static keys, keys of the cluster's processes and values of the wrong type are refused.
func (c *Conf) Set(key, value string) error {
	if e, ok := confEntries()[key]; ok && e.static || staticKeys[key] {
		return errs.New("CANNOT_MODIFY_STATIC_CONFIG", "key", strconv.Quote(key))
	}
	if isProcessKey(key) {
		return errs.New("CANNOT_MODIFY_CONFIG", "key", strconv.Quote(key), "docroot", "https://spark.apache.org/docs/latest")
	}
	if err := CheckConf(key, value); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.set[key] = value
	return nil
}

// Unset gives a key its default again.
func (c *Conf) Unset(key string) error {
	if e, ok := confEntries()[key]; ok && e.static || staticKeys[key] {
		return errs.New("CANNOT_MODIFY_STATIC_CONFIG", "key", strconv.Quote(key))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.set, key)
	return nil
}

// Modifiable reports whether Set takes the key. Keys that nobody has heard of are not.
func (c *Conf) Modifiable(key string) bool {
	e, ok := confEntries()[key]
	return ok && !e.static
}

// All lists the keys that somebody has set, with their values, in order.
func (c *Conf) All(prefix string) [][2]string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	all := map[string]string{}
	for _, layer := range []map[string]string{c.base, c.set} {
		for k, v := range layer {
			if rest, ok := strings.CutPrefix(k, prefix); ok {
				all[rest] = v
			}
		}
	}
	return sortedPairs(all)
}

// Own lists what was set in the session itself, without the cluster's settings.
func (c *Conf) Own() map[string]string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return maps.Clone(c.set)
}

// Defaults lists every key that exists with its value, as SET -v does.
func (c *Conf) Defaults() [][2]string {
	all := map[string]string{}
	for k, e := range confEntries() {
		if e.internal {
			continue
		}
		if v, defined, _ := c.Lookup(k); defined {
			all[k] = v
		} else {
			all[k] = "<undefined>"
		}
	}
	return sortedPairs(all)
}

func sortedPairs(m map[string]string) [][2]string {
	pairs := make([][2]string, 0, len(m))
	for k, v := range m {
		pairs = append(pairs, [2]string{k, v})
	}
	sort.Slice(pairs, func(i, j int) bool { return pairs[i][0] < pairs[j][0] })
	return pairs
}

var staticKeys = map[string]bool{"spark.sql.warehouse.dir": true}

// isProcessKey reports whether a key belongs to the processes of a cluster and so is fixed when a session starts.
func isProcessKey(key string) bool {
	for _, prefix := range []string{"spark.executor.", "spark.driver.", "spark.memory.", "spark.task.", "spark.master",
		"spark.app.name", "spark.shuffle.service.", "spark.dynamicAllocation.", "spark.eventLog."} {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}

// CheckConf checks that a value has the type of its key.
func CheckConf(key, value string) error {
	mismatch := func(kind string) error {
		return errs.New("INVALID_CONF_VALUE.TYPE_MISMATCH", "confName", key, "confValue", value, "confType", kind)
	}
	if key == "spark.sql.session.timeZone" {
		if _, err := ZoneOf(value); err != nil {
			return errs.New("INVALID_CONF_VALUE.TIME_ZONE", "confValue", value, "confName", key)
		}
		return nil
	}
	if n, err := strconv.Atoi(value); err == nil && n <= 0 && key == "spark.sql.shuffle.partitions" {
		return errs.New("INVALID_CONF_VALUE.REQUIREMENT", "confName", key, "confValue", value, "confRequirement", "The value of "+key+" must be positive")
	}
	e := confEntries()[key]
	if e.value == "true" || e.value == "false" {
		if v := strings.ToLower(strings.TrimSpace(value)); v != "true" && v != "false" {
			return mismatch("boolean")
		}
	}
	if _, err := strconv.Atoi(e.value); err == nil {
		if _, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64); err != nil {
			return mismatch("int")
		}
	}
	return nil
}
