package jobs

import (
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"millrace/errs"
	"millrace/sql"
)

// file is a job's YAML.
type file struct {
	Name  string
	Conf  map[string]string
	Steps []struct {
		SQL    string // statements
		File   string // a file of statements, relative to the YAML's folder
		Python string // a script's file
	}
}

// ReadFile reads a job from a file of SQL statements, a Python script, or YAML that names several:
//
//	name: nightly
//	conf: {spark.sql.session.timeZone: Europe/Berlin}
//	steps:
//	  - sql: CREATE SCHEMA IF NOT EXISTS reports
//	  - file: clean.sql
//	  - python: train.py
//
// The job's name is the file's unless the YAML gives one. Errors have the kind Invalid.
func ReadFile(path string) (Spec, error) {
	spec := Spec{Name: strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))}
	text, err := read(path)
	if err != nil {
		return spec, err
	}
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".sql":
		spec.Steps = statements(text)
	case ".py":
		spec.Steps = []Step{{Python: text, Name: filepath.Base(path)}}
	case ".yaml", ".yml":
		err = spec.readYAML(path, text)
	default:
		err = errs.Newf(errs.Invalid, "%s is no job: its name must end in .sql, .py or .yaml", path)
	}
	if err == nil && len(spec.Steps) == 0 {
		err = errs.Newf(errs.Invalid, "%s has no statement", path)
	}
	return spec, err
}

func (s *Spec) readYAML(path, text string) error {
	var f file
	d := yaml.NewDecoder(strings.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&f); err != nil {
		return errs.Newf(errs.Invalid, "%s: %v", path, err)
	}
	if f.Name != "" {
		s.Name = f.Name
	}
	s.Conf = f.Conf
	for i, step := range f.Steps {
		switch {
		case step.SQL != "" && step.File == "" && step.Python == "":
			s.Steps = append(s.Steps, statements(step.SQL)...)
		case step.File != "" && step.SQL == "" && step.Python == "":
			text, err := read(filepath.Join(filepath.Dir(path), step.File))
			if err != nil {
				return err
			}
			s.Steps = append(s.Steps, statements(text)...)
		case step.Python != "" && step.SQL == "" && step.File == "":
			text, err := read(filepath.Join(filepath.Dir(path), step.Python))
			if err != nil {
				return err
			}
			s.Steps = append(s.Steps, Step{Python: text, Name: step.Python})
		default:
			return errs.Newf(errs.Invalid, "%s: step %d must have one of sql, file and python", path, i+1)
		}
	}
	return nil
}

func read(path string) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return "", errs.Newf(errs.Invalid, "cannot read the job: %v", err)
	}
	return string(b), nil
}

func statements(text string) []Step {
	var steps []Step
	for _, s := range sql.ParseStatements(text) {
		steps = append(steps, Step{SQL: s})
	}
	return steps
}
