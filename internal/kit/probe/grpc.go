package probe

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
)

// A gRPC message has a byte before it that says whether it is compressed, and four
// for its length
// (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md).
const (
	prefixLength = 5
	// maxAnswer bounds in bytes what is read of an answer, which is one number.
	maxAnswer = 4 << 10
)

// statuses are those of grpc.health.v1's HealthCheckResponse, by number.
var statuses = []string{"UNKNOWN", serving, "NOT_SERVING", "SERVICE_UNKNOWN"}

const serving = "SERVING"

// grpcClient speaks HTTP/2 without TLS, and like client keeps no connection.
var grpcClient = &http.Client{Transport: grpcTransport()}

func grpcTransport() *http.Transport {
	t := &http.Transport{DisableKeepAlives: true, Protocols: &http.Protocols{}}
	t.Protocols.SetUnencryptedHTTP2(true)
	return t
}

// health asks a server by the gRPC health checking protocol
// (https://github.com/grpc/grpc/blob/master/doc/health-checking.md). One call is all
// that is needed of gRPC, whose library would double the memory of the supervisor
// in a pod.
func health(ctx context.Context, action *GRPC) error {
	target := address(action.Host, action.Port)
	status, err := askHealth(ctx, target, action.Service)
	if err != nil {
		return fmt.Errorf("asking %s for its health: %w", target, err)
	}
	if status != serving {
		return fmt.Errorf("%s answers %s", target, status)
	}
	return nil
}

func askHealth(ctx context.Context, target, service string) (status string, err error) {
	question := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), service)
	message := append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(question))), question...)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+target+"/grpc.health.v1.Health/Check", bytes.NewReader(message))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/grpc")
	request.Header.Set("Te", "trailers")
	request.Header.Set("User-Agent", userAgent)
	response, err := grpcClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return "", err
	}
	if err := grpcError(response); err != nil {
		return "", err
	}
	number, err := healthStatus(answer)
	if err != nil {
		return "", err
	}
	if number >= uint64(len(statuses)) {
		return strconv.FormatUint(number, 10), nil
	}
	return statuses[number], nil
}

// grpcError returns the error of a call, which is in the trailers, or in the headers
// if there is no message.
func grpcError(response *http.Response) error {
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	for _, header := range []http.Header{response.Trailer, response.Header} {
		if code := header.Get("Grpc-Status"); code != "" && code != "0" {
			return fmt.Errorf("gRPC status %s: %s", code, header.Get("Grpc-Message"))
		}
	}
	return nil
}

// healthStatus reads the status of a HealthCheckResponse, which is its field 1.
func healthStatus(answer []byte) (status uint64, err error) {
	if len(answer) < prefixLength || answer[0] != 0 {
		return 0, errors.New("the answer is not one of gRPC")
	}
	for rest := answer[prefixLength:]; len(rest) > 0; {
		number, kind, n := protowire.ConsumeTag(rest)
		if n < 0 {
			return 0, protowire.ParseError(n)
		}
		rest = rest[n:]
		if number == 1 && kind == protowire.VarintType {
			status, n = protowire.ConsumeVarint(rest)
		} else {
			n = protowire.ConsumeFieldValue(number, kind, rest)
		}
		if n < 0 {
			return 0, protowire.ParseError(n)
		}
		rest = rest[n:]
	}
	return status, nil
}
