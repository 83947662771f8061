package fn

import (
	_ "embed"
	"strings"
	"sync"
)

// Description is what DESCRIBE FUNCTION says of one of Spark's functions or operators.
type Description struct {
	Name  string
	Class string   // of Spark; empty: it has none
	Since string   // the version of Spark that had it first; empty: not known
	Calls []string // how it is written
}

//go:embed described.txt
var described string

var descriptions = sync.OnceValue(func() (all []Description) {
	for line := range strings.Lines(described) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		part := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		d := Description{Name: part[0], Class: part[1], Since: part[2]}
		if strings.HasPrefix(d.Class, ".") {
			d.Class = "org.apache.spark.sql.catalyst.expressions" + d.Class
		}
		if part[3] != "" {
			d.Calls = strings.Split(part[3], ";")
		}
		if !Unbuilt(d.Name) {
			all = append(all, d)
		}
	}
	return all
})

// Described are the functions and operators of Spark that this cluster has, in the order of their names.
func Described() []Description { return descriptions() }

// Describe finds what is known of a function or operator, without regard to case; nil when there is none.
func Describe(name string) *Description {
	name = strings.ToLower(name)
	for i, d := range descriptions() {
		if d.Name == name {
			return &descriptions()[i]
		}
	}
	return nil
}

// Injected reports whether a function is one of Delta's, which Spark counts among the users'.
func (d *Description) Injected() bool {
	return strings.HasPrefix(d.Class, "org.apache.spark.sql.delta.")
}

var kindTexts = map[Kind]string{
	Scalar:     "Computes a value of each row's arguments.",
	Aggregate:  "Makes one value of all rows of a group.",
	WindowOnly: "Computes a value of each row from the rows of its window.",
	Generator:  "Makes any number of rows of each row.",
	Table:      "Makes the rows of a table; it is called in FROM.",
}

// Usage is how a function is called and what becomes of that.
func (d *Description) Usage() string {
	text := "An operator, or a part of the language that is written like a function."
	if f := Lookup(d.Name); f != nil {
		text = kindTexts[f.Kind]
	}
	switch len(d.Calls) {
	case 0:
		return "N/A."
	case 1:
		return d.Calls[0] + " - " + text
	}
	var b strings.Builder
	for i, call := range d.Calls {
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString("\n    " + call + " - " + text)
	}
	b.WriteString("\n  ")
	return b.String()
}

// Extended is what DESCRIBE FUNCTION EXTENDED adds.
func (d *Description) Extended() string {
	text := "\n    No example/argument for " + d.Name + ".\n"
	if d.Since != "" {
		text += "\n    Since: " + d.Since + "\n"
	}
	return text
}
