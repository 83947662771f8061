package collation

import (
	_ "embed"
	"sort"
	"strings"
)

// locales are those of Spark's collations, each with its language and country in English.
//
//go:embed locales.txt
var locales string

// Listed is a collation as a list shows it. Language and Country are empty where it is of none.
type Listed struct {
	*Collation
	Language, Country string
}

// List is all of Spark's collations that Find knows: those of UTF-8, then the others by name.
func List() []Listed {
	var list []Listed
	add := func(name, language, country string) {
		if c, err := Find(name); err == nil && c.Name == name {
			list = append(list, Listed{c, language, country})
		}
	}
	for _, suffix := range []string{"", "_RTRIM"} {
		add(Binary+suffix, "", "")
		add("UTF8_LCASE"+suffix, "", "")
	}
	first := len(list)
	addAll(add, "UNICODE", "", "")
	for line := range strings.Lines(locales) {
		parts := append(strings.Split(strings.TrimSpace(line), "|"), "")
		addAll(add, parts[0], parts[1], parts[2])
	}
	sort.Slice(list[first:], func(i, j int) bool { return list[first+i].Name < list[first+j].Name })
	return list
}

// addAll adds the forms of a locale's collation.
func addAll(add func(name, language, country string), base, language, country string) {
	for _, form := range []string{"", "_CI", "_AI", "_CI_AI"} {
		add(base+form, language, country)
		add(base+form+"_RTRIM", language, country)
	}
}
