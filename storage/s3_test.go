package storage

import (
	"fmt"
	"testing"

	"millrace/storage/s3test"
)

func TestS3(t *testing.T) {
	bucket := s3test.Start(t)
	s, err := Open(bucket + "/deep/table")
	if err != nil {
		t.Fatal(err)
	}
	conform(t, s)
	sub, err := Open(fmt.Sprintf("s3a%s/deep/table/a", bucket[2:]))
	if err != nil {
		t.Fatal(err)
	}
	if data, err := sub.Get(t.Context(), "b"); err != nil || string(data) != "content of a/b" {
		t.Fatal(string(data), err)
	}
}
