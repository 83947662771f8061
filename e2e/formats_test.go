package e2e

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// differentFormats are the cases of formats.py in which millrace answers otherwise than Spark, and why.
var differentFormats = map[string]string{
	"csv maxCharsPerColumn":        "the message is millrace's own",
	"csv maxColumns":               "likewise",
	"csv write bzip2":              "writing bzip2 is refused by name",
	"json prefersDecimal":          "Spark fails on numbers such as 1e50, which are doubles here",
	"parquet arrow codec brotli":   "Spark's build has no Brotli",
	"parquet arrow time":           "TIME needs no setting",
	"parquet codec brotli":         "writing Brotli is refused by name",
	"parquet codec lz4":            "writing LZ4 is refused by name",
	"parquet codec lz4_raw":        "likewise",
	"parquet codec lzo":            "likewise",
	"parquet codec name brotli":    "likewise",
	"parquet codec name lz4":       "likewise",
	"parquet codec name lz4_raw":   "likewise",
	"parquet codec name lzo":       "likewise",
	"parquet delta encodings":      "Spark does not read all of these encodings",
	"parquet delta encodings 2":    "likewise",
	"parquet rebase LEGACY INT96":  "writing the hybrid calendar is refused by name",
	"parquet rebase LEGACY MICROS": "likewise",
	"parquet rebase LEGACY MILLIS": "likewise",
	"void write":                   "refused by name",
	"variant write":                "parse_json is not there yet",
}

// TestFormats reads and writes files of every format by many options and holds schemas, rows, written texts and conditions against Spark's.
func TestFormats(t *testing.T) {
	c := up(t, "--workers", "2")
	out := filepath.Join(t.TempDir(), "out.json")
	python(t, client, "formats.py", c.Remote, filepath.Join(t.TempDir(), "files"), out)
	ours, theirs := answers(t, out), answers(t, filepath.Join("testdata", "formats.json"))
	for _, name := range slices.Sorted(maps.Keys(theirs)) {
		_, different := differentFormats[name]
		switch {
		case ours[name] == theirs[name] && different:
			t.Errorf("%s: answers as Spark does: take it off the list", name)
		case ours[name] != theirs[name] && !different:
			t.Errorf("%s:\nmillrace %.2000s\nSpark    %.2000s", name, ours[name], theirs[name])
		}
	}
	for name, answer := range ours { // of which no Spark with its Avro module was there to record answers
		if strings.HasPrefix(name, "avro ") && strings.HasPrefix(answer, `["error"`) && !refusal(answer) && name != "avro read none" {
			t.Errorf("%s: %s", name, answer)
		}
	}
}
