package table

import (
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"

	"millrace/errs"
	"millrace/table/internal/lines"
)

// codecExtensions are what the names of compressed text files end with.
var codecExtensions = map[string]string{"gzip": ".gz", "zstd": ".zst", "deflate": ".deflate", "lz4": ".lz4", "snappy": ".snappy", "bzip2": ".bz2"}

// squeezedWriter encodes and compresses a text file as a whole.
type squeezedWriter struct {
	fileWriter
	layers []io.Closer // the outermost first
}

func (w *squeezedWriter) Close() error {
	err := w.fileWriter.Close()
	for _, l := range w.layers {
		if err != nil {
			return err
		}
		err = l.Close()
	}
	return err
}

// squeezed puts the encoding and the compression that the options ask for between a text writer and its file.
func squeezed(out io.Writer, options map[string]string, encoding string, create func(io.Writer) (fileWriter, error)) (fileWriter, error) {
	var layers []io.Closer
	c, err := compressor(out, strings.ToLower(compression(options)))
	if err != nil {
		return nil, err
	}
	if c != nil {
		out, layers = c, []io.Closer{c}
	}
	if encoding != "" {
		e := lines.Encode(out, encoding)
		out, layers = e, append([]io.Closer{e}, layers...)
	}
	w, err := create(out)
	if err != nil || layers == nil {
		return w, err
	}
	return &squeezedWriter{w, layers}, nil
}

// compressor is the writer of a codec; nil for none.
func compressor(out io.Writer, name string) (io.WriteCloser, error) {
	switch name {
	case "", "none", "uncompressed":
		return nil, nil
	case "gzip":
		return gzip.NewWriter(out), nil
	case "deflate":
		return zlib.NewWriter(out), nil
	case "lz4":
		return lines.NewLZ4Writer(out), nil
	case "snappy":
		return lines.NewSnappyWriter(out), nil
	case "zstd":
		return zstd.NewWriter(out, zstd.WithEncoderConcurrency(1))
	case "bzip2":
		return nil, errs.Unsupportedf("Writing files compressed by bzip2 is not supported.")
	}
	return nil, errs.New("CODEC_NOT_AVAILABLE.WITH_AVAILABLE_CODECS_SUGGESTION", "codecName", name, "availableCodecs", "bzip2, deflate, uncompressed, snappy, none, lz4, gzip, zstd")
}
