package sketch

import "strings"

// FamilyError is what bytes that are a sketch of another family are. It is an ErrInvalid.
type FamilyError struct{ Wanted, Got string }

func (e *FamilyError) Error() string { return "not a " + e.Wanted + " sketch: " + e.Got }

// Is makes the error one of bytes that are no sketch of the wanted kind.
func (e *FamilyError) Is(err error) bool { return err == ErrInvalid }

var families = strings.Fields("ALPHA QUICKSELECT COMPACT UNION INTERSECTION ANOTB HLL QUANTILES TUPLE FREQUENCY RESERVOIR RESERVOIR_UNION VAROPT VAROPT_UNION KLL CPC REQ " +
	"COUNTMIN EBPPS TDIGEST BLOOMFILTER")

// foreign is the error of bytes that are not of a family.
func foreign(b []byte, wanted string) error {
	if len(b) > 2 && b[2] > 0 && int(b[2]) <= len(families) && families[b[2]-1] != wanted {
		return &FamilyError{wanted, families[b[2]-1]}
	}
	return ErrInvalid
}
