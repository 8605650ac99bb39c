//go:build unready

package main

import "time"

func init() { time.Sleep(time.Hour) }
