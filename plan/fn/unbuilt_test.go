package fn

import "testing"

func TestUnbuiltFunctionsAreNotRegistered(t *testing.T) {
	for name := range unbuilt {
		if table[name] != nil {
			t.Errorf("%s is built: take it off the list of those that are not", name)
		}
	}
}
