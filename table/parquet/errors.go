package parquet

import (
	"errors"
	"fmt"

	"millrace/errs"
)

// errCorrupt is the cause of every error about bytes that break the format.
var errCorrupt = errors.New("corrupt Parquet file")

func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errCorrupt, fmt.Sprintf(format, args...))
}

// readError is Spark's condition for a file that cannot be read, with what was wrong as its cause. Errors that have a
// condition or a kind of their own (a vanished file, a cancelled task) keep it.
func readError(path string, cause error) error {
	var e *errs.Error
	if errors.As(cause, &e) || errs.Is(cause, errs.Cancelled) {
		return cause
	}
	err := errs.New("FAILED_READ_FILE.NO_HINT", "path", path)
	err.Cause = cause
	return err
}

func footerError(path string, cause error) error {
	var e *errs.Error
	if errors.As(cause, &e) || errs.Is(cause, errs.Cancelled) {
		return cause
	}
	err := errs.New("FAILED_READ_FILE.CANNOT_READ_FILE_FOOTER", "path", path)
	err.Cause = cause
	return err
}
