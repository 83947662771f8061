package ml

import (
	"sort"

	"millrace/errs"
	"millrace/plan"
)

// Kind is what a class is.
type Kind uint8

// The kinds of classes.
const (
	Estimator Kind = iota + 1
	Transformer
	Evaluator
	ModelClass
)

// Class is one of Spark's classes. Of the functions, those of its kind are set. They are called from many goroutines.
type Class struct {
	Name   string // org.apache.spark.ml.feature.StringIndexer
	Kind   Kind
	Params []Param
	// Model is the class of the models that Fit makes.
	Model string
	// Fit trains on data. p is the estimator's and must not be kept; the caller gives the model its own copy.
	Fit func(c *Context, p *Params, data plan.Node) (Model, error)
	// Transform says what a transformer makes of a frame.
	Transform func(p *Params, in Frame) (plan.Node, error)
	// Evaluate computes a metric.
	Evaluate func(c *Context, p *Params, data plan.Node) (float64, error)
	// Load reads a model's data, which its Save wrote.
	Load func(c *Context, p *Params, from *Stored) (Model, error)
}

// Model is what a fit makes. It does not change and is used by many goroutines; its parameters come from outside, since a client may set
// those of a model at any time.
type Model interface {
	// Transform says what the model makes of a frame.
	Transform(p *Params, in Frame) (plan.Node, error)
	// Attribute is what a client asks of the model by name: see Object.Attribute for the forms of values.
	Attribute(c *Context, p *Params, name string, args []any) (any, error)
	// Save writes the model's data beside the metadata, which the caller writes.
	Save(c *Context, p *Params, to *Stored) error
	// Size is about how many bytes of memory the model takes.
	Size() int64
}

// Attributes is a part of a model that has attributes of its own, such as a training summary.
type Attributes interface {
	Attribute(c *Context, name string, args []any) (any, error)
}

// Summarized is a model with a training summary, which may be dropped to save memory and made again.
type Summarized interface {
	Model
	// DropSummary forgets the summary: asking for it then gives CONNECT_ML.MODEL_SUMMARY_LOST.
	DropSummary()
	// CreateSummary computes it on a dataset, the transformed training data.
	CreateSummary(c *Context, p *Params, data plan.Node) error
}

var classes = map[string]*Class{}

// Register adds classes; files of this package and of packages above call it from init. A name may be registered once.
func Register(list ...*Class) {
	for _, c := range list {
		if classes[c.Name] != nil {
			panic("ml: registered twice: " + c.Name)
		}
		classes[c.Name] = c
	}
}

// Classes lists the names of all classes in order.
func Classes() []string {
	names := make([]string, 0, len(classes))
	for n := range classes {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// classOf finds a class of a kind.
func classOf(name string, kind Kind) (*Class, error) {
	c := classes[name]
	if c == nil || c.Kind != kind {
		return nil, errs.New("CONNECT_ML.UNSUPPORTED_EXCEPTION", "message", "Unsupported ML operator, found "+name)
	}
	return c, nil
}
