package web

import (
	"slices"
	"strings"

	"millrace/errs"
	"millrace/session"
	"millrace/types"
)

// countRows stands for the number of rows where a value column could stand.
const countRows = "*"

// choice is which columns a picture shows.
type choice struct {
	By    string // the category
	Value string // what is summed up, or countRows
}

// Choices are the columns that a picture of a table could show.
type Choices struct {
	By    []string `json:"by"`
	Value []string `json:"value"`
}

var numeric = map[types.Kind]bool{types.KindByte: true, types.KindShort: true, types.KindInteger: true, types.KindLong: true, types.KindFloat: true,
	types.KindDouble: true, types.KindDecimal: true}

var category = map[types.Kind]bool{types.KindString: true, types.KindBoolean: true, types.KindDate: true, types.KindByte: true, types.KindShort: true,
	types.KindInteger: true, types.KindLong: true, types.KindTimestamp: true, types.KindTimestampNTZ: true}

func choicesOf(schema *types.Type) Choices {
	c := Choices{By: []string{}, Value: []string{countRows}}
	for _, f := range schema.Fields {
		if category[f.Type.Kind] {
			c.By = append(c.By, f.Name)
		}
		if numeric[f.Type.Kind] {
			c.Value = append(c.Value, f.Name)
		}
	}
	return c
}

// choose completes what the address asks for: states before other categories, amounts before the count of rows. The sample's rows tell
// which columns hold states and which have few values.
func choose(schema *types.Type, asked choice, sample *session.Table) (choice, error) {
	c := choicesOf(schema)
	if asked.By != "" && !slices.Contains(c.By, asked.By) {
		return asked, errs.Newf(errs.Invalid, "The column %s cannot be a category; these can: %s.", asked.By, strings.Join(c.By, ", "))
	}
	if asked.Value != "" && !slices.Contains(c.Value, asked.Value) {
		return asked, errs.Newf(errs.Invalid, "The column %s cannot be summed up; these can: %s.", asked.Value, strings.Join(c.Value, ", "))
	}
	if asked.By == "" {
		asked.By = bestCategory(schema, sample)
	}
	if asked.Value == "" {
		asked.Value = bestValue(schema, asked.By)
	}
	return asked, nil
}

var stateNamed = []string{"addr_state", "state", "state_code", "us_state", "st"}

func bestCategory(schema *types.Type, sample *session.Table) string {
	for _, name := range stateNamed {
		for _, f := range schema.Fields {
			if strings.EqualFold(f.Name, name) && f.Type.Kind == types.KindString {
				return f.Name
			}
		}
	}
	best, fewest := "", 0
	for i, f := range schema.Fields {
		if !category[f.Type.Kind] {
			continue
		}
		values := column(sample, i)
		if f.Type.Kind == types.KindString && areStates(values) {
			return f.Name
		}
		n := distinct(values)
		if f.Type.Kind != types.KindString {
			n += len(values) // texts come first
		}
		if best == "" || n < fewest && n > 1 {
			best, fewest = f.Name, n
		}
	}
	return best
}

func column(t *session.Table, i int) []string {
	var values []string
	if t != nil {
		for _, row := range t.Rows {
			values = append(values, row[i])
		}
	}
	return values
}

func distinct(values []string) int {
	seen := map[string]bool{}
	for _, v := range values {
		seen[v] = true
	}
	return len(seen)
}

var amountNamed = []string{"count", "sum", "total", "amount", "dollars", "value"}

// bestValue is the column that is named as an amount, or the only number there is, or the count of rows.
func bestValue(schema *types.Type, by string) string {
	var numbers []string
	for _, f := range schema.Fields {
		if numeric[f.Type.Kind] && f.Name != by {
			numbers = append(numbers, f.Name)
		}
	}
	for _, word := range amountNamed {
		for _, name := range numbers {
			if strings.Contains(strings.ToLower(name), word) && !strings.HasPrefix(strings.ToLower(name), "dis") {
				return name
			}
		}
	}
	if len(numbers) == 1 && len(schema.Fields) <= 3 {
		return numbers[0]
	}
	return countRows
}

const stateCodes = " AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY "

func isState(code string) bool {
	return len(code) == 2 && code[0] != ' ' && code[1] != ' ' && strings.Contains(stateCodes, " "+strings.ToUpper(code)+" ")
}

// areStates reports whether values are codes of US states but for a few odd ones.
func areStates(values []string) bool {
	states := 0
	for _, v := range values {
		if isState(v) {
			states++
		}
	}
	return states > 0 && states*5 >= len(values)*4
}
