//go:build broken

package main

func init() { panic("broken") }
