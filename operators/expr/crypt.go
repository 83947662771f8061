package expr

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"strings"

	"millrace/errs"
)

func init() {
	Register("aes_encrypt", Func{Strict: true, Build: func(*Call) (Kernel, error) { return textKernel(aesEncrypt), nil }})
	Register("aes_decrypt", Func{Strict: true, Pure: true, Build: func(*Call) (Kernel, error) { return textKernel(aesDecrypt), nil }})
	Register("try_aes_decrypt", Func{Strict: true, Pure: true, Build: func(*Call) (Kernel, error) {
		return textKernel(func(in *inputs, i int, dst []byte) ([]byte, error) {
			out, err := aesDecrypt(in, i, dst)
			if err != nil {
				return nil, errNull
			}
			return out, nil
		}), nil
	}})
}

const (
	aesName  = "`aes_encrypt`/`aes_decrypt`"
	ivLength = 16
	gcmIV    = 12
)

// aesMode is the mode and the block cipher that a call's arguments name.
func aesMode(in *inputs, i int) (mode string, b cipher.Block, err error) {
	mode, padding := "GCM", "DEFAULT"
	if len(in.vec) > 2 {
		mode = strings.ToUpper(string(in.str(2, i)))
	}
	if len(in.vec) > 3 {
		padding = strings.ToUpper(string(in.str(3, i)))
	}
	known := mode == "GCM" && (padding == "NONE" || padding == "DEFAULT") || (mode == "ECB" || mode == "CBC") && (padding == "PKCS" || padding == "DEFAULT")
	if !known {
		return "", nil, errs.New("UNSUPPORTED_FEATURE.AES_MODE", "mode", mode, "padding", padding, "functionName", aesName)
	}
	key := in.str(1, i)
	if b, err = aes.NewCipher(key); err != nil {
		return "", nil, errs.New("INVALID_PARAMETER_VALUE.AES_KEY_LENGTH", "parameter", "`key`", "functionName", aesName, "actualLength", itoa(int64(len(key))))
	}
	return mode, b, nil
}

func aesFailed(detail string) error {
	return errs.New("INVALID_PARAMETER_VALUE.AES_CRYPTO_ERROR", "parameter", "`expr`, `key`", "functionName", aesName, "detailMessage", detail)
}

// aesIV is the initialisation vector that was given, or a random one.
func aesIV(in *inputs, i int, mode string, size int) ([]byte, error) {
	if len(in.vec) > 4 && len(in.str(4, i)) > 0 {
		iv := in.str(4, i)
		switch {
		case mode == "ECB":
			return nil, errs.New("UNSUPPORTED_FEATURE.AES_MODE_IV", "mode", mode, "functionName", "`aes_encrypt`")
		case len(iv) != size:
			return nil, errs.New("INVALID_PARAMETER_VALUE.AES_IV_LENGTH", "mode", mode, "parameter", "`iv`", "functionName", aesName, "actualLength", itoa(int64(len(iv))))
		}
		return iv, nil
	}
	iv := make([]byte, size)
	_, err := rand.Read(iv)
	return iv, err
}

func aesEncrypt(in *inputs, i int, dst []byte) ([]byte, error) {
	mode, b, err := aesMode(in, i)
	if err != nil {
		return nil, err
	}
	size := map[string]int{"GCM": gcmIV, "CBC": ivLength, "ECB": 0}[mode]
	iv, err := aesIV(in, i, mode, size)
	if err != nil {
		return nil, err
	}
	var aad []byte
	if len(in.vec) > 5 {
		if aad = in.str(5, i); len(aad) > 0 && mode != "GCM" {
			return nil, errs.New("UNSUPPORTED_FEATURE.AES_MODE_AAD", "mode", mode, "functionName", "`aes_encrypt`")
		}
	}
	text := in.str(0, i)
	if mode == "GCM" {
		g, err := cipher.NewGCM(b)
		if err != nil {
			return nil, err
		}
		return append(append(dst, iv...), g.Seal(nil, iv, text, aad)...), nil
	}
	pad := ivLength - len(text)%ivLength
	block := append(bytes.Clone(text), bytes.Repeat([]byte{byte(pad)}, pad)...)
	if mode == "CBC" {
		cipher.NewCBCEncrypter(b, iv).CryptBlocks(block, block)
		return append(append(dst, iv...), block...), nil
	}
	for at := 0; at < len(block); at += ivLength {
		b.Encrypt(block[at:], block[at:])
	}
	return append(dst, block...), nil
}

func aesDecrypt(in *inputs, i int, dst []byte) ([]byte, error) {
	mode, b, err := aesMode(in, i)
	if err != nil {
		return nil, err
	}
	var aad []byte
	if len(in.vec) > 4 {
		if aad = in.str(4, i); len(aad) > 0 && mode != "GCM" {
			return nil, errs.New("UNSUPPORTED_FEATURE.AES_MODE_AAD", "mode", mode, "functionName", "`aes_decrypt`")
		}
	}
	text := in.str(0, i)
	if mode == "GCM" {
		g, err := cipher.NewGCM(b)
		if err != nil {
			return nil, err
		}
		if len(text) < gcmIV {
			return nil, aesFailed("Invalid buffer arguments")
		}
		out, err := g.Open(nil, text[:gcmIV], text[gcmIV:], aad)
		if err != nil {
			return nil, aesFailed("Tag mismatch")
		}
		return append(dst, out...), nil
	}
	block := bytes.Clone(text)
	if mode == "CBC" {
		if len(block) < ivLength {
			return nil, aesFailed("Invalid buffer arguments")
		}
		iv := block[:ivLength]
		if block = block[ivLength:]; len(block)%ivLength == 0 {
			cipher.NewCBCDecrypter(b, iv).CryptBlocks(block, block)
		}
	} else if len(block)%ivLength == 0 {
		for at := 0; at < len(block); at += ivLength {
			b.Decrypt(block[at:], block[at:])
		}
	}
	if len(block)%ivLength != 0 {
		return nil, aesFailed("Input length must be multiple of 16 when decrypting with padded cipher")
	}
	return unpadded(dst, block)
}

// unpadded takes the padding of PKCS#7 off.
func unpadded(dst, block []byte) ([]byte, error) {
	if len(block) == 0 {
		return dst, nil
	}
	pad := int(block[len(block)-1])
	if pad == 0 || pad > ivLength || !bytes.Equal(block[len(block)-pad:], bytes.Repeat([]byte{byte(pad)}, pad)) {
		return nil, aesFailed("Given final block not properly padded. Such issues can arise if a bad key is used during decryption.")
	}
	return append(dst, block[:len(block)-pad]...), nil
}
