package route

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// directRequest is a request that has arrived as a whole.
type directRequest struct {
	bytes      []byte
	isHead     bool // there is no body in its answer
	replayable bool // it may be sent twice
}

// parseRequest reads a request that has arrived, and reports false if that is not all
// of it, or if anything about it is out of the ordinary.
func parseRequest(arrived []byte) (request directRequest, ok bool) {
	end := bytes.Index(arrived, []byte("\r\n\r\n"))
	if end < 0 {
		return request, false
	}
	first, fields, _ := bytes.Cut(arrived[:end+2], []byte("\r\n"))
	method, rest, _ := bytes.Cut(first, []byte(" "))
	target, version, _ := bytes.Cut(rest, []byte(" "))
	if !isPlain(first) || len(target) == 0 || target[0] != '/' || string(version) != "HTTP/1.1" {
		return request, false
	}
	hosts, lengths, length := 0, 0, 0
	for len(fields) > 0 {
		var line []byte
		line, fields, _ = bytes.Cut(fields, []byte("\r\n"))
		name, value, found := bytes.Cut(line, []byte(":"))
		if !found || !isPlain(line) || !isToken(name) {
			return request, false
		}
		value = bytes.TrimSpace(value)
		switch strings.ToLower(string(name)) {
		case "host":
			hosts++
		case "content-length":
			lengths++
			n, err := strconv.ParseUint(string(value), 10, 31)
			if err != nil {
				return request, false
			}
			length = int(n)
		case "connection":
			if !bytes.EqualFold(value, []byte("keep-alive")) {
				return request, false
			}
		case "transfer-encoding", "upgrade", "expect", "te", "trailer", "keep-alive", "proxy-connection", "http2-settings":
			return request, false
		}
	}
	size := end + 4 + length
	if hosts != 1 || lengths > 1 || len(arrived) < size {
		return request, false
	}
	safe := string(method) == "GET" || string(method) == "HEAD" || string(method) == "OPTIONS"
	return directRequest{bytes: arrived[:size], isHead: string(method) == "HEAD", replayable: safe && length == 0}, string(method) != "CONNECT"
}

// isPlain reports whether a line has nothing that one program may take for the end of
// it and another not.
func isPlain(line []byte) bool { return !bytes.ContainsAny(line, "\r\n\x00") }

// isToken reports whether a name of a header field has nothing but what is common.
func isToken(name []byte) bool {
	for _, c := range name {
		if !('a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return len(name) > 0
}

// directResponse is the beginning of an answer.
type directResponse struct {
	bytes   []byte
	length  int64 // of the body; -1 if that ends with the connection
	chunked bool
	closes  bool // no further request follows on the connection
}

// maxHead bounds in bytes the head of an answer.
const maxHead = 1 << 20

// head reads the head of an answer, and those before that only say that it will come.
func (u *upstream) head(request directRequest) (directResponse, error) {
	var all []byte
	for {
		u.line = u.line[:0]
		for !bytes.HasSuffix(u.line, []byte("\r\n\r\n")) && !bytes.HasSuffix(u.line, []byte("\n\n")) {
			part, err := u.in.ReadSlice('\n')
			u.line = append(u.line, part...)
			if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
				if errors.Is(err, io.EOF) {
					err = io.ErrUnexpectedEOF
				}
				return directResponse{}, err
			}
			if len(u.line) > maxHead {
				return directResponse{}, errors.New("the head of its answer is too long")
			}
		}
		response, status, err := parseResponse(u.line, request.isHead)
		if err != nil {
			return response, err
		}
		all = append(all, u.line...)
		if status >= 200 {
			response.bytes = all
			return response, nil
		}
	}
}

func parseResponse(head []byte, isHead bool) (response directResponse, status int, err error) {
	first, fields, _ := bytes.Cut(head, []byte("\n"))
	version, rest, _ := bytes.Cut(first, []byte(" "))
	code, _, _ := bytes.Cut(bytes.TrimSpace(rest), []byte(" "))
	status, err = strconv.Atoi(string(code))
	if err != nil || !bytes.HasPrefix(version, []byte("HTTP/1.")) {
		return response, 0, fmt.Errorf("it answers %q, which is not HTTP", bytes.TrimSpace(first))
	}
	response.length, response.closes = -1, string(version) == "HTTP/1.0"
	for len(fields) > 0 {
		var line []byte
		line, fields, _ = bytes.Cut(fields, []byte("\n"))
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch strings.ToLower(string(name)) {
		case "content-length":
			if response.length, err = strconv.ParseInt(string(value), 10, 63); err != nil || response.length < 0 {
				return response, status, fmt.Errorf("it answers with Content-Length %q", value)
			}
		case "transfer-encoding":
			response.chunked = bytes.EqualFold(value, []byte("chunked"))
		case "connection":
			response.closes = response.closes || bytes.Contains(bytes.ToLower(value), []byte("close"))
		}
	}
	switch {
	case isHead || status == 204 || status == 304 || status < 200:
		response.length, response.chunked = 0, false
	case !response.chunked && response.length < 0:
		response.closes = true
	}
	return response, status, nil
}
