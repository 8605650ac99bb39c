package web_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/shop/shoptest"
	"github.com/koshop/koshop/internal/shop/web"
)

const annsBody = `{"name":"Ann","email":"ann@example.com","password":"long enough it is"%s}`

func TestBodiesThatTwoReadersReadDifferently(t *testing.T) {
	url, _ := service(t, nil)
	for more, detail := range map[string]string{
		`,"PASSWORD":""`:          "password: is given more than once",
		`,"EMAIL":"no address"`:   "email: is given more than once",
		`,"paſſword":"x"`:         "password: is given more than once", // ſ is an s to encoding/json
		`,"NAME":5`:               "name: is given more than once",
		`,"TAGS":[],"tags":["x"]`: "tags: is given more than once",
		`,"x":[{"y":1,"Y":2}]`:    "x[0].y: is given more than once",
		`,"TAGS":[]`:              "tags: expected array length >= 1",
		`,"tags":["a","b\u0000"]`: "tags[1]: must not contain U+0000",
		`,"x":{"y":["\u0000"]}`:   "x.y[0]: must not contain U+0000",
		`,"x\u0000y":"\u0000"`:    "xy: must not contain U+0000",
		`,"tags":1e400`:           "tags: expected array",
		`,"` + zeros(800) + `x":1,"` + zeros(800) + `X":1`: zeros(200) + "…: is given more than once",
		`,"x":1,"x":2`: "x: is given more than once",
		`,"x":` + strings.Repeat("[", 16) + strings.Repeat("]", 16): "x[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]: is nested more than 16 deep",
	} {
		shoptest.Do(t, "POST", url+"/people", "", fmt.Sprintf(annsBody, more)).WantDetail(t, 422, detail)
	}
	many := fmt.Sprintf(annsBody, `,"x":[0`+strings.Repeat(",0", 900)+`],"y":[0`+strings.Repeat(",0", 99)+`]`)
	shoptest.Do(t, "POST", url+"/long", "", many).WantDetail(t, 422, "y[93]: has more than 1000 values")
	for _, body := range []string{`{"name":"` + " \x00 " + `"}`, `{"name":1} 2`, `{"name":1e}`, strings.Repeat("[", 2000), `{"name":"\ud800"}`, `{"name":"\udc00\ud800"}`} {
		shoptest.Do(t, "POST", url+"/people", "", body).WantDetail(t, 400, "body: is not valid JSON")
	}
	for _, body := range []string{"{\"name\":\"\xff\"}", "{\"\xc3\x28\":1}"} {
		shoptest.Do(t, "POST", url+"/people", "", body).WantDetail(t, 400, "body: is not UTF-8 text")
	}
	for _, more := range []string{`,"x":1e400`, `,"tags":["\ufffd"]`, `,"tags":["\ud83d\ude00"]`} {
		shoptest.Do(t, "POST", url+"/people", "", fmt.Sprintf(annsBody, more)).Want(t, 200)
	}
}

func zeros(n int) string { return strings.Repeat("0", n) }

func TestAnswersRepeatLittle(t *testing.T) {
	url, _ := service(t, nil)
	answer := shoptest.Do(t, "POST", url+"/long", "", `{"email":"=?`+strings.Repeat("x", 15000)+`?q?y?= <a@b.c>"}`).Want(t, 422)
	if len(answer.Body) > 4096 {
		t.Errorf("the answer has %d bytes", len(answer.Body))
	}
}

func TestPathsAndQueriesThatAreNoText(t *testing.T) {
	url, log := service(t, nil)
	for _, path := range []string{"/miss%00ing", "/%ff", "/%2F%00"} {
		shoptest.Do(t, "GET", url+path, "", "").WantDetail(t, 404, "Not Found")
	}
	for _, query := range []string{"q=%00", "q=a&q=%ff"} {
		shoptest.Do(t, "GET", url+"/missing?"+query, "", "").WantDetail(t, 422, "q: must be UTF-8 text without U+0000")
	}
	log.Reset()
	shoptest.Do(t, "GET", url+"/"+strings.Repeat("x", 8000), "", "").Want(t, 404)
	if log.Len() > 1000 {
		t.Errorf("a long path makes a log line of %d bytes", log.Len())
	}
}

func TestUploadThatEndsEarly(t *testing.T) {
	url, _ := service(t, nil)
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "POST /people HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 400 {
		t.Errorf("status %d", res.StatusCode)
	}
}

func TestUnknownMembersAreAccepted(t *testing.T) {
	url, _ := service(t, nil)
	res, body := send(t, "POST", url+"/people", `{"name":"Ann","email":"ann@example.com","password":"long enough it is","status":"new"}`)
	if res.StatusCode != 200 || strings.Contains(body, "$schema") {
		t.Errorf("got %d %s", res.StatusCode, body)
	}
}

func TestBodyOfExactlyTheLimit(t *testing.T) {
	url, _ := service(t, nil)
	for path, limit := range map[string]int{"/people": 2 << 10, "/long": web.MaxBody} {
		rest := `{"name":"Ann","email":"ann@example.com","password":"long enough it is","x":""}`
		body := strings.Replace(rest, `"x":""`, `"x":"`+strings.Repeat("x", limit-len(rest))+`"`, 1)
		if res, answer := send(t, "POST", url+path, body); res.StatusCode != 200 {
			t.Errorf("%s, a body of %d bytes: %d %s", path, len(body), res.StatusCode, answer)
		}
	}
}

// null stands for a member that is left out.
func TestNullIsNoValue(t *testing.T) {
	url, _ := service(t, nil)
	res, body := send(t, "POST", url+"/people", `{"name":"Ann","email":"ann@example.com","password":"long enough it is","tags":null}`)
	if res.StatusCode != 200 {
		t.Errorf("got %d %s", res.StatusCode, body)
	}
}
