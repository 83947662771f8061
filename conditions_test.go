package millrace_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"millrace/errs"
)

// TestConditionsAreRegistered finds every condition that the code raises by name and looks it up: a name that is not in errs would
// reach the user as an internal error.
func TestConditionsAreRegistered(t *testing.T) {
	raised := regexp.MustCompile(`errs\.New\("([A-Z0-9_.]+)"`)
	found := 0
	eachFile(t, func(dir, file string, _ []string) {
		text, err := os.ReadFile(filepath.FromSlash(file))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range raised.FindAllStringSubmatch(string(text), -1) {
			found++
			if strings.HasSuffix(m[1], ".") {
				continue // the rest of the name is made at run time
			}
			if _, ok := errs.Lookup(m[1]); !ok {
				t.Errorf("%s raises %s, which is not registered in errs", file, m[1])
			}
		}
	})
	if found < 100 {
		t.Errorf("only %d conditions were found in the code; has the way to raise them changed?", found)
	}
}
