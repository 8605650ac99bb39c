// Command web shares its name with another command of this module.
package main

func main() {}
