// Command worker says hello.
package main

import (
	"fmt"

	"example.com/guestbook/greeting"
)

func main() { fmt.Println("worker:", greeting.Text) }
