package ml

import (
	"encoding/json"
	"strings"
	"sync"

	"github.com/google/uuid"

	"millrace/errs"
	"millrace/plan"
)

// Object is a model that a client holds by its ID.
type Object struct {
	ID     string
	Params *Params
	Model  Model
	hidden bool // evicted and not asked for since
}

// Objects are the models of one session. It is safe for concurrent use.
type Objects struct {
	mu   sync.Mutex
	byID map[string]*Object
	ids  []string // oldest first
}

// NewObjects makes an empty set.
func NewObjects() *Objects { return &Objects{byID: map[string]*Object{}} }

func (o *Objects) keep(p *Params, m Model) *Object {
	x := &Object{ID: uuid.NewString(), Params: p, Model: m}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.byID[x.ID] = x
	o.ids = append(o.ids, x.ID)
	return x
}

// Get finds a model.
func (o *Objects) Get(id string) (*Object, error) {
	if uuid.Validate(id) != nil || len(id) != 36 {
		return nil, errs.New("INTERNAL_ERROR", "message", "The MLCache key "+id+" is invalid.")
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if x := o.byID[id]; x != nil {
		x.hidden = false
		return x, nil
	}
	return nil, errs.New("CONNECT_ML.CACHE_INVALID", "objectName", id, "evictTimeoutInMinutes", "15")
}

// Delete forgets models and returns those that were there. With evictOnly only what can be made again is dropped.
func (o *Objects) Delete(ids []string, evictOnly bool) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var gone []string
	for _, id := range ids {
		x := o.byID[id]
		if x == nil {
			continue
		}
		gone = append(gone, id)
		if evictOnly {
			x.hidden = true
			if s, ok := x.Model.(Summarized); ok {
				s.DropSummary()
			}
			continue
		}
		delete(o.byID, id)
		for i, other := range o.ids {
			if other == id {
				o.ids = append(o.ids[:i:i], o.ids[i+1:]...)
				break
			}
		}
	}
	return gone
}

// Clean forgets all models and returns how many there were.
func (o *Objects) Clean() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := len(o.byID)
	clear(o.byID)
	o.ids = nil
	return n
}

// Info describes the models as JSON objects.
func (o *Objects) Info() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var out []string
	for _, id := range o.ids {
		x := o.byID[id]
		if x.hidden {
			continue
		}
		line, _ := json.Marshal(struct {
			ID    string `json:"id"`
			Class string `json:"class"`
			Size  int64  `json:"size"`
		}{id, x.Params.Class.Name, x.Model.Size()})
		out = append(out, string(line))
	}
	return out
}

// Fit trains a model and keeps it.
func (o *Objects) Fit(c *Context, class, uid string, params map[string]any, data plan.Node) (*Object, error) {
	k, err := classOf(class, Estimator)
	if err != nil {
		return nil, err
	}
	p, err := NewParams(k, uid, params)
	if err != nil {
		return nil, err
	}
	m, err := k.Fit(c, p, data)
	if err != nil {
		return nil, err
	}
	model, err := classOf(k.Model, ModelClass)
	if err != nil {
		return nil, err
	}
	return o.keep(p.of(model), m), nil
}

// Keep keeps a model that was made otherwise: a part of another one.
func (o *Objects) Keep(class, uid string, params map[string]any, m Model) (*Object, error) {
	k, err := classOf(class, ModelClass)
	if err != nil {
		return nil, err
	}
	p, err := NewParams(k, uid, params)
	if err != nil {
		return nil, err
	}
	return o.keep(p, m), nil
}

// Transform is a model's transformation of data with further parameters.
func (o *Objects) Transform(id string, params map[string]any, data plan.Node) (plan.Node, error) {
	x, err := o.Get(id)
	if err != nil {
		return nil, err
	}
	p, err := x.Params.With(params)
	if err != nil {
		return nil, err
	}
	return deferred(data, func(in Frame) (plan.Node, error) { return x.Model.Transform(p, in) }), nil
}

// Apply is a transformer's transformation of data.
func Apply(class, uid string, params map[string]any, data plan.Node) (plan.Node, error) {
	k, err := classOf(class, Transformer)
	if err != nil {
		return nil, err
	}
	p, err := NewParams(k, uid, params)
	if err != nil {
		return nil, err
	}
	return deferred(data, func(in Frame) (plan.Node, error) { return k.Transform(p, in) }), nil
}

// Evaluate computes an evaluator's metric.
func Evaluate(c *Context, class, uid string, params map[string]any, data plan.Node) (float64, error) {
	k, err := classOf(class, Evaluator)
	if err != nil {
		return 0, err
	}
	p, err := NewParams(k, uid, params)
	if err != nil {
		return 0, err
	}
	return k.Evaluate(c, p, data)
}

// Call is one step of what a client asks of an object: a method with its arguments, of which relations are plan.Node.
type Call struct {
	Method string
	Args   []any
}

// Fetch follows a chain of calls from a model. The result is a string, bool, int64, float64, []string, []float64, []int64, [][]string,
// linalg.Vector, linalg.Matrix, a plan.Node (a relation), Made (a model that is to be kept) or []Made.
func (o *Objects) Fetch(c *Context, id string, chain []Call) (any, error) {
	x, err := o.Get(id)
	if err != nil {
		return nil, err
	}
	var v any
	for i, call := range chain {
		switch at := v.(type) {
		case nil:
			v, err = x.attribute(c, call)
		case Attributes:
			v, err = at.Attribute(c, call.Method, call.Args)
		default:
			err = notAllowed(x.Params.Class.Name, call.Method)
		}
		if err != nil {
			return nil, err
		}
		if v == nil {
			return nil, errs.Newf(errs.Internal, "the attribute %s of %s has no value", chain[i].Method, x.Params.Class.Name)
		}
	}
	return o.adopt(v)
}

func (x *Object) attribute(c *Context, call Call) (any, error) {
	if call.Method == "toString" {
		if s, ok := x.Model.(interface{ Describe(p *Params) string }); ok {
			return s.Describe(x.Params), nil
		}
	}
	return x.Model.Attribute(c, x.Params, call.Method, call.Args)
}

// Made is a model that an attribute gives.
type Made struct {
	Class, UID string
	Params     map[string]any
	Model      Model
}

// References are the IDs of models.
type References []string

func (r References) String() string { return strings.Join(r, ",") }

// adopt keeps the models that an attribute gave.
func (o *Objects) adopt(v any) (any, error) {
	var list []Made
	switch v := v.(type) {
	case Made:
		list = []Made{v}
	case []Made:
		list = v
	default:
		return v, nil
	}
	refs := References{}
	for _, m := range list {
		x, err := o.Keep(m.Class, m.UID, m.Params, m.Model)
		if err != nil {
			return nil, err
		}
		refs = append(refs, x.ID)
	}
	return refs, nil
}

// CreateSummary makes a model's training summary again.
func (o *Objects) CreateSummary(c *Context, id string, data plan.Node) error {
	x, err := o.Get(id)
	if err != nil {
		return err
	}
	if s, ok := x.Model.(Summarized); ok {
		return s.CreateSummary(c, x.Params, data)
	}
	return nil
}

// NotAllowed is the error of an attribute that a class does not have.
func NotAllowed(p *Params, attribute string) error { return notAllowed(p.Class.Name, attribute) }

func notAllowed(class, attribute string) error {
	return errs.New("CONNECT_ML.ATTRIBUTE_NOT_ALLOWED", "className", class, "attribute", attribute)
}
