package table

import (
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"millrace/errs"
)

// squeezedWriter compresses a text file as a whole.
type squeezedWriter struct {
	fileWriter
	squeeze io.WriteCloser
}

func (w *squeezedWriter) Close() error {
	if err := w.fileWriter.Close(); err != nil {
		return err
	}
	return w.squeeze.Close()
}

// squeezed puts the compression that the options ask for between a text writer and its file.
func squeezed(out io.Writer, options map[string]string, make func(io.Writer) (fileWriter, error)) (fileWriter, error) {
	var c io.WriteCloser
	switch name := strings.ToLower(compression(options)); name {
	case "", "none", "uncompressed":
		return make(out)
	case "gzip":
		c = gzip.NewWriter(out)
	case "zstd":
		z, err := zstd.NewWriter(out, zstd.WithEncoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		c = z
	default:
		return nil, errs.New("CODEC_NOT_AVAILABLE.WITH_AVAILABLE_CODECS_SUGGESTION", "codecName", name, "availableCodecs", "gzip, none, uncompressed, zstd")
	}
	w, err := make(c)
	if err != nil {
		return nil, err
	}
	return &squeezedWriter{w, c}, nil
}
